# shellcheck shell=bash disable=SC2154  # variables of run.sh
# What the sections share: rounds, results, checks, and the stream on a broker or in a file.

failures=0
work=
broker=

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

clean_up() {
    no_broker
    [ -z "$work" ] || rm -rf "$work"
}

# ---- results: raw/SECTION.tsv has contestant, round, metric, value ----

put() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$work/raw.tsv"; }

run_section() {
    say "section $1"
    : >"$work/raw.tsv"
    put about 0 date "$(date -u '+%Y-%m-%d %H:%M UTC')"
    put about 0 commit "$(commit)"
    put about 0 command "${TIMES:+TIMES=$TIMES }${RUNS:+RUNS=$RUNS }bench/run.sh $1"
    put about 0 records "$records"
    put about 0 runs "$runs"
    put about 0 load "$(cut -d ' ' -f 1 /proc/loadavg)"
    # shellcheck disable=SC1090
    . "$bench/sections/$1.sh"
    "section_$1"
    mv "$work/raw.tsv" "$raw/$1.tsv"
}

commit() {
    git -C "$top" describe --always --dirty 2>/dev/null || echo "no git here"
}

# rounds CONTESTANT...: each RUNS times, in turn. A contestant is a function run_CONTESTANT that leaves its figures in
# $figures, as name=value, and fails if it failed or if its result is wrong; then its time does not count. It finds an
# empty folder in $state.
rounds() {
    local round who
    for round in $(seq "$runs"); do
        for who; do one_run "$who" "$round"; done
    done
}

one_run() {
    local pair
    state=$work/state figures=
    rm -rf "$state"
    mkdir "$state"
    if "run_$1" >"$work/said" 2>&1; then
        for pair in $figures; do put "$1" "$2" "${pair%%=*}" "${pair#*=}"; done
        say "  $1, run $2: $figures"
    else
        failures=$((failures + 1))
        put "$1" "$2" failed 1
        say "  $1, run $2: FAILED"
        tail -n 15 "$work/said" | sed 's/^/      /'
    fi
}

# measured [OPTION...] COMMAND...: what measure prints of it, in $figures; its standard error is shown if the run fails
measured() { figures=$("$build/bench/measure" -t 600 "$@"); }

median() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

# ---- the right result ----

# same FILE COPIES: are these SellerID|TotalSales|TotalTax the totals of that many copies of the sample? To 1e-9, as the
# others' sums depend on the order.
same() { compare "$1" "$2"; }

# same_total FILE COPIES: likewise, of a line 0|TotalSales|TotalTax over all sellers
same_total() { compare "$1" "$2" -a; }

compare() {
    # shellcheck disable=SC2086
    "$build/tests/stream/expected" ${3:-} "$sample" "$2" >"$work/expected"
    awk -F '|' '
        function near(a, b) { return a - b <= 1e-9 * (b < 0 ? -b : b) && b - a <= 1e-9 * (b < 0 ? -b : b) }
        NR == FNR { sales[$1] = $2; tax[$1] = $3; n++; next }
        !($1 in sales) || !near($2, sales[$1]) || !near($3, tax[$1]) {
            print "wrong: " $0 ", not " sales[$1] "|" tax[$1]
            exit bad = 1
        }
        { got++; delete sales[$1] }
        END { if (!bad && got != n) print "wrong: " got + 0 " groups, not " n; exit bad || got != n }
    ' "$work/expected" "$1"
}

# totals CHECKPOINT: from headrace's view
totals() { sqlite3 -readonly "$1" "select SellerID, printf('%!.17g', TotalSales), printf('%!.17g', TotalTax) from group_by"; }

# query CHECKPOINT SQL WANTED
query() {
    local got
    got=$(sqlite3 -readonly "$1" "$2")
    [ "$got" = "$3" ] || { echo "$2: $got, not $3"; return 1; }
}

# ---- the stream ----

need_broker() {
    [ -z "$broker" ] || return 0
    say "starting a broker"
    export KAFKA_ADMIN=$build/tests/kafka/admin
    "$top/tests/kafka/broker.sh" start "$work/broker"
    broker=$work/broker
    KAFKA_BROKERS=$(cat "$broker/bootstrap")
    export KAFKA_BROKERS
}

no_broker() {
    [ -z "$broker" ] || "$top/tests/kafka/broker.sh" stop "$broker"
    [ -z "$broker" ] || rm -rf "$broker"
    broker=
}

# topic NAME PARTITIONS
topic() { "$top/tests/kafka/broker.sh" topic "$broker" "$@"; }

# need_topic NAME COPIES: the sample that many times over two partitions, written back before anything is measured
need_topic() {
    need_broker
    [ ! -f "$broker/has-$1" ] || return 0
    topic "$1" 2
    "$build/tests/stream/produce" -n "$2" "$KAFKA_BROKERS" "$1" "$sample" >"$broker/has-$1"
    sync "$broker"/data/"$1"-*/*.log
    say "topic $1: $(cat "$broker/has-$1")"
}

# need_file: the same records, one a line, in $stream
need_file() {
    stream=$work/stream.ndjson
    [ ! -f "$stream" ] || return 0
    "$build/tests/stream/produce" -l -n "$times" "$sample" >"$stream"
    sync "$stream"
    say "file of $records records, $(stat -c %s "$stream") bytes"
}
