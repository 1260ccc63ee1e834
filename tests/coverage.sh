#!/bin/bash
# Line coverage of each folder of the program, from what the tests left behind in a build with --enable-coverage: gcov only.
# Usage: coverage.sh BUILD_DIR SOURCE_DIR [--lines]; --lines: also every line that no test reached.
# A source that several programs are made of counts once, and a line of it as reached where one of them did.
set -eu
build=$(cd "$1" && pwd) src=$(cd "$2" && pwd) lines=${3:-}
folders='core/base core/data core/expr core/config core/plugin core/state core/engine core/export core/cli core sources operators functions sinks'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

find "$build" -name '*.gcda' >"$tmp/notes"
[ -s "$tmp/notes" ] || { echo "coverage: no test has run in $build, or it was configured without --enable-coverage" >&2; exit 1; }
cd "$tmp"
while read -r notes; do
    (cd "$build" && gcov -t -o "$notes" "$notes" 2>/dev/null) || true
done <notes >all

# gcov -t: "-" or a count, the line's number, its text; "#####" is a line that was never reached
awk -F: -v src="$src/" -v folders="$folders" -v lines="$lines" '
    $3 == "Source" && $2 + 0 == 0 {
        file = $0
        sub(/^[^:]*:[^:]*:Source:/, "", file)
        while (sub(/^\.\.\//, "", file)) {}
        if (index(file, src) == 1) file = substr(file, length(src) + 1)
        sub(/^\.\//, "", file)
        next
    }
    $2 + 0 > 0 {
        count = $1
        gsub(/[ *]/, "", count)
        if (count == "-" || file ~ /^\//) next
        at = file ":" $2 + 0
        seen[at] = 1
        if (count !~ /^[#=]/) reached[at] = 1
    }
    END {
        n = split(folders, folder, " ")
        for (at in seen) {
            file = at
            sub(/:[0-9]*$/, "", file)
            dir = file
            sub(/\/[^\/]*$/, "", dir)
            all[dir]++
            hit[dir] += at in reached
            if (lines != "" && !(at in reached)) print at | "sort -t: -k1,1 -k2,2n"
        }
        close("sort -t: -k1,1 -k2,2n")
        for (i = 1; i <= n; i++) {
            if (!all[folder[i]]) continue
            printf "%-14s %6.1f %%  %5d of %5d lines\n", folder[i], 100 * hit[folder[i]] / all[folder[i]], hit[folder[i]], all[folder[i]]
            sum += hit[folder[i]]
            total += all[folder[i]]
        }
        printf "%-14s %6.1f %%  %5d of %5d lines\n", "all", 100 * sum / total, sum, total
    }' all
