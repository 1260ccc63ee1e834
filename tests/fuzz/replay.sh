#!/bin/sh
# Every input in tests/fuzz/corpus through its target, without a fuzzer: seeds, and whatever was once found.
set -eu
[ -x "$builddir/tests/fuzz/yaml" ] || { echo "no fuzz targets in this build"; exit 77; }
for target in yaml expr json rows text checkpoint module; do
    "$builddir/tests/fuzz/$target" "$srcdir/tests/fuzz/corpus/$target"/*
done
