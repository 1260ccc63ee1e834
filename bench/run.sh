#!/bin/bash
# headrace beside its peers: sets up what it needs, measures in turn, and writes bench/RESULTS.md.
#
#   bench/run.sh [SECTION ...]      kafka start latency file groups memory kernels; all of them without an argument
#   bench/run.sh setup | report     only set up; only write the page again from what was measured last
#
# What was measured stays in build/bench/raw, one file a section: a section can be run alone, and the page has the others
# as they were last. README.md beside this file tells what each section shows. From the environment:
#
#   RUNS=3         runs of each contestant, in turn: A B C A B C ...
#   TIMES=200      copies of the 10,000 invoices: 2,000,000 records. Fewer are for trying out the script
#   RESULTS=FILE   the page, bench/RESULTS.md
#   TMPDIR         where topics, files and checkpoints go: 4 GB
#
# Exit code 0: every contestant came to the right result. 1: one did not, or failed; the page says which.
set -eu

bench=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$bench")
build=$top/build/bench
raw=$build/raw
cache=${XDG_CACHE_HOME:-$HOME/.cache}/headrace
runs=${RUNS:-3} times=${TIMES:-200}
results=${RESULTS:-$bench/RESULTS.md}
sample=$top/pipelines/data/invoices.csv
records=$((times * 10000))
every="kafka start latency file groups memory kernels"

. "$bench/lib.sh"
. "$bench/setup.sh"

wanted=${*:-$every}
for section in $wanted; do
    case " $every setup report " in
    *" $section "*) ;;
    *) echo "run.sh: $section: no such section; there are: $every" >&2; exit 2 ;;
    esac
done

mkdir -p "$raw"
if [ "$wanted" != report ]; then
    work=$(mktemp -d "${TMPDIR:-/tmp}/headrace-bench.XXXXXX")
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    setup "$wanted"
    for section in $wanted; do
        [ "$section" = setup ] || run_section "$section"
    done
fi
[ "$wanted" = setup ] || python3 "$bench/report.py" "$raw" "$results"
say "done"
[ "$failures" = 0 ] || { echo "run.sh: $failures runs failed" >&2; exit 1; }
