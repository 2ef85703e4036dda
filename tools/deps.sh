#!/bin/sh
# deps.sh GROUP...: installs the Debian packages of these groups that are missing, and says which.
# Silent when nothing is missing. Groups: build, test, bench.
set -eu

packages_of() {
    case $1 in
    build) echo gcc libc6-dev meson ninja-build pkg-config libuv1-dev libc-ares-dev libcurl4-openssl-dev \
        libldns-dev libssl-dev libsqlite3-dev libjansson-dev libyaml-dev libisal-dev libzstd-dev \
        libbz2-dev ;;
    test) echo clang libclang-rt-14-dev libcmocka-dev clang-format cppcheck iproute2 bgpdump ;;
    bench) echo bgpdump fping ;;
    *) echo "deps.sh: unknown group '$1'; expected build, test or bench" >&2; exit 2 ;;
    esac
}

missing=
for group in "$@"; do
    for package in $(packages_of "$group"); do
        status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
        case $status in
        ii*) ;;
        *) missing="$missing $package" ;;
        esac
    done
done
[ -n "$missing" ] || exit 0

echo "Installing the Debian packages that are missing:$missing" >&2
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps.sh: run this as root first: apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
install="$as_root apt-get install -y -q --no-install-recommends"
# An old package list is the usual reason for a failure: fetch it anew only then.
# shellcheck disable=SC2086
$install $missing >/dev/null 2>&1 || { $as_root apt-get update -q >/dev/null && $install $missing >/dev/null; }
