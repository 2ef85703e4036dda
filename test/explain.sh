# For scripts that hold what the whole program says of a log against golden text. Sourced: `lastlight` and `root` are set.
# With LASTLIGHT_UPDATE_GOLDEN=1 the golden text is written anew: read what changed before committing it.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

# explain OPTION... FILE: replays into a journal of its own, and leaves all that is said in $scratch/said. Where there is an
# incident or a bad record the exit status of the program is 1.
explain() {
    rm -rf "$scratch/journal"
    mkdir "$scratch/journal"
    journal=$scratch/journal/lastlight.db
    "$lastlight" replay -j "$journal" "$@" >/dev/null 2>"$scratch/talk" || [ $? -eq 1 ] || { cat "$scratch/talk"; exit 1; }
    {
        "$lastlight" incidents -j "$journal" || [ $? -eq 1 ]
        for incident in $("$lastlight" incidents -j "$journal" --json | sed -n 's/.*"incident": *\([0-9]*\).*/\1/p'); do
            echo
            "$lastlight" why "$incident" -j "$journal"
        done
    } >"$scratch/said"
    [ -s "$scratch/said" ] || { echo "nothing was said of $*"; exit 1; }
}

# renew GOLDEN: takes what was said for golden, if that is asked for.
renew() {
    [ "${LASTLIGHT_UPDATE_GOLDEN:-}" != 1 ] || cp "$scratch/said" "$1"
}

# hold WHAT GOLDEN: what was said is the golden text; else the status is 1 at the end.
hold() {
    if diff -u "$2" "$scratch/said"; then
        echo "ok: $1"
    else
        echo "not as in $2: $1"
        status=1
    fi
}
