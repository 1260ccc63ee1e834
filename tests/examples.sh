#!/bin/bash
# The YAML example at the top of every plug-in is one that `headrace check` accepts: each is completed
# to a pipeline over a source that has every column the examples speak of. So are those of
# README.md, docs/sinks.md and docs/pipeline.md; the last one names all that the program has.
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
# ---- pages: each indented block that begins with a key of a pipeline, and the names that docs/pipeline.md has ----

# What the block leaves out is put around it.
whole() {
    grep -q '^version:' "$1" || { echo "version: 1"; echo "name: e"; }
    grep -q '^source:' "$1" || echo "$source"
    cat "$1"
    grep -q '^sinks\?:' "$1" || echo "sink: {console: {}}"
}

for page in README.md docs/sinks.md docs/pipeline.md; do
    rm -f "$tmp"/block*
    awk -v to="$tmp/block" '!/^    / { begins = 1; on = 0; next }
        begins { on = /^    (version|source|operators):/; n += on; begins = 0 } on { print substr($0, 5) > (to n) }' "$srcdir/$page"
    for block in "$tmp"/block*; do
        whole "$block" >"$tmp/p.yaml"
        check "$page" "$tmp/p.yaml"
    done
done

# One a line: "source file", "source file format lines" (its default, or "required"), "function upper(text)", "limit depth 64"
program_names() {
    "$headrace" plugins | awk '$1 != "command" { print $2 }' | sort -u | while read -r name; do "$headrace" plugins "$name"; done | awk '
        /^[a-z]/ { kind = $1; sub(/s$/, "", kind); name = $2; sub(/:$/, "", name) }
        /^[a-z]/ && kind !~ /^(function|aggregate)$/ { print kind, name }
        !/^  / { next }
        kind ~ /^(function|aggregate)$/ { sub(/^ *[^ ]+ +/, ""); match($0, /^[^)]*\)/); print kind, substr($0, 1, RLENGTH); next }
        { value = /\(required\)$/ ? "required" : match($0, /\(default: .*\)$/) ? substr($0, RSTART + 10, RLENGTH - 11) : ""
          print kind, ($1 == "mode" ? "any sink" : name), $1, value }'
    whole /dev/null >"$tmp/p.yaml"
    "$headrace" explain "$tmp/p.yaml" | sed -n 's/^limits: //p' | tr , '\n' | sed 's/^ */limit /'
}
page_names() {
    awk -F ' *[|] *' '/^## / { kind = tolower(substr($0, 4)); sub(/s$/, "", kind) }
        !/^[|] / { next }
        kind ~ /^(function|aggregate)$/ { n = split($2, call, "`"); for (i = 2; i <= n; i += 2) print kind, call[i] }
        kind == "limit" && $2 ~ /`/ { print kind, $2, $3 }
        kind !~ /^(source|operator|sink)$/ { next }
        $2 != "" { name = $2 }
        $2 ~ /`/ { print kind, name }
        $3 ~ /`/ { print kind, name, $3, $4 }' "$srcdir/docs/pipeline.md" | tr -d '`'
}
diff <(program_names | sort -u) <(page_names | sort -u) >"$tmp/names" ||
    { echo "docs/pipeline.md: not on the page (<), or not as the program has it (>)"; grep '^[<>]' "$tmp/names"; bad=1; }
echo "examples: $checked checked"
[ "$checked" -ge 20 ] && exit $bad
