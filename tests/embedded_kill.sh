#!/bin/bash
# The kill test in its quick form: 10 kills over librdkafka's embedded broker (tests/kafka/invoices.sh is the long one).
set -eu
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
mkfifo "$tmp/address"
"$headrace" broker --topic invoices:2 >"$tmp/address" &
broker=$!
read -r address <"$tmp/address"
for n in 1 2 3; do
    INVOICES=$srcdir/pipelines/data/invoices.csv KAFKA_BROKERS=$address "$headrace" run "$srcdir/pipelines/produce_invoices.yaml" --checkpoint "$tmp/produce$n.db"
done
"$srcdir/tests/kill.sh" "$headrace" "$srcdir/pipelines/invoices.yaml" "$address" invoices "${KILLS:-10}" 1ms 2
