#!/bin/sh
# Installs the strangers that the tests ask for their opinion, from Debian or Ubuntu: xmlsec1, xmllint, samlsign, the JDK,
# lxml, age, openssl, jose, node, and gdb and strace to look on, Python and Chromium to judge, and GNU time for the bench; and
# libraries from PyPI and npm, pinned in tests/peers/, in a folder of their own below the cache. Installs only what is missing;
# runs as root or through sudo.
set -eu

here=$(cd "$(dirname "$0")" && pwd)/peers

missing=
for peer in xmlsec1:xmlsec1 xmllint:libxml2-utils samlsign:opensaml-tools javac:default-jdk-headless age:age age-keygen:age openssl:openssl \
    jose:jose node:nodejs npm:npm gdb:gdb strace:strace python3:python3 chromium:chromium /usr/bin/time:time; do
    command -v "${peer%:*}" >/dev/null 2>&1 || missing="$missing ${peer##*:}"
done
for module in lxml:python3-lxml ensurepip:python3-venv; do
    /usr/bin/python3 -c "import ${module%:*}" >/dev/null 2>&1 || missing="$missing ${module##*:}"
done

root=
if [ "$(id -u)" -ne 0 ]; then
    root=sudo
fi
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "peers: there is no apt-get; install by other means:$missing" >&2
        exit 1
    fi
    echo "peers: installing$missing"
    $root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    # shellcheck disable=SC2086 # a list of names
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi

# A library is there when the list that it was installed from is the one of today.
peers=${XDG_CACHE_HOME:-$HOME/.cache}/fedroot-peers
if ! cmp -s "$here/requirements.txt" "$peers/requirements.txt"; then
    echo "peers: installing from PyPI in $peers"
    [ -x "$peers/bin/pip" ] || /usr/bin/python3 -m venv --clear "$peers"
    "$peers/bin/pip" install -q -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$peers/"
fi
if ! cmp -s "$here/package-lock.json" "$peers/package-lock.json"; then
    echo "peers: installing from npm in $peers"
    cp "$here/package.json" "$here/package-lock.json" "$peers/"
    # the list of today stands there before its libraries do, and goes when they do not come
    (cd "$peers" && npm ci --silent --ignore-scripts --no-audit --no-fund) || { rm "$peers/package-lock.json"; exit 1; }
fi
echo "peers: all present"
