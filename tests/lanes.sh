#!/bin/bash
# One lane and four give the same rows, in order, and the same totals to the last bit: batch by batch over many
# epochs, from rows that are made and from files. Also run under ThreadSanitizer (test.sh).
set -eu
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
rows=${ROWS:-400000}

cat >made.yaml <<YAML
version: 1
name: made
trigger: available_now
checkpoint: \${STATE_DIR}/made.db
source:
  generator: {rows: $rows, seed: 7, columns: {id: id, seller: id % 501, amount: "xxhash64(id, seed) % 1000000007 / 997.0D", text: "concat('s', id % 7)"}}
operators:
  - filter: {where: "id % 10 <> 3"}
  - group_by:
      keys: [seller, text]
      aggregates: {total: sum(amount), mean: avg(amount), least: min(text), most: max(amount), n: count(*)}
sink: {console: {format: json}}
YAML
for k in 1 2 3; do awk -v k=$k 'BEGIN { for (i = 0; i < 20000; i++) printf "%d,part %d,%d.%02d\r\n", i, k, i % 997, i % 100 }' >part$k.csv; done
cat >files.yaml <<'YAML'
version: 1
name: files
trigger: available_now
checkpoint: ${STATE_DIR}/files.db
source: {file: {path: "part*.csv", format: csv, header: false, schema: "id INT, part STRING, amount DECIMAL(10,2)"}}
operators:
  - group_by: {keys: ["id % 100", part], aggregates: {total: sum(amount), n: count(*)}}
sink: {console: {format: json}}
YAML
grep -v '^checkpoint\|^operators\|group_by' files.yaml | sed 's/^name: .*/name: plain/' >plain.yaml

for lanes in 1 4; do
    mkdir $lanes
    for job in made files plain; do
        STATE_DIR=$lanes "$headrace" run $job.yaml --lanes $lanes >$lanes/$job 2>$lanes/$job.err || { cat $lanes/$job.err; exit 1; }
        ! grep -q 'WARNING: ThreadSanitizer' $lanes/$job.err || { head -60 $lanes/$job.err; exit 1; }
    done
    sort $lanes/plain >$lanes/sorted
    for job in made files; do
        sqlite3 -readonly $lanes/$job.db "select * from group_by" >$lanes/$job.view
        [ -s $lanes/$job.view ]
    done
done
cmp 1/made.view 4/made.view
cmp 1/files.view 4/files.view
cmp 1/sorted 4/sorted
[ "$(wc -l <1/plain)" = 60000 ]
[ "$(sqlite3 -readonly 4/made.db 'select sum(n) from group_by')" = $((rows - rows / 10)) ]

# an epoch says how many groups it changed: in a first epoch all, later those of its rows
mkdir changed
printf '{"k":1}\n{"k":2}\n' >changed/in.ndjson
cat >changed.yaml <<'YAML'
version: 1
name: changed
trigger: available_now
checkpoint: changed/changed.db
source: {file: {path: changed/in.ndjson, format: ndjson, schema: k INT}}
operators: [{group_by: {keys: [k], aggregates: {n: count(*)}}}]
sink: "null"
YAML
"$headrace" run changed.yaml --progress json 2>&1 | grep -q '"numRowsTotal":2,"numRowsUpdated":2'
echo '{"k":2}' >>changed/in.ndjson
"$headrace" run changed.yaml --progress json 2>&1 | grep -q '"numRowsTotal":2,"numRowsUpdated":1'

# many short epochs, stopped in the middle and resumed, end in the same state
mkdir short
sed 's/rows: [0-9]*, seed/rows: '"$rows"', rate: '"$((rows / 5))"', seed/' made.yaml >short.yaml
STATE_DIR=short "$headrace" run short.yaml --lanes 4 --trigger 5ms >short/out &
job=$!
until [ "$(sqlite3 -readonly short/made.db 'select epoch from hr_meta' 2>/dev/null || echo 0)" -ge 5 ]; do kill -0 $job; done
kill -TERM $job
wait $job
STATE_DIR=short "$headrace" run made.yaml --lanes 3 >>short/out
sqlite3 -readonly short/made.db "select * from group_by" | cmp 1/made.view -
echo "lanes: $rows rows made, 60000 read, the same with 1 and 4"
