#!/bin/sh
# fuzz.sh BUILD SECONDS: fuzzes every decoder for so long each, under the address and undefined behaviour
# sanitizers, starting from the corpus in the tree. New inputs are kept in BUILD/corpus, crashes in
# BUILD/crashes; a crash ends the run with its file and how to repeat it.
set -eu
build=${1:-build-fuzz} seconds=${2:-60}
[ -e "$build/build.ninja" ] ||
    CC=clang meson setup "$build" -Dfuzz=true -Dtests=true -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
ninja -C "$build" >/dev/null
mkdir -p "$build/crashes"
for program in "$build"/test/fuzz/fuzz_*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    name=$(basename "$program")
    mkdir -p "$build/corpus/$name"
    echo "== $name"
    "$program" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" "test/fuzz/corpus/$name" \
        2>&1 | grep -E '^(stat::|SUMMARY|==|Done)|Test unit written' || true
done
if [ -n "$(ls -A "$build/crashes")" ]; then
    echo "Found inputs that fail: run the fuzz program with the file as its argument to repeat." >&2
    ls "$build/crashes" >&2
    exit 1
fi
