#!/bin/sh
# recordings.sh LASTLIGHT ROOT: every recording of the laboratory in examples/lab goes through the whole program: the
# observation log, and by itself the collector's MRT archive. What is said of them must be the golden text.
set -eu
lastlight=$1 root=$2
golden=$root/test/lab/golden
. "$root/test/explain.sh"

count=0
mkdir -p "$golden"
for log in "$root"/examples/lab/*.jsonl.zst; do
    [ -e "$log" ] || { echo "there are no recordings in examples/lab"; exit 1; }
    name=$(basename "$log" .jsonl.zst)
    explain "$log"
    renew "$golden/$name.txt"
    hold "$name: what was seen" "$golden/$name.txt"
    explain --subject lab-kp --asn 131279 --prefix 175.45.176.0/24 --prefix 175.45.177.0/24 \
        --prefix 175.45.178.0/24 --prefix 175.45.179.0/24 "$root/examples/lab/$name.mrt.gz"
    renew "$golden/$name.routes.txt"
    hold "$name: its routes alone" "$golden/$name.routes.txt"
    count=$((count + 1))
done
echo "$count recordings"
exit $status
