# shellcheck shell=bash disable=SC2154
# Memory and processor time over a long run: the generator, 500 groups, five epochs a second. LONG_ROWS: how many
# rows; a billion at full size.

long_rows=${LONG_ROWS:-$((records * 500))}

section_memory() {
    no_broker
    put about 0 rows "$long_rows"
    runs=1 rounds long
}

# The progress of each epoch tells, with the stamp before it, how many rows were in when; the trace how much memory and
# processor time. So: both in the first tenth of the rows and in the last.
run_long() {
    KEYS=500 ROWS=$long_rows STATE_DIR=$state measured -l -o "$state/progress" -s "$state/trace" \
        sh -c '"$@" 2>&1 >/dev/null' sh "$headrace" run "$bench/pipelines/generated.yaml" --trigger 200ms --progress json &&
        query "$state/generated.db" 'select count(*), sum(n) from group_by' "500|$long_rows" &&
        sed -n 's/^\([0-9.]*\) .*"numInputRows":\([0-9]*\).*/\1 \2/p' "$state/progress" >"$state/rows" &&
        figures="$figures $(awk -f "$bench/tenths.awk" "$state/rows" "$state/trace")"
}
