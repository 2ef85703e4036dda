#!/bin/sh
# run.sh BUILD: what `make bench` does. Measures speed, memory and size on generated observations, then, by probing.py and
# routes.py, probing and all that is done with routes against the programs that others use for it, and prints tables with the
# targets beside them.
# It judges nothing: on a busy machine figures differ by a third from one run to the next.
#
#   BENCH_OBSERVATIONS   how many, 10000000 if not given; of few there is no incident to ask about
#   BENCH_TURNS          how often routes.py runs each, 3 if not given: the best counts
#   LASTLIGHT_DATA       folder with archives, ../shared/data if not given
set -eu
build=${1:-build}
count=${BENCH_OBSERVATIONS:-10000000}
data=${LASTLIGHT_DATA:-../shared/data}

if [ ! -e "$build/build.ninja" ]; then meson setup "$build" >/dev/null; fi
ninja -C "$build" bench/bench src/app/lastlight >/dev/null
bench=$build/bench/bench
lastlight=$build/src/app/lastlight

folder=$(mktemp -d "${TMPDIR:-/tmp}/lastlight-bench-XXXXXX")
writer=
memory=
finish() {
    if [ -n "$writer" ]; then kill "$writer" 2>/dev/null || true; fi
    rm -rf "$folder" ${memory:+"$memory"}
}
trap finish EXIT
trap 'exit 1' INT TERM

value() { # FILE NAME: what the bench program printed under that name
    awk -v name="$2" '$1 == name { print $2 }' "$1"
}

row() { # WHAT MEASURED TARGET
    printf '%-58s %18s   %s\n' "$1" "$2" "$3"
}

number() { # FORMAT NUMBER: with spaces between thousands
    printf "$1" "$2" | sed -e ':a' -e 's/^\([0-9]\{1,\}\)\([0-9]\{3\}\)\($\|[ .]\)/\1 \2\3/' -e 'ta'
}

seconds() { # COMMAND...: its wall-clock time; its output goes to $folder/out
    start=$(date +%s.%N)
    "$@" >"$folder/out" 2>"$folder/err" || { cat "$folder/err" >&2; exit 1; }
    end=$(date +%s.%N)
    awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f", b - a }'
}

judge() {
    "$bench" core "$count" >"$folder/core"
    row "core alone, observations/s" "$(number %.0f "$(value "$folder/core" rate)")" ">= 1 000 000"
    row "core alone, peak memory" "$(number %.0f "$(value "$folder/core" peak_mib)") MiB" ""
}

fill() {
    "$bench" pipeline $((count / 10)) "$folder/tenth.db" >"$folder/tenth"
    "$bench" pipeline "$count" "$folder/all.db" >"$folder/all"
    row "append, judge, commit: observations/s" "$(number %.0f "$(value "$folder/all" rate)")" ">= 200 000"
    row "peak memory after a tenth of them" "$(number %.1f "$(value "$folder/tenth" peak_mib)") MiB" ""
    row "peak memory after all" "$(number %.1f "$(value "$folder/all" peak_mib)") MiB" "the same: flat"
    row "journal, bytes an observation" "$(number %.1f "$(value "$folder/all" bytes_each)")" "<= 24"
}

logs() {
    lines=1000000
    "$bench" write-log "$lines" "$folder/log.jsonl" >"$folder/write"
    "$bench" read-log "$folder/log.jsonl" >"$folder/read"
    row "observation log written, lines/s" "$(number %.0f "$(value "$folder/write" rate)")" ""
    row "observation log read, lines/s" "$(number %.0f "$(value "$folder/read" rate)")" ""
    taken=$(seconds "$lastlight" replay -j "$folder/replayed.db" "$folder/log.jsonl")
    row "lastlight replay of a log, lines/s" \
        "$(number %.0f "$(awk -v n="$lines" -v s="$taken" 'BEGIN { print n / s }')")" ">= 200 000"
    taken=$(seconds "$lastlight" export -j "$folder/replayed.db")
    row "lastlight export, lines/s" \
        "$(number %.0f "$(awk -v n="$lines" -v s="$taken" 'BEGIN { print n / s }')")" ""
}

questions() {
    "$bench" append 1000000000 "$folder/all.db" >/dev/null &
    writer=$!
    sleep 1
    "$bench" ask 100 "$folder/all.db" >"$folder/ask"
    kill "$writer"
    wait "$writer" 2>/dev/null || true
    writer=
    row "status while a writer is busy, median / worst" \
        "$(number %.1f "$(value "$folder/ask" status_median)") / $(number %.1f "$(value "$folder/ask" status_worst)") ms" \
        "< 50 ms"
    if [ -n "$(value "$folder/ask" why_median)" ]; then
        row "why while a writer is busy, median / worst" \
            "$(number %.1f "$(value "$folder/ask" why_median)") / $(number %.1f "$(value "$folder/ask" why_worst)") ms" \
            "< 50 ms"
    else
        row "why while a writer is busy" "no incident" "more BENCH_OBSERVATIONS"
    fi
    row "what the writer added meanwhile" "$(number %.1f "$(value "$folder/ask" grown_mib)") MiB" "> 0"
}

# In memory where that can be had: what is measured is not how long a disk takes to say that it has written.
day() {
    place=$folder
    if [ -w /dev/shm ]; then place=$(mktemp -d /dev/shm/lastlight-bench-XXXXXX) && memory=$place; fi
    "$bench" day "$place/day.db" >"$folder/day"
    "$bench" ask 100 "$place/day.db" >"$folder/ask"
    row "a day of 1003 targets every 10 s: journal, bytes an observation" "$(number %.1f "$(value "$folder/day" bytes_each)")" \
        "<= 24"
    row "status after it, median / worst" \
        "$(number %.1f "$(value "$folder/ask" status_median)") / $(number %.1f "$(value "$folder/ask" status_worst)") ms" \
        "< 50 ms"
    "$bench" chart 100 "$place/day.db" >"$folder/chart"
    row "chart of one target's day, median / worst" \
        "$(number %.1f "$(value "$folder/chart" chart_median)") / $(number %.1f "$(value "$folder/chart" chart_worst)") ms" \
        "< 50 ms"
}

echo "lastlight bench: $(number %.0f "$count") generated probes (1000 hosts, 2 vantages, every 10 s), once, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
row "what" "measured" "target"
judge
fill
logs
questions
day
echo
python3 bench/probing.py "$build"
echo
python3 bench/routes.py "$build" "$data"
