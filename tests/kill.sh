#!/bin/bash
# The kill test: the invoice job over a topic, killed with -9 at random instants and restarted, must
# end with the view and the final table of one run without a kill, byte for byte.
# A kill counts only if the run had read records since its last commit: a witness behind the source (plugin/witness.c)
# has seen a record that the checkpoint's positions do not cover.
# Usage: kill.sh HEADRACE PIPELINE BOOTSTRAP TOPIC KILLS TRIGGER LANES [SEED]
set -u
headrace=$1 brokers=$3 topic=$4 kills=$5 trigger=$6 lanes=$7 seed=${8:-$$}
RANDOM=$seed
tmp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 $pid 2>/dev/null; rm -rf "$tmp"' EXIT
export KAFKA_BROKERS=$brokers TOPIC=$topic HEADRACE_PLUGIN_PATH=$HEADRACE_PLUGIN_PATH:$tmp
${CC:-cc} -std=gnu11 -O1 -shared -fPIC -I"$srcdir/core" "$srcdir/tests/plugin/witness.c" -o "$tmp/witness.so" || exit 1
pipeline=$tmp/pipeline.yaml
sed 's|^operators:|&\n  - witness: {file: "${STATE_DIR}/read"}|' "$2" >"$pipeline"

# view DB: every row, doubles to the last bit
view() { sqlite3 -readonly "$1" 'select SellerID, hex(ieee754_to_blob(TotalSales)), hex(ieee754_to_blob(TotalTax)) from group_by'; }
position() { sqlite3 -readonly "$1" 'select coalesce(sum(position), 0) from hr_positions' 2>/dev/null || echo 0; }
# has_read DIR: more than its checkpoint says
has_read() {
    { sqlite3 -readonly -separator ' ' "$1/invoices.db" 'select split, position from hr_positions' 2>/dev/null; echo read
      od -An -v -td8 -w8 "$1/read"; } |
        awk '$1 == "read" { reading = 1; next } !reading { at[$1] = $2; next } { ahead += $1 > at[n++] + 0 } END { exit !ahead }'
}
# last_table FILE: the rows of the last batch printed
last_table() { awk '/^Batch: / { n = 0 } { line[n++] = $0 } END { for (i = 1; i < n; i++) print line[i] }' "$1"; }
drain() { STATE_DIR=$1 "$headrace" run "$pipeline" --trigger available_now --lanes "$lanes" >"$1/out" 2>"$1/err"; }

mkdir "$tmp/whole"
start=$(date +%s%N)
drain "$tmp/whole" || { cat "$tmp/whole/err"; exit 1; }
whole_ms=$((($(date +%s%N) - start) / 1000000))
view "$tmp/whole/invoices.db" >"$tmp/whole/view"
last_table "$tmp/whole/out" >"$tmp/whole/table"
end=$(position "$tmp/whole/invoices.db")
[ -s "$tmp/whole/view" ] || { echo "kill: the whole run has no view"; exit 1; }

# Kills come after a random part of the time that one drain takes, so that they fall into every phase; up to
# more than all of it where a run seldom gets as far as a commit.
share=0.6
[ "$trigger" != available_now ] || share=1.1

hit=0 drains=0 runs=0
while [ "$hit" -lt "$kills" ]; do
    drains=$((drains + 1))
    state=$tmp/drain && rm -rf "$state" && mkdir "$state"
    while [ "$hit" -lt "$kills" ]; do
        runs=$((runs + 1))
        rm -f "$state/read"
        STATE_DIR=$state "$headrace" run "$pipeline" --trigger "$trigger" --lanes "$lanes" --progress json \
            >>"$state/out" 2>>"$state/err" &
        pid=$!
        pause=$(awk -v r=$RANDOM -v ms=$whole_ms -v share=$share 'BEGIN { printf "%.3f", 0.005 + r / 32768 * ms / 1000 * share }')
        read -rt "$pause" <> <(:)
        kill -9 $pid 2>/dev/null || { wait $pid || { tail -5 "$state/err"; exit 1; }; pid=; break; }
        wait $pid 2>/dev/null
        pid=
        ! has_read "$state" || hit=$((hit + 1))
        [ "$(position "$state/invoices.db")" -lt "$end" ] || break
    done
    drain_out=$state/last && mkdir -p "$drain_out"
    STATE_DIR=$state "$headrace" run "$pipeline" --trigger available_now --lanes "$lanes" >"$state/final" 2>>"$state/err" ||
        { tail -5 "$state/err"; exit 1; }
    cat "$state/out" "$state/final" >"$state/all"
    view "$state/invoices.db" >"$state/view"
    cmp "$tmp/whole/view" "$state/view" || { echo "kill: drain $drains differs (seed $seed)"; diff "$tmp/whole/view" "$state/view" | head -5; exit 1; }
    last_table "$state/all" >"$state/table"
    cmp "$tmp/whole/table" "$state/table" || { echo "kill: the table of drain $drains differs (seed $seed)"; exit 1; }
done
echo "guarantee: kill -9 at a random instant | kafka | console | totals and last table to the byte those of one run | tests/kill.sh"
echo "kill: $hit kills that hit, $runs runs, $drains drains, all equal to one run (trigger $trigger, $lanes lanes, seed $seed)"
