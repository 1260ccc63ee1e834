#!/bin/sh
# The sample of the project is what its generator makes, and its totals are those of another program.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
LC_ALL=C awk -f "$srcdir/pipelines/data/generate.awk" | cmp - "$srcdir/pipelines/data/invoices.csv"
[ "$("$builddir/tests/stream/expected" "$srcdir/pipelines/data/invoices.csv" | wc -l)" = 500 ]
[ "$("$builddir/tests/stream/expected" -a "$srcdir/pipelines/data/invoices.csv")" = "0|282990593.57|37804957.54" ]
