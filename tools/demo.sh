#!/bin/sh
# demo.sh BUILD: what `make run` does. Builds, replays the bundled examples into a journal of the build
# folder (made anew each time), explains each incident, and then watches this machine's loopback
# services until Ctrl-C.
set -eu
build=${1:-build}
[ -e "$build/build.ninja" ] || meson setup "$build" >/dev/null
ninja -C "$build" >"$build/ninja.log" || { cat "$build/ninja.log"; exit 1; }

lastlight=$build/src/app/lastlight
journal=$build/demo/lastlight.db
mkdir -p "$build/demo"
rm -f "$journal" "$journal"-wal "$journal"-shm "$journal".lock

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n%s\n' "$*"; }

data=${LASTLIGHT_DATA:-../shared/data}
hijack=$data/routeviews-2008-02-24
if [ -d "$hijack" ]; then
    say "Replaying real routes: one day of the Route Views archive, 24 February 2008"
    # The archive holds four damaged records: replay names them, uses the rest and exits with 1.
    "$lastlight" replay -j "$journal" --subject youtube-2008 --prefix 208.65.152.0/22 --asn 36561 \
        "$hijack" || [ $? -eq 1 ]
else
    say "The routing archive of 24 February 2008 is not here ($hijack): its example is left out."
fi
say "Replaying a reconstruction of the founding case (examples/README.md says what is real in it)"
"$lastlight" replay -j "$journal" examples/kp-2022-01.jsonl.gz

say "lastlight incidents"
"$lastlight" incidents -j "$journal"
for incident in $("$lastlight" incidents -j "$journal" --json | sed -n 's/.*"incident": *\([0-9]*\).*/\1/p'); do
    say "lastlight why $incident"
    "$lastlight" why "$incident" -j "$journal"
done

# Each in a journal of its own: they are of one made-up country, and not of one history.
for name in stress power-cut uplink-lost; do
    say "Replaying a recording of the laboratory: $name (doc/lab.md)"
    recorded=$build/demo/$name.db
    rm -f "$recorded" "$recorded"-wal "$recorded"-shm "$recorded".lock
    "$lastlight" replay -j "$recorded" "examples/lab/$name.jsonl.zst"
    "$lastlight" incidents -j "$recorded"
    for incident in $("$lastlight" incidents -j "$recorded" --json | sed -n 's/.*"incident": *\([0-9]*\).*/\1/p'); do
        say "lastlight why $incident"
        "$lastlight" why "$incident" -j "$recorded"
    done
done

say "Now watching this machine's loopback services (examples/loopback.yaml)."
cat <<EOF
Try, in another terminal:   $lastlight status -j $journal
                            $lastlight report 1 -j $journal -f md
Stop a service that is watched and see the incident open. Ctrl-C ends this.
EOF
exec "$lastlight" run -c examples/loopback.yaml -j "$journal"
