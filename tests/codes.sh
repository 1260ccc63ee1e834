#!/bin/bash
# Answers of a broker that are errors (tests/codes.c): those that pass are tried again, and every record is there once; one
# that does not pass ends the job with its name.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
die() { echo "codes: $*"; [ ! -s err ] || tail -3 err; exit 1; }
guarantee() { echo "guarantee: $1 | $2 | $3 | $4 | tests/codes.sh"; }

cat >produce.yaml <<'YAML'
version: 1
name: produce
source: {generator: {rows: 1000, columns: {key: "concat('k', id)", value: CAST(id AS STRING)}}}
sink: {kafka: {brokers: "${BROKERS}", topic: codes}}
YAML
cat >read.yaml <<'YAML'
version: 1
name: read
trigger: available_now
checkpoint: read.db
source: {kafka: {brokers: "${BROKERS}", topic: codes, starting_offsets: earliest}}
operators: [{select: {columns: {id: CAST(value AS INT)}}}]
sink: {console: {format: json}}
YAML
mkfifo address
serve() { # REQUEST CODE...
    "$builddir/tests/codes" codes:2 "$@" >address &
    broker=$!
    read -r BROKERS <address
    export BROKERS
    rm -f read.db*
}
stop() { kill $broker && wait $broker; broker=; }
run() { "$headrace" run "$1" >out 2>err; }
every_record_once() { # WHAT
    run read.yaml || die "$1: the reader ended with $?"
    [ "$(sed 's/[^0-9]//g' out | sort -n)" = "$(seq 0 999)" ] || die "$1: $(wc -l <out) records, or not each once"
}
# by number and name: the request, and the error of its first three answers
passes() {
    serve "$1" "$2" "$2" "$2"
    run produce.yaml || die "$3 to $1: the writer ended with $?"
    every_record_once "$3 to $1"
    stop
}
for request in fetch produce; do
    passes $request 6 NOT_LEADER_FOR_PARTITION
    passes $request 3 UNKNOWN_TOPIC_OR_PART
    passes $request 7 REQUEST_TIMED_OUT
done
guarantee 'leader moved, partition not known, time-out: the first three answers' kafka console 'tried again, every record once'
guarantee 'leader moved, partition not known, time-out: the first three answers' generator kafka 'tried again, every record once'

serve produce 10
run produce.yaml && die "MSG_SIZE_TOO_LARGE: the writer passed over it"
[ "$(grep -c error err)" = 1 ] && grep -q 'error: kafka: .*Message size too large' err || die "MSG_SIZE_TOO_LARGE is not named"
guarantee 'message too large for the broker' generator kafka 'exit 1, the failure named'
stop
serve fetch 29
run produce.yaml || die "TOPIC_AUTHORIZATION_FAILED to fetch: the writer ended with $?"
run read.yaml && die "TOPIC_AUTHORIZATION_FAILED: the reader passed over it"
[ "$(wc -l <err)" = 1 ] && grep -q 'error: kafka: codes\[[01]\]@0: .*authorization failed' err || die "TOPIC_AUTHORIZATION_FAILED is not named"
guarantee 'not authorized for the topic' kafka console 'exit 1, the failure named with its place'
stop
echo "codes: eight errors of a broker: tried again or named"
