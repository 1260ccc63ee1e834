#!/bin/bash
# The two halves of the invoice job over the embedded broker, and the cases of tests/cases: no Java, no network.
set -eu
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
export STATE_DIR=$tmp INVOICES=$srcdir/pipelines/data/invoices.csv

mkfifo "$tmp/address"
"$headrace" broker --topic invoices:2 --topic columns:1 --topic held:1 --topic empty:1 >"$tmp/address" &
broker=$!
read -r KAFKA_BROKERS <"$tmp/address"
export KAFKA_BROKERS
"$headrace" run "$srcdir/pipelines/produce_invoices.yaml"
"$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now >"$tmp/out"
totals() { sqlite3 -readonly "$tmp/invoices.db" \
    "select count(*), printf('%.2f', sum(TotalSales)), printf('%.2f', sum(TotalTax)) from group_by"; }
[ "$(totals)" = "500|282990593.57|37804957.54" ] || { echo "wrong totals: $(totals)"; exit 1; }
grep -q '^|1 *|710441.58 *|94607.62 *|$' "$tmp/out" || { echo "wrong table"; cat "$tmp/out"; exit 1; }

# what waits, as the source says it
"$headrace" check --connect "$srcdir/pipelines/invoices.yaml" >"$tmp/checked"
grep -q 'invoices.yaml: kafka: can be opened$' "$tmp/checked" || { cat "$tmp/checked"; exit 1; }
"$headrace" run "$srcdir/pipelines/produce_invoices.yaml" --checkpoint "$tmp/again.db"
"$headrace" state --connect "$srcdir/pipelines/invoices.yaml" >"$tmp/state"
grep -qx '  lag: 10000 records' "$tmp/state" || { echo "wrong lag"; cat "$tmp/state"; exit 1; }
# on a terminal: one live line
script -qec "'$headrace' run '$srcdir/pipelines/invoices.yaml' --trigger available_now" /dev/null >"$tmp/terminal"
grep -qaE 'invoices: epoch 2, 10000 rows \([0-9]+/s\), lag 0, 500 groups, [0-9]+ MiB' "$tmp/terminal" || { cat -A "$tmp/terminal"; exit 1; }
[ "$(totals)" = "500|565981187.14|75609915.08" ] || { echo "wrong totals: $(totals)"; exit 1; }

# a second run finds nothing new, prints nothing and changes nothing
"$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now >"$tmp/again"
[ ! -s "$tmp/again" ] || { echo "a run without new data printed"; cat "$tmp/again"; exit 1; }
[ "$(totals)" = "500|565981187.14|75609915.08" ] || { echo "totals changed: $(totals)"; exit 1; }

# what comes in while available_now reads is left to the next run: the job is held up by a reader that does not read
fill() { # COUNT
    cat >"$tmp/fill.yaml" <<-YAML
	version: 1
	name: fill
	source: {generator: {rows: $1, columns: {value: "concat('a record that is not short: ', CAST(id AS STRING))"}}}
	sink: {kafka: {brokers: $KAFKA_BROKERS, topic: held}}
	YAML
    "$headrace" run "$tmp/fill.yaml" 2>/dev/null
}
cat >"$tmp/held.yaml" <<YAML
version: 1
name: held
trigger: available_now
checkpoint: $tmp/held.db
source: {kafka: {brokers: $KAFKA_BROKERS, topic: held, starting_offsets: earliest, config: {debug: fetch}}}
sink: {console: {format: json}}
YAML
fill 20000
mkfifo "$tmp/held"
"$headrace" run "$tmp/held.yaml" --lanes 1 >"$tmp/held" 2>"$tmp/log" &
exec 3<"$tmp/held"
head -c 1 <&3 >/dev/null
fill 10
# asked for twice: the ten have come, and so has the end behind them
until [ "$(grep -c 'at offset 20010' "$tmp/log")" -ge 2 ]; do kill -0 $!; sleep 0.05; done
cat <&3 >"$tmp/first"
exec 3<&-
wait $!
"$headrace" run "$tmp/held.yaml" >"$tmp/second" 2>"$tmp/log"
rows() { grep -c 'a record' "$1" || true; }
[ "$(rows "$tmp/first") $(rows "$tmp/second")" = "20000 10" ] || { echo "read $(rows "$tmp/first") records, then $(rows "$tmp/second")"; exit 1; }

# an empty text goes out as one and comes back as one: a null would be a tombstone
printf '{"k":"%s","s":""}\n' '' a >"$tmp/empty.ndjson"
cat >"$tmp/empty.yaml" <<YAML
version: 1
name: empty
trigger: available_now
source: {file: {path: $tmp/empty.ndjson, format: ndjson, schema: "k STRING, s STRING"}}
operators:
  - group_by: {keys: [k], aggregates: {value: max(s), least: min(k)}}
sink: {kafka: {brokers: $KAFKA_BROKERS, topic: empty, mode: update, key: least}}
YAML
"$headrace" run "$tmp/empty.yaml" 2>/dev/null
sed 's/name: held/name: full/; s/topic: held/topic: empty/; s/^checkpoint.*//' "$tmp/held.yaml" >"$tmp/full.yaml"
"$headrace" run "$tmp/full.yaml" 2>/dev/null | sort >"$tmp/full"
[ "$(cut -d, -f1,2 "$tmp/full")" = '{"key":"","value":""
{"key":"a","value":""' ] ||
    { echo "an empty text became a null"; cat "$tmp/full"; exit 1; }

# with one partition it is known where each record lies
TOPIC=columns "$headrace" run "$srcdir/pipelines/produce_invoices.yaml" --checkpoint "$tmp/columns.db"
"$srcdir/tests/cases.sh" "$headrace" "$srcdir/tests/cases"

# a broker that goes away while records come does not hold up the exit
sed -i 's/rows: 10,/rate: 20000,/' "$tmp/fill.yaml"
"$headrace" run "$tmp/fill.yaml" 2>"$tmp/log" &
load=$!
"$headrace" run "$tmp/held.yaml" --trigger 10ms >"$tmp/out" 2>"$tmp/err" &
job=$!
until [ "$(rows "$tmp/out")" -gt 1000 ]; do kill -0 $job; sleep 0.05; done
kill -9 $broker $load
wait $broker $load 2>/dev/null || true
broker=
until grep -q 'can be reached; waiting' "$tmp/err"; do kill -0 $job; sleep 0.05; done
kill -INT $job
timeout 30 tail --pid=$job -f /dev/null || { kill -9 $job; echo "SIGINT while the broker is away: the job goes on"; exit 1; }
wait $job

# an epoch that was committed and not published waits for a broker that lets nobody in, as the job does
"$headrace" broker --topic held:1 >"$tmp/address" 2>"$tmp/knocks" &
broker=$!
read -r KAFKA_BROKERS <"$tmp/address"
rm -f "$tmp/fill.yaml"
fill 10
again() { # PROTOCOL TRIGGER OUTPUT
    sed "s/brokers: [^,]*/brokers: \"$KAFKA_BROKERS\"/; s/debug: fetch/security.protocol: $1/; s/available_now/$2/" "$tmp/held.yaml" >"$tmp/again.yaml"
    exec "$headrace" run "$tmp/again.yaml" --checkpoint "$tmp/unshown.db" >"$3" 2>"$tmp/err"
}
unshown() { sqlite3 "$tmp/unshown.db" "select sum(position) || ' read, ' || (hr_meta.epoch - published) || ' unshown' from hr_positions, hr_meta"; }
! (again plaintext available_now /dev/full) || { echo "a full disk was not noticed"; exit 1; }
[ "$(unshown)" = '10 read, 1 unshown' ] || { echo "before the broker shuts its door: $(unshown)"; exit 1; }
again ssl 1s "$tmp/out" &
job=$!
until [ "$(grep -c 'Invalid ApiKey' "$tmp/knocks")" -ge 35 ]; do # one a second; available_now gives up after 30
    kill -0 $job 2>/dev/null || { echo "an epoch to be read again did not wait for its broker"; cat "$tmp/err"; exit 1; }
    sleep 0.05
done
kill -INT $job
wait $job || { echo "SIGINT while an epoch to be read again waits: exit $?"; exit 1; }
[ ! -s "$tmp/out" ] && [ "$(unshown)" = '10 read, 1 unshown' ] || { echo "published without its records"; exit 1; }
