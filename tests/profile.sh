#!/bin/bash
# run --profile: a table on stderr with a line for each node and part, whose counts are those of the run; the data is
# the same with it and without, for one lane and for four.
set -eu
headrace=$builddir/headrace
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
fail() { echo "profile: $*"; cat table; exit 1; }

awk 'BEGIN { for (i = 0; i < 30000; i++) printf "{\"id\":%d,\"x\":%d.25}\n", i % 10, i }' >in.ndjson
cat >job.yaml <<'YAML'
version: 1
name: profiled
trigger: available_now
source: {file: {path: in.ndjson, format: ndjson, schema: "id INT, x DOUBLE"}}
operators:
  - filter: {where: id <> 3}
  - group_by: {keys: [id], aggregates: {total: sum(x)}}
sink: {console: {format: json}}
YAML

# counts NAME ROWS BYTES: of that line; a dash where there is none
counts() {
    awk -v name="$1" '$1 == name { print $2, (NF == 7 ? $4 : "-") }' table >line
    [ "$(cat line)" = "$2 $3" ] || fail "$1: '$(cat line)', not '$2 $3'"
}
for lanes in 1 4; do
    "$headrace" run job.yaml --lanes $lanes >plain 2>quiet
    "$headrace" run job.yaml --lanes $lanes --profile >out 2>table
    cmp plain out
    sed -i '/keeps nothing/d' table
    sed -n 1p table | grep -qE "^profile: profiled: [0-9.]+ s, [0-9.]+ s of processor time, $lanes lanes?, [0-9.]+ MiB at most$" || fail "its first line"
    [ "$(sed -n '2,$s/ .*//p' table | tr '\n' ' ')" = "node file filter group_by console (feed) (merge) (commit) (publish) (elsewhere) " ] || fail "its lines"
    counts file 30000 "$(wc -c <in.ndjson)"
    counts filter 30000 -
    counts group_by 27000 -
    counts console 9 -
    # nothing is counted twice: what is left over would be less than nothing
    ! grep -q ' -[0-9]' table || fail "a negative number"
done

! grep -q profile: quiet || fail "a table that nobody asked for"
code=0
"$headrace" run job.yaml --profile=yes >out 2>table || code=$?
[ $code = 2 ] || fail "--profile=yes: exit $code"
echo "profile: a line for each node and part, the same data with it and without"
