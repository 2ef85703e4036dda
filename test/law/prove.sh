#!/bin/sh
# prove.sh ROOT [ALLOWED LIBRARY...]: plants faults and demands that the two checks catch each of them, by name.
# A check that lets one pass is worth nothing. With libraries the symbols are proved, without them the includes.
set -eu
root=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
caught=0

# must_fail WHAT TEXT COMMAND...: the command fails with 1 and what it prints contains TEXT.
must_fail() {
    what=$1 text=$2
    shift 2
    status=0
    "$@" >"$scratch/said" 2>&1 || status=$?
    if [ "$status" -ne 1 ] || ! grep -qF -- "$text" "$scratch/said"; then
        echo "prove.sh: $what was not caught (exit $status; expected 1 and '$text'); the check said:"
        cat "$scratch/said"
        exit 1
    fi
    echo "caught: $what: $(grep -F -- "$text" "$scratch/said" | head -n 1)"
    caught=$((caught + 1))
}

# plant FILE LINE...: a file in a fresh copy of the tree, with the lines.
plant() {
    rm -rf "$scratch/tree"
    mkdir -p "$scratch/tree/doc"
    cp -R "$root/src" "$scratch/tree/src"
    cp "$root/doc/architecture.md" "$scratch/tree/doc/"
    planted=$scratch/tree/$1
    shift
    mkdir -p "$(dirname "$planted")"
    printf '%s\n' "$@" >"$planted"
}

prove_includes() {
    plant src/core/detect/planted.c '#include "base/utc.h"' '#include "store/journal.h"'
    must_fail "core that includes store" "src/core/detect/planted.c:2: core may not include store/journal.h" \
        "$here/includes.sh" "$scratch/tree"
    plant src/base/planted.h '#ifndef A' '#define A' '#include "model/model.h"' '#endif'
    must_fail "base that includes model" "src/base/planted.h:3: base may not include model/model.h" \
        "$here/includes.sh" "$scratch/tree"
    plant src/out/planted.c '  #  include   "source/replay.h"'
    must_fail "an include with odd spacing" "src/out/planted.c:1: out may not include source/replay.h" \
        "$here/includes.sh" "$scratch/tree"
    plant src/core/detect/planted.c '#include "core/diagnose/diagnose.h"'
    must_fail "detect that includes diagnose" "src/core/detect/planted.c:1: core/detect may not include core/diagnose" \
        "$here/includes.sh" "$scratch/tree"
    plant src/model/planted.c '#include "model.h"'
    must_fail "an include without its folder" "src/model/planted.c:1: \"model.h\" does not name its folder" \
        "$here/includes.sh" "$scratch/tree"
    plant src/store/planted.c '#include "base/err.h"' '#ifdef __linux__' '#endif'
    must_fail "#if outside sys" "src/store/planted.c:2: #ifdef __linux__" "$here/includes.sh" "$scratch/tree"
    plant src/base/planted.h '#ifndef NDEBUG' '#include <assert.h>' '#endif'
    must_fail "#ifndef that is no guard" "src/base/planted.h:2: the #ifndef NDEBUG" "$here/includes.sh" "$scratch/tree"
    plant src/attic/planted.c 'int planted;'
    must_fail "a folder that is no room" "src/attic/planted.c:1: src/attic is no room" "$here/includes.sh" "$scratch/tree"
}

# plant_call HEADER EXPRESSION: an object that hides one call.
plant_call() {
    printf '#include <%s>\nlong planted(void);\nlong planted(void)\n{\n    return (long)%s;\n}\n' "$1" "$2" >"$scratch/planted.c"
    ${CC:-cc} -c -o "$scratch/planted.o" "$scratch/planted.c"
    rm -f "$scratch/libplanted.a"
    ar cr "$scratch/libplanted.a" "$scratch/planted.o"
}

prove_symbols() {
    plant_call time.h 'time(0)'
    must_fail "a hidden time()" "libplanted.a: planted.o uses time," "$here/symbols.sh" "$@" "$scratch/libplanted.a"
    plant_call sys/socket.h 'socket(AF_INET, SOCK_DGRAM, 0)'
    must_fail "a hidden socket()" "libplanted.a: planted.o uses socket," "$here/symbols.sh" "$@" "$scratch/libplanted.a"
    plant_call stdlib.h 'rand()'
    must_fail "a hidden rand()" "libplanted.a: planted.o uses rand," "$here/symbols.sh" "$@" "$scratch/libplanted.a"
    plant_call stdlib.h 'getenv("TZ")'
    must_fail "a hidden getenv()" "libplanted.a: planted.o uses getenv," "$here/symbols.sh" "$@" "$scratch/libplanted.a"
}

if [ $# -gt 0 ]; then prove_symbols "$@"; else prove_includes; fi
echo "$caught planted faults, all caught"
