#!/bin/bash
# Two processes that write as one sink: the lock of a checkpoint goes with its name, and a copy has another one. The
# sink notices: one of them ends with one line, and each row is there once. And two sinks of one job on one table.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
first= second=
trap 'for job in $first $second; do kill -9 $job 2>/dev/null; done; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
die() { echo "two: $*"; tail -n 3 ./*.err; exit 1; }
sql() { sqlite3 -cmd '.timeout 10000' t.db "$1"; }
guarantee() { echo "guarantee: two processes of one name | file | $1 | one of them ends, with the reason; each row once | tests/two.sh"; }

pipeline() { # SINK
    printf 'version: 1\nname: two\ntrigger: 10ms\ncheckpoint: c.db\n'
    printf 'source: {file: {path: in.ndjson, format: ndjson, schema: "id INT", follow: true}}\nsink: %s\n' "$1"
}
rows() { printf '{"id":%d}\n' "$@" >>in.ndjson; }
# its lanes have threads: the sinks were asked what they remember before that
reads() { [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -ge 4 ]; }
await_reading() { until reads "$1"; do kill -0 "$1" || die "a job ended instead of waiting for rows"; done; }

# A pipeline of one epoch, and a copy of its checkpoint: d.db
fresh() { # SINK
    rm -rf out ./*.db* ./*.err in.ndjson
    pipeline "$1" >two.yaml
    rows 1 2
    "$headrace" run two.yaml --trigger available_now 2>first.err || die "the first run ended with $?"
    cp c.db d.db
}

# ---- sqlite: both have seen epoch 1, both read row 3, and one of them publishes it ----
fresh '{sqlite: {path: t.db, table: t}}'
"$headrace" run two.yaml --lanes 3 2>first.err &
first=$!
"$headrace" run two.yaml --lanes 3 --checkpoint d.db 2>second.err &
second=$!
await_reading $first
await_reading $second
rows 3
while kill -0 $first 2>/dev/null && kill -0 $second 2>/dev/null; do
    [ "$(sql 'select count(*) from t where id = 3')" -le 1 ] || die "two processes of one sqlite sink doubled a row"
done
wait -n $first $second
code=$?
[ $code = 1 ] || die "of two processes of one sqlite sink the first to end had exit $code"
if kill -0 $first 2>/dev/null; then left=$first err=second.err; else left=$second err=first.err; fi
[ "$(wc -l <$err)" = 1 ] && grep -qF "sqlite: t.db, table 't': headrace_epochs holds epoch 2 of sink 'sqlite', this process left 1: another one writes as this sink" $err ||
    die "the other process is not named"
rows 4
until [ "$(sql 'select count(*) from t where id = 4')" != 0 ]; do kill -0 $left || die "both processes ended"; done
kill -TERM $left
wait $left || die "the process that was left ended with $?"
first= second=
[ "$(sql 'select id from t' | tr '\n' ' ')" = '1 2 3 4 ' ] || die "two processes of one sqlite sink left the rows $(sql 'select id from t' | tr '\n' ' ')"
guarantee sqlite

# ---- file: the second one is not let in, whatever its checkpoint ----
fresh '{file: {path: out}}'
"$headrace" run two.yaml --lanes 3 2>first.err &
first=$!
await_reading $first
timeout 20 "$headrace" run two.yaml --checkpoint d.db 2>second.err
code=$?
[ $code = 1 ] && [ "$(wc -l <second.err)" = 1 ] && grep -qF 'file: out: another sink or process writes there' second.err ||
    die "a second process of a file sink ended with $code"
rows 3
until grep -qs '"id":3' out/part-*; do kill -0 $first || die "the job ended with its second"; done
kill -TERM $first
wait $first || die "the first process ended with $?"
first=
[ "$(cat out/part-* | tr -dc '0-9\n' | tr '\n' ' ')" = '1 2 3 ' ] || die "two processes of one file sink left $(cat out/part-*)"
"$headrace" run two.yaml --trigger available_now 2>first.err || die "the lock of a process that ended was left"
guarantee file

# ---- two sinks of one job on one table, one of which makes it its result: whoever comes last would have it alone ----
cat >two.yaml <<'YAML'
version: 1
name: two
trigger: available_now
checkpoint: e.db
source: {file: {path: in.ndjson, format: ndjson, schema: "id INT"}}
operators: [{group_by: {id: g, keys: [id], aggregates: {n: count(*)}}}, {filter: {id: f, where: n > 1}}]
sinks:
  - sqlite: {id: all, input: g, mode: complete, path: t.db, table: t}
  - sqlite: {id: some, input: f, mode: "${MODE}", path: "${SECOND}", table: T, key: [id]}
YAML
rm -f t.db u.db e.db
second() { MODE=$1 SECOND=$2 "$headrace" run two.yaml 2>first.err; }
second update ./t.db
[ $? = 1 ] && [ "$(wc -l <first.err)" = 1 ] && grep -qF "sqlite: ./t.db, table 'T': sink 'all' of this job writes to it too" first.err ||
    die "two sinks on one table are not refused"
second update u.db || die "two sinks on tables of one name in two databases ended with $?"

echo "two: one of two processes ends"
