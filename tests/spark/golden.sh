#!/bin/bash
# headrace against the kept answers of Spark (golden/), without Spark: every difference must be listed in differences,
# every listed one must still be there, and docs/differences.md must show them.
# Usage: golden.sh [--docs]: with --docs writes that page instead of comparing it.
set -eu
export LC_ALL=C
here=$srcdir/tests/spark
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
golden=${GOLDEN:-$here/golden}
mkdir "$tmp/mine"
HEADRACE_PLUGIN_PATH=$builddir/.libs "$here/answers.sh" "$builddir/headrace" "$tmp/mine"
bad=0 inputs=0
for corpus in "$tmp"/mine/*; do
    name=${corpus##*/}
    : >"$tmp/uses.$name"
    awk -v corpus="$name" -v listed="$here/differences" -v uses="$tmp/uses.$name" -f "$here/compare.awk" "$golden/$name" "$corpus" || bad=1
    inputs=$((inputs + $(wc -l <"$corpus")))
done
cat "$tmp"/uses.* >"$tmp/uses"

# The same expressions through `headrace export`: Spark has every function, and where the answers differ that is told, by a note or
# by SQL that is not the text. (How a double is printed, or DEL within JSON, is no matter of the expression, and from the smallest INT
# nobody counts.)
expressions() { grep -v '^#' "$here/expressions.txt" | grep .; }
{
    printf 'version: 1\nname: told\nsource: {kafka: {topic: t}}\noperators:\n  - from_json: {schema: "%s"}\n' "$(cat "$here/table.schema")"
    expressions | sed "s/'/''/g" |
        awk -F'\t' 'FILENAME == ARGV[1] { refused[FNR] = $2 == "refused"; next } !refused[FNR] { print "  - with: {id: e" FNR ", columns: {answer: \047" $0 "\047}}" }' "$tmp/mine/expressions" -
    echo 'sink: console'
} >"$tmp/told.yaml"
HEADRACE_PLUGIN_PATH=$builddir/.libs "$builddir/headrace" export --to spark "$tmp/told.yaml" >"$tmp/told.py" 2>"$tmp/notes" || { cat "$tmp/notes"; bad=1; }
grep -o ': e[0-9]*: ' "$tmp/notes" | tr -d ': e' >"$tmp/noted"
sed -n "s/^ *\"answer\": F.expr(\"\(.*\)\"),$/\1/p" "$tmp/told.py" | sed 's/\\\([\\"]\)/\1/g' >"$tmp/sql"
expressions | awk -F'\t' -v uses="$tmp/uses.expressions" -v sql="$tmp/sql" -v noted="$tmp/noted" '
    BEGIN {
        while ((getline line < sql) > 0) same[line]
        while ((getline line < noted) > 0) note[line]
        while ((getline line < uses) > 0) { split(line, part, "\t"); if (part[5] != "refused") differs[part[3]] }
    }
    $0 in differs && !(NR in note) && $0 in same && $0 !~ /^(l \/ 2|d \* 2|.\\177.|substring\(s, -2147483648\))$/ { print "export does not tell what differs in: " $0; bad = 1 }
    END { exit bad }' || bad=1
awk 'FILENAME == ARGV[1] { used[$1]; next } /^~ / && !(++n in used) { print "differences: nothing differs any more by " $0; bad = 1 } END { exit bad }' \
    "$tmp/uses" "$here/differences" || bad=1
awk -f "$here/docs.awk" "$tmp/uses" "$here/differences" >"$tmp/differences.md"
if [ "${1:-}" = --docs ]; then
    cp "$tmp/differences.md" "$srcdir/docs/differences.md"
else
    diff -u "$srcdir/docs/differences.md" "$tmp/differences.md" || { echo "docs/differences.md is old: tests/spark/run.sh --docs"; bad=1; }
fi
[ "$inputs" -gt 3000 ] || { echo "only $inputs inputs"; bad=1; }
echo "spark: $inputs answers compared"
exit $bad
