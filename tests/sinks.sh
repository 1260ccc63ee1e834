#!/bin/bash
# Sinks that something is wrong with: exchanged, emptied, somebody else's, behind a link, of another shape, locked, or
# with a reader that takes nothing. And rows from stdin, which nobody can read again.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
job=
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
passed=0
die() { echo "sinks: $*"; [ ! -s err ] || tail -3 err; exit 1; }
pass() { passed=$((passed + 1)); }

# expect CODE TEXT COMMAND...: that exit code, and one line on stderr with the text
expect() {
    local want=$1 text=$2 code
    shift 2
    "$@" >out.txt 2>err </dev/null
    code=$?
    [ $code = "$want" ] || die "$*: exit $code, not $want"
    [ -z "$text" ] || [ "$(grep -cF -- "$text" err)" = 1 ] || die "$*: not once '$text'"
    pass
}

pipeline() { # SINKS
    printf 'version: 1\nname: p\ntrigger: available_now\ncheckpoint: state.db\n'
    printf 'source: {file: {path: in.ndjson, format: ndjson, schema: "id INT, text STRING"}}\nsinks:\n%s\n' "$1"
}
fresh() { rm -rf out state.db* in.ndjson; printf '{"id":%d,"text":"a"}\n' 1 2 >in.ndjson; }
more() { printf '{"id":%d,"text":"b"}\n' "$@" >>in.ndjson; }
ids() { cat out/part-*.ndjson | sed 's/.*"id":\([0-9]*\).*/\1/' | tr '\n' ' '; }
run() { "$headrace" run p.yaml "$@"; }

# ---- the truth in the sink and the truth in the checkpoint ----
pipeline '  - file: {id: f, path: out}' >p.yaml
fresh
expect 0 '' run
cp state.db old.db
more 3
expect 0 '' run
cp state.db new.db
cp old.db state.db
expect 4 "sink 'f' (file path=out) remembers epoch 2 of this pipeline, the checkpoint is at epoch 1: is the checkpoint an old copy?" run
cp new.db state.db
rm -r out
expect 4 "was it emptied or replaced?" run
pipeline '  - file: {id: g, path: out}' >p.yaml
more 4
expect 0 '' run
[ "$(ids)" = '4 ' ] || die "a new sink begins with what is new: $(ids)"

# a run that failed at its source kept no checkpoint, and does not lock the next one out; hidden pieces are somebody's
rm -rf out state.db* in.ndjson
pipeline '  - file: {id: f, path: out}' >p.yaml
expect 1 'cannot open in.ndjson' run
[ -f out/.headrace ] && [ ! -e state.db ] || die "a run that failed at its source left: $(ls -A out) $(ls)"
printf '{"id":1,"text":"a"}\n' >in.ndjson
touch out/.part-00000000000000000001.ndjson.tmp
expect 1 'out holds the parts of another job or sink' run
rm out/.part-*
cp out/.headrace memory
echo 'a note of somebody' >out/.headrace
expect 1 'out holds the parts of another job or sink' run
[ "$(cat out/.headrace)" = 'a note of somebody' ] || die "a file of another kind was replaced"
mv memory out/.headrace
expect 0 '' run
[ "$(ids)" = '1 ' ] || die "the run after one that failed at its source: $(ids)"

# a sink that comes later begins there, and so does one that left and comes again
fresh
pipeline '  - "null": {}' >p.yaml
expect 0 '' run
pipeline '  - file: {id: f, path: out}' >p.yaml
more 3
expect 0 '' run
pipeline '  - "null": {}' >p.yaml
more 4
expect 0 '' run
pipeline '  - file: {id: f, path: out}' >p.yaml
more 5
expect 0 '' run
[ "$(ids)" = '3 5 ' ] || die "a sink that came, left and came again has $(ids)"

# parts may be taken away
rm out/part-*
more 6
expect 0 '' run
[ "$(ids)" = '6 ' ] || die "after its parts were taken away it has $(ids)"
[ "$(stat -c %a out/part-* out/.headrace out | sort -u | tr '\n' ' ')" = '600 700 ' ] || die "permissions: $(stat -c '%a %n' out/*)"

# without a checkpoint each run is another job
rm -rf out
grep -v '^checkpoint' p.yaml >none.yaml
expect 0 '' "$headrace" run none.yaml
expect 1 'out holds the parts of another job or sink' "$headrace" run none.yaml

# ---- paths ----
refused() { pipeline "$1" >p.yaml; expect 3 "$2" run; }
refused '  - file: {path: /tmp/out}' 'path is beneath the folder of --data-dir, not absolute'
refused '  - file: {path: a/../../out}' "path leads out of the folder of --data-dir: no '..'"
refused '  - sqlite: {path: ../t.db, table: t}' "no '..'"
refused '  - sqlite: {path: out/, table: t}' 'path is a folder'
refused '  - sqlite: {path: t.db, table: t, mode: update}' "gives rows as they come"
refused '  - sqlite: {path: t.db, table: t, key: [id]}' 'key goes with mode update'
refused '  - sqlite: {path: t.db, table: headrace_epochs}' "cannot be the table's name"
fresh
mkdir elsewhere data
pipeline '  - file: {path: out/deep/down}' >p.yaml
expect 0 '' run --data-dir data
[ -f data/out/deep/down/part-00000000000000000001.ndjson ] || die "--data-dir is not where the parts are"
expect 2 '--data-dir nowhere: No such file' run --data-dir nowhere
for at in out out/deep out/deep/down; do
    rm -rf data/out state.db
    mkdir -p "$(dirname data/$at)" && ln -s "$tmp/elsewhere" data/$at
    expect 1 'is a link: links are not followed' run --data-dir data
done
[ -z "$(ls elsewhere)" ] || die "something was written through a link: $(ls elsewhere)"
rm -rf data/out state.db
mkdir -p data/out && ln -s "$tmp/elsewhere/t.db" data/out/t.db
pipeline '  - sqlite: {path: out/t.db, table: t}' >p.yaml
expect 1 'out/t.db: is a link: links are not followed' run --data-dir data
[ -z "$(ls elsewhere)" ] || die "something was written through a link: $(ls elsewhere)"

# ---- tables ----
pipeline '  - sqlite: {path: t.db, table: t}' >p.yaml
table() { rm -f t.db state.db; sqlite3 t.db "$1"; }
table 'create table t(id INTEGER, other TEXT)'
expect 1 "table 't' does not fit: it has no column 'text'" run
table 'create table t(id TEXT, text TEXT)'
expect 1 "table 't' does not fit: its column 'id' is TEXT, not INTEGER" run
table 'create table t(id INTEGER, text TEXT, more TEXT NOT NULL)'
expect 1 "its column 'more' is NOT NULL without a default" run
table 'create table t(more TEXT, TEXT TEXT, id INTEGER)'
expect 0 '' run
[ "$(sqlite3 t.db 'select id, text, more from t order by id')" = "1|a|
2|a|" ] || die "rows in a table that was there: $(sqlite3 t.db 'select * from t')"
rm -f t.db state.db
head -c 8192 /dev/zero >t.db
expect 1 'sqlite: t.db' run
rm -f t.db state.db
pipeline '  - sqlite: {path: state.db, table: t}' >p.yaml
expect 1 'sqlite: state.db is a checkpoint of headrace: another path' run
pipeline '  - console: {format: json}' >p.yaml
expect 0 '' run # it is as it was
[ "$(wc -l <out.txt)" = 2 ] || die "the checkpoint was touched"
rm -f state.db

# every type, nulls, quotes, and back through the source
cat >types.yaml <<'YAML'
version: 1
name: types
trigger: available_now
source: {file: {path: types.ndjson, format: ndjson, schema: "b BOOLEAN, i BIGINT, d DOUBLE, s STRING, day DATE, at TIMESTAMP, m DECIMAL(10,2)"}}
sinks:
  - file: {id: csv, path: types, format: csv}
  - sqlite: {path: types.db, table: types}
YAML
printf '%s\n' '{"b":true,"i":-9007199254740993,"d":1e300,"s":"a,\"b\"\nc","day":"2024-02-29","at":"2024-02-29T12:00:00Z","m":1234.50}' '{"s":""}' >types.ndjson
expect 0 '' "$headrace" run types.yaml
printf 'b,i,d,s,day,at,m\ntrue,-9007199254740993,1.0E300,"a,""b""\nc",2024-02-29,2024-02-29T12:00:00.000Z,1234.50\n,,,"",,,\n' |
    diff - types/part-00000000000000000001.csv || die "csv differs"
[ "$(sqlite3 types.db "select b, i, d, s, day, at, m, typeof(m) from types where i is not null")" = "1|-9007199254740993|1.0e+300|a,\"b\"
c|2024-02-29|2024-02-29 12:00:00|1234.50|text" ] || die "sqlite differs: $(sqlite3 types.db 'select * from types')"
[ "$(sqlite3 types.db "select count(*) from types where s = '' and coalesce(b, i, d, day, at, m) is null")" = 1 ] || die "nulls in sqlite"
sed 's/types.ndjson, format: ndjson/types\/part-00000000000000000001.csv, format: csv/; s/^name.*/name: back/; /id: csv/d; s/path: types.db/path: back.db/' types.yaml >back.yaml
expect 0 '' "$headrace" run back.yaml
[ "$(sqlite3 back.db 'select * from types')" = "$(sqlite3 types.db 'select * from types')" ] || die "csv does not come back as it was"

# a csv of one column: a null is a row too, as Spark writes it
cat >one.yaml <<'YAML'
version: 1
name: one
trigger: available_now
source: {file: {path: one.ndjson, format: ndjson, schema: "s STRING"}}
sink: {file: {path: one, format: csv}}
YAML
printf '%s\n' '{"s":"a"}' '{}' '{"s":""}' '{"s":"b"}' >one.ndjson
expect 0 '' "$headrace" run one.yaml
printf 's\na\n""\n""\nb\n' | diff - one/part-00000000000000000001.csv || die "csv of one column differs"
sed 's/one.ndjson, format: ndjson/"one\/part-*.csv", format: csv/; s/^sink:.*/sink: {console: {format: json}}/' one.yaml >back.yaml
expect 0 '' "$headrace" run back.yaml
[ "$(tr '\n' ' ' <out.txt)" = '{"s":"a"} {"s":""} {"s":""} {"s":"b"} ' ] || die "a csv of one column comes back as $(cat out.txt)"

# ---- results: complete is exactly the result, update changes the rows of its keys and no others; null is a key ----
cat >result.yaml <<'YAML'
version: 1
name: result
trigger: available_now
checkpoint: state.db
source: {file: {path: in.ndjson, format: ndjson, schema: "id INT, a STRING, b INT"}}
operators:
  - group_by: {keys: [a, b], aggregates: {n: count(*), total: sum(id)}}
sinks:
  - sqlite: {id: all, mode: complete, path: result.db, table: totals}
  - sqlite: {id: some, mode: update, path: result.db, table: changed, key: [a, b]}
YAML
rm -f state.db*
printf '%s\n' '{"id":1,"a":"x","b":1}' '{"id":2,"a":"x"}' '{"id":3}' '{"id":4,"a":"x","b":1}' >in.ndjson
expect 0 '' "$headrace" run result.yaml
[ "$(sqlite3 result.db "select count(*) from sqlite_master where type = 'index' and tbl_name = 'changed'")" = 1 ] || die "no index on the key"
before=$(sqlite3 result.db "select rowid from changed where b = 1")
sqlite3 result.db "insert into totals values('y', 9, 9, 9); insert into changed values('y', 9, 9, 9)"
printf '%s\n' '{"id":5}' '{"id":6,"a":"x"}' '{"id":7,"a":"y","b":1}' >>in.ndjson
expect 0 '' "$headrace" run result.yaml
[ "$(sqlite3 result.db 'select * from totals order by 1, 2')" = '||2|8
x||2|8
x|1|2|5
y|1|1|7' ] || die "complete: $(sqlite3 result.db 'select * from totals order by 1, 2')"
[ "$(sqlite3 result.db 'select * from changed order by 1, 2')" = '||2|8
x||2|8
x|1|2|5
y|1|1|7
y|9|9|9' ] || die "update: $(sqlite3 result.db 'select * from changed order by 1, 2')"
[ "$(sqlite3 result.db "select rowid from changed where a = 'x' and b = 1")" = "$before" ] || die "a row that did not change was written again"
pass
rm -f state.db*

# ---- update: a column that is called rowid is a column like any other; a table that has no rowid is refused ----
cat >rowid.yaml <<'YAML'
version: 1
name: rowid
trigger: available_now
checkpoint: state.db
source: {file: {path: in.ndjson, format: ndjson, schema: "k STRING, RowID INT"}}
operators:
  - group_by: {keys: [k], aggregates: {RowID: max(RowID)}}
sinks:
  - sqlite: {mode: update, path: r.db, table: r, key: [k]}
YAML
printf '{"k":"%s","RowID":7}\n' a b >in.ndjson
expect 0 '' "$headrace" run rowid.yaml
echo '{"k":"b","RowID":8}' >>in.ndjson
expect 0 '' "$headrace" run rowid.yaml
[ "$(sqlite3 r.db 'select k, "RowID" from r order by k' | tr '\n' ' ')" = 'a|7 b|8 ' ] || die "a column called rowid: $(sqlite3 r.db 'select * from r')"
rm -f r.db state.db*
sqlite3 r.db 'create table r(k TEXT, rowid INTEGER, _rowid_ INTEGER, OID INTEGER)'
expect 1 "table 'r' does not fit: its columns rowid, _rowid_ and oid leave no name for a row's number, which mode update needs" "$headrace" run rowid.yaml
rm -f r.db state.db*
sqlite3 r.db 'create table r(k TEXT PRIMARY KEY, rowid INTEGER) WITHOUT ROWID'
expect 1 "table 'r' does not fit: it is WITHOUT ROWID, or a view; mode update needs a rowid" "$headrace" run rowid.yaml
rm -f r.db state.db*

# ---- a table's own rules do not change the result: keys are compared byte by byte, a row is never dropped in silence ----
cat >own.yaml <<'YAML'
version: 1
name: own
trigger: available_now
checkpoint: state.db
source: {file: {path: in.ndjson, format: ndjson, schema: "k STRING, s INT"}}
operators:
  - group_by: {keys: [k], aggregates: {s: sum(s)}}
sinks:
  - sqlite: {mode: update, path: o.db, table: o, key: [k]}
YAML
printf '%s\n' '{"k":"a","s":1}' '{"k":"A","s":2}' >in.ndjson
sqlite3 o.db 'create table o(k TEXT COLLATE NOCASE, s INTEGER)'
expect 0 '' "$headrace" run own.yaml
echo '{"k":"A","s":5}' >>in.ndjson
expect 0 '' "$headrace" run own.yaml
[ "$(sqlite3 o.db 'select k, s from o order by s' | tr '\n' ' ')" = 'a|1 A|7 ' ] || die "a key with COLLATE NOCASE: $(sqlite3 o.db 'select * from o')"
for own in 'k TEXT UNIQUE ON CONFLICT IGNORE COLLATE NOCASE, s INTEGER' 'k TEXT UNIQUE ON CONFLICT REPLACE COLLATE NOCASE, s INTEGER' \
    'k TEXT, s INTEGER, more INTEGER AS (1) UNIQUE ON CONFLICT IGNORE'; do
    rm -f o.db state.db*
    sqlite3 o.db "create table o($own)"
    expect 1 "sqlite: o.db, table 'o': UNIQUE constraint failed" "$headrace" run own.yaml
    [ "$(sqlite3 o.db 'select count(*) from o')" = 0 ] || die "$own: $(sqlite3 o.db 'select * from o')"
done
rm -f o.db state.db*

# ---- locked: the job waits, and goes on ----
fresh
pipeline '  - sqlite: {path: t.db, table: t}' >p.yaml
expect 0 '' run
more 3
coproc lock { sqlite3 -batch t.db 2>&1; }
echo 'begin immediate; select 1;' >&"${lock[1]}"
read -r _ <&"${lock[0]}"
"$headrace" run p.yaml >out.txt 2>err &
job=$!
# it needs the database at its start already: that it waits there is seen by its connection
until [ -n "$(find /proc/$job/fd -lname "$tmp/t.db" 2>/dev/null)" ]; do kill -0 $job || die "the job did not wait for a locked database"; done
echo 'rollback;' >&"${lock[1]}"
eval "exec ${lock[1]}>&-"
wait $job || die "a lock that was let go ended the job with $?"
job=
[ "$(sqlite3 t.db 'select count(*) from t')" = 3 ] || die "rows after a lock"
pass

# ---- two sinks of a job in one database with a WAL: no other process takes itself for the last one there ----
cat >two.yaml <<'YAML'
version: 1
name: two
trigger: 10ms
source: {generator: {rate: 1000}}
sinks:
  - sqlite: {id: a, path: w.db, table: a}
  - sqlite: {id: b, path: w.db, table: b}
YAML
sqlite3 w.db 'pragma journal_mode = wal' >/dev/null
"$headrace" run two.yaml 2>err &
job=$!
until [ "$(find /proc/$job/fd -lname "$tmp/w.db-wal" 2>/dev/null | wc -l)" = 2 ]; do kill -0 $job || die "two sinks in one database: the job ended"; done
sqlite3 w.db 'select count(*) from sqlite_master' >out.txt || die "a database of two sinks cannot be read"
[ -z "$(find /proc/$job/fd -lname '*-wal (deleted)')" ] || die "another process deleted the WAL of a running job"
until [ "$(sqlite3 w.db 'select count(*) from b' 2>/dev/null || echo 0)" -gt 0 ]; do kill -0 $job || die "two sinks in one database: the job ended"; done
kill -TERM $job
wait $job || die "two sinks in one database: exit $?"
job=
[ "$(sqlite3 w.db 'select count(*) from a')" = "$(sqlite3 w.db 'select count(*) from b')" ] || die "two sinks in one database have different rows"
pass

# ---- a reader that takes nothing: memory is bounded, one signal waits, two end ----
cat >blocked.yaml <<'YAML'
version: 1
name: blocked
trigger: 10ms
source: {generator: {columns: {id: id, text: "concat('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', id)"}}}
sink: {console: {format: json}}
YAML
mkfifo pipe
exec 3<>pipe # holds it open for nobody
"$headrace" run blocked.yaml --lanes 2 >pipe 2>err &
job=$!
blocked() { [ "$(cut -d' ' -f1,2 /proc/$job/syscall 2>/dev/null)" = '1 0x1' ]; } # write(1
until blocked; do kill -0 $job || die "the job ended instead of waiting for its reader"; done
for _ in 1 2 3 4 5 6 7 8 9 10; do blocked || die "a reader that takes nothing was written to"; done
kill -TERM $job
# it is written to no more than before, so it cannot end: the second signal ends it
until [ "$(awk '/^SigPnd|^ShdPnd/ { s = s $2 } END { print s ~ /^0*$/ }' /proc/$job/status)" = 1 ]; do :; done
peak=$(awk '/^VmHWM/ { print $2 }' /proc/$job/status)
kill -TERM $job
wait $job
[ $? = 143 ] || die "two signals ended a blocked job with $?"
job=
exec 3>&-
[ "$peak" -lt 262144 ] || die "a blocked job took $peak KiB"
pass

command -v strace >/dev/null || { echo "sinks: $passed passed; no strace"; exit 77; }

# ---- SIGTERM while an epoch is read again: left, nothing of it is shown, and the next run shows it ----
inject() { ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:$2" "${@:3}" "$headrace" run p.yaml 2>err; }
meta() { sqlite3 state.db 'select epoch, published from hr_meta'; }
pipeline '  - file: {id: f, path: out}' >p.yaml
for n in 1 2 3 4 5; do # until the kill falls between commit and publishing
    fresh
    expect 0 '' run
    more 3
    (inject renameat signal=SIGKILL:when=$n; exit 0) 2>/dev/null
    [ "$(meta) $(ids)" != '2|1 1 2 ' ] || break
done
[ "$(meta) $(ids)" = '2|1 1 2 ' ] || die "no kill fell between commit and publishing: $(meta) $(ids)"
more 4
inject pread64 signal=SIGTERM:when=1 -P in.ndjson || die "SIGTERM while an epoch is read again: exit $?"
[ "$(meta) $(ids)" = '2|1 1 2 ' ] || die "SIGTERM while an epoch is read again: $(meta) $(ids)"
expect 0 '' run
[ "$(meta) $(ids)" = '3|3 1 2 3 4 ' ] || die "the run after that: $(meta) $(ids)"
pass
echo "guarantee: SIGTERM while an epoch is read again | file | file | exit 0, nothing of it shown; the next run shows it | tests/sinks.sh"

# ---- stdin ----
cat >stdin.yaml <<'YAML'
version: 1
name: stdin
trigger: available_now
checkpoint: state.db
source: {file: {path: "-", format: ndjson, schema: "id INT, text STRING"}}
limits: {outbox: "${OUTBOX:-64MiB}"}
sinks:
  - file: {path: out}
YAML
epoch() { sqlite3 state.db 'select epoch from hr_meta' 2>/dev/null || echo 0; }
seen=
for n in 1 2 3 4 5; do
    rm -rf out state.db*
    printf '{"id":%d}\n' 1 2 | "$headrace" run stdin.yaml 2>err || die "stdin: the first run"
    (printf '{"id":%d}\n' 3 4 | strace -f -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=SIGKILL:when=$n "$headrace" run stdin.yaml 2>/dev/null
     exit 0) 2>/dev/null
    at=$(epoch)
    printf '{"id":%d}\n' 5 6 | "$headrace" run stdin.yaml 2>err || die "stdin: the run after a kill ended with $?"
    case $at in
    1) want='1 2 5 6 ' ;;
    2) want='1 2 3 4 5 6 ' ;;
    *) die "stdin: at epoch $at" ;;
    esac
    [ "$(ids)" = "$want" ] || die "stdin, kill at renameat $n: $(ids), not $want"
    seen="$seen $at"
    [ "$(sqlite3 state.db 'select count(*) from hr_outbox')" = 0 ] || die "stdin: what was published is kept"
done
case $seen in *2*) pass ;; *) die "no kill fell between commit and publishing:$seen" ;; esac

# more rows than the outbox holds: the epoch ends early, or where even that is not enough, the limit is named
rm -rf out state.db*
rows() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "{\"id\":%d,\"text\":\"%0900d\"}\n", i, 0 }'; }
rows 20000 | OUTBOX=16MiB "$headrace" run stdin.yaml 2>err || die "stdin: 18 MB through an outbox of 16 MiB ended with $?"
[ "$(cat out/part-* | wc -l)" = 20000 ] && [ "$(epoch)" -ge 2 ] || die "stdin: $(cat out/part-* | wc -l) rows in $(epoch) epochs"
rm -rf out state.db*
rows 20000 | OUTBOX=4KiB "$headrace" run stdin.yaml 2>err
[ $? = 1 ] && grep -q 'file_2: the rows of one epoch take more than 4096 bytes in the outbox' err || die "stdin: the limit is not named"
pass

# ---- a folder that cannot be read is not an empty one: what is hidden still is not left hidden ----
fresh
pipeline '  - file: {path: out}' >p.yaml
expect 0 '' run
part=part-00000000000000000001.ndjson
mv out/$part out/.$part.tmp
expect 1 'file: out/: Input/output error' env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
    strace -f -qq -o /dev/null -P "$tmp/out" -e trace=getdents64 -e inject=getdents64:error=EIO "$headrace" run p.yaml
[ -f out/.$part.tmp ] || die "a piece went where the folder could not be read"
expect 0 '' run
[ "$(ids)" = '1 2 ' ] || die "after a folder that could not be read: $(ids)"

# ---- sqlite: an epoch is on disk once its rollback journal is gone from the folder, and that is synced too ----
fresh
pipeline '  - sqlite: {path: j/t.db, table: t}' >p.yaml
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -y -qq -o trace -e trace=unlink,fsync,fdatasync "$headrace" run p.yaml 2>err || die "sqlite under strace"
awk -v journal="\"$tmp/j/t.db-journal\"" -v folder="<$tmp/j>" 'index($0, journal) { gone = 1; n++; next } /sync\(/ && index($0, folder) { gone = 0 }
    END { exit !n || gone }' trace || { cat trace; die "the folder was not synced after a journal was unlinked"; }
pass

echo "guarantee: kill -9 at each rename of publishing | file (stdin) | file | each row that was committed once | tests/sinks.sh"
echo "guarantee: more rows than limits.outbox holds | file (stdin) | file | the epoch ends early, or exit 1 naming the limit | tests/sinks.sh"
echo "guarantee: sink emptied or replaced, checkpoint an old copy | file | file | exit 4 with the reason; nothing written | tests/sinks.sh"
echo "guarantee: target locked by somebody else | file | sqlite | waited for, every row once | tests/sinks.sh"
echo "guarantee: reader that takes nothing | generator | console | memory bounded; two signals end it | tests/sinks.sh"
echo "sinks: $passed passed"
