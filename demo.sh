#!/bin/bash
# The invoice job as a user sees it: 10,000 invoices from a CSV file into a Kafka topic (librdkafka's embedded
# broker), totals by seller, killed with -9 halfway, resumed, and the totals checked.
set -eu
cd "$(dirname "$0")"
[ ! -e config.status ] || { echo "this folder is configured itself, so nothing can be built beside it: make distclean"; exit 1; }
build-aux/install-packages.sh gcc make autoconf automake libtool pkg-config check \
    librdkafka-dev libjsmn-dev libsqlite3-dev libyaml-dev libxxhash-dev zlib1g-dev sqlite3

say() { printf '\n== %s\n' "$*"; }

if [ ! -x build/demo/headrace ]; then
    say "building"
    mkdir -p build/demo
    [ -x configure ] || autoreconf -fi >build/demo/log 2>&1 || { tail build/demo/log; exit 1; }
    (cd build/demo && ../../configure && make -j2 headrace modules) >>build/demo/log 2>&1 || { tail build/demo/log; exit 1; }
fi
headrace=$PWD/build/demo/headrace
export HEADRACE_PLUGIN_PATH=$PWD/build/demo/.libs
STATE_DIR=$(mktemp -d)
export STATE_DIR
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$STATE_DIR"' EXIT

say "an embedded Kafka broker"
mkfifo "$STATE_DIR/address"
"$headrace" broker --topic invoices:2 >"$STATE_DIR/address" &
broker=$!
read -r KAFKA_BROKERS <"$STATE_DIR/address"
export KAFKA_BROKERS
echo "listening on $KAFKA_BROKERS"

# produce FILE: into the topic
produce() { INVOICES=$1 "$headrace" run pipelines/produce_invoices.yaml --checkpoint "$1.db"; }
counted() { sqlite3 -readonly "$STATE_DIR/invoices.db" 'select coalesce(sum(position), 0) from hr_positions' 2>/dev/null || echo 0; }
csv=pipelines/data/invoices.csv
head -5001 "$csv" >"$STATE_DIR/first.csv"
sed 2,5001d "$csv" >"$STATE_DIR/second.csv"

say "pipelines/produce_invoices.yaml: 5,000 invoices from CSV into the topic"
produce "$STATE_DIR/first.csv"

say "pipelines/invoices.yaml on it; another 5,000 come in, and the job is killed with -9"
"$headrace" run pipelines/invoices.yaml --trigger 1ms >"$STATE_DIR/out" &
job=$!
until [ "$(counted)" -ge 5000 ]; do kill -0 $job; done
produce "$STATE_DIR/second.csv" &
{ kill -9 $job; wait $job || true; } 2>/dev/null
wait $!
echo "killed with $(counted) of 10,000 invoices counted"

say "resumed"
"$headrace" run pipelines/invoices.yaml --trigger available_now >>"$STATE_DIR/out"
tail -29 "$STATE_DIR/out"

say "the same, read from the checkpoint with sqlite3"
totals=$(sqlite3 -readonly "$STATE_DIR/invoices.db" \
    "select count(*) || ' sellers, total ' || printf('%.2f', sum(TotalSales)) || ', tax ' || printf('%.2f', sum(TotalTax)) from group_by")
echo "$totals"
wanted=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    NF > 1 { n += !sellers[$at["SellerID"]]++; total += $at["InvoiceTotal_amount"]; tax += $at["tax_amount"] }
    END { printf "%d sellers, total %.2f, tax %.2f", n, total, tax }' pipelines/data/invoices.csv)
[ "$totals" = "$wanted" ] || { echo "but the CSV file has $wanted"; exit 1; }
echo "as in the CSV file"
