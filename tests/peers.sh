#!/bin/sh
# Installs the strangers that the tests ask for their opinion, from Debian or Ubuntu: xmlsec1, xmllint, samlsign, the JDK,
# lxml, age, openssl, and gdb and strace to look on, Python and Chromium to judge, and GNU time for the bench; and signxml from
# PyPI, in a folder of its own below the cache. Installs only what is missing; runs as root or through sudo.
set -eu

missing=
for peer in xmlsec1:xmlsec1 xmllint:libxml2-utils samlsign:opensaml-tools javac:default-jdk-headless age:age age-keygen:age openssl:openssl \
    gdb:gdb strace:strace python3:python3 chromium:chromium jose:jose /usr/bin/time:time; do
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

signxml=${XDG_CACHE_HOME:-$HOME/.cache}/fedroot-peers
if ! "$signxml/bin/python" -c "import signxml" >/dev/null 2>&1; then
    echo "peers: installing signxml in $signxml"
    /usr/bin/python3 -m venv --clear "$signxml"
    "$signxml/bin/pip" install -q signxml==5.2.0
fi
echo "peers: all present"
