#!/bin/sh
# examples.sh SCENARIO LASTLIGHT ROOT: the reconstruction, as it is bundled and as its scenario would make it today, goes
# through the whole program, and what `incidents` and `why` say must be the golden text, of which each line stands in it that
# the README quotes.
set -eu
scenario=$1 lastlight=$2 root=$3
golden=$root/test/scenario/golden/kp-2022-01.txt
. "$root/test/explain.sh"

explain "$root/examples/kp-2022-01.jsonl.gz"
renew "$golden"
hold "examples/kp-2022-01.jsonl.gz" "$golden"
"$scenario" --log "$scratch/anew.jsonl" -s 1 "$root/test/scenario/kp-2022-01.scn"
explain "$scratch/anew.jsonl"
hold "kp-2022-01.scn, made anew" "$golden"
sed -n '/^\$ lastlight why 1$/,/^```$/p' "$root/README.md" | sed '1d;$d' >"$scratch/quoted"
[ -s "$scratch/quoted" ] || { echo "README.md quotes nothing of \`lastlight why 1\`" >&2; status=1; }
if grep -vxFf "$golden" "$scratch/quoted" >&2; then
    echo "README.md: these lines are not in $golden: quote what it says today" >&2
    status=1
fi
exit $status
