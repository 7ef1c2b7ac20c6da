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
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
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
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
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
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
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
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(key)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
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
'*--for=[The kind of document that the line signs (can be repeated)]:KIND:((saml\:"SAML metadata\: one entity or an aggregate"))' \
'(--for)--profile=[The line'\''s profile, instead of the built-in one\: TOML]:FILE:_files' \
'(--passphrase-fd --passphrase-file)*--recipient=[Seal the key to this age recipient instead of a passphrase (can be repeated)]:age1…:_default' \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--confirm=[Confirm the request with this digest]:sha256:…:_default' \
'--vault=[The folder of the vault]:DIR:_files' \
'--dry-run[Print the request digest, and do nothing]' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':line -- The key line\: TENANT/ENVIRONMENT/PURPOSE, such as example.org/sandbox/metadata:_default' \
&& ret=0
;;
(adopt)
_arguments "${_arguments_options[@]}" : \
'--from=[The private key\: unencrypted PKCS#8, PEM or DER, in a file that only its owner may read]:FILE:_files' \
'*--for=[The kind of document that the line signs (can be repeated)]:KIND:((saml\:"SAML metadata\: one entity or an aggregate"))' \
'(--for)--profile=[The line'\''s profile, instead of the built-in one\: TOML]:FILE:_files' \
'(--passphrase-fd --passphrase-file)*--recipient=[Seal the key to this age recipient instead of a passphrase (can be repeated)]:age1…:_default' \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--confirm=[Confirm the request with this digest]:sha256:…:_default' \
'--vault=[The folder of the vault]:DIR:_files' \
'--dry-run[Print the request digest, and do nothing]' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':line -- The key line\: TENANT/ENVIRONMENT/PURPOSE, such as example.org/sandbox/metadata:_default' \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
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
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':line -- The key line:_default' \
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
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':kind -- The kind of document:((saml\:"SAML metadata\: one entity or an aggregate"))' \
':document -- The document; - reads standard input:_files' \
&& ret=0
;;
(sign)
_arguments "${_arguments_options[@]}" : \
'--key=[The key line\: TENANT/ENVIRONMENT/PURPOSE]:LINE:_default' \
'--environment=[Refuse a key of another environment than this one]:ENVIRONMENT:_default' \
'--release-brake=[Let pass what the profile'\''s brake stops, for this reason; it is part of the request, and recorded]:REASON:_default' \
'-o+[The file for the signed document; it must not exist]:FILE:_files' \
'--output=[The file for the signed document; it must not exist]:FILE:_files' \
'--passphrase-fd=[Read the passphrase from this file descriptor (one trailing newline is dropped)]:N:_default' \
'(--passphrase-fd)--passphrase-file=[Read the passphrase from this file, which only its owner may read (one trailing newline is dropped)]:FILE:_files' \
'--identity=[Open the key with this age identity file, which only its owner may read]:FILE:_files' \
'--reason=[Why, for the ledger]:TEXT:_default' \
'--confirm=[Confirm the request with the digest that \`fedroot review\` printed]:sha256:…:_default' \
'--vault=[The folder of the vault]:DIR:_files' \
'--dry-run[Check everything and say what would be done, and sign nothing]' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':kind -- The kind of document:((saml\:"SAML metadata\: one entity or an aggregate"))' \
':document -- The document; - reads standard input:_files' \
&& ret=0
;;
(verify)
_arguments "${_arguments_options[@]}" : \
'*--trust=[A public key or certificate to trust, PEM (can be repeated)]:FILE:_files' \
'--at=[Judge validity by this time instead of now]:TIME:_default' \
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':kind -- The kind of document:((saml\:"SAML metadata\: one entity or an aggregate"))' \
':document -- The signed document; - reads standard input:_files' \
&& ret=0
;;
(ledger)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
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
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
'--identity=[The auditor'\''s age identity file, which only its owner may read]:FILE:_files' \
'--key=[Only the entries about this key line]:LINE:_default' \
'--vault=[The folder of the vault]:DIR:_files' \
'--json[Print one JSON document instead of text, on errors too]' \
'--batch[Never ask\: fail where an answer is needed]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
        esac
    ;;
esac
;;
(manual)
_arguments "${_arguments_options[@]}" : \
'--vault=[The folder of the vault]:DIR:_files' \
'--check[Compare only, and refuse when anything is out of date]' \
'--json[Print one JSON document instead of text, on errors too]' \
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
'key:Make, adopt, list, show and export keys' \
'review:Show what a signature would cover, what the rules find, and what changed; touches no key' \
'sign:Review a document, then sign it' \
'verify:Verify a signed document with a trusted key; needs no vault' \
'ledger:Check and read the ledger' \
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
    )
    _describe -t commands 'fedroot key commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__key__subcmd__adopt_commands] )) ||
_fedroot__subcmd__key__subcmd__adopt_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key adopt commands' commands "$@"
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
(( $+functions[_fedroot__subcmd__key__subcmd__show_commands] )) ||
_fedroot__subcmd__key__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot key show commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__ledger_commands] )) ||
_fedroot__subcmd__ledger_commands() {
    local commands; commands=(
'verify:Check chain, seals and the pairing of intents; needs no secret' \
'show:Read the entries with an auditor'\''s identity' \
    )
    _describe -t commands 'fedroot ledger commands' commands "$@"
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
(( $+functions[_fedroot__subcmd__manual_commands] )) ||
_fedroot__subcmd__manual_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot manual commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__review_commands] )) ||
_fedroot__subcmd__review_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot review commands' commands "$@"
}
(( $+functions[_fedroot__subcmd__sign_commands] )) ||
_fedroot__subcmd__sign_commands() {
    local commands; commands=()
    _describe -t commands 'fedroot sign commands' commands "$@"
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
