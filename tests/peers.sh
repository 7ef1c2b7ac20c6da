#!/bin/sh
# Installs the strangers that the tests ask for their opinion, from Debian or Ubuntu: xmlsec1, xmllint, age, openssl, and
# gdb and strace to look on, Python and Chromium to judge, and GNU time for the bench. Installs only what is missing; runs as root or through sudo.
set -eu

missing=
for peer in xmlsec1:xmlsec1 xmllint:libxml2-utils age:age age-keygen:age openssl:openssl gdb:gdb strace:strace python3:python3 chromium:chromium jose:jose \
    /usr/bin/time:time; do
    command -v "${peer%:*}" >/dev/null 2>&1 || missing="$missing ${peer##*:}"
done
if [ -z "$missing" ]; then
    echo "peers: all present"
    exit 0
fi

root=
if [ "$(id -u)" -ne 0 ]; then
    root=sudo
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "peers: there is no apt-get; install by other means:$missing" >&2
    exit 1
fi
echo "peers: installing$missing"
$root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086 # a list of names
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
