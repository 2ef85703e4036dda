#!/bin/sh
# symbols.sh ALLOWED LIBRARY...: what the libraries of the pure rooms call must be defined by one of them or be
# listed in ALLOWED (one name a line, # begins a comment), so that a hidden time() or socket() cannot pass.
# Prints each breach as LIBRARY: OBJECT uses NAME; exit 1 if there is one. NM may name another nm.
set -eu
[ $# -ge 2 ] || { echo "usage: symbols.sh ALLOWED LIBRARY..." >&2; exit 2; }
allowed=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${NM:-nm}" -A -g "$@" >"$scratch/symbols" 2>"$scratch/talk" || { cat "$scratch/talk" >&2; exit 2; }

awk '
FNR == NR { sub(/#.*/, ""); for (i = 1; i <= NF; i++) known[$i] = 1; next }
NF < 3 { next }                                             # LIBRARY:OBJECT:[value] TYPE NAME
{ name = $NF; type = $(NF - 1); lines++ }
type ~ /^[TDBRCVWGSi]$/ { known[name] = 1; next }
type == "U" || type == "w" || type == "v" { wanted[++wants] = name; by[wants] = $1; sub(/:$/, "", by[wants]) }
END {
    if (!lines) { print "the libraries hold no symbols at all"; exit 2 }
    for (i = 1; i <= wants; i++) if (!(wanted[i] in known)) {
        place = by[i]; sub(/.*\//, "", place); sub(/:/, ": ", place)
        printf "%s uses %s, which a pure room may not call (test/law/allowed-symbols.txt)\n", place, wanted[i]
        broken = 1
    }
    exit broken
}' "$allowed" "$scratch/symbols"
