# shellcheck shell=bash disable=SC2154
# The invoice job over the topic: headrace, a consumer that only counts, and the peers.

section_kafka() {
    need_topic stream "$times"
    rounds headrace_2 tuned headrace_1 default spark streams bytewax bytewax_batched
}

headrace_on() { # TOPIC LANES [MEASURE-OPTION...]
    local from=$1 lanes=$2
    shift 2
    TOPIC=$from STATE_DIR=$state measured "$@" \
        "$headrace" run "$top/pipelines/invoices.yaml" --trigger available_now --lanes "$lanes" &&
        totals "$state/invoices.db" >"$state/totals"
}

run_headrace_1() { headrace_on stream 1 && same "$state/totals" "$times"; }
run_headrace_2() { headrace_on stream 2 && same "$state/totals" "$times"; }

bare() {
    measured -o "$state/out" "$build/bench/consumer" "$KAFKA_BROKERS" stream 2 "$1" && cat "$state/out" &&
        grep -q " $(grep -o 'records=[0-9]* bytes=[0-9]*' "$broker/has-stream") " "$state/out"
}
run_tuned() { bare tuned; }
run_default() { bare default; }

spark_on() { # TOPIC OUT [MEASURE-OPTION...]
    local from=$1 out=$2
    shift 2
    measured -o "$out" "$@" "$cache/bench-python/bin/python" "$bench/peers/invoices_spark.py" "$KAFKA_BROKERS" "$from" \
        "$state/checkpoint" "$(echo "$cache"/bench-spark/*.jar | tr ' ' ',')"
}
# spark_totals FILE: the rows of its last table
spark_totals() { sed -n 's/^\(.* \)\{0,1\}|\([0-9]*\) *|\([0-9.E+-]*\) *|\([0-9.E+-]*\) *|$/\2|\3|\4/p' "$1"; }
run_spark() {
    spark_on stream "$state/out" && spark_totals "$state/out" >"$state/totals" && same "$state/totals" "$times"
}

run_streams() {
    local id=invoices-$RANDOM$RANDOM
    measured -o "$state/totals" java -cp "$build/streams:$cache/bench-streams/*" InvoiceStreams \
        "$KAFKA_BROKERS" stream "$id" "$state/streams" "$records" &&
        "$top/tests/kafka/broker.sh" admin "$broker" delete "$id-seller-repartition" &&
        "$top/tests/kafka/broker.sh" admin "$broker" delete "$id-totals-changelog" &&
        same "$state/totals" "$times"
}

# With its recovery store, as headrace keeps a checkpoint
bytewax() { # FLOW
    local python=$cache/bench-python/bin/python
    mkdir "$state/out" "$state/recovery" && "$python" -m bytewax.recovery "$state/recovery" 2 &&
        PYTHONPATH=$bench/peers PYTHONDONTWRITEBYTECODE=1 TOPIC=stream OUT=$state/out \
            measured "$python" -m bytewax.testing -p 2 -r "$state/recovery" -s 5 -b 0 "invoices_bytewax:$1()" &&
        cat "$state"/out/* >"$state/totals" && same "$state/totals" "$times"
}
run_bytewax() { bytewax flow; }
run_bytewax_batched() { bytewax batched; }
