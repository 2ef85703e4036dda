#!/bin/sh
# test.sh BUILD: every test, in two builds: gcc as shipped, and clang with the address and undefined
# behaviour sanitizers. Closes with one line, "N passed, N failed".
set -u
build=${1:-build}

configure() { # folder compiler options...
    folder=$1 compiler=$2
    shift 2
    [ -e "$folder/build.ninja" ] || CC=$compiler meson setup "$folder" "$@" >"$folder.log" 2>&1 || {
        cat "$folder.log"
        return 1
    }
    meson configure "$folder" -Dtests=true >/dev/null
    ninja -C "$folder" >"$folder.log" 2>&1 || {
        cat "$folder.log"
        return 1
    }
    rm -f "$folder.log"
}

failed_builds=0
# The live tests wait for most of their time, and more of them go on at once than there are cores.
run() { # title folder
    echo "== $1"
    {
        meson test -C "$2" --no-rebuild --print-errorlogs --suite live --num-processes 4
        meson test -C "$2" --no-rebuild --print-errorlogs --no-suite live
    } 2>&1 | tee "$2/test-output.txt"
}

if configure "$build" gcc -Dtests=true; then
    run "gcc" "$build"
else
    failed_builds=$((failed_builds + 1))
fi
if configure "$build-sanitize" clang -Dtests=true -Db_sanitize=address,undefined -Db_lundef=false; then
    # libyaml, curl and others are not instrumented; what leaks is ours.
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    run "clang, address and undefined sanitizers" "$build-sanitize"
else
    failed_builds=$((failed_builds + 1))
fi

cat "$build/test-output.txt" "$build-sanitize/test-output.txt" 2>/dev/null | awk -v broken=$failed_builds '
    /^Ok:/ || /^Expected Fail:/            { passed += $NF }
    /^Fail:/ || /^Unexpected Pass:/ || /^Timeout:/ { failed += $NF }
    /^Skipped:/                            { skipped += $NF }
    END {
        failed += broken
        if (broken) printf "%d build(s) failed\n", broken
        printf "%d passed, %d failed", passed, failed
        if (skipped) printf ", %d skipped", skipped
        print ""
        exit failed > 0 || passed == 0
    }'
