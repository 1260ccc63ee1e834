#!/bin/bash
# What the kafka source promises, on a real broker: its columns, where it starts, that aborted records are never
# seen, that a kill before the first epoch loses nothing under "latest", the consumer group as a mirror, and TLS with
# SASL through `config`.
set -eu
tmp=$(mktemp -d)
export KAFKA_ADMIN="$builddir/tests/kafka/admin" HEADRACE_PLUGIN_PATH=$builddir/.libs
headrace=$builddir/headrace broker=$srcdir/tests/kafka/broker.sh sample=$srcdir/pipelines/data/invoices.csv
job=
"$broker" start "$tmp" secure || exit $?
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; "$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
KAFKA_BROKERS=$(cat "$tmp/bootstrap")
export KAFKA_BROKERS
cd "$tmp"

fail() { echo "source: $*"; tail -5 err 2>/dev/null; exit 1; }
# same NAME <WANTED: the file `got` holds these lines
same() { diff - got || fail "$1"; }

# fill TOPIC FIRST COUNT [VALUE]: records with key k<id>, in the order of the ids
fill() {
    cat >fill.yaml <<-YAML
	version: 1
	name: fill
	source: {generator: {rows: $3, columns: {key: "concat('k', id + $2)", value: "${4:-concat('{\\\"n\\\":', id + $2, '\}')}"}}}
	sink: {kafka: {brokers: $KAFKA_BROKERS, topic: $1}}
	YAML
    "$headrace" run fill.yaml 2>err || fail "nothing was produced to $1"
}
# read_topic TOPIC "SOURCE OPTIONS" "SELECT" [RUN OPTION...]: rows as JSON in `got`
read_topic() {
    cat >read.yaml <<-YAML
	version: 1
	name: read
	trigger: available_now
	checkpoint: $1.db
	source: {kafka: {brokers: $KAFKA_BROKERS, topic: $1, $2}}
	operators: [{from_json: {schema: n INT, keep: [key, topic, partition, offset, timestamp]}}, {select: {columns: [$3]}}]
	sink: {console: {format: json}}
	YAML
    "$headrace" run read.yaml "${@:4}" >got 2>err
}

"$broker" topic "$tmp" columns 1
fill columns 0 2
fill columns 2 1 'CAST(NULL AS STRING)'
read_topic columns 'starting_offsets: earliest' 'n, key, topic, partition, offset'
same "columns" <<'JSON'
{"n":0,"key":"k0","topic":"columns","partition":0,"offset":0}
{"n":1,"key":"k1","topic":"columns","partition":0,"offset":1}
{"n":null,"key":"k2","topic":"columns","partition":0,"offset":2}
JSON
rm columns.db
read_topic columns 'starting_offsets: earliest' timestamp
grep -qE "\"$(date -u +%Y)-[0-9-]+[ T][0-9:.]+" got || fail "no timestamp of today: $(cat got)"

# a number for each partition, and numbers that cannot be
"$broker" topic "$tmp" numbers 2
fill numbers 0 40
end() { "$broker" admin "$tmp" offsets numbers | awk -v p="$1" '$1 == p { print $3 }'; }
read_topic numbers "starting_offsets: {0: $(end 0), 1: $(($(end 1) - 2))}" 'partition, offset'
same "starting offsets by partition" <<JSON
{"partition":1,"offset":$(($(end 1) - 2))}
{"partition":1,"offset":$(($(end 1) - 1))}
JSON
rm numbers.db
read_topic numbers "starting_offsets: {0: 1}" n && fail "a partition without a starting offset was read"
grep -q 'starting_offsets does not name partition 1' err || fail "the partition without a starting offset is not named"
read_topic numbers "starting_offsets: {0: 1, 1: 1, 2: 1}" n && fail "a partition that is not there was named"
grep -q "topic 'numbers' has 2 partitions: starting_offsets names partition 2" err || fail "the partition that is not there is not named"
read_topic numbers "starting_offsets: {0: 1, 1: 99}" n && fail "a starting offset beyond the end was taken"
grep -q 'numbers\[1\]: starting offset 99 is not between 0 and' err || fail "the starting offset beyond the end is not named"

# latest: what came before is not read; what comes after a start that was killed before its first epoch is
"$broker" topic "$tmp" latest 1
fill latest 0 5
read_topic latest 'starting_offsets: latest' n
[ ! -s got ] || fail "latest read what was there before"
rm -f latest.db
"$headrace" run read.yaml --trigger 1h >got 2>err &
job=$!
placed() { [ "$(sqlite3 -readonly latest.db 'select count(*) from hr_positions' 2>/dev/null || echo 0)" = 1 ]; }
end_of_patience=$((SECONDS + 60))
until placed; do
    kill -0 $job || fail "the job ended"
    [ $SECONDS -lt $end_of_patience ] || fail "the starting offset is not in the checkpoint"
done
kill -9 $job
wait $job 2>/dev/null || true
job=
fill latest 5 3
"$headrace" run read.yaml >got 2>err
same "latest after a kill before the first epoch" <<'JSON'
{"n":5}
{"n":6}
{"n":7}
JSON

# the consumer group follows the checkpoint, for lag tools
"$headrace" run read.yaml --trigger 50ms >got 2>err &
job=$!
fill latest 8 2
end_of_patience=$((SECONDS + 60))
until [ "$("$broker" admin "$tmp" committed latest headrace-read)" = 10 ]; do
    kill -0 $job || fail "the job ended"
    [ $SECONDS -lt $end_of_patience ] || fail "the group is at $("$broker" admin "$tmp" committed latest headrace-read), not 10"
done
kill -INT $job
wait $job || fail "SIGINT ended the job with $?"
job=

# aborted records are never seen, and a topic that ends with them has an end
"$broker" topic "$tmp" aborted 1
for end in abort commit abort; do "$builddir/tests/stream/produce" -t $end "$KAFKA_BROKERS" aborted "$sample" >/dev/null; done
STATE_DIR=$tmp TOPIC=aborted "$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now >got 2>err || fail "aborted"
total=$(sqlite3 -readonly invoices.db "select printf('%.2f', sum(TotalSales)) from group_by")
[ "$total" = 282990593.57 ] || fail "with aborted transactions the total is $total"

# TLS and SASL
secure="security.protocol: SASL_SSL, ssl.ca.location: $tmp/ca.pem, sasl.mechanisms: PLAIN, sasl.username: headrace"
KAFKA_BROKERS=$(cat secure)
rm columns.db
PASSWORD=$(cat password) read_topic columns "starting_offsets: earliest, config: {$secure, sasl.password: \"\${PASSWORD}\"}" n || fail "TLS and SASL"
printf '{"n":0}\n{"n":1}\n{"n":null}\n' | same "TLS and SASL"
rm columns.db
PASSWORD=wrong-Pa55 read_topic columns "starting_offsets: earliest, config: {$secure, sasl.password: \"\${PASSWORD}\"}" n && fail "a wrong password was taken"
grep -q 'error: kafka: refused by .*authentication' err || fail "a wrong password is not named"
! grep -q wrong-Pa55 err || fail "the password is shown"
echo "guarantee: aborted transactions of a producer | kafka | console | never counted | tests/kafka/source.sh"
echo "guarantee: kill -9 before the first epoch, starting at latest | kafka | console | what came after the start is read | tests/kafka/source.sh"
echo "stream: source: columns, starting offsets, a kill under latest, aborted transactions, TLS and SASL"
