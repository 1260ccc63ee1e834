# shellcheck shell=bash disable=SC2154
# From producing a record to reading its effect on the console: trigger 100ms, mode update, at three rates.

section_latency() {
    need_broker
    rounds rate_1000 rate_10000 rate_100000
}

run_rate() {
    local name=latency-$1-$RANDOM$RANDOM
    topic "$name" 2
    figures=$(TOPIC=$name STATE_DIR=$state "$build/bench/latency" "$KAFKA_BROKERS" "$name" 2 "$1" 10 \
        "$headrace" run "$bench/pipelines/latency.yaml") &&
        "$top/tests/kafka/broker.sh" admin "$broker" delete "$name" &&
        query "$state/latency.db" 'select count(*), sum(n) from group_by' "500|$((500 + $1 * 10))"
}
run_rate_1000() { run_rate 1000; }
run_rate_10000() { run_rate 10000; }
run_rate_100000() { run_rate 100000; }
