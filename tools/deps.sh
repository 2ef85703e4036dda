#!/bin/sh
# deps.sh GROUP...: installs the Debian packages of these groups that are missing, and says which.
# Silent when nothing is missing. Groups: build, test, bench, lab.
#
# Some packages of bench and lab are daemons. Their services are neither started now nor at the next boot:
# whoever needs the programs runs them by itself, out of sight.
set -eu

packages_of() {
    case $1 in
    build) echo gcc libc6-dev meson ninja-build pkg-config libuv1-dev libc-ares-dev libcap-ng-dev libcurl4-openssl-dev \
        libldns-dev libssl-dev libsqlite3-dev libjansson-dev libmaxminddb-dev libyaml-dev libisal-dev \
        libzstd-dev liblzma-dev ca-certificates ;;
    test) echo clang libclang-rt-14-dev libcmocka-dev libbz2-dev clang-format cppcheck iproute2 iputils-ping \
        util-linux python3 bgpdump ;;
    bench) echo bgpdump fping zmap prometheus-blackbox-exporter nginx-light nsd iproute2 util-linux mount lbzip2 isal zstd \
        bzip2 time python3 ;;
    lab) echo python3 util-linux mount iproute2 nftables procps openssl curl ca-certificates bird2 frr gobgpd nsd nginx-light \
        opensmtpd unbound ldnsutils bind9-dnsutils faketime bgpdump iputils-ping ;;
    *) echo "deps.sh: unknown group '$1'; expected build, test, bench or lab" >&2; exit 2 ;;
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

# While this file is there, no package starts its service. One of the user's own is left as it is.
policy=/usr/sbin/policy-rc.d
held=
hold_services() {
    [ -e $policy ] && return
    held=yes
    trap release_services EXIT
    trap 'release_services; exit 130' INT
    trap 'release_services; exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 755 $policy
}
release_services() {
    [ -z "$held" ] || $as_root rm -f $policy
    held=
}
# What was installed just now does not start at the next boot either.
disable_services() {
    command -v systemctl >/dev/null || return 0
    for service in bird frr gobgpd nsd nginx opensmtpd unbound prometheus-blackbox-exporter; do
        case $missing in *$service*) $as_root systemctl disable --quiet "$service" 2>/dev/null || true ;; esac
    done
}

case " $* " in *" bench "* | *" lab "*) hold_services ;; esac
# An old package list is the usual reason for a failure: fetch it anew only then.
# shellcheck disable=SC2086
$install $missing >/dev/null 2>&1 || { $as_root apt-get update -q >/dev/null && $install $missing >/dev/null; }
case " $* " in *" bench "* | *" lab "*) disable_services ;; esac
