# shellcheck shell=bash disable=SC2154
# Single kernels on one thread.

section_kernels() {
    no_broker
    "$build/tests/stream/produce" -l "$sample" >"$work/invoices.ndjson"
    rounds kernels
}

run_kernels() {
    figures=$("$build/bench/kernels" "$work/invoices.ndjson" | awk '{ printf "%s_ns=%s %s_mbs=%s ", $1, $2, $1, $3 }') &&
        [ -n "$figures" ]
}
