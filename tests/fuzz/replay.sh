#!/bin/sh
# Every input in tests/fuzz/corpus through its target, without a fuzzer: seeds, and whatever was once found.
set -eu
[ -x "$builddir/tests/fuzz/yaml" ] || { echo "no fuzz targets in this build"; exit 77; }
for target in yaml expr json rows text checkpoint module; do
    "$builddir/tests/fuzz/$target" "$srcdir/tests/fuzz/corpus/$target"/*
done

# A whole checkpoint of another format would be refused before anything else in it is looked at: headrace itself takes it.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed -n '/^static const char yaml/,/;$/s/^ *"\(.*\)"[;]*$/\1/p' "$srcdir/tests/fuzz/checkpoint.c" | tr -d '\n' | sed 's/\\n/\n/g; s/\\"/"/g' >"$tmp/fuzz.yaml"
cp "$srcdir/tests/fuzz/corpus/checkpoint/whole" "$tmp/whole.db"
"$builddir/headrace" state "$tmp/fuzz.yaml" --checkpoint "$tmp/whole.db" || { echo "make the checkpoint in the corpus anew"; exit 1; }
