#!/bin/sh
# bgpdump.sh LASTLIGHT ROOT: `lastlight bgp -m` prints what Debian's `bgpdump -m` prints, byte for byte, of real archives; where
# it must not, bgpdump.differences says how many lines of either differ, and why. A few archives; with LASTLIGHT_ALL set, all.
# Skipped where bgpdump or the archives are missing.
set -eu
lastlight=$1 root=$2
data=${LASTLIGHT_DATA:-$root/../shared/data}
known=$root/test/cli/bgpdump.differences
command -v bgpdump >/dev/null || { echo "skipped: bgpdump is not installed"; exit 77; }
[ -d "$data/mrt-samples" ] || { echo "skipped: there are no archives in $data"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

# expected NAME: how many lines only bgpdump has and how many only we have.
expected() {
    awk -v name="$1" '!/^#/ && $1 == name { print $2, $3; found = 1 } END { if (!found) print "0 0" }' "$known"
}

# compare NAME ARCHIVE OPTION...
compare() {
    name=$1 archive=$2
    shift 2
    bgpdump "$@" "$archive" >"$scratch/theirs" 2>/dev/null || true
    "$lastlight" bgp "$@" "$archive" >"$scratch/ours" 2>"$scratch/talk" || [ $? -eq 1 ] || { cat "$scratch/talk"; exit 1; }
    found="0 0"
    if ! cmp -s "$scratch/theirs" "$scratch/ours"; then
        LC_ALL=C sort "$scratch/theirs" >"$scratch/a"
        LC_ALL=C sort "$scratch/ours" >"$scratch/b"
        found="$(LC_ALL=C comm -23 "$scratch/a" "$scratch/b" | wc -l) $(LC_ALL=C comm -13 "$scratch/a" "$scratch/b" | wc -l)"
    fi
    if [ "$found" = "$(expected "$name")" ]; then
        echo "ok: $name: $(wc -l <"$scratch/ours") lines"
    else
        echo "$name: lines of bgpdump alone and of lastlight alone: $found; expected $(expected "$name")"
        diff "$scratch/theirs" "$scratch/ours" | head -n 6
        status=1
    fi
}

if [ -n "${LASTLIGHT_ALL:-}" ]; then
    for archive in "$data"/mrt-samples/* "$data"/ris-2022-02/* "$data"/routeviews-2008-02-24/*; do
        compare "$(basename "$archive")" "$archive" -m
    done
else
    for name in bgpkit_rrc00_2000.01_updates.20000102.2014.gz mrtparse_bird6_bgp mrtparse_openbgpd_rib_table \
        ripencc-bgpdump_bview.ipv6_unicast_add_path.gz ripencc-bgpdump_updates.20071015.1505.gz; do
        compare "$name" "$data/mrt-samples/$name" -m
    done
    compare updates.20220207.0530.gz "$data/ris-2022-02/updates.20220207.0530.gz" -m
fi
modern=$data/ris-2022-02/updates.20220207.0530.gz
compare "-M" "$modern" -M
compare "-m-l" "$modern" -m -l
compare "-M-of-a-dump" "$data/mrt-samples/ripencc-bgpdump_bview.ipv4_unicast_add_path.gz" -M
compare "-m-t-change" "$data/mrt-samples/mrtparse_openbgpd_rib_table" -m -t change
exit $status
