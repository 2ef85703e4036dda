#!/bin/sh
# recordings.sh LASTLIGHT ROOT: every recording of the laboratory in examples/lab goes through the whole program: the
# observation log, and by itself the collector's MRT archive. What is said of them must be the golden text in
# test/lab/golden. With LASTLIGHT_UPDATE_GOLDEN=1 that is written anew: read what changed before committing it.
set -eu
lastlight=$1 root=$2
golden=$root/test/lab/golden
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# replay OPTION... FILE: into a journal of its own, and all that is said of it. Where there is an incident or a bad
# record the exit status is 1.
replay() {
    rm -rf "$scratch/journal"
    mkdir "$scratch/journal"
    journal=$scratch/journal/lastlight.db
    "$lastlight" replay -j "$journal" "$@" >/dev/null 2>"$scratch/talk" || [ $? -eq 1 ] || { cat "$scratch/talk"; exit 1; }
    "$lastlight" incidents -j "$journal" || [ $? -eq 1 ]
    for incident in $("$lastlight" incidents -j "$journal" --json | sed -n 's/.*"incident": *\([0-9]*\).*/\1/p'); do
        echo
        "$lastlight" why "$incident" -j "$journal"
    done
}

# hold WHAT GOLDEN: the text in $scratch/said is the golden one.
hold() {
    [ "${LASTLIGHT_UPDATE_GOLDEN:-}" != 1 ] || cp "$scratch/said" "$2"
    if diff -u "$2" "$scratch/said"; then
        echo "ok: $1"
    else
        echo "not as in $2: $1"
        status=1
    fi
}

status=0 count=0
mkdir -p "$golden"
for log in "$root"/examples/lab/*.jsonl.zst; do
    [ -e "$log" ] || { echo "there are no recordings in examples/lab"; exit 1; }
    name=$(basename "$log" .jsonl.zst)
    replay "$log" >"$scratch/said"
    hold "$name: what was seen" "$golden/$name.txt"
    replay --subject lab-kp --prefix 175.45.176.0/22 --asn 131279 "$root/examples/lab/$name.mrt.gz" >"$scratch/said"
    hold "$name: its routes alone" "$golden/$name.routes.txt"
    count=$((count + 1))
done
echo "$count recordings"
exit $status
