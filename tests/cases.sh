#!/bin/sh
# Runs every tests/cases/NAME: `headrace run pipeline.yaml` must print exactly `expect` (and, where
# there, `expect.err`, with the case's folder written as CASE) and exit with the code in `exit` (0 where
# there is none). Each case starts without a checkpoint. `check` and `run` must agree on bad files.
# Usage: cases.sh HEADRACE CASES_DIR
set -u
headrace=$(realpath "$1")
cases=$(cd "$2" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

for dir in "$cases"/*/; do
    dir=${dir%/}
    name=${dir##*/}
    rm -rf "$tmp/state" && mkdir "$tmp/state"
    input=/dev/null
    [ -f "$dir/stdin" ] && input=$dir/stdin
    (cd "$tmp" && CASE=$dir STATE_DIR=$tmp/state "$headrace" run "$dir/pipeline.yaml" \
        <"$input" >"$tmp/out" 2>"$tmp/err")
    code=$?
    want=$(cat "$dir/exit" 2>/dev/null || echo 0)
    sed -i "s#$dir#CASE#g; s#$tmp#TMP#g" "$tmp/err"
    ok=yes
    [ "$code" = "$want" ] || { ok=no; echo "$name: exit $code, not $want"; cat "$tmp/err"; }
    [ ! -f "$dir/expect" ] || diff -u "$dir/expect" "$tmp/out" || ok=no
    if [ "$want" = 3 ]; then
        CASE=$dir STATE_DIR=$tmp/state "$headrace" check "$dir/pipeline.yaml" 2>&1 >/dev/null | sed "s#$dir#CASE#g; s#$tmp#TMP#g" |
            diff -u "$tmp/err" - || { ok=no; echo "$name: check and run disagree"; }
    fi
    [ ! -f "$dir/expect.err" ] || diff -u "$dir/expect.err" "$tmp/err" || ok=no
    if [ $ok = yes ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
done
echo "cases: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
