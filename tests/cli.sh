#!/bin/bash
# The command line: help and usage errors of every command, what plugins, explain, check and state print, and the
# progress of a run as JSON. What is wrong with files, checkpoints and modules is tests/refusals.sh's.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0 passed=0

ok() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL: $*"; head -20 out err; }

# expect CODE COMMAND...: exit code; stdout and stderr go to out and err
expect() {
    local want=$1 code
    shift
    "$@" >out 2>err </dev/null
    code=$?
    if [ $code = "$want" ]; then ok; else fail "$*: exit $code, not $want"; fi
}
# says FILE TEXT: out or err holds the text
says() { if grep -qF -- "$2" "$1"; then ok; else fail "'$2' is not in $1"; fi; }
# silent FILE: it is empty
silent() { if [ ! -s "$1" ]; then ok; else fail "$1 is not empty"; fi; }

printf '{"id":1,"name":"a"}\n{"id":2}\n{"id":1}\nno json\n' >in.ndjson
cat >job.yaml <<'YAML'
version: 1
name: job
trigger: available_now
checkpoint: ${DB:-job.db}
source: {file: {path: in.ndjson, format: lines}}
operators:
  - from_json: {column: value, schema: "id BIGINT, name STRING, unused DOUBLE", on_error: drop}
  - group_by: {id: by_id, keys: [id], aggregates: {n: count(*), name: max(name)}}
sink: {console: {format: json}}
YAML

# ---- help ----
expect 0 "$headrace" --help
for command in run check explain plugins state broker; do says out "  $command "; done
silent err
for help in -h help; do expect 0 "$headrace" $help; says out 'usage: headrace COMMAND'; done
expect 2 "$headrace"
says err 'usage: headrace COMMAND'
silent out
expect 0 "$headrace" --version
[ "$(wc -l <out)" = 1 ] && says out 'headrace '
for command in run check explain plugins state broker; do
    for help in --help -h; do
        expect 0 "$headrace" $command $help
        says out "usage: headrace $command"
        silent err
    done
done

# ---- usage errors: one line, exit code 2, nothing on stdout ----
usage() { # TEXT ARGUMENT...
    local text=$1
    shift
    expect 2 "$headrace" "$@"
    says err "$text"
    silent out
    [ "$(wc -l <err)" = 1 ] || fail "$*: more than one line"
}
usage "no command 'rnu'; did you mean 'run'?" rnu
usage 'run: one pipeline file is wanted, not 0' run
usage 'run: one pipeline file is wanted, not 2' run job.yaml job.yaml
usage "run: no option '--lane'; did you mean '--lanes'?" run job.yaml --lane 2
usage "run: no option '-l'" run job.yaml -l 2
usage "run: no option '--to=spark'" run job.yaml --to=spark
usage "run: no option '--'" run job.yaml --
usage 'run: --lanes wants a value' run job.yaml --lanes
for n in 0 65 x 2x ''; do usage "run: --lanes wants a number from 1 to 64, not '$n'" run job.yaml "--lanes=$n"; done
usage "run: --set wants NAME=VALUE, not 'X'" run job.yaml --set X
usage "run: --set wants NAME=VALUE, not '=X'" run job.yaml --set =X
usage 'run: --progress is auto, json or none' run job.yaml --progress xml
for t in soon 0s 5; do usage "run: --trigger wants a duration (5s, 100ms) or available_now, not '$t'" run job.yaml --trigger "$t"; done
usage 'check: a pipeline file is wanted' check
usage "check: no option '--lanes'" check job.yaml --lanes 2
usage 'explain: one pipeline file is wanted, not 0' explain
usage "explain: no option '--trigger'" explain job.yaml --trigger 1s
usage 'plugins: one name at a time' plugins kafka file
usage "plugins: no plug-in 'kafkaesque'" plugins kafkaesque
usage 'state: a pipeline file and at most' state
usage 'state: a pipeline file and at most' state job.yaml a b
many=() dirs=()
for k in $(seq 65); do many+=(--set "A$k=1"); done
usage 'run: --set: too many' run job.yaml "${many[@]}"
for k in $(seq 17); do dirs+=(--plugin-dir .); done
usage 'run: --plugin-dir: too many' run job.yaml "${dirs[@]}"

# ---- plugins ----
expect 0 "$headrace" plugins
for line in 'source .*file ' 'source .*kafka .*kafka.so' 'sink .*kafka .*kafka.so' 'operator .*group_by' 'functions .*dates' 'aggregates .*sum' 'command .*broker'; do
    if grep -q "^$line" out; then ok; else fail "plugins: no line '$line'"; fi
done
expect 0 "$headrace" plugins kafka
says out 'source kafka: '
says out 'sink kafka: '
says out '(required)'
says out '(default: '
expect 0 "$headrace" plugins from_json
says out 'null|drop|fail'
expect 0 "$headrace" plugins sum
says out 'sum(number): total'
expect 0 "$headrace" plugins dates
says out 'to_date'

# ---- check and explain ----
expect 0 "$headrace" check job.yaml
says out 'job.yaml: ok'
sed '/^checkpoint/d' job.yaml >forgets.yaml
sed 's/group_by/group_bi/; s/count(\*)/cuont(*)/' job.yaml >bad.yaml
expect 3 "$headrace" check job.yaml forgets.yaml bad.yaml
says out 'job.yaml: ok'
says out 'forgets.yaml: keeps nothing: it has no checkpoint'
says err "bad.yaml:8:5: no operator 'group_bi'; did you mean 'group_by'?"
expect 0 "$headrace" explain job.yaml
says out 'pipeline job, trigger available_now, checkpoint job.db'
says out '(pruned: nobody reads it)'
says out 'state: '
says out 'mode: complete'
expect 0 "$headrace" explain forgets.yaml --lanes=3
says out 'checkpoint none'
expect 3 "$headrace" explain bad.yaml
expect 0 "$headrace" explain job.yaml --set DB=other.db
says out 'checkpoint other.db'

# ---- run: progress as JSON, in the names of Spark's StreamingQueryProgress ----
expect 0 "$headrace" run job.yaml --progress json --lanes 2
[ "$(cat out)" = '{"id":1,"n":2,"name":"a"}
{"id":2,"n":1,"name":null}' ] || fail 'run printed other rows'
says err 'headrace: warning: from_json: in.ndjson@38: JSON: unexpected character (dropped; further bad rows are only counted)'
sed -i '/^headrace: warning/d' err
[ "$(wc -l <err)" = 1 ] || fail 'not one line of progress'
for part in '{"id":"job","runId":"' '"name":"job"' '"timestamp":"20' '"batchId":0' '"numInputRows":4' '"inputRowsPerSecond":' '"processedRowsPerSecond":' '"durationMs":{' '"stateOperators":[{"numRowsTotal":2,"numRowsUpdated":2' \
    '"sources":[{"description":"' '"startOffset":{' '"observedMetrics":{"from_json":{"bad":1,"dropped":1,"deadLettered":0}}' '"endOffset":{"in.ndjson":46}' '"sinks":[{"id":"console","description":"console","numOutputRows":2}]'; do says err "$part"; done
printf '.mode list\nselect json_valid(readfile("err"));\n' | sqlite3 >valid && [ "$(cat valid)" = 1 ] || fail 'the progress is no JSON'
printf '{"id":2,"name":"b"}\n' >>in.ndjson
expect 0 "$headrace" run job.yaml --progress json
says err '"batchId":1'
says err '"numInputRows":1'
says err '"startOffset":{"in.ndjson":46}'
says err '"numRowsTotal":2,"numRowsUpdated":1'
expect 0 "$headrace" run job.yaml --progress=none
silent err
silent out
expect 0 "$headrace" run job.yaml --checkpoint other.db --trigger available_now
[ "$(wc -l <out)" = 2 ] || fail '--checkpoint: another checkpoint starts anew'
expect 0 "$headrace" run forgets.yaml
says err 'job keeps nothing: it has no checkpoint'

# ---- what data and files hold does not steer a terminal: C0, C1, bidirectional controls; a line of JSON stays JSON ----
steers() { LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$@"; }
cat >steer.yaml <<'YAML'
version: 1
name: steer
trigger: available_now
checkpoint: steer.db
source: {generator: {rows: 1, columns: {"a\x1b[31mb": "'x\u009b31m\u202e\xe9'"}}}
operators: [{group_by: {id: g, keys: ["`a\x1b[31mb`"], aggregates: {n: count(*)}}}]
sink: {console: {format: json}}
YAML
want='{"a\u001B[31mb":"x\u009b31m\u202eé","n":1}'
expect 0 "$headrace" run steer.yaml
[ "$(cat out)" = "$want" ] || fail 'console: JSON with controls'
expect 0 "$headrace" state steer.yaml g
[ "$(cat out)" = "$want" ] || fail 'state: JSON with controls'
expect 0 "$headrace" explain steer.yaml
says out 'a\x1b[31mb '
! steers out || fail 'explain prints controls'
printf 'version: 1\nname: "a\\u009bb"\nsource: {generator: {columns: {a: "\xe2\x80\xae b"}}}\nsink: {console: {}}\n' >steer.yaml
expect 3 "$headrace" check steer.yaml
says err 'steer.yaml:2:7: a name may not hold control characters'
! steers err || fail 'check prints controls'
cp job.yaml "$(printf 'x\xc2\x9b31m.yaml')"
sed -i 's/source: /sauce: /' x*.yaml
expect 3 "$headrace" check x*.yaml
says err 'x\x9b31m.yaml:'
! steers err || fail 'the name of a file is printed raw'
rm -f x*.yaml

# ---- bad rows: the place of the first one of each node, and how many there were ----
{ for i in $(seq 5000); do echo '{"d":"2024-01-01"}'; echo "bad $i"; echo '{"d":"no"}'; done; } >bad.ndjson
for policy in null drop; do
    cat >badrows.yaml <<YAML
version: 1
name: badrows
trigger: available_now
source: {file: {path: bad.ndjson, format: lines}}
operators:
  - from_json: {column: value, schema: "d STRING", on_error: $policy}
  - to_date: {column: d, on_error: $policy}
sink: {null: {}}
YAML
    expect 0 "$headrace" run badrows.yaml --lanes 1
    what='null instead' in=15000
    [ $policy = null ] || what=dropped in=10000
    sort err >sorted
    diff sorted - <<SAID || fail "$policy: bad rows are not told"
headrace: badrows keeps nothing: it has no checkpoint
headrace: warning: from_json: 5000 of 15000 rows were bad ($what)
headrace: warning: from_json: bad.ndjson@19: JSON: unexpected character ($what; further bad rows are only counted)
headrace: warning: to_date: 5000 of $in rows were bad ($what)
headrace: warning: to_date: bad.ndjson@25: the text is no day in this format ($what; further bad rows are only counted)
SAID
done
# also of an epoch that was committed and could not be shown; what is behind a group_by comes again with each epoch, and is left out
sed -i 's/^name:.*/name: badrows\ncheckpoint: badrows.db/; s/^sink: .*/sink: {console: {}}/' badrows.yaml
expect 1 sh -c '"$0" run badrows.yaml --lanes 1 >/dev/full' "$headrace"
says err 'from_json: 5000 of 15000 rows were bad (dropped)'
sed -i 's/^name:.*/name: behind/; s/^checkpoint:.*/checkpoint: behind.db/; s/on_error: drop/on_error: "null"/; s/  - to_date: .*/  - group_by: {keys: [d], aggregates: {n: count(*)}}\n  - to_date: {column: d}/' badrows.yaml
expect 0 "$headrace" run badrows.yaml --lanes 1
says err 'from_json: 5000 of 15000 rows were bad (null instead)'
! grep -q 'to_date: [0-9]* of' err || fail 'rows behind a group_by are told as rows of the input'

# a total that does not fit: DECIMAL is null and counted, BIGINT stops the job with the total's name and key
printf '{"k":"a","d":6e37,"n":9000000000000000000}\n{"k":"b","d":1,"n":1}\n' >large.ndjson
cat >large.yaml <<'YAML'
version: 1
name: large
trigger: available_now
checkpoint: large.db
source: {file: {path: large.ndjson, format: ndjson, schema: "k STRING, d DECIMAL(38,0), n BIGINT"}}
operators: [{group_by: {keys: [k], aggregates: {total: sum(d), mean: avg(d)}}}]
sink: {console: {format: json}}
YAML
expect 0 "$headrace" run large.yaml --progress json
says out '"mean":null'
says err '"customMetrics":{"bad":1}'
expect 0 "$headrace" state large.yaml
says out 'group_by: in 2, out 0, filtered 0, dropped 0, dead-lettered 0, bad 1'
printf '{"k":"a","d":6e37,"n":9000000000000000000}\n' >>large.ndjson
expect 0 "$headrace" run large.yaml --progress json
says out '{"k":"a","total":null,"mean":null}'
says err '"customMetrics":{"bad":2}'
expect 0 "$headrace" state large.yaml
says out 'bad 3'
sed 's/large\.db/integers.db/; s/total: sum(d), mean: avg(d)/total: sum(n)/' large.yaml >integers.yaml
expect 1 "$headrace" run integers.yaml
says err 'group_by: total of a: sum: a total does not fit BIGINT: sum a DECIMAL(38,0) instead'

# what two sinks read behind a group_by is counted once
cat >twice.yaml <<'YAML'
version: 1
name: twice
trigger: available_now
checkpoint: twice.db
source: {generator: {rows: 30, columns: {k: id % 3}}}
operators: [{group_by: {keys: [k], aggregates: {n: count(*)}}}, {filter: {where: k > 0}}, {with: {columns: {m: n + 1}}}]
sinks: [{console: {id: all, format: json}}, {"null": {id: some, input: filter}}, {"null": {id: groups, input: group_by}}]
YAML
expect 0 "$headrace" run twice.yaml
expect 0 "$headrace" state twice.yaml
says out 'filter: in 3, out 2, filtered 1,'
says out 'with: in 2, out 2,'
says out 'some: in 2, out 2'
says out 'groups: in 3, out 3'

# the live line is for a terminal
script -qec "$headrace run job.yaml --checkpoint live.db" /dev/null >out 2>err </dev/null
says out 'job: epoch 1, 5 rows'
# and a table takes its place
cat >live.yaml <<'YAML'
version: 1
name: live
trigger: 20ms
source: {generator: {rows: 2000, rate: 20000, columns: {k: id % 2}}}
operators: [{group_by: {keys: [k], aggregates: {n: count(*)}}}]
sink: console
YAML
script -qec "$headrace run live.yaml" /dev/null >out 2>err </dev/null
grep -qaP 'live: epoch 1, .* MiB\r\x1b\[K-{43}\r$' out || fail 'the table does not take the place of the live line'

# ---- state ----
expect 0 "$headrace" state job.yaml
says out 'pipeline job: epoch 2, published 2'
says out 'position in.ndjson: 66'
says out 'from_json: in 5, out 4, filtered 0, dropped 1'
says out 'by_id: in 4'
expect 0 "$headrace" state job.yaml by_id
[ "$(cat out)" = '{"id":1,"n":2,"name":"a"}
{"id":2,"n":2,"name":"b"}' ] || fail 'state printed other rows'
expect 2 "$headrace" state job.yaml from_json
says err "state: no stateful node 'from_json'"
expect 4 "$headrace" state job.yaml --checkpoint none.db
says err 'no checkpoint at none.db: No such file or directory'
expect 4 "$headrace" state forgets.yaml
says err 'the pipeline has no checkpoint'
expect 3 "$headrace" state bad.yaml
[ ! -e none.db ] || fail 'state made a checkpoint'

# ---- standard streams that are closed: no file of ours takes their place ----
sed 's/^checkpoint:.*/checkpoint: closed.db/' job.yaml >closed.yaml
code=0
"$headrace" run closed.yaml --checkpoint closed.db <&- >&- 2>err || code=$?
[ $code = 1 ] || fail "with standard output closed: exit $code"
says err 'cannot write to standard output'
[ ! -s closed.db.lock ] || fail "rows went into the lock file: $(cat closed.db.lock)"

# ---- a standard output that takes nothing ----
full() { timeout 60 "$headrace" "$@" >/dev/full; }
for command in --version --help 'check job.yaml' 'explain job.yaml' plugins 'plugins file' 'state job.yaml' 'state job.yaml by_id'; do
    expect 1 full $command
    says err 'headrace: error: cannot write to standard output: No space left on device'
    [ "$(wc -l <err)" = 1 ] || fail "$command: more than one line"
done

echo "cli: $passed passed, $failed failed"
[ $failed = 0 ]
