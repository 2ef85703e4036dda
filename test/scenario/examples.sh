#!/bin/sh
# examples.sh SCENARIO LASTLIGHT ROOT: the reconstruction, as it is bundled and as its scenario would make it today, goes
# through the whole program, and what `incidents` and `why` say must be the golden text. With
# LASTLIGHT_UPDATE_GOLDEN=1 the golden text is written anew: read what changed before committing it.
set -eu
scenario=$1 lastlight=$2 root=$3
golden=$root/test/scenario/golden
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# explain LOG: all that is said of a log by itself. `incidents` and a replay exit with 1 where there is one.
explain() {
    rm -rf "$scratch/journal"
    mkdir "$scratch/journal"
    journal=$scratch/journal/lastlight.db
    "$lastlight" replay -j "$journal" "$1" >/dev/null 2>"$scratch/talk" || [ $? -eq 1 ] || { cat "$scratch/talk"; exit 1; }
    "$lastlight" incidents -j "$journal" || [ $? -eq 1 ]
    for incident in $("$lastlight" incidents -j "$journal" --json | sed -n 's/.*"incident": *\([0-9]*\).*/\1/p'); do
        echo
        "$lastlight" why "$incident" -j "$journal"
    done
}

# hold WHAT GOLDEN: the text just made is the golden one.
hold() {
    if diff -u "$2" "$scratch/said"; then
        echo "ok: $1"
    else
        echo "not as in $2: $1"
        status=1
    fi
}

status=0
mkdir -p "$golden"
for name in kp-2022-01; do
    explain "$root/examples/$name.jsonl.gz" >"$scratch/said"
    [ -s "$scratch/said" ] || { echo "nothing was said of $name"; exit 1; }
    if [ "${LASTLIGHT_UPDATE_GOLDEN:-}" = 1 ]; then
        cp "$scratch/said" "$golden/$name.txt"
    fi
    hold "examples/$name.jsonl.gz" "$golden/$name.txt"
    "$scenario" --log "$scratch/$name.jsonl" -s 1 "$root/test/scenario/$name.scn"
    explain "$scratch/$name.jsonl" >"$scratch/said"
    hold "$name.scn, made anew" "$golden/$name.txt"
done
exit $status
