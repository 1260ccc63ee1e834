#!/bin/bash
# Run every fuzz target of a build with --enable-fuzzing for so many seconds. What it finds is printed and kept in
# FINDINGS (default: fuzz-findings in the build folder): fix it, and add the file to the target's corpus.
# Usage: run.sh SECONDS [TARGET ...]; builddir and srcdir come from make, or are the current folder and this one's.
set -u
seconds=$1
shift
srcdir=${srcdir:-$(cd "$(dirname "$0")/../.." && pwd)} builddir=${builddir:-$PWD}
findings=${FINDINGS:-$builddir/fuzz-findings}
mkdir -p "$findings"
[ $# -gt 0 ] || set -- yaml expr json rows text checkpoint module
bad=0
for target; do
    longest=4096
    [ $target != checkpoint ] || longest=32768
    new=$(mktemp -d)
    out=$findings/$target.log
    "$builddir/tests/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=$longest -print_final_stats=1 \
        -artifact_prefix="$findings/$target-" "$new" "$srcdir/tests/fuzz/corpus/$target" >"$out" 2>&1
    code=$?
    runs=$(awk '/stat::number_of_executed_units/ { print $2 }' "$out")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$out" | tail -1)
    echo "fuzz: $target: ${runs:-0} inputs in $seconds s, $covered edges covered, exit $code"
    [ $code = 0 ] || { bad=1; grep -nE "ERROR|SUMMARY|runtime error|does not hold|Test unit written" "$out" | head -20; }
    rm -rf "$new"
done
exit $bad
