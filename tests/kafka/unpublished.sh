#!/bin/bash
# An epoch that was committed and not published, on a real broker: it waits for a broker that is away; records that retention
# took are named; and what changes while the epoch is read again ends it. (tests/unpublished.sh: kills, the embedded broker.)
set -eu
tmp=$(mktemp -d)
export KAFKA_ADMIN="$builddir/tests/kafka/admin" HEADRACE_PLUGIN_PATH=$builddir/.libs
headrace=$builddir/headrace broker=$srcdir/tests/kafka/broker.sh
job=
"$broker" start "$tmp" || exit $?
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null || :; "$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
KAFKA_BROKERS=$(cat "$tmp/bootstrap")
export KAFKA_BROKERS
cd "$tmp" || exit 1
what=
fail() { echo "unpublished: $what: $*"; tail -5 err; exit 1; }
guarantee() { echo "guarantee: $1 | kafka | console | $2 | tests/kafka/unpublished.sh"; }

# Transactions of a writer: positions are past the last record. Small batches: little is read ahead where little is asked for.
cat >fill.yaml <<'YAML'
version: 1
name: fill
trigger: available_now
checkpoint: "${FILL}"
source: {generator: {rows: "${ROWS}", columns: {value: "concat('a record that is not short: ', CAST(id AS STRING), ' ${MARK}')"}}}
sink: {kafka: {brokers: "${KAFKA_BROKERS}", topic: t, config: {batch.num.messages: 100}}}
YAML
cat >read.yaml <<'YAML'
version: 1
name: read
trigger: available_now
checkpoint: read.db
source:
  kafka: {brokers: "${KAFKA_BROKERS}", topic: t, starting_offsets: earliest, on_data_loss: "${LOSS:-fail}",
          config: {queued.min.messages: "${AHEAD:-40000}", fetch.message.max.bytes: 20000}}
sink: {console: {format: json}}
YAML
fills=0
fill() { fills=$((fills + 1)); FILL=fill$fills.db ROWS=$1 MARK=$2 "$headrace" run fill.yaml 2>fill.err || fail "the writer ended with $?: $(cat fill.err)"; }
topic() { [ $fills = 0 ] || "$broker" admin "$tmp" delete t; "$broker" topic "$tmp" t 1; } # made anew
run() { "$headrace" run read.yaml --lanes 1 >out 2>err; }
rows() { grep -c "$1" out || true; }
unpublished() { [ "$(sqlite3 read.db 'select epoch - published from hr_meta')" = 1 ]; }
unpublish() { "$builddir/tests/unpublish" read.db; } # as a kill leaves it
lost() { # COMMAND...: exit 5, and the epoch as it was
    local code=0
    "$@" || code=$?
    [ $code = 5 ] || fail "exit $code, not 5"
    unpublished || fail "it counts as published"
}
said() { [ "$(grep -cF -- "$1" err)" = 1 ] && [ "$(wc -l <err)" = 1 ] || fail "not '$1' alone"; }

# A topic made anew, and an epoch of it that has all of "two" and was not published. The console shows its rows when there are
# some more; available_now would end an epoch each second.
fresh() {
    rm -f read.db*
    topic
    fill 1000 one
    run || fail "exit $?"
    fill 20000 two
    fill 2000 more
    "$headrace" run read.yaml --lanes 1 --trigger 1h >out 2>err &
    job=$!
    until [ "$(rows two)" = 20000 ]; do kill -0 $job 2>/dev/null || fail "the job ended"; done
    kill -INT $job
    wait $job || fail "exit $?"
    job=
    unpublish
    from=$(sqlite3 read.db 'select position_before from hr_positions')
    to=$(sqlite3 read.db 'select position from hr_positions')
    later=$(grep two out | sed 's/.*"offset":\([0-9]*\).*/\1/' | awk '$1 >= 11000' | wc -l)
}

what='a broker that is away'
fresh
"$broker" kill "$tmp"
"$headrace" run read.yaml --lanes 1 >out 2>err &
job=$!
until grep -q 'can be reached; waiting' err; do kill -0 $job 2>/dev/null || fail "it did not wait"; done
"$broker" restart "$tmp"
wait $job || fail "exit $?"
job=
[ "$(rows two)" = 20000 ] && [ "$(rows one)" = 0 ] && ! unpublished || fail "$(rows two) records of $(wc -l <out)"
guarantee 'an epoch to be read again, no broker' 'waited for, then read again'

what='records that are gone'
fresh
cp read.db kept.db
"$broker" admin "$tmp" trim t 0 11000
lost run
said "kafka: t[0]: offsets $from to 10999 are gone ($((11000 - from)) records); on_data_loss: continue goes on without them"
[ ! -s out ] || fail "something is shown"
LOSS=continue run || fail "on_data_loss: continue: exit $?"
[ "$(rows two)" = "$later" ] || fail "on_data_loss: continue: $(rows two) records, not $later"
mv kept.db read.db
"$broker" admin "$tmp" trim t 0 "$to"
lost run
said "kafka: t[0]: offsets $from to $((to - 1)) are gone ($((to - from)) records); on_data_loss: continue goes on without them"
LOSS=continue run || fail "on_data_loss: continue: exit $?"
[ "$(rows two)" = 0 ] || fail "on_data_loss: continue: $(rows two) records"
guarantee 'an epoch to be read again, offsets gone (retention)' 'exit 5 naming partition and count; on_data_loss: continue: what is left of it'

what='a partition that was new in it, and begins behind offset 0'
rm -f read.db*
topic
fill 100 one
run || fail "exit $?"
"$broker" admin "$tmp" partitions t 2
end() { "$broker" admin "$tmp" offsets t | awk '$1 == 1 { print $3 }'; }
until [ "$(end)" -ge 40 ]; do fill 200 two; done # each batch goes to any partition
"$broker" admin "$tmp" trim t 1 20
until [ "$(sqlite3 read.db 'select count(*) from hr_positions')" = 2 ]; do run || fail "exit $?"; done # the broker may not know it at once
cp out first
"$builddir/tests/unpublish" read.db
run || fail "exit $?"
[ "$(rows '"partition":1')" -gt 0 ] || fail "nothing of the new partition"
tail -n "$(wc -l <out)" first | cmp - out || fail "read again it is another epoch"
guarantee 'an epoch to be read again, a partition new in it' 'read again from where it began'

# the reader of the console holds it up, some of the epoch being read; then the topic is another one
blocked() { [ "$(cut -d' ' -f1,2 /proc/$job/syscall 2>/dev/null)" = '1 0x1' ]; } # write(1
mkfifo pipe
halfway() { # RECORDS
    AHEAD=1 "$headrace" run read.yaml --lanes 1 >pipe 2>err &
    job=$!
    exec 3<pipe
    until blocked; do kill -0 $job 2>/dev/null || fail "the job ended"; done
    topic
    [ "$1" = 0 ] || fill "$1" other
    cat <&3 >out
    exec 3<&-
    local code=0
    wait $job || code=$?
    job=
    return $code
}
for n in 0 15000 25000; do
    for LOSS in fail continue; do
        what="$n other records while it is read again, $LOSS"
        LOSS=fail fresh
        export LOSS
        lost halfway $n
        grep -q 'error: kafka: t\[0\]: offset [0-9]* .*: was the topic made anew?' err || fail "it is not named"
        [ "$(rows two)" -gt 100 ] || fail "nothing was read yet"
    done
done
guarantee 'topic made anew while an epoch is read again' 'exit 5 naming the partition; the epoch stays unpublished'
echo "stream: an epoch to be read again: broker away, records gone, topic made anew meanwhile: waited for or refused"
