# What the scripts of the examples share: the program, a new folder, a vault with an auditor. Sourced, not run.
# $here is the folder of the example, $name its name, $kind the kind of document that the key line may sign.
# FEDROOT=PROGRAM uses that program instead of building one.

if [ -z "${FEDROOT:-}" ]; then
    printf 'building fedroot (the first time this takes some minutes)\n' >&2
    cargo build --locked --manifest-path "$here/../../Cargo.toml"
fi

# From the new folder a relative path would lead elsewhere.
case ${FEDROOT:-} in
*/*) FEDROOT=$(cd "$(dirname "$FEDROOT")" && pwd)/$(basename "$FEDROOT") ;;
esac

fedroot() {
    if [ -n "${FEDROOT:-}" ]; then
        "$FEDROOT" "$@"
    else
        cargo run --quiet --locked --manifest-path "$here/../../Cargo.toml" -- "$@"
    fi
}

# Shows a command, then runs it.
run() {
    printf '\n$ fedroot %s\n' "$*" >&2
    fedroot "$@"
}

# Shows a command of a stranger, then runs it.
stranger() {
    printf '\n$ %s\n' "$1" >&2
    sh -c "$1"
}

# Runs a command that has to be refused.
refused() {
    if run "$@"; then
        printf 'this was to be refused\n' >&2
        exit 1
    fi
}

work=$(mktemp -d "${TMPDIR:-/tmp}/$name.XXXXXX")
cd "$work"
cp "$here"/*.toml .
export FEDROOT_VAULT=vault

auditor=$(run identity generate --output auditor.key)
run init --auditor "$auditor" --origin "example.org/ledger/$name"
(umask 077 && od -An -N20 -tx1 /dev/urandom | tr -d ' \n' >passphrase)
run key generate "$line" --algorithm p384 --profile profile.toml --passphrase-file passphrase --reason "$name"
run key export "$line" >line.pem
