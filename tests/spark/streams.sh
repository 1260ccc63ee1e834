#!/bin/bash
# The same pipelines on headrace and, exported, on real Spark, over the same topics of the same real broker: every file in
# pipelines/ that exports, and those in streams/. Then a job that begins on headrace and ends on Spark.
# SPARK: another version of Spark than pom.xml names. Exit code 77: no Java, Maven or Python here.
set -eu -o pipefail
here=$srcdir/tests/spark
headrace=$builddir/headrace broker=$srcdir/tests/kafka/broker.sh
sample=$srcdir/pipelines/data/invoices.csv fact=$srcdir/../shared/data/Fact_Invoice.csv
export KAFKA_ADMIN="$builddir/tests/kafka/admin" HEADRACE_PLUGIN_PATH=$builddir/.libs
spark=$("$here/pyspark.sh") || exit $?
jars=$("$here/pyspark.sh" jars) || exit $?
tmp=$(mktemp -d)
job=
"$broker" start "$tmp" || exit $?
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; "$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
KAFKA_BROKERS=$(cat "$tmp/bootstrap")
ODD=$here/streams/odd.csv
export KAFKA_BROKERS ODD
cd "$srcdir"

fail() { echo "spark: $*" >&2; exit 1; }

# submit PROGRAM ARGUMENT...: on Spark, which leaves things where it runs; prints what the program prints
submit() (
    cd "$tmp"
    TMPDIR=$tmp PATH=$spark/bin:$PATH nice spark-submit --master 'local[2]' --jars "$(echo "$jars"/*.jar | tr ' ' ,)" \
        --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=2 --conf spark.driver.host=127.0.0.1 \
        --conf spark.sql.warehouse.dir="$tmp/warehouse" --conf spark.local.dir="$tmp" "$@" 2>"$tmp/spark.log" ||
        { grep -E "Exception|Error" "$tmp/spark.log" | head -5 >&2; fail "$1 failed on Spark"; }
)

# bounded FILE: the pipeline with a trigger that ends and a console that shows all rows
bounded() { sed -E 's/^trigger:.*/trigger: available_now/; s/console: \{/console: {rows: 1000000, /' "$1"; }

# topic NAME CSV TIMES: a topic of two partitions with the rows of the file
topic() {
    "$broker" topic "$tmp" "$1" 2
    "$builddir/tests/stream/produce" -n "$3" "$KAFKA_BROKERS" "$1" "$2" >/dev/null
}

# records TOPIC: its values, read by this one reader whoever wrote them
records() {
    local columns
    columns=$(sed -n '/schema: >-/,/^operators/p' pipelines/produce_invoices.yaml | sed '1d;$d' | tr -d '\n')
    printf 'version: 1\nname: records\ntrigger: available_now\nsource: {kafka: {brokers: "%s", topic: %s, starting_offsets: earliest}}\noperators:\n  - from_json: {schema: "%s"}\nsink: {console: {format: json}}\n' \
        "$KAFKA_BROKERS" "$1" "$columns" >"$tmp/records.yaml"
    "$headrace" run "$tmp/records.yaml" 2>/dev/null | sed 's/,"/\t"/g' | sort
}

# cells FOLDER: what is in the files beneath it, without the headers of CSV
cells() { { find "$1" -name 'part-*.csv' -exec tail -qn +2 {} + ; find "$1" -name 'part-*json' -exec cat {} + ; } | sort; }

# same A B WHAT [DOUBLES]: DOUBLES are the numbers of the cells that may differ in their last digits
same() { awk -v doubles="${4:-}" -f "$here/same.awk" "$1" "$2" || fail "$3: headrace and Spark differ"; }

# doubles FILE: the numbers of the DOUBLE columns that the pipeline's last operator gives
doubles() {
    "$headrace" explain "$1" |
        awk '/^[^ ]/ { node++ } /^    [^ :]+ +[A-Z]/ { if (of != node) { of = node; n = 0; list = "" } n++; if ($2 == "DOUBLE") list = list n " " } END { print list }'
}

# both FILE: on headrace and on Spark
both() {
    local name may_differ=
    name=$(basename "$1" .yaml)
    export STATE_DIR=$tmp/state-$name
    mkdir "$STATE_DIR"
    bounded "$1" >"$tmp/$name.yaml"
    "$headrace" export --to spark "$tmp/$name.yaml" >"$tmp/$name.py" 2>"$tmp/$name.notes" || { echo "spark: $1 is not for Spark: $(head -1 "$tmp/$name.notes")"; return 0; }
    if grep -q 'writeStream.format("kafka")' "$tmp/$name.py"; then
        for side in headrace spark; do "$broker" topic "$tmp" "$name-$side" 2; done
        TOPIC=$name-headrace INVOICES=$sample "$headrace" run "$tmp/$name.yaml"
        TOPIC=$name-spark INVOICES=$sample submit "$tmp/$name.py" --checkpoint "$tmp/checkpoint-$name" >/dev/null
        for side in headrace spark; do records "$name-$side" >"$tmp/$name-$side"; done
    elif grep -q 'option("path"' "$tmp/$name.py"; then
        mkdir "$tmp/out-$name-headrace"
        TOPIC=invoices "$headrace" run "$tmp/$name.yaml" --data-dir "$tmp/out-$name-headrace" 2>"$tmp/err" || { cat "$tmp/err"; fail "$1 failed on headrace"; }
        TOPIC=invoices OUT=$tmp/out-$name-spark submit "$tmp/$name.py" --checkpoint "$tmp/checkpoint-$name" >/dev/null
        for side in headrace spark; do cells "$tmp/out-$name-$side" >"$tmp/$name-$side"; done
    else
        TOPIC=invoices "$headrace" run "$tmp/$name.yaml" | awk -f "$here/totals.awk" >"$tmp/$name-headrace"
        TOPIC=invoices submit "$tmp/$name.py" --checkpoint "$tmp/checkpoint-$name" | awk -f "$here/totals.awk" >"$tmp/$name-spark"
        may_differ=$(doubles "$tmp/$name.yaml")
    fi
    same "$tmp/$name-headrace" "$tmp/$name-spark" "$1" "$may_differ"
    echo "stream: $1 gives the same $(wc -l <"$tmp/$name-spark") rows on headrace and on Spark"
}

[ -f "$fact" ] || fact=$sample
topic invoices "$fact" 1
for file in pipelines/*.yaml tests/spark/streams/*.yaml; do both "$file"; done
[ "$(wc -l <"$tmp/invoices-spark")" = 500 ] || fail "invoices.yaml gives no 500 totals"

# A job that is stopped midway, exported with its state and finished on Spark, gives the totals of one run.
topic handed "$sample" 40
export TOPIC=handed STATE_DIR=$tmp/whole
mkdir "$STATE_DIR"
"$headrace" run "$tmp/net.yaml" | awk -f "$here/totals.awk" >"$tmp/handed-headrace"
STATE_DIR=$tmp/handed
mkdir "$STATE_DIR"
read_so_far() { sqlite3 -readonly "$STATE_DIR/net.db" 'select coalesce(sum(position), 0) from hr_positions where (select epoch from hr_meta) > 0' 2>/dev/null || echo 0; }
"$headrace" run tests/spark/streams/net.yaml --trigger 1ms --lanes 1 >"$tmp/out" 2>"$tmp/err" &
job=$!
until [ "$(read_so_far)" -gt 0 ]; do kill -0 $job || fail "the job ended by itself"; done
kill -TERM $job
wait $job || fail "SIGTERM ended the job with $?"
job=
at=$(read_so_far)
[ "$at" -lt 400000 ] || fail "the job read all 400000 records before it was stopped"
"$headrace" export --to spark "$tmp/net.yaml" --with-state "$tmp/totals" >"$tmp/handed.py" 2>"$tmp/err" || { cat "$tmp/err"; fail "no export with state"; }
[ -s "$tmp/totals/totals.json" ] || fail "no totals were handed over"
submit "$tmp/handed.py" --checkpoint "$tmp/checkpoint-handed" | awk -f "$here/totals.awk" >"$tmp/handed-spark"
same "$tmp/handed-headrace" "$tmp/handed-spark" "a job that moves to Spark" "$(doubles "$tmp/net.yaml")"
echo "stream: stopped on headrace after $at of 400000 records, finished on Spark: the totals of one run"

# Every aggregate over every type: the records of one file on headrace, then those of another on headrace and, from the same totals, on
# Spark. state: the same totals, as JSON, a row each.
state() { sed -n 's/^|\({.*}\) *|$/\1/p' | sort; }
send() {
    printf 'version: 1\nname: send\ntrigger: available_now\nsource: {file: {path: %s}}\nsink: {kafka: {brokers: "%s", topic: state}}\n' "$here/state/$1.ndjson" "$KAFKA_BROKERS" >"$tmp/send.yaml"
    "$headrace" run "$tmp/send.yaml" --checkpoint "$tmp/send-$1.db" 2>/dev/null
}
"$broker" topic "$tmp" state 2
export TOPIC=state STATE_DIR=$tmp/state
mkdir "$STATE_DIR"
send before
"$headrace" run tests/spark/state/pipeline.yaml >"$tmp/out" 2>"$tmp/err" || { cat "$tmp/err"; fail "the job with every aggregate ended with an error"; }
"$headrace" export --to spark tests/spark/state/pipeline.yaml --with-state "$tmp/state-totals" >"$tmp/state.py" 2>"$tmp/err" || { cat "$tmp/err"; fail "no export of every aggregate"; }
send after
"$headrace" run tests/spark/state/pipeline.yaml 2>/dev/null | state >"$tmp/state-headrace"
submit "$tmp/state.py" --checkpoint "$tmp/checkpoint-state" | state >"$tmp/state-spark"
same "$tmp/state-headrace" "$tmp/state-spark" "every aggregate that moves to Spark"
echo "stream: every aggregate over every type went on on Spark: the same $(wc -l <"$tmp/state-spark") totals"
