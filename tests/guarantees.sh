#!/bin/bash
# docs/guarantees.md from what tests said: lines "guarantee: FAULT | SOURCE | SINK | OUTCOME | TEST" of their logs, each
# printed after the assertion that it stands for.
# Usage: guarantees.sh write|check LOG...   check: is the page in docs the one that these logs make?
set -u
page=$(cd "$(dirname "$0")/.." && pwd)/docs/guarantees.md
what=${1:-}
shift
make_page() {
    cat <<'TEXT'
# What is tried, and what comes out

Each row is a fault that a test injects, with the outcome that it asserts. This page is made from the logs of `make check`,
`make check-kafka` and `make check-faults` (tests/guarantees.sh); test.sh fails when it names something that a run did not show,
or a run showed something that it does not name. What "once" means for each sink is in [sinks.md](sinks.md). "any" is where source
or sink play no part.

| fault | source | sink | outcome | test |
| --- | --- | --- | --- | --- |
TEXT
    sed -n 's/^guarantee: \(.*\)$/| \1 |/p' "$@" | LC_ALL=C sort -u
}
case $what in
write) make_page "$@" >"$page" ;;
check)
    make_page "$@" | diff "$page" - || { echo "docs/guarantees.md is not what the tests show: tests/guarantees.sh write LOG..."; exit 1; }
    echo "guarantees: $(grep -c '^| .* | tests/' "$page") rows, each shown by a test" ;;
*) echo "usage: guarantees.sh write|check LOG..."; exit 2 ;;
esac
