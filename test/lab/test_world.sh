#!/bin/sh
# test_world.sh LAB BUILD: a whole world comes up, carries packets and routes, and is gone without a trace, when it is
# ended and when its first process is killed. Skipped where the laboratory's packages are not installed.
set -eu
lab=$1 build=$2
skip() { echo "skipped: $1"; exit 77; }
fail() { echo "failed: $1"; exit 1; }
[ "$(id -u)" = 0 ] || skip "needs root"
name=test-$$ before=$(ip netns)
dir=$(mktemp -d) || exit
cd "$dir"
trap '"$lab" down "$name" 2>/dev/null || true; rm -rf "$dir"' EXIT

"$lab" up --name "$name" --build "$build" 2>said || {
    cat said
    grep -q "missing Debian packages\|/dev/net/tun\|this kernel lacks" said && skip "$(tail -1 said)"
    fail "lab up"
}
"$lab" status | grep "^$name: [0-9]* nodes, [0-9]* processes, 12 prefixes at the collector" || fail "lab status"
"$lab" shell --name "$name" east ping -c 3 -W 2 175.45.179.33 | grep "ttl=60" || fail "no answer over the whole way"
"$lab" shell --name "$name" west dig +short @175.45.176.16 kp. SOA | grep "ns1" || fail "no answer from the secondary"
! "$lab" shell --name "$name" nowhere 2>said && grep "there is no node 'nowhere'" said || fail "an unknown node"
! "$lab" up --name "$name" --build "$build" 2>said && grep "runs already" said || fail "the same name twice"

first=$(pgrep -f "^unshare .*--name $name ") || fail "its first process"
kill -9 "$first"
for _ in 1 2 3 4 5 6 7 8 9 10; do pgrep -f "name $name " >/dev/null || break; sleep 0.2; done
! pgrep -f "name $name " >/dev/null || fail "processes are left after kill -9"
! "$lab" status | grep "^$name:" || fail "lab status still shows it"
[ "$(ip netns)" = "$before" ] || fail "network namespaces are left"
[ ! -e /run/lab ] || fail "files are left"
