#!/bin/sh
# A real broker, the sample produced twice over two partitions, counted by a bare consumer.
set -eu
tmp=$(mktemp -d)
export KAFKA_ADMIN="$builddir/tests/kafka/admin"
broker=$srcdir/tests/kafka/broker.sh
"$broker" start "$tmp" || exit $?
trap '"$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
at=$(cat "$tmp/bootstrap")
"$broker" topic "$tmp" invoices 2
"$builddir/tests/stream/produce" -n 2 "$at" invoices "$srcdir/pipelines/data/invoices.csv"
"$builddir/bench/consumer" "$at" invoices 2 tuned | tee "$tmp/count"
grep -q 'records=20000 ' "$tmp/count"
echo "stream: 20000 records went through the broker"
