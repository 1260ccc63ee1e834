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
