#!/bin/bash
# `limits:` of a pipeline file: what is more is a bad row, or ends the job with one line that names the node, the
# number and the limit; nothing of that epoch is committed, and with a higher limit the job goes on to exact totals.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "limits: $*"; cat err; exit 1; }

# run CODE TEXT FILE OPTION...: exits with the code, and stderr is one line that holds the text
run() {
    local want=$1 text=$2 code
    shift 2
    "$headrace" run "$@" >out 2>err </dev/null
    code=$?
    [ $code = "$want" ] || fail "$*: exit $code, not $want"
    [ -z "$text" ] || { [ "$(wc -l <err)" = 1 ] && grep -qF -- "$text" err; } || fail "$*: not one line with '$text'"
}
job() { # LIMITS
    cat <<YAML
version: 1
name: limits
trigger: available_now
checkpoint: state.db
limits: {$1}
source: {file: {path: in.csv, format: csv, header: false, schema: "id INT, text STRING"}}
operators: [{group_by: {id: totals, keys: [id], aggregates: {n: count(*), least: min(text)}}}]
sink: {console: {format: json, mode: update}}
YAML
}
rows() { awk -v from="$1" -v to="$2" 'BEGIN { for (i = from; i <= to; i++) printf "%d,text %d\n", i % 5000, i }'; }
total() { sqlite3 -readonly state.db 'select count(*), sum(n) from totals'; }

# ---- groups ----
rows 1 1000 >in.csv
for lanes in 1 4; do
    rm -f state.db*
    job 'groups: 1000' >job.yaml
    run 0 '' job.yaml --lanes $lanes
    rows 1001 100000 >>in.csv
    run 1 'groups are more than limits.groups (1000)' job.yaml --lanes $lanes
    grep -q 'totals: [0-9]* groups' err || fail "no node and number"
    [ "$(total)" = '1000|1000' ] || fail "the refused epoch left $(total)"
    job 'groups: 4999' >job.yaml
    run 1 'totals: 5000 groups are more than limits.groups (4999)' job.yaml --lanes $lanes
    job 'groups: 5000' >job.yaml
    run 0 '' job.yaml --lanes $lanes
    [ "$(total)" = '5000|100000' ] || fail "then $(total)"
    job 'groups: 4' >job.yaml
    run 1 'totals: 5000 groups are more than limits.groups (4)' job.yaml --lanes $lanes
    rows 1 1000 >in.csv
done

# ---- state ----
rm -f state.db*
job 'state: 100KiB' >job.yaml
rows 1 100000 >in.csv
run 1 'bytes of state are more than limits.state (100KiB)' job.yaml
[ ! -f state.db ] || [ "$(total)" = '0|' ] || fail "the refused epoch left $(total)"
job 'state: 100MiB' >job.yaml
run 0 '' job.yaml
[ "$(total)" = '5000|100000' ] || fail "then $(total)"

# ---- a record of 40 MB (its memory: tests/records.sh) ----
cat >long.yaml <<'YAML'
version: 1
name: long
trigger: available_now
limits: {record: 1MiB}
source: {file: {path: long.txt, on_error: drop}}
operators: [{group_by: {keys: [value], aggregates: {n: count(*)}}}]
sink: {console: {format: json}}
YAML
{ echo first; head -c 40000000 /dev/zero | tr '\0' x; echo; echo last; } >long.txt
run 0 '' long.yaml
[ "$(cat out)" = '{"value":"first","n":1}
{"value":"last","n":1}' ] || fail "rows beside a long one: $(cat out)"
sed -i 's/drop/fail/' long.yaml
run 1 '' long.yaml
grep -qF 'error: file: long.txt@6: the record has 40000000 bytes, more than limits.record (1048576)' err || fail 'the long record is not named'

# ---- a header is none, and shorter than the first read in any case ----
printf 'id,name\n1,a\n' >short.csv
cat >short.yaml <<'YAML'
version: 1
name: short
trigger: available_now
limits: {record: 20}
source: {file: {path: short.csv, format: csv, schema: "id INT, name STRING"}}
sink: {console: {format: json}}
YAML
run 0 '' short.yaml
[ "$(cat out)" = '{"id":1,"name":"a"}' ] || fail "a csv under a small limit: $(cat out)"
# longer than what is read of a file at a time, and than a record may be
{ printf 'id,name,'; head -c 400000 /dev/zero | tr '\0' x; printf '\n1,a,\n'; } >short.csv
sed -i 's/record: 20/record: 300KiB/' short.yaml
run 0 '' short.yaml
[ "$(cat out)" = '{"id":1,"name":"a"}' ] || fail "a csv with a long header: $(cat out)"

# ---- the same for messages ----
"$headrace" broker --topic in:1 >address &
broker=$!
until [ -s address ]; do kill -0 $broker || exit 1; done
KAFKA_BROKERS=$(cat address)
export KAFKA_BROKERS
cat >write.yaml <<'YAML'
version: 1
name: write
trigger: available_now
source: {file: {path: messages.txt}}
sink: {kafka: {brokers: "${KAFKA_BROKERS}", topic: in}}
YAML
printf '{"id":1}\n{"id":2,"text":"0123456789"}\n{"id":3}\n' >messages.txt
run 0 '' write.yaml
read_messages() { # ON_ERROR
    cat <<YAML
version: 1
name: read
trigger: available_now
checkpoint: read-$1.db
limits: {record: 20}
source: {kafka: {brokers: "\${KAFKA_BROKERS}", topic: in, starting_offsets: earliest, on_error: $1}}
operators: [{from_json: {schema: id INT}}]
sink: {console: {format: json}}
YAML
}
for policy in null drop fail; do read_messages $policy >read-$policy.yaml; done
run 0 '' read-null.yaml
[ "$(cat out)" = '{"id":1}
{"id":null}
{"id":3}' ] || fail "on_error null: $(cat out)"
"$headrace" state read-null.yaml | grep -q 'kafka: in 3, out 3, filtered 0, dropped 0, dead-lettered 0, bad 1' || fail 'not counted as bad'
run 0 '' read-drop.yaml
[ "$(cat out)" = '{"id":1}
{"id":3}' ] || fail "on_error drop: $(cat out)"
"$headrace" state read-drop.yaml | grep -q 'kafka: in 3, out 2, filtered 0, dropped 1, dead-lettered 0, bad 1' || fail 'not counted as dropped'
run 1 'kafka: in[0]@1: the record has 28 bytes, more than limits.record (20)' read-fail.yaml
echo "guarantee: more groups or state than limits say | file | any | exit 1 naming node, number and limit; nothing of the epoch committed, goes on with a higher one | tests/limits.sh"
echo "guarantee: a record longer than limits.record | file, kafka | any | a bad row, by on_error | tests/limits.sh"
echo "limits: groups and state refused and resumed with 1 and 4 lanes, long records of files and topics"
