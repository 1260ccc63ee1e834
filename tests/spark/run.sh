#!/bin/bash
# Ask real Spark 3.5 again what golden/ holds, and compare: run.sh
# After a line was added to a corpus: run.sh --update   writes golden/
#                                     run.sh --docs     writes docs/differences.md from the list and the answers
# Exit code 77: no Java or Python here, so the caller may skip.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export srcdir=${srcdir:-$(cd "$here/../.." && pwd)}
if [ "${1:-}" = --docs ]; then
    builddir=${builddir:?the folder where headrace was built} exec "$here/golden.sh" --docs
fi
venv=$("$here/pyspark.sh") || exit $?
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/golden"
TMPDIR=$tmp nice "$venv/bin/python" -u "$here/spark.py" "$here" "$tmp/golden" 2>"$tmp/log" || { grep -v WARN "$tmp/log" | tail -20; exit 1; }
if [ "${1:-}" = --update ]; then
    cp "$tmp/golden"/* "$here/golden/"
    exit
fi
diff -ru "$here/golden" "$tmp/golden" >"$tmp/diff" || { head -40 "$tmp/diff"; echo "Spark answers differently from golden/: run.sh --update"; exit 1; }
echo "spark: real Spark gives the $(cat "$tmp/golden"/* | wc -l) answers of tests/spark/golden"
