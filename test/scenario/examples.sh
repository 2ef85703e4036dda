#!/bin/sh
# examples.sh SCENARIO LASTLIGHT ROOT: the reconstruction, as it is bundled and as its scenario would make it today, goes
# through the whole program, and what `incidents` and `why` say must be the golden text.
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
exit $status
