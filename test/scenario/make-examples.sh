#!/bin/sh
# make-examples.sh BUILD: makes the reconstruction in examples/ anew from its scenario, with seed 1. The same scenario and
# seed give the same log; gzip -n leaves time and name out of the file.
set -eu
[ $# -eq 1 ] || { echo "usage: make-examples.sh BUILD" >&2; exit 2; }
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
for name in kp-2022-01; do
    "$build/test/scenario/scenario" --log "$root/examples/$name.jsonl" -s 1 "$root/test/scenario/$name.scn"
    gzip -9nf "$root/examples/$name.jsonl"
done
