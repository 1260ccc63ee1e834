# shellcheck shell=bash disable=SC2154
# The invoice job over the same records as an NDJSON file.

section_file() {
    no_broker
    need_file
    rounds headrace_file_2 duckdb_2 headrace_file_1 duckdb_1 simdjson
}

headrace_file() {
    FILES=$stream KEY=SellerID STATE_DIR=$state \
        measured "$headrace" run "$bench/pipelines/file.yaml" --trigger available_now --lanes "$1" &&
        totals "$state/file.db" >"$state/totals" && same "$state/totals" "$times"
}
run_headrace_file_1() { headrace_file 1; }
run_headrace_file_2() { headrace_file 2; }

# OpenBLAS is none of its business; a query's own time stands beside that of the whole process, which starts Python.
duckdb() {
    measured -o "$state/totals" "$cache/bench-python/bin/python" "$bench/peers/invoices_duckdb.py" "$stream" "$1" \
        2>"$state/err" || { cat "$state/err"; return 1; }
    figures="$(grep '^job=' "$state/err") $figures"
    same "$state/totals" "$times"
}
run_duckdb_1() { duckdb 1; }
run_duckdb_2() { duckdb 2; }

run_simdjson() {
    measured -o "$state/totals" "$build/invoices_simdjson" "$stream" && same "$state/totals" "$times"
}
