#!/bin/bash
# Each allocation of a run fails once (tests/allocations.c): the run ends with one line that says so, or did without; never
# by a signal, and never with another total: what it committed is whole, and the next run ends with the exact ones.
# EVERY=N takes each N-th after the first 200 (default 29).
set -u
case ${HARDEN:-} in
*FORTIFY_SOURCE*) ;;
*) echo "allocations: the sanitizers have a malloc of their own"; exit 77 ;;
esac
headrace=$builddir/tests/allocations
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cat >job.yaml <<'YAML'
version: 1
name: allocations
trigger: available_now
checkpoint: state.db
source: {file: {path: in.csv, format: csv, schema: "id INT, text STRING, amount DECIMAL(10,2)"}}
operators:
  - filter: {where: "id > 0 AND concat(text, 'x') <> ''"}
  - group_by: {keys: [id, text], aggregates: {n: count(*), total: sum(amount), least: min(text), mean: avg(CAST(amount AS DOUBLE))}}
  - filter: {where: "n > 0"}
sink: {console: {format: json}}
YAML
# some texts are too long for the memory that SQLite keeps in stock
awk 'BEGIN { print "id,text,amount"; for (i = 1; i <= 300; i++) printf "%d,\"text \"\"%d\"\" %*s\",%d.25\n", i % 40, i % 80, i % 40 < 3 ? 4000 : 1, "x", i }' >in.csv
rows() { sqlite3 -readonly state.db 'select * from group_by'; }

FAIL_AT=0 "$headrace" run job.yaml --lanes 1 >whole 2>err || { cat err; exit 1; }
made=$(sed -n 's/^allocations: //p' err)
[ "${made:-0}" -gt 300 ] || { echo "allocations: $made allocations are too few to be all"; exit 1; }
rows >rows.whole
tried=0 ended=0 failed=0
for ((at = 1; at <= made; at += at < 200 ? 1 : ${EVERY:-29})); do
    rm -f state.db*
    FAIL_AT=$at "$headrace" run job.yaml --lanes 1 >out 2>err
    code=$?
    tried=$((tried + 1))
    wrong=
    if [ $code = 0 ]; then cmp -s out whole || wrong="other rows"
    elif [ $code -gt 5 ]; then wrong="exit $code"
    else ended=$((ended + 1)); grep -qiE 'memory|cannot start a lane' err || wrong="exit $code without a word about memory"
    fi
    [ ! -f state.db ] || [ -n "$wrong" ] || { [ "$(rows | wc -l)" = 0 ] || rows | cmp -s - rows.whole || wrong="part of an epoch is committed"; }
    "$headrace" run job.yaml >again 2>err2 || wrong="$wrong; the next run: $(head -1 err2)"
    rows | cmp -s - rows.whole || wrong="$wrong; other totals after the next run"
    [ -z "$wrong" ] || { failed=$((failed + 1)); echo "FAIL: allocation $at: $wrong: $(head -2 err | tr '\n' ' ')"; }
done
echo "allocations: $tried of $made allocations failed, $ended runs ended by it, $failed wrong"
[ $failed = 0 ] && [ $ended -gt 50 ] || exit 1
echo "guarantee: an allocation fails | file | any | one line and exit 1, or done without; the next run exact | tests/allocations.sh"
