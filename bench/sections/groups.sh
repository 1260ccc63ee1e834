# shellcheck shell=bash disable=SC2154
# Few groups against many that all change in each epoch of 5 s; the restart with many; what a checkpoint costs.
#
# The many are half as many as the file has records: a million at full size. Once over invoices (the file, hard-linked
# to be read 40 times, with InvoiceID made unique), once over generated rows, where nothing but the groups takes time.

links=40
groups=$((records / 2))
rows=$((records * 300))

section_groups() {
    no_broker
    need_file
    put about 0 groups "$groups"
    need_invoices
    rounds invoices_few invoices_many generated_few generated_many
    restarts
    checkpoints
}

# need_invoices: the file in $work/invoices, as often as $links says
need_invoices() {
    mkdir -p "$work/invoices"
    # Not with sub(): mawk looks for each new replacement among all that it had before.
    awk -v n="$groups" '{ print "{\"InvoiceID\":" NR % n substr($0, index($0, ",")) }' "$stream" >"$work/invoices/1.ndjson"
    for i in $(seq 2 "$links"); do ln -f "$work/invoices/1.ndjson" "$work/invoices/$i.ndjson"; done
    sync "$work/invoices/1.ndjson"
}

rate() { figures="rate=$(echo "$figures" | sed -n 's/.*wall=\([0-9.]*\).*/\1/p' | awk -v n="$1" '{ print n / $1 }') $figures"; }

invoices() { # KEY
    KEY=$1 FILES="$work/invoices/*.ndjson" STATE_DIR=$state measured "$headrace" run "$bench/pipelines/file.yaml" --trigger 5s &&
        rate $((records * links)) &&
        sqlite3 -readonly "$state/file.db" "select 0, printf('%!.17g', sum(TotalSales)), printf('%!.17g', sum(TotalTax)) from group_by" \
            >"$state/total" &&
        same_total "$state/total" $((times * links))
}
run_invoices_few() { invoices SellerID && query "$state/file.db" 'select count(*) from group_by' 500; }
run_invoices_many() { invoices InvoiceID && query "$state/file.db" 'select count(*) from group_by' "$groups"; }

generated() { # GROUPS
    KEYS=$1 ROWS=$rows STATE_DIR=$state measured "$headrace" run "$bench/pipelines/generated.yaml" --trigger 5s &&
        rate "$rows" && query "$state/generated.db" 'select count(*), sum(n) from group_by' "$1|$rows"
}
run_generated_few() { generated 500; }
run_generated_many() { generated "$groups"; }

# ---- restart: the state of many groups, and one more small file in the folder ----

restarts() {
    kept=$work/kept
    rm -rf "$kept" && mkdir "$kept" "$kept/in"
    ln "$work/invoices/1.ndjson" "$kept/in/1.ndjson"
    KEY=InvoiceID FILES="$kept/in/*.ndjson" STATE_DIR=$kept "$headrace" run "$bench/pipelines/file.yaml" >/dev/null
    head -n 10000 "$work/invoices/1.ndjson" >"$kept/in/2.ndjson"
    rounds restart
    rm -rf "$kept"
}

# first: until the first of the changed groups is on the console
run_restart() {
    cp "$kept/file.db" "$state/file.db"
    sync "$state/file.db" # what the copy left to write is not the restart's
    KEY=InvoiceID FILES="$kept/in/*.ndjson" STATE_DIR=$state measured -l -o "$state/out" \
        "$headrace" run "$bench/pipelines/restart.yaml" &&
        [ "$(grep -c TotalSales "$state/out")" = 10000 ] &&
        figures="first=$(head -n 1 "$state/out" | cut -d ' ' -f 1) $figures"
}

# ---- checkpoint: many groups in the state, of which some change in one epoch ----

checkpoints() {
    local changed=100
    while [ "$changed" -le "$groups" ]; do
        rounds "checkpoint_$changed"
        changed=$((changed * 10))
    done
}
run_checkpoint_100() { checkpoint 100; }
run_checkpoint_1000() { checkpoint 1000; }
run_checkpoint_10000() { checkpoint 10000; }
run_checkpoint_100000() { checkpoint 100000; }
run_checkpoint_1000000() { checkpoint 1000000; }

# Each key is there once, then $1 of them once more, in an epoch of their own.
checkpoint() {
    KEYS=$groups ROWS=$groups STATE_DIR=$state "$headrace" run "$bench/pipelines/generated.yaml" &&
        sync "$state/generated.db" &&
        KEYS=$groups ROWS=$((groups + $1)) STATE_DIR=$state "$headrace" run "$bench/pipelines/generated.yaml" \
            --progress json 2>"$state/progress" &&
        query "$state/generated.db" 'select count(*) from group_by where n = 2' "$1" &&
        figures=$(sed -n 's/.*"walCommit":\([0-9]*\).*/\1/p' "$state/progress" | awk '{ ms += $1 } END { print "commit_ms=" ms }')
}
