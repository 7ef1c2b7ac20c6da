#compdef fedroot

autoload -U is-at-least

_fedroot() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_fedroot_commands" \
"*::: :->fedroot" \
&& ret=0
    case $state in
    (fedroot)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:fedroot-command-$line[1]:"
        case $line[1] in
            (identity)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_fedroot__subcmd__identity_commands" \
"*::: :->identity" \
&& ret=0

    case $state in
    (identity)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:fedroot-identity-command-$line[1]:"
        case $line[1] in
            (generate)
_arguments "${_arguments_options[@]}" : \
'-o+[The file for the identity; it must not exist]:FILE:_files' \
'--output=[The file for the identity; it must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
        esac
    ;;
esac
;;
(init)
_arguments "${_arguments_options[@]}" : \
'*--auditor=[An age recipient who reads the ledger (can be repeated)]:age1…:_default' \
'*--environment=[An environment whose keys the vault may hold\: sandbox, staging or prod (can be repeated; all of them by default)]:ENVIRONMENT:_default' \
'--origin=[The name of the ledger, such as fed.example.org/ledger/prod (made from the vault'\''s id by default)]:NAME:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(key)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_fedroot__subcmd__key_commands" \
"*::: :->key" \
&& ret=0

    case $state in
    (key)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:fedroot-key-command-$line[1]:"
        case $line[1] in
            (generate)
_arguments "${_arguments_options[@]}" : \
'--algorithm=[The algorithm of the key]:ALGORITHM:((p384\:"ECDSA P-384"
rsa4096\:"RSA 4096"))' \
'*--for=[The kind of document that the line signs (can be repeated)]:KIND:((saml\:"SAML metadata\: one entity or an aggregate"
bundle\:"the files of a folder, or those that a list names"
jwks\:"a set of JSON Web Keys"
kubernetes\:"a Kubernetes issuer\: key set and discovery document"
spiffe-bundle\:"the trust bundle of a SPIFFE trust domain"
entity-configuration\:"an entity'\''s own configuration in OpenID Federation"
subordinate-statement\:"a statement about a subordinate in OpenID Federation"
trust-mark\:"a trust mark of OpenID Federation"
trust-mark-delegation\:"leave to issue a trust mark of OpenID Federation"
historical-keys\:"the keys that an entity of OpenID Federation does not use any more"
jwk-set\:"the signed keys of an entity'\''s protocols in OpenID Federation"
federation\:"all that an anchor of OpenID Federation publishes, from a folder"
provisioning-authorisation\:"a client'\''s keys and limits for a SCIM service, instead of a token"
access-token\:"a short access token (RFC 9068), a secret\: where the service can take a signed key, sign that instead (provisioning-authorisation)"
software-statement\:"client metadata that is vouched for at dynamic registration (RFC 7591)"
oob-keys\:"a trust anchor'\''s keys for another channel\: to print, to compare, to pin"))' \
'(--for)--profile=[The line'\''s profile, instead of the built-in one\: TOML]:FILE:_files' \
'(--passphrase-fd --passphrase-file)*--recipient=[Seal the key to this age recipient instead of a passphrase (can be repeated)]:age1…:_default' \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--confirm=[Confirm the request with this digest]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Print the request digest, and do nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':line -- The key line\: TENANT/ENVIRONMENT/PURPOSE, such as example.org/sandbox/metadata:_default' \
&& ret=0
;;
(adopt)
_arguments "${_arguments_options[@]}" : \
'--from=[The private key\: unencrypted PKCS#8, PEM or DER, in a file that only its owner may read]:FILE:_files' \
'*--for=[The kind of document that the line signs (can be repeated)]:KIND:((saml\:"SAML metadata\: one entity or an aggregate"
bundle\:"the files of a folder, or those that a list names"
jwks\:"a set of JSON Web Keys"
kubernetes\:"a Kubernetes issuer\: key set and discovery document"
spiffe-bundle\:"the trust bundle of a SPIFFE trust domain"
entity-configuration\:"an entity'\''s own configuration in OpenID Federation"
subordinate-statement\:"a statement about a subordinate in OpenID Federation"
trust-mark\:"a trust mark of OpenID Federation"
trust-mark-delegation\:"leave to issue a trust mark of OpenID Federation"
historical-keys\:"the keys that an entity of OpenID Federation does not use any more"
jwk-set\:"the signed keys of an entity'\''s protocols in OpenID Federation"
federation\:"all that an anchor of OpenID Federation publishes, from a folder"
provisioning-authorisation\:"a client'\''s keys and limits for a SCIM service, instead of a token"
access-token\:"a short access token (RFC 9068), a secret\: where the service can take a signed key, sign that instead (provisioning-authorisation)"
software-statement\:"client metadata that is vouched for at dynamic registration (RFC 7591)"
oob-keys\:"a trust anchor'\''s keys for another channel\: to print, to compare, to pin"))' \
'(--for)--profile=[The line'\''s profile, instead of the built-in one\: TOML]:FILE:_files' \
'(--passphrase-fd --passphrase-file)*--recipient=[Seal the key to this age recipient instead of a passphrase (can be repeated)]:age1…:_default' \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--confirm=[Confirm the request with this digest]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Print the request digest, and do nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':line -- The key line\: TENANT/ENVIRONMENT/PURPOSE, such as example.org/sandbox/metadata:_default' \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':line -- The key line:_default' \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
'--format=[How the public key is written]:FORMAT:((pem\:"SubjectPublicKeyInfo in PEM"
jwk\:"JSON Web Key"
certificate\:"The line'\''s self-signed certificate in PEM"))' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':subject -- The key line, for the key that signs, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(suspend)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(resume)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(destroy)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
        esac
    ;;
esac
;;
(review)
_arguments "${_arguments_options[@]}" : \
'--key=[The key line\: TENANT/ENVIRONMENT/PURPOSE]:LINE:_default' \
'--environment=[Refuse a key of another environment than this one]:ENVIRONMENT:_default' \
'--release-brake=[Let pass what the profile'\''s brake stops, for this reason; it is part of the request, and recorded]:REASON:_default' \
'--html=[Write the review as a page for a browser, too; the file must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--split[Review it as a document of which each entity is signed on its own]' \
'--copy[While a key is rotated\: review it as the copy that the other key signs (sign --copy)]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':kind -- The kind of document:((saml\:"SAML metadata\: one entity or an aggregate"
bundle\:"the files of a folder, or those that a list names"
jwks\:"a set of JSON Web Keys"
kubernetes\:"a Kubernetes issuer\: key set and discovery document"
spiffe-bundle\:"the trust bundle of a SPIFFE trust domain"
entity-configuration\:"an entity'\''s own configuration in OpenID Federation"
subordinate-statement\:"a statement about a subordinate in OpenID Federation"
trust-mark\:"a trust mark of OpenID Federation"
trust-mark-delegation\:"leave to issue a trust mark of OpenID Federation"
historical-keys\:"the keys that an entity of OpenID Federation does not use any more"
jwk-set\:"the signed keys of an entity'\''s protocols in OpenID Federation"
federation\:"all that an anchor of OpenID Federation publishes, from a folder"
provisioning-authorisation\:"a client'\''s keys and limits for a SCIM service, instead of a token"
access-token\:"a short access token (RFC 9068), a secret\: where the service can take a signed key, sign that instead (provisioning-authorisation)"
software-statement\:"client metadata that is vouched for at dynamic registration (RFC 7591)"
oob-keys\:"a trust anchor'\''s keys for another channel\: to print, to compare, to pin"))' \
':document -- The document, or one compressed with gzip; - reads standard input:_files' \
&& ret=0
;;
(sign)
_arguments "${_arguments_options[@]}" : \
'--key=[The key line\: TENANT/ENVIRONMENT/PURPOSE]:LINE:_default' \
'--environment=[Refuse a key of another environment than this one]:ENVIRONMENT:_default' \
'--release-brake=[Let pass what the profile'\''s brake stops, for this reason; it is part of the request, and recorded]:REASON:_default' \
'-o+[The file for the signed document; it must not exist. A name that ends in .gz gets it compressed; - is standard output. For a federation the folder of its tree, which is renewed]:FILE:_files' \
'--output=[The file for the signed document; it must not exist. A name that ends in .gz gets it compressed; - is standard output. For a federation the folder of its tree, which is renewed]:FILE:_files' \
'--copy=[While a key is rotated\: the file for the same document signed by the other key, the successor or the predecessor whose notice runs; it must not exist. With --split the folder for the same documents]:FILE:_files' \
'(-o --output)--split=[Sign each entity on its own, into this folder, as the Metadata Query Protocol names them; what stands there unchanged and valid long enough is kept]:DIR:_files' \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--identity=[Open the key with this age identity file, which only its owner may read]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--confirm=[Confirm the request with the digest that \`fedroot review\` printed; for --copy that of the copy too, which \`fedroot review --copy\` prints]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--prune[Remove the files of what is no longer in the document or the folder; only with --split, and for a federation]' \
'--dry-run[Check everything and say what would be done, and sign nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':kind -- The kind of document:((saml\:"SAML metadata\: one entity or an aggregate"
bundle\:"the files of a folder, or those that a list names"
jwks\:"a set of JSON Web Keys"
kubernetes\:"a Kubernetes issuer\: key set and discovery document"
spiffe-bundle\:"the trust bundle of a SPIFFE trust domain"
entity-configuration\:"an entity'\''s own configuration in OpenID Federation"
subordinate-statement\:"a statement about a subordinate in OpenID Federation"
trust-mark\:"a trust mark of OpenID Federation"
trust-mark-delegation\:"leave to issue a trust mark of OpenID Federation"
historical-keys\:"the keys that an entity of OpenID Federation does not use any more"
jwk-set\:"the signed keys of an entity'\''s protocols in OpenID Federation"
federation\:"all that an anchor of OpenID Federation publishes, from a folder"
provisioning-authorisation\:"a client'\''s keys and limits for a SCIM service, instead of a token"
access-token\:"a short access token (RFC 9068), a secret\: where the service can take a signed key, sign that instead (provisioning-authorisation)"
software-statement\:"client metadata that is vouched for at dynamic registration (RFC 7591)"
oob-keys\:"a trust anchor'\''s keys for another channel\: to print, to compare, to pin"))' \
':document -- The document, or one compressed with gzip; - reads standard input:_files' \
&& ret=0
;;
(verify)
_arguments "${_arguments_options[@]}" : \
'*--trust=[A public key or certificate (PEM), a JWK or a JWK set to trust; for a chain also the anchor'\''s configuration, whose keys speak for no other anchor (can be repeated)]:FILE:_files' \
'--at=[Judge validity by this time instead of now]:TIME:_default' \
'--audience=[Refuse a document for another audience than this one, the service'\''s own URL]:URL:_default' \
'--historical=[The historical keys of a chain'\''s anchor, for a time at which it used them]:FILE:_files' \
'--proof=[The proof that the ledger has this signature, with one of the next three to hold it against]:FILE:_files' \
'*--trust-note=[A checkpoint of the same size that came over another channel (can be repeated)]:NOTE:_files' \
'*--trust-key=[The key of a witness that must have signed the checkpoint\: NAME+ID+KEY (can be repeated)]:KEY:_default' \
'--ledger=[A copy of the ledger]:LOG:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--explain[Print commands for sh that check the same with other programs]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':kind -- The kind of document:((saml\:"SAML metadata\: one entity or an aggregate"
bundle\:"the files of a folder, or those that a list names"
jwks\:"a set of JSON Web Keys"
kubernetes\:"a Kubernetes issuer\: key set and discovery document"
spiffe-bundle\:"the trust bundle of a SPIFFE trust domain"
entity-configuration\:"an entity'\''s own configuration in OpenID Federation"
subordinate-statement\:"a statement about a subordinate in OpenID Federation"
trust-mark\:"a trust mark of OpenID Federation"
trust-mark-delegation\:"leave to issue a trust mark of OpenID Federation"
historical-keys\:"the keys that an entity of OpenID Federation does not use any more"
jwk-set\:"the signed keys of an entity'\''s protocols in OpenID Federation"
federation\:"all that an anchor of OpenID Federation publishes, from a folder"
provisioning-authorisation\:"a client'\''s keys and limits for a SCIM service, instead of a token"
access-token\:"a short access token (RFC 9068), a secret\: where the service can take a signed key, sign that instead (provisioning-authorisation)"
software-statement\:"client metadata that is vouched for at dynamic registration (RFC 7591)"
oob-keys\:"a trust anchor'\''s keys for another channel\: to print, to compare, to pin"
entity-statement\:"the statements of a trust chain of OpenID Federation, in any order"))' \
'*::documents -- The signed document, or one compressed with gzip, or the folder that `sign --split` or `sign federation` wrote, or the statements of a chain in any order; - reads standard input:_files' \
&& ret=0
;;
(rotate)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_fedroot__subcmd__rotate_commands" \
"*::: :->rotate" \
&& ret=0

    case $state in
    (rotate)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:fedroot-rotate-command-$line[1]:"
        case $line[1] in
            (plan)
_arguments "${_arguments_options[@]}" : \
'--until=[Plan until this time; half a year, when absent]:TIME:_default' \
'--at=[Plan from this time on, instead of now]:TIME:_default' \
'--ical=[Write the ceremonies as a calendar into this file; it must not exist]:FILE:_files' \
'--svg=[Draw the plan as SVG into this file; it must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':line -- The key line:_default' \
&& ret=0
;;
(rehearse)
_arguments "${_arguments_options[@]}" : \
'--from=[The time of the first ceremony]:TIME:_default' \
'--to=[The end of the rehearsal]:TIME:_default' \
'*--document=[A document that is signed at each ceremony, as \`fedroot sign KIND FILE\` takes it (can be repeated)]:KIND:_files:KIND:_files' \
'--signer=[The line that signs documents of kinds that the rehearsed line does not sign, and that carry its keys\: its profile holds for them. Without one, built-in defaults do, with the validity and cache duration of the channel]:LINE:_default' \
'--standby=[Keep another key for an emergency\: hidden until it takes over, or published as soon as that is allowed]:HOW:((hidden\:"Nobody knows it before it takes over"
published\:"Documents list it, or people carry it"))' \
'--emergency=[The active key is stolen then; the standby key takes its place at once, or one that is made only now]:TIME:_default' \
'--algorithm=[The algorithm of the throw-away keys; that of the line'\''s key, when absent]:ALGORITHM:((p384\:"ECDSA P-384"
rsa4096\:"RSA 4096"))' \
'-o+[Keep what was published, by ceremony, with the public keys that consumers trust then and \`steps.json\`; the folder must not exist]:DIR:_files' \
'--output=[Keep what was published, by ceremony, with the public keys that consumers trust then and \`steps.json\`; the folder must not exist]:DIR:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':line -- The key line:_default' \
&& ret=0
;;
(stage)
_arguments "${_arguments_options[@]}" : \
'--algorithm=[The algorithm of the new key; that of the active key, when absent]:ALGORITHM:((p384\:"ECDSA P-384"
rsa4096\:"RSA 4096"))' \
'(--passphrase-fd --passphrase-file)*--recipient=[Seal the key to this age recipient instead of a passphrase (can be repeated)]:age1…:_default' \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--confirm=[Confirm the request with this digest]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--standby[Keep the key for an emergency\: it signs nothing before]' \
'--dry-run[Print the request digest, and do nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':line -- The key line:_default' \
&& ret=0
;;
(publish)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(activate)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(rollback)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(retire)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(revoke)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--since=[The earliest time at which somebody else may have held it]:TIME:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'(--since)--superseded[It was only replaced by another key\: nobody else may hold it]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(emergency)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'*--with=[Another person who agreed, for the ledger (can be repeated); the profile says how many it takes]:NAME:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--since=[The earliest time at which somebody else may have held it]:TIME:_default' \
'-o+[The file for the notice that is to be published; it must not exist]:FILE:_files' \
'--output=[The file for the notice that is to be published; it must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Give the three answers and the request digest, and move nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key line, or one of its keys\: TENANT/ENVIRONMENT/PURPOSE or TENANT/ENVIRONMENT/PURPOSE#VERSION:_default' \
&& ret=0
;;
(notice)
_arguments "${_arguments_options[@]}" : \
'-o+[The file for the notice; it must not exist. It is shown, when absent]:FILE:_files' \
'--output=[The file for the notice; it must not exist. It is shown, when absent]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':subject -- The key that was revoked\: TENANT/ENVIRONMENT/PURPOSE#VERSION, or its line\: the one that was revoked last:_default' \
&& ret=0
;;
(renew-certificate)
_arguments "${_arguments_options[@]}" : \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--identity=[Open the key with this age identity file, which only its owner may read]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--confirm=[Confirm the request with the digest that --dry-run printed]:sha256:…:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--dry-run[Print the request digest, and do nothing]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':line -- The key line:_default' \
&& ret=0
;;
        esac
    ;;
esac
;;
(observe)
_arguments "${_arguments_options[@]}" : \
'--seen-at=[When it was fetched]:TIME:_default' \
'--from=[The URL that it was fetched from]:URL:_default' \
'(--from)--said=[Nobody fetched it, and an officer says, with this reason, that it stands everywhere]:REASON:_default' \
'(--seen-at --from --said --before-adoption)--never-published=[It was signed and never published, and an officer answers for that, with this reason and by name in the ledger\: no move waits for it any longer, unless it is seen after all]:REASON:_default' \
'--key=[The key line whose keys it lists; found by the digest, or the key, when absent]:LINE:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--before-adoption[An adopted key signed it before it was adopted, so that the vault does not know of it\: what is outstanding of that time is then waited for]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':kind -- The kind of document, or `certificate`:(saml bundle jwks kubernetes spiffe-bundle entity-configuration subordinate-statement trust-mark trust-mark-delegation historical-keys jwk-set federation provisioning-authorisation access-token software-statement oob-keys certificate)' \
':file -- The file exactly as it was fetched, of single entities any one of them; - is standard input. With --never-published also the digest of the file, sha256\:…:_files' \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
'--svg=[Draw the life of the line so far as SVG into this file; it must not exist]:FILE:_files' \
'--within=[Warn of what ends within this time; when absent, of keys and certificates that end within 60 days, and of documents that end before what the next ceremony signs can stand in their place]:DURATION:_default' \
'--at=[Judge by this time, instead of now]:TIME:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--exit-code[End with 4 when something is due, overdue, missing or about to end]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
'::line -- The key line, whose life so far is drawn; all of them, when absent:_default' \
&& ret=0
;;
(ledger)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_fedroot__subcmd__ledger_commands" \
"*::: :->ledger" \
&& ret=0

    case $state in
    (ledger)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:fedroot-ledger-command-$line[1]:"
        case $line[1] in
            (verify)
_arguments "${_arguments_options[@]}" : \
'*--since=[A checkpoint that was kept elsewhere\: the ledger must go on from it (can be repeated)]:NOTE:_files' \
'(--vault)--ledger=[A copy of the ledger, or the folder of its mirror, instead of the one in the vault\: needs no vault]:LOG:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
'--identity=[The auditor'\''s age identity file, which only its owner may read]:FILE:_files' \
'--key=[Only the entries about this key line]:LINE:_default' \
'--since=[Only the entries that claim this time or a later one]:TIME:_default' \
'*--kind=[Only the entries of this kind (can be repeated)]:KIND:(genesis config intent outcome denied stage receipt note checkpoint recovery reseal audit)' \
'--rewrapped=[Sessions that were rewrapped for this identity]:FILE:_files' \
'(--vault)--ledger=[A copy of the ledger, or the folder of its mirror, instead of the one in the vault\: needs no vault]:LOG:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(recover)
_arguments "${_arguments_options[@]}" : \
'--reason=[What happened, for the ledger]:TEXT:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--acknowledge[Go on although entries are lost or were changed, or the clock was ahead\: every later check will tell]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(rebuild)
_arguments "${_arguments_options[@]}" : \
'--identity=[The auditor'\''s age identity file, which only its owner may read]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--compare[Compare only\: refuse when the journal is not what the ledger says]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(checkpoint)
_arguments "${_arguments_options[@]}" : \
'-o+[The file for the checkpoint; it must not exist (standard output by default)]:NOTE:_files' \
'--output=[The file for the checkpoint; it must not exist (standard output by default)]:NOTE:_files' \
'--reason=[What for, for the ledger]:TEXT:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--words[Print the words of its digest, to be read aloud and compared]' \
'--qr[Print it as a QR code even when standard output is not a terminal]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(prove)
_arguments "${_arguments_options[@]}" : \
'-o+[The file for the proof; it must not exist]:FILE:_files' \
'--output=[The file for the proof; it must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':index -- The number of the entry:_default' \
&& ret=0
;;
(check-proof)
_arguments "${_arguments_options[@]}" : \
'--document=[The document whose signature the entry must record]:OUT:_files' \
'*--trust-note=[A checkpoint of the same size that came over another channel (can be repeated)]:NOTE:_files' \
'*--trust-key=[The key of a witness that must have signed the checkpoint\: NAME+ID+KEY (can be repeated)]:KEY:_default' \
'--ledger=[A copy of the ledger]:LOG:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':proof -- The proof:_files' \
&& ret=0
;;
(disclose)
_arguments "${_arguments_options[@]}" : \
'-o+[The file for the proof; it must not exist]:FILE:_files' \
'--output=[The file for the proof; it must not exist]:FILE:_files' \
'--identity=[The auditor'\''s age identity file, which only its owner may read]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':index -- The number of the entry:_default' \
&& ret=0
;;
(check-disclosure)
_arguments "${_arguments_options[@]}" : \
'--nonce=[The nonce that the entry must answer]:TEXT:_default' \
'*--trust-note=[A checkpoint of the same size that came over another channel (can be repeated)]:NOTE:_files' \
'*--trust-key=[The key of a witness that must have signed the checkpoint\: NAME+ID+KEY (can be repeated)]:KEY:_default' \
'--ledger=[A copy of the ledger]:LOG:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':proof -- The proof that opens an entry:_files' \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
'--format=[What to write]:FORMAT:((csv\:"Comma-separated values with a header, RFC 4180"
ecs\:"Elastic Common Schema, one document to a line"
evidence\:"A folder that shows, without any secret, what the ledger was at a checkpoint"
jsonl\:"One JSON document to a line"
tiles\:"A folder of C2SP tlog-tiles, for transparency-log servers"))' \
'-o+[The file or folder to write; it must not exist. - is standard output, for csv, ecs and jsonl]:PATH:_files' \
'--output=[The file or folder to write; it must not exist. - is standard output, for csv, ecs and jsonl]:PATH:_files' \
'--identity=[The auditor'\''s age identity file, for csv, ecs and jsonl]:FILE:_files' \
'--checkpoint=[The checkpoint that tiles and evidence go by (the newest one of the vault by default)]:NOTE:_files' \
'*--entry=[Prove this entry in the evidence (can be repeated; the last one of the checkpoint by default)]:INDEX:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(audit)
_arguments "${_arguments_options[@]}" : \
'--nonce=[What the auditor asks for\: something that nobody could know before]:TEXT:_default' \
'-o+[The file for the answer; it must not exist]:FILE:_files' \
'--output=[The file for the answer; it must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(auditors)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_fedroot__subcmd__ledger__subcmd__auditors_commands" \
"*::: :->auditors" \
&& ret=0

    case $state in
    (auditors)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:fedroot-ledger-auditors-command-$line[1]:"
        case $line[1] in
            (list)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(add)
_arguments "${_arguments_options[@]}" : \
'(--answer)-o+[The file for the challenge; it must not exist]:FILE:_files' \
'(--answer)--output=[The file for the challenge; it must not exist]:FILE:_files' \
'--answer=[What the auditor found in the challenge]:TEXT:_default' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':auditor -- The age recipient of the auditor:_default' \
&& ret=0
;;
(answer)
_arguments "${_arguments_options[@]}" : \
'--identity=[The auditor'\''s age identity file, which only its owner may read]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':challenge -- The challenge:_files' \
&& ret=0
;;
(remove)
_arguments "${_arguments_options[@]}" : \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':auditor -- The age recipient of the auditor:_default' \
&& ret=0
;;
        esac
    ;;
esac
;;
(rewrap)
_arguments "${_arguments_options[@]}" : \
'--identity=[The identity file of somebody who can read the old sessions]:FILE:_files' \
'*--to=[The age recipient who shall read them too (can be repeated)]:age1…:_default' \
'-o+[The file for the wrapped keys; it must not exist]:FILE:_files' \
'--output=[The file for the wrapped keys; it must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(mirror)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':folder -- The folder of the copy, on another medium:_files' \
&& ret=0
;;
(witness)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_fedroot__subcmd__ledger__subcmd__witness_commands" \
"*::: :->witness" \
&& ret=0

    case $state in
    (witness)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:fedroot-ledger-witness-command-$line[1]:"
        case $line[1] in
            (request)
_arguments "${_arguments_options[@]}" : \
'--old=[The size that the witness knows (that of the last checkpoint kept with a witness'\''s signature by default)]:SIZE:_default' \
'-o+[The file for the request; it must not exist]:FILE:_files' \
'--output=[The file for the request; it must not exist]:FILE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(sign)
_arguments "${_arguments_options[@]}" : \
'--memory=[The folder of the witness\: its key, and what it signed last. It is made when it is not there]:DIR:_files' \
'--name=[The name of the witness, such as witness.example.org/w1]:NAME:_default' \
'--ledger=[A copy of the ledger, to check its own signature too]:LOG:_files' \
'-o+[The file for the signed checkpoint; it must not exist]:NOTE:_files' \
'--output=[The file for the signed checkpoint; it must not exist]:NOTE:_files' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':request -- The request:_files' \
&& ret=0
;;
(add)
_arguments "${_arguments_options[@]}" : \
'--key=[The key of the witness\: NAME+ID+KEY]:KEY:_default' \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':reply -- What the witness sent back\: a signed checkpoint, or signature lines:_files' \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(manual)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault; the variable FEDROOT_VAULT names it otherwise]:DIR:_files' \
'--check[Compare only, and refuse when anything is out of date]' \
'--json[Print one JSON document instead of text, on errors too; its member \`warnings\` has what warns]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
':folder -- Where the folders man, completions and docs stand, or shall stand:_files' \
&& ret=0
;;
        esac
    ;;
esac
}

(( $+functions[_fedroot_commands] )) ||
_fedroot_commands() {
    local commands; commands=(
'identity:Make age identities, which read ledgers and open keys' \
'init:Make a vault and begin its ledger' \
'key:Make, adopt, show, export, suspend and destroy keys' \
'review:Show what a signature would cover, what the rules find, and what changed; touches no key' \
'sign:Review a document, then sign it' \
'verify:Verify a signed document with a trusted key; needs no vault' \
'rotate:Rotate the keys of a line\: next key, moves, plan, emergency' \
'observe:Note that a signed document was seen where it is published\: windows count from it' \
'status:Show what is due, missing or about to end; needs no secret' \
'ledger:Check, read, prove, export, witness and recover the ledger' \
'manual:Write the man pages and completions' \
    )
    _describe -t commands 'fedroot commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__identity_commands] )) ||
_fedroot__subcmd__identity_commands() {
    local commands; commands=(
'generate:Make an age identity in the file format of age-keygen, and print its recipient' \
    )
    _describe -t commands 'fedroot identity commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__identity__subcmd__generate_commands] )) ||
_fedroot__subcmd__identity__subcmd__generate_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot identity generate commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__init_commands] )) ||
_fedroot__subcmd__init_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot init commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key_commands] )) ||
_fedroot__subcmd__key_commands() {
    local commands; commands=(
'generate:Make the first key of a line' \
'adopt:Take a key that was made elsewhere as the first key of a line' \
'list:List the key lines' \
'show:Show the keys of a line' \
'export:Print the public half of a line'\''s key' \
'suspend:Let a key sign nothing until it is resumed; asks for no secret' \
'resume:Let a suspended key go back to where it was' \
'destroy:Overwrite and remove the private half of a retired or revoked key' \
    )
    _describe -t commands 'fedroot key commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__adopt_commands] )) ||
_fedroot__subcmd__key__subcmd__adopt_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key adopt commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__destroy_commands] )) ||
_fedroot__subcmd__key__subcmd__destroy_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key destroy commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__export_commands] )) ||
_fedroot__subcmd__key__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key export commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__generate_commands] )) ||
_fedroot__subcmd__key__subcmd__generate_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key generate commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__list_commands] )) ||
_fedroot__subcmd__key__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key list commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__resume_commands] )) ||
_fedroot__subcmd__key__subcmd__resume_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key resume commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__show_commands] )) ||
_fedroot__subcmd__key__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key show commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__suspend_commands] )) ||
_fedroot__subcmd__key__subcmd__suspend_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key suspend commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger_commands] )) ||
_fedroot__subcmd__ledger_commands() {
    local commands; commands=(
'verify:Check chain, seals, pairs and checkpoints; needs no secret' \
'show:Read the entries with an auditor'\''s identity' \
'recover:Go on after a crash that opening cannot mend by itself, or after a break that people acknowledge' \
'rebuild:Make the vault'\''s journal of keys anew from the ledger, or compare the two, with an auditor'\''s identity' \
'checkpoint:Sign what the ledger is now, to be carried off the machine' \
'prove:Prove that an entry is in the ledger, without showing what it says' \
'check-proof:Check a proof; needs no vault' \
'disclose:Open one entry to somebody else, and no other' \
'check-disclosure:Check an entry that was disclosed, and read it; needs no vault' \
'export:Write the entries in another format, or what others check without us' \
'audit:Answer an auditor'\''s challenge with an entry at the end of the ledger' \
'auditors:Say who reads the ledger, and change it' \
'rewrap:Wrap the keys of old sessions for a new auditor, without touching the ledger' \
'mirror:Bring a copy of the log on another medium up to date' \
'witness:Have another machine sign that the ledger only grew' \
    )
    _describe -t commands 'fedroot ledger commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__audit_commands] )) ||
_fedroot__subcmd__ledger__subcmd__audit_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger audit commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__auditors_commands] )) ||
_fedroot__subcmd__ledger__subcmd__auditors_commands() {
    local commands; commands=(
'list:Show who reads what is written now' \
'add:Ask a future auditor to show that he can decrypt, and with his answer add him' \
'answer:Answer the challenge to a future auditor\: open it' \
'remove:Remove an auditor\: he goes on reading what was written while he was one' \
    )
    _describe -t commands 'fedroot ledger auditors commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__auditors__subcmd__add_commands] )) ||
_fedroot__subcmd__ledger__subcmd__auditors__subcmd__add_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger auditors add commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__auditors__subcmd__answer_commands] )) ||
_fedroot__subcmd__ledger__subcmd__auditors__subcmd__answer_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger auditors answer commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__auditors__subcmd__list_commands] )) ||
_fedroot__subcmd__ledger__subcmd__auditors__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger auditors list commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__auditors__subcmd__remove_commands] )) ||
_fedroot__subcmd__ledger__subcmd__auditors__subcmd__remove_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger auditors remove commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__check-disclosure_commands] )) ||
_fedroot__subcmd__ledger__subcmd__check-disclosure_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger check-disclosure commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__check-proof_commands] )) ||
_fedroot__subcmd__ledger__subcmd__check-proof_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger check-proof commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__checkpoint_commands] )) ||
_fedroot__subcmd__ledger__subcmd__checkpoint_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger checkpoint commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__disclose_commands] )) ||
_fedroot__subcmd__ledger__subcmd__disclose_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger disclose commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__export_commands] )) ||
_fedroot__subcmd__ledger__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger export commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__mirror_commands] )) ||
_fedroot__subcmd__ledger__subcmd__mirror_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger mirror commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__prove_commands] )) ||
_fedroot__subcmd__ledger__subcmd__prove_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger prove commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__rebuild_commands] )) ||
_fedroot__subcmd__ledger__subcmd__rebuild_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger rebuild commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__recover_commands] )) ||
_fedroot__subcmd__ledger__subcmd__recover_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger recover commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__rewrap_commands] )) ||
_fedroot__subcmd__ledger__subcmd__rewrap_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger rewrap commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__show_commands] )) ||
_fedroot__subcmd__ledger__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger show commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__verify_commands] )) ||
_fedroot__subcmd__ledger__subcmd__verify_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger verify commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__witness_commands] )) ||
_fedroot__subcmd__ledger__subcmd__witness_commands() {
    local commands; commands=(
'request:Write a request to a witness\: the newest checkpoint, and the proof that it goes on from an older one' \
'sign:As a witness, sign a checkpoint that goes on from the last one signed; needs no vault' \
'add:Keep what a witness sent back beside the ledger' \
    )
    _describe -t commands 'fedroot ledger witness commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__witness__subcmd__add_commands] )) ||
_fedroot__subcmd__ledger__subcmd__witness__subcmd__add_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger witness add commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__witness__subcmd__request_commands] )) ||
_fedroot__subcmd__ledger__subcmd__witness__subcmd__request_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger witness request commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger__subcmd__witness__subcmd__sign_commands] )) ||
_fedroot__subcmd__ledger__subcmd__witness__subcmd__sign_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot ledger witness sign commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__manual_commands] )) ||
_fedroot__subcmd__manual_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot manual commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__observe_commands] )) ||
_fedroot__subcmd__observe_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot observe commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__review_commands] )) ||
_fedroot__subcmd__review_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot review commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate_commands] )) ||
_fedroot__subcmd__rotate_commands() {
    local commands; commands=(
'plan:The schedule of a rotation\: windows, ceremonies, slack, exposure' \
'rehearse:Hold a plan with throw-away keys and real documents, and ask simulated consumers' \
'stage:Make the next key of a line\: same profile, new key; nothing is published' \
'publish:From now on the documents of the line list the new key, or are signed by both' \
'activate:The new key signs from now on; the one before it retires' \
'rollback:The key before signs again; the active one retires' \
'retire:Documents list the key no longer, and it signs nothing\: when nothing that it signed is outstanding' \
'revoke:The key signs nothing ever again, at once; asks for no secret, and says what is at risk until when' \
'emergency:The path of a stolen key, in one ceremony\: revoke, let the standby key take over, write the notice' \
'notice:The notice about a key that may be stolen, once more\: what is at risk by now, and which key signs instead' \
'renew-certificate:Give the active key another certificate\: who pins its fingerprint has to be told' \
    )
    _describe -t commands 'fedroot rotate commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__activate_commands] )) ||
_fedroot__subcmd__rotate__subcmd__activate_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate activate commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__emergency_commands] )) ||
_fedroot__subcmd__rotate__subcmd__emergency_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate emergency commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__notice_commands] )) ||
_fedroot__subcmd__rotate__subcmd__notice_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate notice commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__plan_commands] )) ||
_fedroot__subcmd__rotate__subcmd__plan_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate plan commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__publish_commands] )) ||
_fedroot__subcmd__rotate__subcmd__publish_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate publish commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__rehearse_commands] )) ||
_fedroot__subcmd__rotate__subcmd__rehearse_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate rehearse commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__renew-certificate_commands] )) ||
_fedroot__subcmd__rotate__subcmd__renew-certificate_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate renew-certificate commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__retire_commands] )) ||
_fedroot__subcmd__rotate__subcmd__retire_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate retire commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__revoke_commands] )) ||
_fedroot__subcmd__rotate__subcmd__revoke_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate revoke commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__rollback_commands] )) ||
_fedroot__subcmd__rotate__subcmd__rollback_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate rollback commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__rotate__subcmd__stage_commands] )) ||
_fedroot__subcmd__rotate__subcmd__stage_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot rotate stage commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__sign_commands] )) ||
_fedroot__subcmd__sign_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot sign commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__status_commands] )) ||
_fedroot__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot status commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__verify_commands] )) ||
_fedroot__subcmd__verify_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot verify commands' commands "$@"
}

if [ "$funcstack[1]" = "_fedroot" ]; then
    _fedroot "$@"
else
    compdef _fedroot fedroot
fi
