#!/bin/bash
# The YAML example at the top of every plug-in is one that `headrace check` accepts: each is completed
# to a pipeline over a source that has every column the examples speak of. So are the pipelines of README.md and docs/sinks.md.
set -eu
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs PASSWORD=secret
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0 checked=0

columns='SellerID INT, InvoiceTotal_amount DOUBLE, discount_amount DOUBLE, tax_amount DOUBLE, invoice_Date STRING,
         name STRING, total DOUBLE, tax DOUBLE, value STRING, offset BIGINT, City STRING, Region STRING, amount DOUBLE,
         at TIMESTAMP, part DOUBLE, whole DOUBLE, TotalSales DOUBLE'
source="source: {file: {path: in.ndjson, format: ndjson, schema: \"$columns\"}}"

# example FILE: the block behind the first line of the file's comment that ends in "source:", "operators:", ...
example() { awk '/^ \*\/$/ { exit } /^ \*   (source|operators|group_by|sink):( null)?$/ { on = 1 } /^ \*$/ { on = 0 } on { print substr($0, 6) }' "$1"; }

# items: an `operators:` block to one file for each item, as they are alternatives
items() { awk -v dir="$1" '/^  - / { n++ } /^  / { print > (dir "/item" n) }'; }

check() { # FILE PIPELINE
    checked=$((checked + 1))
    "$headrace" check "$2" >"$tmp/out" 2>&1 || { echo "$1: its example is refused"; cat "$tmp/out" "$2"; bad=1; }
}

for file in "$srcdir"/{sources,operators,functions,sinks}/*.c; do
    grep -q '^HR_MODULE\|^HR_PLUGIN' "$file" || continue
    example "$file" >"$tmp/example"
    case $(head -1 "$tmp/example") in
    source:) { echo "version: 1"; echo "name: e"; cat "$tmp/example"; echo "sink: {console: {}}"; } >"$tmp/p.yaml" ;;
    sink:*)
        { echo "version: 1"; echo "name: e"; echo "$source"
          ! grep -q complete "$tmp/example" || echo "operators: [{group_by: {keys: [SellerID], aggregates: {n: count(*)}}}]"
          cat "$tmp/example"; } >"$tmp/p.yaml" ;;
    group_by:)
        { echo "version: 1"; echo "name: e"; echo "$source"; echo "operators:"; sed 's/^group_by/  - &/; s/^  [a-z]/    &/' "$tmp/example"
          echo "sink: {console: {}}"; } >"$tmp/p.yaml" ;;
    operators:)
        rm -f "$tmp"/item*
        items "$tmp" <"$tmp/example"
        for item in "$tmp"/item*; do
            { echo "version: 1"; echo "name: e"; echo "$source"; echo "operators:"; cat "$item"; echo "sink: {console: {}}"; } >"$tmp/p.yaml"
            check "$file" "$tmp/p.yaml"
        done
        continue ;;
    *)
        # a command has nothing to show
        grep -q 'HR_PLUGIN(command' "$file" || { echo "$file has no example"; bad=1; }
        continue ;;
    esac
    check "$file" "$tmp/p.yaml"
done
awk '/^    version: 1$/ { on = 1 } on && !/^    / { exit } on { print substr($0, 5) }' "$srcdir/README.md" >"$tmp/p.yaml"
check "README.md" "$tmp/p.yaml"
{ echo "version: 1"; echo "name: e"; echo "$source"
  awk '/^    operators:$/ { on = 1 } on && !/^    / { exit } on { print substr($0, 5) }' "$srcdir/docs/sinks.md"; } >"$tmp/p.yaml"
check "docs/sinks.md" "$tmp/p.yaml"
echo "examples: $checked checked"
[ "$checked" -ge 20 ] && exit $bad
