#!/bin/bash
# The invoice job on a real broker: both pipelines, then the sample TIMES times over two partitions, drained in one
# run and compared with an independent sum, bit for bit; then the kill test in each mode.
# KILLS: kills that hit, a mode. TIMES: copies of the sample.
set -eu
tmp=$(mktemp -d)
export KAFKA_ADMIN="$builddir/tests/kafka/admin" HEADRACE_PLUGIN_PATH=$builddir/.libs
headrace=$builddir/headrace broker=$srcdir/tests/kafka/broker.sh
kills=${KILLS:-20} times=${TIMES:-200}
sample=$srcdir/pipelines/data/invoices.csv
fact=$srcdir/../shared/data/Fact_Invoice.csv
"$broker" start "$tmp" || exit $?
trap '"$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
KAFKA_BROKERS=$(cat "$tmp/bootstrap")
export KAFKA_BROKERS

# view DB: every total to the last bit
view() { sqlite3 -readonly "$1" 'select SellerID, hex(ieee754_to_blob(TotalSales)), hex(ieee754_to_blob(TotalTax)) from group_by'; }

# job FILE WANTED: through both pipelines
job() {
    local state=$tmp/job-$3
    mkdir "$state"
    "$broker" topic "$tmp" "$3" 2
    export STATE_DIR=$state INVOICES=$1 TOPIC=$3
    "$headrace" run "$srcdir/pipelines/produce_invoices.yaml"
    "$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now >"$state/out"
    got=$(sqlite3 -readonly "$state/invoices.db" "select count(*), printf('%.2f', sum(TotalSales)) from group_by")
    [ "$got" = "$2" ] || { echo "$1: $got, not $2"; exit 1; }
}
job "$sample" '500|282990593.57' sample
if [ -f "$fact" ]; then
    job "$fact" '500|282386839.43' fact
    seller=$(sqlite3 -readonly "$tmp/job-fact/invoices.db" 'select TotalSales, TotalTax from group_by where SellerID = 442')
    [ "$seller" = '578579.74|76079.39' ] || { echo "seller 442: $seller"; exit 1; }
fi
echo "stream: both pipelines give the totals"

"$broker" topic "$tmp" stream 2
"$builddir/tests/stream/produce" -n "$times" "$KAFKA_BROKERS" stream "$sample" >"$tmp/produced"
mkdir "$tmp/whole"
TOPIC=stream STATE_DIR=$tmp/whole "$headrace" run "$srcdir/pipelines/invoices.yaml" --trigger available_now >"$tmp/whole/out"
"$builddir/tests/stream/expected" -f bits "$sample" "$times" >"$tmp/wanted"
view "$tmp/whole/invoices.db" >"$tmp/whole/view"
diff "$tmp/wanted" "$tmp/whole/view" >"$tmp/difference" || { head -5 "$tmp/difference"; echo "the stream's totals differ"; exit 1; }
echo "stream: $times copies over two partitions, every total the correctly rounded sum"

for lanes in 1 4; do
    for trigger in 100ms available_now; do
        "$srcdir/tests/kill.sh" "$headrace" "$srcdir/pipelines/invoices.yaml" "$KAFKA_BROKERS" stream "$kills" "$trigger" "$lanes"
    done
done
