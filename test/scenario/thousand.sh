#!/bin/sh
# A day of many targets, asked every ten seconds, with one packet in fifty lost at random: nothing is wrong, and
# nothing may be said.  thousand.sh SCENARIO HOSTS SERVICES
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk -v hosts="$2" -v services="$3" '
function address(i) { return "10.20." int(i / 200) "." i % 200 + 1 }
BEGIN {
    print "title \"A day of " hosts + services " targets\""
    print "every 10s\nnoise loss 2% rtt 0.1"
    print "vantage lon control icmp:192.0.2.201 control icmp:198.51.100.202 control icmp:203.0.113.203"
    print "subject isle timezone +00:00"
    for (i = 0; i < hosts; i++) print "host h" i " " address(i)
    for (i = 0; i < services; i++)
        print "service s" i " on h" i " " (i % 4 ? "http://" address(i) "/" : "dns:" address(i) "/isle.example./SOA")
    print "day 2024-03-05\nwatch 00:00 24:00\nexpect no incident"
}' >"$folder/day.scn"
"$1" -n 1 -s 7 "$folder/day.scn"
