# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_fedroot_global_optspecs
    string join \n vault= json batch h/help V/version
end

function __fish_fedroot_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_fedroot_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_fedroot_using_subcommand
    set -l cmd (__fish_fedroot_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c fedroot -n "__fish_fedroot_needs_command" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_needs_command" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_needs_command" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_needs_command" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_needs_command" -s V -l version -d 'Print version'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "identity" -d 'Make age identities, which read ledgers and open keys'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "init" -d 'Make a vault and begin its ledger'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "key" -d 'Make, adopt, show, export, suspend and destroy keys'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "review" -d 'Show what a signature would cover, what the rules find, and what changed; touches no key'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "sign" -d 'Review a document, then sign it'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "verify" -d 'Verify a signed document with a trusted key; needs no vault'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "rotate" -d 'Rotate the keys of a line: next key, moves, plan, emergency'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "observe" -d 'Note that a signed document was seen where it is published: windows count from it'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "status" -d 'Show what is due, missing or about to end; needs no secret'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "ledger" -d 'Check, read, prove, export, witness and recover the ledger'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "manual" -d 'Write the man pages and completions'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -f -a "generate" -d 'Make an age identity in the file format of age-keygen, and print its recipient'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -s o -l output -d 'The file for the identity; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l auditor -d 'An age recipient who reads the ledger (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l environment -d 'An environment whose keys the vault may hold: sandbox, staging or prod (can be repeated; all of them by default)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l origin -d 'The name of the ledger, such as fed.example.org/ledger/prod (made from the vault\'s id by default)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "generate" -d 'Make the first key of a line'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "adopt" -d 'Take a key that was made elsewhere as the first key of a line'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "list" -d 'List the key lines'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "show" -d 'Show the keys of a line'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "export" -d 'Print the public half of a line\'s key'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "suspend" -d 'Let a key sign nothing until it is resumed; asks for no secret'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "resume" -d 'Let a suspended key go back to where it was'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export suspend resume destroy" -f -a "destroy" -d 'Overwrite and remove the private half of a retired or revoked key'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l algorithm -d 'The algorithm of the key' -r -f -a "p384\t'ECDSA P-384'
rsa4096\t'RSA 4096'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l for -d 'The kind of document that the line signs (can be repeated)' -r -f -a "saml\t'SAML metadata: one entity or an aggregate'
bundle\t'the files of a folder, or those that a list names'
jwks\t'a set of JSON Web Keys'
kubernetes\t'a Kubernetes issuer: key set and discovery document'
spiffe-bundle\t'the trust bundle of a SPIFFE trust domain'
entity-configuration\t'an entity\'s own configuration in OpenID Federation'
subordinate-statement\t'a statement about a subordinate in OpenID Federation'
trust-mark\t'a trust mark of OpenID Federation'
trust-mark-delegation\t'leave to issue a trust mark of OpenID Federation'
historical-keys\t'the keys that an entity of OpenID Federation does not use any more'
jwk-set\t'the signed keys of an entity\'s protocols in OpenID Federation'
federation\t'all that an anchor of OpenID Federation publishes, from a folder'
provisioning-authorisation\t'a client\'s keys and limits for a SCIM service, instead of a token'
access-token\t'a short access token (RFC 9068), a secret: where the service can take a signed key, sign that instead (provisioning-authorisation)'
software-statement\t'client metadata that is vouched for at dynamic registration (RFC 7591)'
oob-keys\t'a trust anchor\'s keys for another channel: to print, to compare, to pin'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l profile -d 'The line\'s profile, instead of the built-in one: TOML' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l recipient -d 'Seal the key to this age recipient instead of a passphrase (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l confirm -d 'Confirm the request with this digest' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l dry-run -d 'Print the request digest, and do nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l from -d 'The private key: unencrypted PKCS#8, PEM or DER, in a file that only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l for -d 'The kind of document that the line signs (can be repeated)' -r -f -a "saml\t'SAML metadata: one entity or an aggregate'
bundle\t'the files of a folder, or those that a list names'
jwks\t'a set of JSON Web Keys'
kubernetes\t'a Kubernetes issuer: key set and discovery document'
spiffe-bundle\t'the trust bundle of a SPIFFE trust domain'
entity-configuration\t'an entity\'s own configuration in OpenID Federation'
subordinate-statement\t'a statement about a subordinate in OpenID Federation'
trust-mark\t'a trust mark of OpenID Federation'
trust-mark-delegation\t'leave to issue a trust mark of OpenID Federation'
historical-keys\t'the keys that an entity of OpenID Federation does not use any more'
jwk-set\t'the signed keys of an entity\'s protocols in OpenID Federation'
federation\t'all that an anchor of OpenID Federation publishes, from a folder'
provisioning-authorisation\t'a client\'s keys and limits for a SCIM service, instead of a token'
access-token\t'a short access token (RFC 9068), a secret: where the service can take a signed key, sign that instead (provisioning-authorisation)'
software-statement\t'client metadata that is vouched for at dynamic registration (RFC 7591)'
oob-keys\t'a trust anchor\'s keys for another channel: to print, to compare, to pin'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l profile -d 'The line\'s profile, instead of the built-in one: TOML' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l recipient -d 'Seal the key to this age recipient instead of a passphrase (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l confirm -d 'Confirm the request with this digest' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l dry-run -d 'Print the request digest, and do nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l format -d 'How the public key is written' -r -f -a "pem\t'SubjectPublicKeyInfo in PEM'
jwk\t'JSON Web Key'
certificate\t'The line\'s self-signed certificate in PEM'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from suspend" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from destroy" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l key -d 'The key line: TENANT/ENVIRONMENT/PURPOSE' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l environment -d 'Refuse a key of another environment than this one' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l release-brake -d 'Let pass what the profile\'s brake stops, for this reason; it is part of the request, and recorded' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l html -d 'Write the review as a page for a browser, too; the file must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l split -d 'Review it as a document of which each entity is signed on its own'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l copy -d 'While a key is rotated: review it as the copy that the other key signs (sign --copy)'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l key -d 'The key line: TENANT/ENVIRONMENT/PURPOSE' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l environment -d 'Refuse a key of another environment than this one' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l release-brake -d 'Let pass what the profile\'s brake stops, for this reason; it is part of the request, and recorded' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -s o -l output -d 'The file for the signed document; it must not exist. A name that ends in .gz gets it compressed; - is standard output. For a federation the folder of its tree, which is renewed' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l copy -d 'While a key is rotated: the file for the same document signed by the other key, the successor or the predecessor whose notice runs; it must not exist. With --split the folder for the same documents' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l split -d 'Sign each entity on its own, into this folder, as the Metadata Query Protocol names them; what stands there unchanged and valid long enough is kept' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l identity -d 'Open the key with this age identity file, which only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l confirm -d 'Confirm the request with the digest that `fedroot review` printed; for --copy that of the copy too, which `fedroot review --copy` prints' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l prune -d 'Remove the files of what is no longer in the document or the folder; only with --split, and for a federation'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l dry-run -d 'Check everything and say what would be done, and sign nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l trust -d 'A public key or certificate (PEM), a JWK or a JWK set to trust; for a chain also the anchor\'s configuration, whose keys speak for no other anchor (can be repeated)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l at -d 'Judge validity by this time instead of now' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l audience -d 'Refuse a document for another audience than this one, the service\'s own URL' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l historical -d 'The historical keys of a chain\'s anchor, for a time at which it used them' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l proof -d 'The proof that the ledger has this signature, with one of the next three to hold it against' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l trust-note -d 'A checkpoint of the same size that came over another channel (can be repeated)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l trust-key -d 'The key of a witness that must have signed the checkpoint: NAME+ID+KEY (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l ledger -d 'A copy of the ledger' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l explain -d 'Print commands for sh that check the same with other programs'
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "plan" -d 'The schedule of a rotation: windows, ceremonies, slack, exposure'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "rehearse" -d 'Hold a plan with throw-away keys and real documents, and ask simulated consumers'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "stage" -d 'Make the next key of a line: same profile, new key; nothing is published'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "publish" -d 'From now on the documents of the line list the new key, or are signed by both'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "activate" -d 'The new key signs from now on; the one before it retires'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "rollback" -d 'The key before signs again; the active one retires'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "retire" -d 'Documents list the key no longer, and it signs nothing: when nothing that it signed is outstanding'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "revoke" -d 'The key signs nothing ever again, at once; asks for no secret, and says what is at risk until when'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "emergency" -d 'The path of a stolen key, in one ceremony: revoke, let the standby key take over, write the notice'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "notice" -d 'The notice about a key that may be stolen, once more: what is at risk by now, and which key signs instead'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and not __fish_seen_subcommand_from plan rehearse stage publish activate rollback retire revoke emergency notice renew-certificate" -f -a "renew-certificate" -d 'Give the active key another certificate: who pins its fingerprint has to be told'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -l until -d 'Plan until this time; half a year, when absent' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -l at -d 'Plan from this time on, instead of now' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -l ical -d 'Write the ceremonies as a calendar into this file; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -l svg -d 'Draw the plan as SVG into this file; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l from -d 'The time of the first ceremony' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l to -d 'The end of the rehearsal' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l document -d 'A document that is signed at each ceremony, as `fedroot sign KIND FILE` takes it (can be repeated)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l signer -d 'The line that signs documents of kinds that the rehearsed line does not sign, and that carry its keys: its profile holds for them. Without one, built-in defaults do, with the validity and cache duration of the channel' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l standby -d 'Keep another key for an emergency: hidden until it takes over, or published as soon as that is allowed' -r -f -a "hidden\t'Nobody knows it before it takes over'
published\t'Documents list it, or people carry it'"
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l emergency -d 'The active key is stolen then; the standby key takes its place at once, or one that is made only now' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l algorithm -d 'The algorithm of the throw-away keys; that of the line\'s key, when absent' -r -f -a "p384\t'ECDSA P-384'
rsa4096\t'RSA 4096'"
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -s o -l output -d 'Keep what was published, by ceremony, with the public keys that consumers trust then and `steps.json`; the folder must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rehearse" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l algorithm -d 'The algorithm of the new key; that of the active key, when absent' -r -f -a "p384\t'ECDSA P-384'
rsa4096\t'RSA 4096'"
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l recipient -d 'Seal the key to this age recipient instead of a passphrase (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l confirm -d 'Confirm the request with this digest' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l standby -d 'Keep the key for an emergency: it signs nothing before'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l dry-run -d 'Print the request digest, and do nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from stage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from publish" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from activate" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from rollback" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from retire" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l since -d 'The earliest time at which somebody else may have held it' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l superseded -d 'It was only replaced by another key: nobody else may hold it'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l with -d 'Another person who agreed, for the ledger (can be repeated); the profile says how many it takes' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l since -d 'The earliest time at which somebody else may have held it' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -s o -l output -d 'The file for the notice that is to be published; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l dry-run -d 'Give the three answers and the request digest, and move nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from emergency" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from notice" -s o -l output -d 'The file for the notice; it must not exist. It is shown, when absent' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from notice" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from notice" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from notice" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from notice" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l identity -d 'Open the key with this age identity file, which only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l confirm -d 'Confirm the request with the digest that --dry-run printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l dry-run -d 'Print the request digest, and do nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand rotate; and __fish_seen_subcommand_from renew-certificate" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l seen-at -d 'When it was fetched' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l from -d 'The URL that it was fetched from' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l said -d 'Nobody fetched it, and an officer says, with this reason, that it stands everywhere' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l never-published -d 'It was signed and never published, and an officer answers for that, with this reason and by name in the ledger: no move waits for it any longer, unless it is seen after all' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l key -d 'The key line whose keys it lists; found by the digest, or the key, when absent' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l before-adoption -d 'An adopted key signed it before it was adopted, so that the vault does not know of it: what is outstanding of that time is then waited for'
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand observe" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -l svg -d 'Draw the life of the line so far as SVG into this file; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -l within -d 'Warn of what ends within this time; when absent, of keys and certificates that end within 60 days, and of documents that end before what the next ceremony signs can stand in their place' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -l at -d 'Judge by this time, instead of now' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -l exit-code -d 'End with 4 when something is due, overdue, missing or about to end'
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand status" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "verify" -d 'Check chain, seals, pairs and checkpoints; needs no secret'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "show" -d 'Read the entries with an auditor\'s identity'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "recover" -d 'Go on after a crash that opening cannot mend by itself, or after a break that people acknowledge'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "rebuild" -d 'Make the vault\'s journal of keys anew from the ledger, or compare the two, with an auditor\'s identity'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "checkpoint" -d 'Sign what the ledger is now, to be carried off the machine'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "prove" -d 'Prove that an entry is in the ledger, without showing what it says'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "check-proof" -d 'Check a proof; needs no vault'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "disclose" -d 'Open one entry to somebody else, and no other'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "check-disclosure" -d 'Check an entry that was disclosed, and read it; needs no vault'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "export" -d 'Write the entries in another format, or what others check without us'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "audit" -d 'Answer an auditor\'s challenge with an entry at the end of the ledger'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "auditors" -d 'Say who reads the ledger, and change it'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "rewrap" -d 'Wrap the keys of old sessions for a new auditor, without touching the ledger'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "mirror" -d 'Bring a copy of the log on another medium up to date'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show recover rebuild checkpoint prove check-proof disclose check-disclosure export audit auditors rewrap mirror witness" -f -a "witness" -d 'Have another machine sign that the ledger only grew'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l since -d 'A checkpoint that was kept elsewhere: the ledger must go on from it (can be repeated)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l ledger -d 'A copy of the ledger, or the folder of its mirror, instead of the one in the vault: needs no vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l identity -d 'The auditor\'s age identity file, which only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l key -d 'Only the entries about this key line' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l since -d 'Only the entries that claim this time or a later one' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l kind -d 'Only the entries of this kind (can be repeated)' -r -f -a "genesis\t''
config\t''
intent\t''
outcome\t''
denied\t''
stage\t''
receipt\t''
note\t''
checkpoint\t''
recovery\t''
reseal\t''
audit\t''"
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l rewrapped -d 'Sessions that were rewrapped for this identity' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l ledger -d 'A copy of the ledger, or the folder of its mirror, instead of the one in the vault: needs no vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from recover" -l reason -d 'What happened, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from recover" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from recover" -l acknowledge -d 'Go on although entries are lost or were changed, or the clock was ahead: every later check will tell'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from recover" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from recover" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from recover" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rebuild" -l identity -d 'The auditor\'s age identity file, which only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rebuild" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rebuild" -l compare -d 'Compare only: refuse when the journal is not what the ledger says'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rebuild" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rebuild" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rebuild" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -s o -l output -d 'The file for the checkpoint; it must not exist (standard output by default)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -l reason -d 'What for, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -l words -d 'Print the words of its digest, to be read aloud and compared'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -l qr -d 'Print it as a QR code even when standard output is not a terminal'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from checkpoint" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from prove" -s o -l output -d 'The file for the proof; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from prove" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from prove" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from prove" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from prove" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -l document -d 'The document whose signature the entry must record' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -l trust-note -d 'A checkpoint of the same size that came over another channel (can be repeated)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -l trust-key -d 'The key of a witness that must have signed the checkpoint: NAME+ID+KEY (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -l ledger -d 'A copy of the ledger' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-proof" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from disclose" -s o -l output -d 'The file for the proof; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from disclose" -l identity -d 'The auditor\'s age identity file, which only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from disclose" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from disclose" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from disclose" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from disclose" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -l nonce -d 'The nonce that the entry must answer' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -l trust-note -d 'A checkpoint of the same size that came over another channel (can be repeated)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -l trust-key -d 'The key of a witness that must have signed the checkpoint: NAME+ID+KEY (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -l ledger -d 'A copy of the ledger' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from check-disclosure" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -l format -d 'What to write' -r -f -a "csv\t'Comma-separated values with a header, RFC 4180'
ecs\t'Elastic Common Schema, one document to a line'
evidence\t'A folder that shows, without any secret, what the ledger was at a checkpoint'
jsonl\t'One JSON document to a line'
tiles\t'A folder of C2SP tlog-tiles, for transparency-log servers'"
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -s o -l output -d 'The file or folder to write; it must not exist. - is standard output, for csv, ecs and jsonl' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -l identity -d 'The auditor\'s age identity file, for csv, ecs and jsonl' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -l checkpoint -d 'The checkpoint that tiles and evidence go by (the newest one of the vault by default)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -l entry -d 'Prove this entry in the evidence (can be repeated; the last one of the checkpoint by default)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from audit" -l nonce -d 'What the auditor asks for: something that nobody could know before' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from audit" -s o -l output -d 'The file for the answer; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from audit" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from audit" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from audit" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from audit" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -f -a "list" -d 'Show who reads what is written now'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -f -a "add" -d 'Ask a future auditor to show that he can decrypt, and with his answer add him'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -f -a "answer" -d 'Answer the challenge to a future auditor: open it'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from auditors" -f -a "remove" -d 'Remove an auditor: he goes on reading what was written while he was one'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rewrap" -l identity -d 'The identity file of somebody who can read the old sessions' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rewrap" -l to -d 'The age recipient who shall read them too (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rewrap" -s o -l output -d 'The file for the wrapped keys; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rewrap" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rewrap" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rewrap" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from rewrap" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from mirror" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from mirror" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from mirror" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from mirror" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from witness" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from witness" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from witness" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from witness" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from witness" -f -a "request" -d 'Write a request to a witness: the newest checkpoint, and the proof that it goes on from an older one'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from witness" -f -a "sign" -d 'As a witness, sign a checkpoint that goes on from the last one signed; needs no vault'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from witness" -f -a "add" -d 'Keep what a witness sent back beside the ledger'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l vault -d 'The folder of the vault; the variable FEDROOT_VAULT names it otherwise' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l check -d 'Compare only, and refuse when anything is out of date'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l json -d 'Print one JSON document instead of text, on errors too; its member `warnings` has what warns'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -s h -l help -d 'Print help'
