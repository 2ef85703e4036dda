#!/bin/sh
# test_tools.sh RELAY FLOOD: real packets through a relay between two network namespaces, and a flood over it.
# Everything lives in namespaces of its own that end with this script, however it ends. Times are judged by
# medians and wide bounds, as other tests may keep the machine busy; what was counted is judged strictly.
# Exit 77, with a message: it cannot run here.
set -eu
relay=$1 flood=$2

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }

enter() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    [ -c /dev/net/tun ] || skip "needs /dev/net/tun"
    for tool in ip ping unshare timeout; do
        command -v "$tool" >/dev/null || skip "needs $tool"
    done
    unshare --net --mount --pid --fork true 2>/dev/null || skip "may not make namespaces here"
    LASTLIGHT_LAB_OUTSIDE=$(stat -L -c %i /proc/self/ns/net)
    export LASTLIGHT_LAB_OUTSIDE
    exec timeout -k 5 100 unshare --net --mount --pid --fork --kill-child \
        sh "$0" "$relay" "$flood" inside
}

# The devices are renamed by the move, and one of them again after it.
build() {
    mount -t proc proc /proc
    mount -t tmpfs tmpfs /run
    ip netns add a
    ip netns add b
    "$relay" --control /run/relay --seed 7 core:ta:tb:20000 >/run/ready &
    relay_pid=$!
    until_true grep -q ready /run/ready
    ip link set ta netns a name eth0
    ip link set tb netns b name moved
    ip -n b link set moved name eth0
    for side in a b; do
        ip -n $side link set eth0 up
    done
    ip -n a address add 192.0.2.1/24 dev eth0
    ip -n b address add 192.0.2.2/24 dev eth0
}

until_true() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "never came true: $*"
        sleep 0.05
    done
}

in_a() { ip netns exec a "$@"; }
# Not out of ping's exit status: it is 1 when nothing came back.
pings() { in_a ping -n "$@" 192.0.2.2 || true; }
received() { sed -n 's/.* \([0-9]*\) received.*/\1/p'; }
tell() { "$relay" --tell /run/relay "$@" >/run/told || fail "$*: $(cat /run/told)"; }
stat_of() { tell stats && sed -n "s/^core .*\\b$1=\\([0-9]*\\).*/\\1/p" /run/told; }
between() { # what value least most
    if [ -z "$2" ] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
        fail "$1: '$2', expected $3 to $4"
    fi
    echo "ok: $1: $2 ($3 to $4)"
}
says() { # what pattern file
    grep -q "$2" "$3" || fail "$1: $(cat "$3")"
    echo "ok: $1"
}

median_rtt_us() {
    pings -c 21 -i 0.05 -W 2 | sed -n 's/.*time=\([0-9.]*\).*/\1/p' | sort -n |
        awk '{ rtt[NR] = $1 } END { if (NR > 10) printf "%d", rtt[int((NR + 1) / 2)] * 1000 }'
}

test_delay() {
    until_true in_a ping -n -q -c 1 -W 2 192.0.2.2 >/run/first
    between "median RTT over 20 ms each way, us" "$(median_rtt_us)" 40000 60000
    # With many under way at once every wake-up is an occasion to send one too early.
    least=$(pings -q -c 200 -i 0.002 -W 2 | sed -n 's/^rtt[^=]*= \([0-9]*\)\.\([0-9]*\).*/\1\2/p')
    between "least RTT of 200 close together, us" "$least" 40000 60000
    tell "set core 5000"
    between "median RTT after set to 5 ms, us" "$(median_rtt_us)" 10000 30000
}

test_carrier() {
    for side in a b; do
        ip -n $side -o link show eth0 >/run/link
        says "carrier in $side $1" LOWER_UP /run/link
    done
}

test_pause() {
    tell "pause core"
    between "replies while paused" "$(pings -q -c 10 -i 0.05 -W 1 | received)" 0 0
    test_carrier "while paused"
    between "frames cut" "$(stat_of cut)" 1 100
    tell "resume core"
    until_true in_a ping -n -q -c 1 -W 2 192.0.2.2 >/run/back
    echo "ok: back after resume"
}

# Neighbours are told beforehand, so that only pings are there to be lost.
test_loss() {
    for pair in a:b:192.0.2.2 b:a:192.0.2.1; do
        other=${pair#*:}
        mac=$(ip -n "${other%%:*}" -o link show eth0 | sed 's/.*link.ether \([^ ]*\).*/\1/')
        ip -n "${pair%%:*}" neighbour replace "${pair##*:}" lladdr "$mac" nud permanent dev eth0
    done
    tell "set core 1000 300000"
    between "of 200 pings with 30 % lost each way" "$(pings -q -c 200 -i 0.005 -W 1 | received)" 50 150
    between "frames lost by chance" "$(stat_of lost)" 50 150
    tell "set core 1000 0"
    between "of 50 pings with no loss any more" "$(pings -q -c 50 -i 0.01 -W 2 | received)" 50 50
}

# Falling delays tempt a relay to let new frames overtake old ones.
test_order() {
    pings -c 400 -i 0.002 -W 2 >/run/order &
    pinging=$!
    for delay in 40000 1000 30000 0 20000 500; do
        tell "set core $delay"
        sleep 0.1
    done
    wait $pinging
    between "replies while the delay jumped" "$(received </run/order)" 390 400
    overtaken=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' /run/order |
        awk '$1 < last { n++ } { last = $1 } END { print n + 0 }')
    between "replies overtaken" "$overtaken" 0 0
}

test_control() {
    for line in "set nosuch 1" "set core" "set core 1 2 3" "set core -1" "set core 99999999" "set core 1 1000001" \
        "pause" "hello" ""; do
        "$relay" --tell /run/relay "$line" >/run/told && fail "'$line' was taken"
        says "'$line' is refused" '^error: ' /run/told
    done
    for link in a:b:c a:b:c:x a:b:c:1:2:3 :b:c:1 a:b:sixteenletters16:1 a:b:c:1:1000001; do
        timeout 5 "$relay" "$link" 2>/run/told && fail "'$link' was taken"
        says "'$link' is refused" expected /run/told
    done
}

test_refusals() {
    here=$(stat -L -c %i /proc/self/ns/net)
    for environment in "LASTLIGHT_LAB=" "LASTLIGHT_LAB=1 LASTLIGHT_LAB_OUTSIDE=" \
        "LASTLIGHT_LAB=1 LASTLIGHT_LAB_OUTSIDE=x" "LASTLIGHT_LAB=1 LASTLIGHT_LAB_OUTSIDE=$here"; do
        # shellcheck disable=SC2086 # two words
        env $environment "$flood" --to 127.0.0.1 --rate 1000000 --seconds 1 2>/run/told && fail "ran: $environment"
        says "flood refuses with '$environment'" refused /run/told
    done
    export LASTLIGHT_LAB=1
    for options in "--rate 200000001 --seconds 1" "--rate 1 --seconds 301" "--steps 200:1,101:1" "--rate 1" \
        "--steps 1:1 --rate 1 --seconds 1" "--steps 1" "--rate 1 --seconds 1 --size 1473"; do
        # shellcheck disable=SC2086 # several words
        in_a "$flood" --to 192.0.2.2 $options 2>/run/told >&2 && fail "ran: $options"
        echo "ok: flood refuses $options"
    done
}

packets_in_b() { ip netns exec b cat /proc/net/dev | awk '/eth0/ { print $3 }'; }
field() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p" /run/flood; }

# 2 Mbit/s of 1000 bytes on the wire are 250 packets/s.
test_flood() {
    before=$(packets_in_b)
    in_a timeout 20 "$flood" --to 192.0.2.2 --rate 2000000 --seconds 2 --size 958 >/run/flood
    between "packets in 2 s" "$(field packets)" 400 600
    between "bytes" "$(field bytes)" 400000 600000
    between "errors" "$(field errors)" 0 0
    sleep 0.2
    between "packets that arrived" $(($(packets_in_b) - before)) 400 650
    in_a timeout 20 "$flood" --to 192.0.2.2,192.0.2.1 --steps 1:800000,1:0,1:1600000 --size 958 \
        --source-ports >/run/flood
    between "packets in three steps" "$(field packets)" 240 360
    between "seconds" "$(field seconds)" 3 6
}

test_no_route() {
    in_a timeout 20 "$flood" --to 198.51.100.1 --rate 2000000 --seconds 1 --size 958 >/run/flood
    between "packets without a route" "$(field packets)" 0 0
    between "errors without a route" "$(field errors)" 200 300
    # Not in_a: the process that gets the signal must be the flood.
    ip netns exec a "$flood" --to 192.0.2.2 --rate 2000000 --seconds 60 >/run/flood &
    pid=$!
    sleep 1
    kill -TERM $pid
    wait $pid || fail "flood ended with $? on SIGTERM"
    between "seconds until SIGTERM" "$(field seconds)" 0 20
}

# A deleted device must not stop the other lines, nor make the relay spin.
test_end() {
    ip -n b link del eth0
    pings -q -c 3 -i 0.05 -W 1 >/run/gone
    tell stats
    before=$(awk '{ print $14 + $15 }' /proc/$relay_pid/stat)
    sleep 0.5
    between "ticks of CPU after a device went" $(($(awk '{ print $14 + $15 }' /proc/$relay_pid/stat) - before)) 0 10
    kill -TERM "$relay_pid"
    wait "$relay_pid" || fail "relay ended with $? on SIGTERM"
    [ ! -e /run/relay ] || fail "the control socket is still there"
    ip -n a link show eth0 >/run/link 2>&1 && fail "the device outlived its relay"
    echo "ok: relay ended and took its devices along"
}

[ "${3:-}" = inside ] || enter
build
test_carrier "after the move"
test_delay
test_pause
test_loss
test_order
test_control
test_refusals
test_flood
test_no_route
test_end
