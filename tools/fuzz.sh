#!/bin/sh
# fuzz.sh BUILD CASES SECONDS: fuzzes every decoder with so many generated cases each, but no longer than SECONDS each, under
# the address and undefined behaviour sanitizers, starting from the corpus in the tree. New inputs are kept in BUILD/corpus,
# crashes in BUILD/crashes; a crash is told with its file and how to repeat it, and the exit status is then 1.
set -eu
build=${1:-build-fuzz} cases=${2:-1000000} seconds=${3:-300}
[ -e "$build/build.ninja" ] ||
    CC=clang meson setup "$build" -Dfuzz=true -Dtests=true -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
ninja -C "$build" >/dev/null
mkdir -p "$build/crashes"
log=$build/fuzz.log
printf '%-16s %12s %10s %12s\n' target cases seconds "cases/s"
total=0 targets=0 broken=
for program in "$build"/test/fuzz/fuzz_*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    name=$(basename "$program")
    mkdir -p "$build/corpus/$name"
    start=$(date +%s)
    "$program" -runs="$cases" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" "test/fuzz/corpus/$name" >"$log" 2>&1 || {
        broken="$broken $name"
        grep -E '^SUMMARY|Test unit written' "$log" >&2 || tail -5 "$log" >&2
    }
    took=$(($(date +%s) - start))
    done=$(awk '/^stat::number_of_executed_units/ { print $2 }' "$log")
    total=$((total + ${done:-0})) targets=$((targets + 1))
    printf '%-16s %12s %10s %12s\n' "${name#fuzz_}" "${done:-crashed}" "$took" $((${done:-0} / (took ? took : 1)))
done
rm -f "$log"
echo "$total cases in $targets targets"
if [ -n "$broken" ]; then
    echo "Inputs that fail are in $build/crashes; run $build/test/fuzz/NAME with one as its argument to repeat. Failed:$broken" >&2
    exit 1
fi
