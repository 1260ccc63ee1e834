#!/bin/bash
# What happens to a run from outside: a disk that fills up, a standard output that is full, closed or read in part,
# signals in every phase, a pipeline file that is another one, many restarts. Each says in a line what came out.
# FULL=1 (make check-faults): 1,000 restarts instead of 50.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
job= mounted=
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; [ -z "$mounted" ] || umount "$tmp/disk"; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
die() { { echo "faults: $*"; [ ! -s err ] || tail -3 err; } >&2; exit 1; }
guarantee() { echo "guarantee: $1 | $2 | $3 | $4 | tests/faults.sh"; } # FAULT SOURCE SINK OUTCOME: docs/guarantees.md

# expect CODE TEXT COMMAND...: that exit code, and the text in the only line on stderr; standard output as it is
expect() {
    local want=$1 text=$2 code
    shift 2
    "$@" 2>err </dev/null
    code=$?
    [ $code = "$want" ] || die "$*: exit $code, not $want"
    [ -z "$text" ] || { [ "$(wc -l <err)" = 1 ] && grep -qF -- "$text" err; } || die "$*: not '$text' alone"
}
state() { sqlite3 -readonly "$1" "$2"; }
await() { until "$@"; do kill -0 $job 2>/dev/null || die "the job ended while waiting for: $*"; done; }

# totals FROM TO KEYS: of ids FROM to TO-1, as "key|n|total"
totals() { awk -v a="$1" -v b="$2" -v k="$3" 'BEGIN { for (i = a; i < b; i++) { n[i % k]++; s[i % k] += i } for (i = 0; i < k; i++) if (n[i]) printf "%d|%d|%d\n", i, n[i], s[i] }'; }
ids() { sed -n 's/^{"id":\([0-9]*\).*}$/\1/p' "$1" | sort -n; }

# ---- a disk that is full: a tmpfs; without the right to mount one, a limit on the size of files ----
cat >full.yaml <<'YAML'
version: 1
name: full
trigger: available_now
checkpoint: disk/state.db
source: {generator: {rows: "${ROWS}", columns: {id: id}}}
operators: [{group_by: {keys: {k: id % 20000}, aggregates: {n: count(*), total: sum(id)}}}]
sink: {"null": {}}
YAML
mkdir disk
if mount -t tmpfs -o size=512k none disk 2>/dev/null; then mounted=yes; fi
small() ( [ -n "$mounted" ] || { trap '' XFSZ; ulimit -f 512; }; exec "$headrace" run full.yaml --set ROWS="$1" )
groups() { mkdir -p look && cp disk/state.db* look/ && state look/state.db 'select k, n, total from group_by order by k'; rm -rf look; }
expect 0 '' small 500
[ "$(groups)" = "$(totals 0 500 20000)" ] || die "a small disk: the first epoch"
for _ in 1 2; do
    expect 1 'checkpoint disk/state.db: ' small 40000
    [ "$(groups)" = "$(totals 0 500 20000)" ] || die "a full disk: another state than before"
done
[ -z "$mounted" ] || grep -q 'full' err || die "a full disk is not named"
[ -z "$mounted" ] || mount -o remount,size=64m disk || die "no more room can be made"
expect 0 '' "$headrace" run full.yaml --set ROWS=40000
[ "$(groups)" = "$(totals 0 40000 20000)" ] || die "a disk with room again: other totals"
guarantee 'disk full' generator any 'exit 1, the failure named, no partial epoch; exact once there is room'

# ---- a standard output that is full ----
cat >rows.yaml <<'YAML'
version: 1
name: rows
trigger: "${TRIGGER:-available_now}"
checkpoint: rows.db
source: {generator: {rows: "${ROWS}", rate: "${RATE:-200000}", columns: {id: id, text: "concat('some text of a row that is not too short to fill a pipe ', id)"}}}
sink: {console: {format: json}}
YAML
rows() { "$headrace" run rows.yaml --set ROWS="$1" "${@:2}"; }
expect 1 'console: cannot write to standard output: No space left on device' rows 100 >/dev/full
[ "$(state rows.db "select published from hr_meta")" = 0 ] || die "/dev/full: rows that nobody saw are published"
expect 0 '' rows 150 >shown
[ "$(ids shown)" = "$(seq 0 149)" ] || die "/dev/full: not every row came once there was room"
guarantee 'output full (ENOSPC)' generator console 'exit 1, the failure named; every row once there is room'

# ---- whose reader goes away: no SIGPIPE but an error, and the epoch comes again ----
rm -f rows.db*
rows 50000 --trigger 1ms --set RATE=20000 2>err | head -n 5000 >shown
code=${PIPESTATUS[0]}
[ "$code" = 1 ] || die "a pipe without a reader: exit $code"
grep -q 'console: cannot write to standard output: Broken pipe' err && [ "$(wc -l <err)" = 1 ] || die "a pipe without a reader is not named"
from=$(state rows.db 'select iif(hr_meta.epoch > published, position_before, position) from hr_meta, hr_positions')
[ "$from" -gt 0 ] || die "a pipe without a reader: it had taken no epoch"
expect 0 '' rows 50000 >rest
[ "$(ids rest)" = "$(seq "$from" 49999)" ] || die "a pipe without a reader: what comes then does not begin with the epoch that failed ($from)"
guarantee 'reader gone (EPIPE, SIGPIPE)' generator console 'exit 1, the failure named; the epoch that failed comes again'

# ---- whose reader is slow, and the job killed while it waits: what the pipe holds counts as shown, and no more ----
rm -f rows.db*
mkfifo pipe
exec 3<>pipe 4<pipe
"$headrace" run rows.yaml --set ROWS=50000 --set RATE=20000 --trigger 1ms >pipe 2>err 3>&- 4>&- &
job=$!
head -c 300000 <&4 >shown
blocked() { [ "$(cut -d' ' -f1,2 /proc/$job/syscall 2>/dev/null)" = '1 0x1' ]; } # write(1
await blocked
{ kill -9 $job; wait $job; } 2>/dev/null
job=
exec 3>&-
cat <&4 >>shown
exec 4<&-
rm pipe
[ "$(wc -l <shown)" -gt 3000 ] && [ "$(wc -l <shown)" -lt 40000 ] || die "a slow reader: it saw $(wc -l <shown) rows"
expect 0 '' rows 50000 >rest
[ "$(wc -l <rest)" -lt 50000 ] || die "a slow reader: nothing had been published"
[ "$(cat shown rest | ids /dev/stdin | uniq)" = "$(seq 0 49999)" ] || die "a slow reader: rows are missing"
guarantee 'slow reader, kill -9' generator console 'positions never pass what the pipe took; no row missing after the restart'

# ---- signals: one ends the run in order, two at once; both are there before the run can see the first ----
twice() { # WHAT
    local code
    kill -STOP $job
    until grep -q '^State:.T' /proc/$job/status; do :; done
    kill -INT $job
    kill -TERM $job
    kill -CONT $job
    wait $job
    code=$?
    job=
    [ $code = 130 ] || [ $code = 143 ] || die "two signals, $1: exit $code"
}
cat >signals.yaml <<'YAML'
version: 1
name: signals
trigger: ${TRIGGER:-5ms}
checkpoint: signals.db
source: {generator: {rate: 200000, columns: {id: id}}}
operators: [{group_by: {keys: {k: id % 7}, aggregates: {n: count(*), total: sum(id)}}}]
sink: {console: {format: json}}
YAML
reading() { [ "$(state signals.db 'select epoch from hr_meta' 2>/dev/null || echo 0)" -ge "$1" ]; }
exact() { # WHAT: the state is that of the rows before the position
    local at
    at=$(state signals.db 'select position from hr_positions')
    [ "$(state signals.db 'select k, n, total from group_by order by k')" = "$(totals 0 "$at" 7)" ] || die "$1: totals are not those of $at rows"
}
signal() { # WHAT SIGNAL
    local code
    kill -"$2" $job
    wait $job
    code=$?
    job=
    [ $code = 0 ] || die "SIG$2, $1: exit $code"
}
epoch=1
for one in INT TERM two; do
    "$headrace" run signals.yaml >out 2>err &
    job=$!
    epoch=$((epoch + 2))
    await reading $epoch
    if [ $one = two ]; then twice reading; else signal reading $one; fi
    exact "SIG$one, reading"
    epoch=$(state signals.db 'select epoch from hr_meta')
done
# the trigger is far away: one signal closes the epoch that is open, when a witness has seen a row of it
rm -f signals.db*
mkdir witness && ${CC:-cc} -std=gnu11 -O1 -shared -fPIC -I"$srcdir/core" "$srcdir/tests/plugin/witness.c" -o witness/witness.so || die "no witness"
sed 's/^operators: \[/&{witness: {file: read}}, /' signals.yaml >open.yaml
"$headrace" run open.yaml --trigger 1h --plugin-dir witness >out 2>err &
job=$!
reading_rows() {
    local n
    n=$(od -An -td8 -N8 read 2>/dev/null)
    [ "${n:-0}" -gt 0 ]
}
await reading_rows
signal 'within an epoch' TERM
exact 'SIGTERM, within an epoch'
[ "$(state signals.db 'select position from hr_positions')" -gt 0 ] || die "SIGTERM, within an epoch: it was not finished"
guarantee 'SIGINT, SIGTERM once' generator console 'exit 0, the epoch finished and published'

# nobody answers: a port that nobody listens to
cat >broker.yaml <<'YAML'
version: 1
name: broker
checkpoint: broker.db
source: {kafka: {brokers: "127.0.0.1:1", topic: none}}
sink: {"null": {}}
YAML
said() { grep -qs waiting err; }
for one in INT TERM two; do
    rm -f err # of the run before: it says the same
    "$headrace" run broker.yaml >out 2>err &
    job=$!
    await said
    if [ $one = two ]; then twice 'waiting for a broker'; else signal 'waiting for a broker' $one; fi
    [ ! -e broker.db ] || [ "$(state broker.db 'select count(*) from hr_positions')" = 0 ] || die "SIG$one, waiting for a broker: it left a position"
done
guarantee 'SIGINT, SIGTERM once or twice, no broker' kafka null 'exit 0, or 128 and the number; nothing left'

# a sink that waits for a lock of somebody else
cat >locked.yaml <<'YAML'
version: 1
name: locked
checkpoint: locked.db
source: {generator: {columns: {id: id}}}
sink: {sqlite: {path: t.db, table: t}}
YAML
coproc lock { sqlite3 -batch t.db 2>&1; }
echo 'begin immediate; select 1;' >&"${lock[1]}"
read -r _ <&"${lock[0]}"
for one in INT TERM two; do
    "$headrace" run locked.yaml >out 2>err &
    job=$!
    until [ -n "$(find /proc/$job/fd -lname "$tmp/t.db" 2>/dev/null)" ]; do kill -0 $job || die "the job did not wait for a locked database"; done
    if [ $one = two ]; then twice 'waiting for a lock'; else signal 'waiting for a lock' $one; fi
done
eval "exec ${lock[1]}>&-"
wait
guarantee 'SIGINT, SIGTERM once or twice, target locked' generator sqlite 'exit 0, or 128 and the number'
guarantee 'SIGINT, SIGTERM twice' generator any 'exit 128 and the number; state and position at one commit'

# ---- another pipeline file: what does not change the meaning of the state is carried over ----
change() { # SOURCE OPERATORS REST
    printf 'version: 1\nname: changed\ntrigger: available_now\ncheckpoint: changed.db\nsource: %s\noperators: [%s]\n%s\n' "$1" "$2" "$3" >changed.yaml
}
made='{generator: {rows: "${ROWS}", columns: {id: id, k: id % 3}}}'
group='{group_by: {id: g, keys: [k], aggregates: {n: count(*), total: sum(id)}}}'
change "$made" "{filter: {id: f, where: id % 2 = 0}}, $group" 'sink: {"null": {}}'
expect 0 '' "$headrace" run changed.yaml --set ROWS=1000
change "$made" "{filter: {id: other, where: id % 5 = 0}}, {filter: {where: id > 0}}, $group" 'limits: {memory: 1MiB, groups: 10}
sinks: [{file: {path: changed, id: new}}, {console: {format: json, mode: update}}]'
sed -i 's/available_now/1h/' changed.yaml
expect 0 '' "$headrace" run changed.yaml --set ROWS=2000 --trigger available_now --lanes 3 >shown
want=$(awk 'BEGIN { for (i = 0; i < 2000; i++) if (i < 1000 ? i % 2 == 0 : i % 5 == 0) { n[i % 3]++; s[i % 3] += i } for (k = 0; k < 3; k++) printf "%d|%d|%d\n", k, n[k], s[k] }')
[ "$(state changed.db 'select k, n, total from g order by k')" = "$want" ] || die "another filter, trigger, limits, sinks: $(state changed.db 'select * from g')"
[ "$(sed 's/[^0-9,]//g; s/,/|/g' shown | sort)" = "$want" ] || die "another console: $(cat shown)"
[ "$(cat changed/part-* | wc -l)" = 3 ] || die "a new sink: $(cat changed/part-*)"
guarantee 'pipeline file changed: operators without state, trigger, limits, sinks, lanes' any any 'carried over, exact'

kept=$(state changed.db 'select * from g, hr_meta, hr_positions')
differs() { # TEXT: exit 4, and both values in one line
    expect 4 "checkpoint changed.db: is another job's: its $1" env ROWS=3000 "$headrace" run changed.yaml
    [ "$(state changed.db 'select * from g, hr_meta, hr_positions')" = "$kept" ] || die "a refused run changed the checkpoint"
}
sink='sink: {"null": {}}'
change "$made" "$group" "$sink"
sed -i 's/^name: .*/name: renamed/' changed.yaml
differs "name is 'changed', this one's is 'renamed'"
change '{file: {path: in.csv, format: csv, schema: "id BIGINT, k BIGINT"}}' "$group" "$sink"
printf 'id,k\n1,1\n' >in.csv
differs "source is 'generator', this one's is 'file path=in.csv'"
change "$made" "${group/\[k\]/[id]}" "$sink"
differs "state is 'g: keys k = k BIGINT; aggregates n = count(*) BIGINT, total = sum(id) BIGINT of BIGINT', this one's is 'g: keys id = id BIGINT; "
change "$made" "${group/sum(id)/max(id)}" "$sink"
differs "state is 'g: keys k = k BIGINT; aggregates n = count(*) BIGINT, total = sum(id) BIGINT of BIGINT', this one's is 'g: keys k = k BIGINT; aggregates n = count(*) BIGINT, total = max(id)"
change "$made" "${group/id: g/id: h}" "$sink"
differs "state is 'g: "
guarantee 'pipeline file changed: name, source, keys, aggregates' any any 'exit 4, the difference named; the checkpoint as it was'

# ---- many restarts with a record each: totals, the file, memory and descriptors ----
cat >restarts.yaml <<'YAML'
version: 1
name: restarts
trigger: available_now
checkpoint: restarts.db
source: {file: {path: records.csv, format: csv, schema: "id BIGINT, k BIGINT", header: true, follow: true}}
operators: [{group_by: {keys: [k], aggregates: {n: count(*), total: sum(id)}}}]
sink: {file: {input: file, path: restarts}}
YAML
echo 'id,k' >records.csv
size() { stat -c %s restarts.db; }
records=0
record() { echo "$records,$((records % 5))" >>records.csv; records=$((records + 1)); }
read_all() { [ "$(state restarts.db 'select position from hr_positions' 2>/dev/null || echo 0)" = "$(stat -c %s records.csv)" ]; }
# one more, looked at when it has been read: peak memory in KiB, open files; then the size of the checkpoint
look() {
    record
    "$headrace" run restarts.yaml --trigger 5ms --lanes 1 >out 2>err &
    job=$!
    await read_all
    peak=$(awk '/^VmHWM/ { print $2 }' /proc/$job/status)
    open=$(find /proc/$job/fd -mindepth 1 | wc -l)
    signal 'reading a file' TERM
}
restarts=50 early=20
[ -z "${FULL:-}" ] || restarts=1000
while [ $records -lt $restarts ]; do
    record
    "$headrace" run restarts.yaml --lanes 1 2>err || die "restart $records ended with $?"
    [ $records != $early ] || { look; early_size=$(size) early_peak=$peak early_open=$open; }
done
look
restarts=$records
[ "$(state restarts.db 'select k, n, total from group_by order by k')" = "$(totals 0 $restarts 5)" ] || die "$restarts restarts: other totals"
[ "$(state restarts.db 'select rows_in from hr_counters where id = "group_by"')" = $restarts ] || die "$restarts restarts: rows counted: $(state restarts.db 'select * from hr_counters')"
[ "$(cat restarts/part-* | wc -l)" = $restarts ] || die "$restarts restarts: $(cat restarts/part-* | wc -l) rows published"
[ -z "$(find . -maxdepth 1 -name 'restarts.db-*')" ] || die "$restarts restarts: $(ls restarts.db-*)"
[ "$(size)" = "$early_size" ] || die "$restarts restarts: the checkpoint grew from $early_size to $(size) bytes"
[ "$open" -le $((early_open + 2)) ] || die "$restarts restarts: $open open files, $early_open after $early" # one may just be looked at
[ "$peak" -lt $((early_peak + 8192)) ] || die "$restarts restarts: $peak KiB, $early_peak after $early"
[ -z "${FULL:-}" ] || guarantee 'a thousand restarts with a record each' file file "exact; size of the checkpoint, memory and descriptors flat"
echo "faults: $restarts restarts: $(size) bytes, $peak KiB, $open open files, as after $early"
