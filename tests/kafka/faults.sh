#!/bin/bash
# What a real broker does to a job: the topic is not there yet, the broker is down at the start or goes away midway,
# partitions are added, records are gone, the topic is made anew. The job waits and says so once, or ends with the reason; totals
# stay exact. OUTAGE: seconds of an outage that is tried too (make check-long).
set -eu
tmp=$(mktemp -d)
export KAFKA_ADMIN="$builddir/tests/kafka/admin" HEADRACE_PLUGIN_PATH=$builddir/.libs
headrace=$builddir/headrace broker=$srcdir/tests/kafka/broker.sh sample=$srcdir/pipelines/data/invoices.csv
job=
"$broker" start "$tmp" || exit $?
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; "$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
KAFKA_BROKERS=$(cat "$tmp/bootstrap")
export KAFKA_BROKERS

fail() { echo "faults: $*"; tail -5 "$STATE_DIR/err"; exit 1; }
produce() { INVOICES=$sample "$headrace" run "$srcdir/pipelines/produce_invoices.yaml" --checkpoint "$STATE_DIR/produce$RANDOM.db"; }
invoices() { sqlite3 -readonly "$STATE_DIR/invoices.db" 'select coalesce(sum(position), 0) from hr_positions' 2>/dev/null || echo 0; }
total() { sqlite3 -readonly "$STATE_DIR/invoices.db" "select printf('%.2f', sum(TotalSales)) from group_by"; }
# until CONDITION...: polls; the job must stay alive meanwhile
await() { until "$@"; do kill -0 $job 2>/dev/null || fail "the job ended while waiting for: $*"; sleep 0.05; done; }
counted() { [ "$(invoices)" -ge "$1" ]; }
said() { grep -qF -- "$1" "$STATE_DIR/err"; }
# scene NAME: a topic's name, a state folder
scene() { export TOPIC=$1 STATE_DIR=$tmp/$1; mkdir "$STATE_DIR"; }
stream() { "$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger 50ms "$@" >"$STATE_DIR/out" 2>"$STATE_DIR/err" & job=$!; }
finish() { # TOTAL
    kill -INT $job
    wait $job || fail "SIGINT ended the job with $?"
    job=
    [ "$(total)" = "$1" ] || fail "$TOPIC: total $(total), not $1"
}
once=282990593.57 twice=565981187.14

scene missing
"$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now >"$STATE_DIR/out" 2>"$STATE_DIR/err" && fail "available_now without the topic succeeded"
said "topic 'missing' does not exist" || fail "the missing topic is not named"
stream
await said "topic 'missing' does not exist at $KAFKA_BROKERS; waiting for it"
"$broker" topic "$tmp" missing 2
produce
await counted 10000
finish $once
[ "$(grep -c . "$STATE_DIR/err")" = 1 ] || fail "more than one line about the missing topic"

scene interrupted
stream
await said "does not exist"
kill -INT $job
wait $job || fail "SIGINT while waiting for a topic ended the job with $?"
job=

scene down
"$broker" topic "$tmp" down 2
"$broker" stop "$tmp"
stream
await said "$KAFKA_BROKERS"
"$broker" restart "$tmp"
produce
await counted 10000
"$broker" kill "$tmp"
await said "waiting"
sleep 15 # the outage: longer than requests that are given up early live, and they are not to take the job with them
"$broker" restart "$tmp"
produce
await counted 20000
finish $twice

scene grown
"$broker" topic "$tmp" grown 1
produce
stream
await counted 10000
"$broker" admin "$tmp" partitions grown 3
produce
await counted 20000
finish $twice

# partitions that come while records keep coming: the look for them must not wait for a quiet moment
scene busy
"$broker" topic "$tmp" busy 1
cat >"$STATE_DIR/load.yaml" <<-YAML
	version: 1
	name: load
	source: {generator: {rate: 2000, columns: {value: "concat('a', CAST(id AS STRING))"}}}
	sink: {kafka: {brokers: $KAFKA_BROKERS, topic: busy}}
	YAML
"$headrace" run "$STATE_DIR/load.yaml" 2>"$STATE_DIR/load.err" & load=$!
trap 'kill -9 $load $job 2>/dev/null; "$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
stream
await counted 1000
"$broker" admin "$tmp" partitions busy 3
partitions() { [ "$(sqlite3 -readonly "$STATE_DIR/invoices.db" 'select count(*) from hr_positions')" = "$1" ]; }
await partitions 3
kill -9 $load; wait $load 2>/dev/null || true
kill -INT $job
wait $job || fail "SIGINT ended the job with $?"
job=
trap '"$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT

scene lost
"$broker" topic "$tmp" lost 1
produce
stream
await counted 10000
finish $once
at=$(invoices) # 10000, or 10001 when the marker of the writer's transaction was passed too
produce
"$broker" admin "$tmp" trim lost 0 15000
"$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now >"$STATE_DIR/out" 2>"$STATE_DIR/err" && fail "lost records were passed over"
[ "$("$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now 2>&1 >/dev/null | grep -c "($((15000 - at)) records)")" = 1 ] || fail "the number of lost records is not named"
[ "$(invoices)" = "$at" ] || fail "a failed run moved the position to $(invoices)"
# the same length, so that only the last record tells; then shorter
scene remade
sed 's/^\( *\)starting_offsets: earliest/&\n\1on_data_loss: continue/' "$srcdir/pipelines/invoices.yaml" >"$STATE_DIR/continue.yaml"
grep -q on_data_loss "$STATE_DIR/continue.yaml" || fail "the pipeline is written in another way"
remake() { "$broker" admin "$tmp" delete "$TOPIC"; "$broker" topic "$tmp" "$TOPIC" 1; }
now() { "$headrace" run "$1" --trigger available_now >"$STATE_DIR/out" 2>"$STATE_DIR/err"; }
refused() { # TEXT
    local code=0
    now "$srcdir/pipelines/invoices.yaml" || code=$?
    [ $code = 5 ] || fail "a topic made anew: exit $code, not 5"
    said "$1" || fail "a topic made anew: not '$1'"
    [ "$(invoices)" = "$at" ] || fail "a failed run moved the position from $at to $(invoices)"
}
"$broker" topic "$tmp" remade 1
produce
now "$srcdir/pipelines/invoices.yaml" || fail "exit $?"
now "$srcdir/pipelines/invoices.yaml" || fail "the same topic again: exit $?"
[ "$(grep -c . "$STATE_DIR/err")" = 0 ] || fail "the same topic again: it says something"
at=$(invoices) # of a transaction's end, too
remake
produce
refused 'kafka: remade[0]: offset 9999 holds another record than was read there: was the topic made anew?'
now "$STATE_DIR/continue.yaml" || fail "on_data_loss: continue: exit $?"
said 'kafka: remade[0]: offset 9999 holds another record than was read there; reading it from its beginning' || fail "going on is not said"
[ "$(total)" = $twice ] || fail "remade: total $(total), not $twice"
remake
refused 'kafka: remade[0]: the checkpoint is at offset '"$at"', but the log ends at 0: was the topic made anew?'

# the same while the job runs
ended() { # TEXT: with exit 5
    local code=0
    wait $job || code=$?
    job=
    [ $code = 5 ] || fail "$TOPIC: exit $code, not 5"
    said "$1" || fail "$TOPIC: not '$1'"
    [ "$(total)" = $once ] || fail "$TOPIC: total $(total)"
}
scene shorter
"$broker" topic "$tmp" shorter 1
produce
stream
await counted 10000
remake
ended "is not in the log: was the topic made anew?" # at 10000, or 10001, as above
scene replaced
"$broker" topic "$tmp" replaced 1
produce
stream
await counted 10000
"$broker" admin "$tmp" delete replaced
await said "topic 'replaced' does not exist any more"
kill -STOP $job # it is not to look before the topic is as long as it was
"$broker" topic "$tmp" replaced 1
produce
kill -CONT $job
ended 'kafka: replaced[0]: offset 9999 holds another record than was read there: was the topic made anew?'

# killed and started again while the job reads
scene bounced
"$broker" topic "$tmp" bounced 2
stream
for n in 1 2 3 4 5; do
    "$builddir/tests/stream/produce" "$KAFKA_BROKERS" bounced "$sample" >/dev/null
    "$broker" kill "$tmp"
    "$broker" restart "$tmp"
done
await counted 50000
"$broker" kill "$tmp"
await said "waiting"
finish 1414952967.85 # while nobody is there
"$broker" restart "$tmp"

if [ -n "${OUTAGE:-}" ]; then
    scene outage
    "$broker" topic "$tmp" outage 2
    produce
    stream
    await counted 10000
    "$broker" kill "$tmp"
    await said "waiting"
    before=$(awk '/^VmHWM/ { print $2 }' /proc/$job/status)
    sleep "$OUTAGE" # not to wait for anything: this is the fault
    after=$(awk '/^VmHWM/ { print $2 }' /proc/$job/status)
    "$broker" restart "$tmp"
    produce
    await counted 20000
    finish $twice
    [ "$after" -lt $((before + 4096)) ] || fail "an outage of $OUTAGE s took the job from $before to $after KiB"
    echo "stream: an outage of $OUTAGE s: exact, $before KiB before it and $after after"
fi
guarantee() { echo "guarantee: $1 | kafka | $2 | $3 | tests/kafka/faults.sh"; }
guarantee 'topic not there yet' console 'waited for; available_now: exit 1, the topic named'
guarantee 'no broker at the start, broker away midway' console 'waited for, exact totals'
guarantee 'partition added' console 'found, read from its beginning'
guarantee 'offsets gone (retention)' console 'exit 5 naming partition and count; the position as it was'
guarantee 'topic made anew, job stopped' console 'exit 5 naming the partition; on_data_loss: continue reads it from its beginning'
guarantee 'topic made anew, job running' console 'exit 5 naming the partition'
guarantee 'SIGINT once, broker away' console 'exit 0, the epoch finished and published'
guarantee 'broker killed -9 and restarted, five times' console 'exact totals, no restart of the job'
echo "stream: topic missing, broker down, gone and back, partitions added, records lost, topic made anew, broker killed five times: waited or refused, all exact"
