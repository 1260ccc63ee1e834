#!/bin/bash
# 20 million groups, each met twice in scattered order, within `limits: {memory: 512MiB}`: exact, and the peak of the
# process stays below the limit. GROUPS_MILLION: fewer. For make check-long; its last result is in tests/LONG.md.
set -eu
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
groups=$((${GROUPS_MILLION:-20} * 1000000))
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
# 7368787 shares no factor with a power of ten: id -> key meets each key once in every `groups` rows
cat >many.yaml <<YAML
version: 1
name: many
trigger: available_now
limits: {memory: 512MiB}
checkpoint: many.db
source: {generator: {rows: $((2 * groups)), columns: {key: "id * 7368787 % $groups", amount: "CAST(id AS DOUBLE)"}}}
operators: [{group_by: {keys: [key], aggregates: {total: sum(amount), n: count(*)}}}]
sink: null
YAML
"$builddir/bench/measure" -t 3600 "$headrace" run many.yaml >took
# a key of the first round met at id comes again at id + groups
wanted="$groups|$((2 * groups))|2|2|$groups"
got=$(sqlite3 -readonly many.db "select count(*), sum(n), min(n), max(n), sum(total - $groups = 2.0 * ((total - $groups) / 2)) from group_by")
[ "$got" = "$wanted" ] || { echo "memory: $got, not $wanted"; exit 1; }
total=$(sqlite3 -readonly many.db 'select cast(sum(total) as integer) from group_by')
[ "$total" = $((groups * (2 * groups - 1))) ] || { echo "memory: the total is $total"; exit 1; }
wrong=$(sqlite3 -readonly many.db "select count(*) from group_by where cast((total - $groups) / 2 as integer) * 7368787 % $groups <> key")
[ "$wrong" = 0 ] || { echo "memory: $wrong groups have another's total"; exit 1; }
peak=$(sed 's/.*peak_mib=\([0-9]*\).*/\1/' took)
echo "memory: $groups groups, every total exact, $(cat took), $(($(stat -c %s many.db) >> 20)) MiB of checkpoint"
[ "$peak" -lt 512 ] || { echo "memory: the peak was $peak MiB"; exit 1; }
