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

complete -c fedroot -n "__fish_fedroot_needs_command" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_needs_command" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_needs_command" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_needs_command" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_needs_command" -s V -l version -d 'Print version'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "identity" -d 'Make age identities, which read ledgers and open keys'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "init" -d 'Make a vault and begin its ledger'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "key" -d 'Make, adopt, list, show and export keys'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "review" -d 'Show what a signature would cover, what the rules find, and what changed; touches no key'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "sign" -d 'Review a document, then sign it'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "verify" -d 'Verify a signed document with a trusted key; needs no vault'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "ledger" -d 'Check and read the ledger'
complete -c fedroot -n "__fish_fedroot_needs_command" -f -a "manual" -d 'Write the man pages and completions'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and not __fish_seen_subcommand_from generate" -f -a "generate" -d 'Make an age identity in the file format of age-keygen, and print its recipient'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -s o -l output -d 'The file for the identity; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand identity; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l auditor -d 'An age recipient who reads the ledger (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l environment -d 'An environment whose keys the vault may hold: sandbox, staging or prod (can be repeated; all of them by default)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l origin -d 'The name of the ledger, such as fed.example.org/ledger/prod (made from the vault\'s id by default)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand init" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -f -a "generate" -d 'Make the first key of a line'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -f -a "adopt" -d 'Take a key that was made elsewhere as the first key of a line'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -f -a "list" -d 'List the key lines'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -f -a "show" -d 'Show the keys of a line'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and not __fish_seen_subcommand_from generate adopt list show export" -f -a "export" -d 'Print the public half of a line\'s key'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l algorithm -d 'The algorithm of the key' -r -f -a "p384\t'ECDSA P-384'
rsa4096\t'RSA 4096'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l for -d 'The kind of document that the line signs (can be repeated)' -r -f -a "saml\t'SAML metadata: one entity or an aggregate'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l profile -d 'The line\'s profile, instead of the built-in one: TOML' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l recipient -d 'Seal the key to this age recipient instead of a passphrase (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l confirm -d 'Confirm the request with this digest' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l dry-run -d 'Print the request digest, and do nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l from -d 'The private key: unencrypted PKCS#8, PEM or DER, in a file that only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l for -d 'The kind of document that the line signs (can be repeated)' -r -f -a "saml\t'SAML metadata: one entity or an aggregate'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l profile -d 'The line\'s profile, instead of the built-in one: TOML' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l recipient -d 'Seal the key to this age recipient instead of a passphrase (can be repeated)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l confirm -d 'Confirm the request with this digest' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l dry-run -d 'Print the request digest, and do nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from adopt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l format -d 'How the public key is written' -r -f -a "pem\t'SubjectPublicKeyInfo in PEM'
jwk\t'JSON Web Key'
certificate\t'The line\'s self-signed certificate in PEM'"
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand key; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l key -d 'The key line: TENANT/ENVIRONMENT/PURPOSE' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l environment -d 'Refuse a key of another environment than this one' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l release-brake -d 'Let pass what the profile\'s brake stops, for this reason; it is part of the request, and recorded' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l html -d 'Write the review as a page for a browser, too; the file must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand review" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l key -d 'The key line: TENANT/ENVIRONMENT/PURPOSE' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l environment -d 'Refuse a key of another environment than this one' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l release-brake -d 'Let pass what the profile\'s brake stops, for this reason; it is part of the request, and recorded' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -s o -l output -d 'The file for the signed document; it must not exist' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l passphrase-fd -d 'Read the passphrase from this file descriptor (one trailing newline is dropped)' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l passphrase-file -d 'Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l identity -d 'Open the key with this age identity file, which only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l reason -d 'Why, for the ledger' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l confirm -d 'Confirm the request with the digest that `fedroot review` printed' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l dry-run -d 'Check everything and say what would be done, and sign nothing'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand sign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l trust -d 'A public key or certificate to trust, PEM (can be repeated)' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l at -d 'Judge validity by this time instead of now' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show" -f -a "verify" -d 'Check chain, seals and the pairing of intents; needs no secret'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and not __fish_seen_subcommand_from verify show" -f -a "show" -d 'Read the entries with an auditor\'s identity'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l identity -d 'The auditor\'s age identity file, which only its owner may read' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l key -d 'Only the entries about this key line' -r
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand ledger; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l vault -d 'The folder of the vault' -r -F
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l check -d 'Compare only, and refuse when anything is out of date'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l json -d 'Print one JSON document instead of text, on errors too'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -l batch -d 'Never ask: fail where an answer is needed'
complete -c fedroot -n "__fish_fedroot_using_subcommand manual" -s h -l help -d 'Print help'
