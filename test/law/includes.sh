#!/bin/sh
# includes.sh [ROOT]: holds every #include "..." below ROOT/src against the table "folder | may include" of
# ROOT/doc/architecture.md, so that the page is the law and not a description of it. Also: the parts of core do
# not include one another, and #if is for src/sys alone (include guards excepted).
# Prints each breach as FILE:LINE: what and why; exit 1 if there is one.
set -eu
cd "${1:-.}"
law=doc/architecture.md
[ -r "$law" ] || { echo "includes.sh: $law: cannot be read" >&2; exit 2; }

find src -type f \( -name '*.c' -o -name '*.h' -o -name '*.def' \) | LC_ALL=C sort | awk -v law="$law" '
function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
function breach(text) { printf "%s:%d: %s\n", file, line, text; broken = 1 }

# "| wire, model, sys | base |" gives may["wire"] = may["model"] = may["sys"] = ",base,"
function read_law(    row, cell, folders, i, n, inside, rows) {
    while ((getline row < law) > 0) {
        if (row ~ /^\| *folder *\| *may include *\|/) { inside = 1; continue }
        if (!inside || row ~ /^\|-/) continue
        if (row !~ /^\|/) break
        split(row, cell, "|")
        n = split(cell[2], folders, ",")
        gsub(/ /, "", cell[3])
        if (cell[3] == "nothingofours") cell[3] = ""
        for (i = 1; i <= n; i++) may[trim(folders[i])] = "," cell[3] ","
        rows++
    }
    close(law)
    if (!rows) { print law ": has no table \"| folder | may include |\""; exit 2 }
}

function check_include(name,    room, part, of) {
    if (name !~ /\//) { breach("\"" name "\" does not name its folder: write \"ROOM/" name "\""); return }
    split(name, of, "/")
    room = of[1]; part = of[2]
    if (room != here[2] && may[here[2]] != ",all," && index(may[here[2]], "," room ",") == 0)
        breach(here[2] " may not include " name " (" law " allows " here[2] ": " allowed(here[2]) ")")
    if (room == "core" && here[2] == "core" && is_part(part) && is_part(here[3]) && part != here[3])
        breach("core/" here[3] " may not include " name ": the parts of core do not know one another")
}
function is_part(name) { return name == "detect" || name == "diagnose" || name == "incident" }
function allowed(room,    list) {
    list = substr(may[room], 2, length(may[room]) - 2)
    gsub(",", ", ", list)
    return list == "" ? "nothing of ours" : list
}

# Two uses of #ifndef NAME say nothing about the system, and are told by #define NAME right after them: the guard
# of a header (its first directive), and a table (.def) that gives an empty meaning to rows its reader leaves out.
function may_guard(n) { return file ~ /\.def$/ || (file ~ /\.h$/ && n == 1) }
function check_file(    text, guard, n) {
    line = 0; guard = ""; n = 0
    while ((getline text < file) > 0) {
        line++
        if (text !~ /^[ \t]*#/) continue
        sub(/^[ \t]*#[ \t]*/, "", text)
        n++
        if (guard != "" && text !~ "^define[ \t]+" guard "([ \t(]|$)")
            breach("the #ifndef " guard " before this is no include guard, and #if is only for src/sys")
        guard = ""
        if (text ~ /^include[ \t]*"/) {
            sub(/^include[ \t]*"/, "", text); sub(/".*/, "", text)
            check_include(text)
        } else if (text ~ /^ifndef[ \t]/ && may_guard(n) && here[2] != "sys") {
            split(text, word, /[ \t]+/); guard = word[2]
        } else if (text ~ /^(if|elif)/ && here[2] != "sys")
            breach("#" text ": #if is only for src/sys")
    }
    close(file)
}

BEGIN { read_law() }
{
    file = $0; line = 1; files++
    split(file, here, "/")
    if (!(here[2] in may)) { breach("src/" here[2] " is no room of " law); next }
    check_file()
}
END {
    if (!files && !broken) { print "src: holds no source file"; exit 2 }
    exit broken
}'
