#!/bin/bash
# What every sink and every source promises, tried at each step: killed with -9 at the N-th write, sync, rename or
# removal of a run, for N from 1 until a run makes no N-th such call; the same calls failing with ENOSPC or EIO.
# Afterwards a sink that remembers has each row once. (A reader that takes nothing, a sink that was exchanged:
# tests/sinks.sh. A checkpoint that was: tests/refusals.sh, tests/sinks.sh.)
# In make check only kills at the steps of publishing; FULL=1 (make check-faults): every step.
# STRIDE: of the writes only each STRIDE-th (1: all).
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
command -v strace >/dev/null || { echo "no strace: install strace"; exit 77; }
stride=${STRIDE:-4}
runs=0 hits=0 without=0

die() { echo "contract: $*"; [ ! -s err ] || tail -3 err; exit 1; }

# rows FROM TO: as the source reads them; each seventh is bad
rows() { awk -v a="$1" -v b="$2" 'BEGIN { for (i = a; i < b; i++) printf "%d,%d,%s\n", i, i % 5, i % 7 == 3 ? "02-30-24" : "01-02-24" }'; }

# ---- pipelines: SOURCE, SINKS, what makes columns of the source's ----
job() {
    cat <<YAML
version: 1
name: contract
trigger: available_now
checkpoint: state.db
source: $1
operators:
$3
  - to_date: {column: day, format: MM-dd-yy, on_error: dead_letter, errors: bad}
  - group_by: {keys: [k], aggregates: {n: count(*), total: sum(id)}}
sinks:
$2
YAML
}
files='{file: {path: "in*.csv", format: csv, header: false, schema: "id INT, k INT, day STRING"}}'
topic='{kafka: {brokers: "${BROKERS}", topic: "${TOPIC}", starting_offsets: earliest}}'
topic_columns='  - from_json: {schema: "id INT, k INT, day STRING"}'
made='{generator: {rows: "${ROWS}", columns: {id: CAST(id AS INT), k: id % 5, day: "IF(id % 7 = 3, '"'02-30-24', '01-02-24'"')"}}}'

# ---- what a sink shows: ids of the good rows, ids' number of the bad ones, totals ----
ndjson_ids() { cat out/rows/part-*.ndjson 2>/dev/null | sed 's/^{"id":\([0-9]*\),.*}$/\1/' | sort -n; }
sqlite_ids() { sqlite3 out/t.db 'select id from rows order by id'; }
sqlite_totals() { sqlite3 out/t.db 'select k, n, total from totals order by k'; }
sqlite_update() { sqlite3 out/t.db 'select k, n, total from changed order by k'; }
csv_bad() { cat out/bad/part-*.csv 2>/dev/null | grep -v '^value,' | sort; }
console_ids() { sed -n 's/^{"id":\([0-9]*\),.*}$/\1/p' shown | sort -nu; }

good() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) if (i % 7 != 3) print i }'; }
totals() { awk -v m="$1" 'BEGIN { for (i = 0; i < m; i++) if (i % 7 != 3) { n[i % 5]++; s[i % 5] += i } for (k = 0; k < 5; k++) printf "%d|%d|%d\n", k, n[k], s[k] }'; }
bad() { awk -v n="$1" 'BEGIN { for (i = 3; i < n; i += 7) c++; print c }'; }

same() { # WHAT WANTED GOT
    [ "$2" = "$3" ] || { diff <(echo "$2") <(echo "$3") | head -5; die "$what: $1 differs"; }
}
check() { # ROWS
    case $sink in
    file) same rows "$(good "$1")" "$(ndjson_ids)" ;;
    csv) same "bad rows" "$(bad "$1")" "$(csv_bad | wc -l)"; same "bad rows, each once" "$(bad "$1")" "$(csv_bad | uniq | wc -l)" ;;
    sqlite) same rows "$(good "$1")" "$(sqlite_ids)" ;;
    totals) same totals "$(totals "$1")" "$(sqlite_totals)" ;;
    changed) same totals "$(totals "$1")" "$(sqlite_update)" ;;
    console) same rows "$(good "$1")" "$(console_ids)" ;;
    esac
    [ $sink = console ] || [ -z "$(find out -name '.part-*' 2>/dev/null)" ] || die "$what: hidden pieces are left"
    local c
    c=$(sqlite3 state.db "select rows_in - rows_out - filtered - dropped - dead from hr_counters where id = 'to_date'")
    [ "$c" = 0 ] || die "$what: to_date: rows in and out differ by $c"
    c=$(sqlite3 state.db "select rows_in from hr_counters where id = 'to_date'")
    [ "$c" = "$1" ] || die "$what: to_date: $c rows counted, not $1"
    case $sink in totals | changed) # each epoch has all five groups
        same "what the sink was given" "$(sqlite3 state.db 'select 5 * epoch from hr_meta')" "$(sqlite3 state.db "select rows_in from hr_counters where id = 'out'")" ;;
    esac
}

# ---- the source in three steps: 25 rows, then 45, then 60; a file of its own each, but the last grows ----
feed() { # STEP
    case $source in
    files) case $1 in 1) rows 0 25 >in1.csv ;; 2) rows 25 45 >in2.csv ;; 3) rows 45 60 >>in2.csv ;; esac ;;
    topic) case $1 in 1) produce 0 25 ;; 2) produce 25 45 ;; 3) produce 45 60 ;; esac ;;
    made) export ROWS=$((25 + 20 * ($1 > 1) + 15 * ($1 > 2))) ;;
    esac
}
# a topic of its own for each run: the embedded broker makes one of what is written to
produce() {
    rows "$1" "$2" | sed 's/\(.*\),\(.*\),\(.*\)/{"id":\1,"k":\2,"day":"\3"}/' | "$headrace" run produce.yaml 2>err || die "$what: the writer ended with $?"
}
serve() {
    printf 'version: 1\nname: produce\nsource: {file: {path: "-"}}\nsink: {kafka: {brokers: "${BROKERS}", topic: "${TOPIC}"}}\n' >produce.yaml
    mkfifo address
    "$headrace" broker --topic other:1 >address &
    broker=$!
    read -r BROKERS <address
    export BROKERS
}
fresh() {
    rm -rf out state.db* in*.csv shown err
    export TOPIC=topic$runs
    columns=${source}_columns
    job "${!source}" "$(sinks $sink)" "${!columns:-}" >job.yaml
    feed 1
    "$headrace" run job.yaml --lanes 1 >>shown 2>err || die "$what: the first run ended with $?"
    feed 2
}
sinks() {
    case $1 in
    file) echo '  - file: {id: out, input: to_date, path: out/rows, rotate_bytes: 200}' ;;
    csv) echo '  - file: {id: out, input: bad, path: out/bad, format: csv}' ;;
    sqlite) echo '  - sqlite: {id: out, input: to_date, path: out/t.db, table: rows}' ;;
    totals) echo '  - sqlite: {id: out, mode: complete, path: out/t.db, table: totals}' ;;
    changed) echo '  - sqlite: {id: out, mode: update, path: out/t.db, table: changed, key: [k]}' ;;
    console) echo '  - console: {id: out, input: to_date, format: json}' ;;
    esac
    case $1 in
    csv) ;;
    *) echo '  - "null": {input: bad}' ;;
    esac
}

# The run with the injection: $code, and what strace saw in the file calls. Failing calls of a thread are marked there.
run_injected() { # CALL HOW N
    # a sanitizer cannot look for leaks while it is traced itself
    (ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -y -qq -o calls -e trace="$1" -e inject="$1:$2:when=$3" "$headrace" run job.yaml --lanes 1 >>shown 2>err
     exit $?) 2>/dev/null # a shell says "Killed"
    code=$?
    runs=$((runs + 1))
}
was_hit() { [ $code = 137 ] || grep -qF '(INJECTED)' calls; }

# What SQLite does without: its index of the -wal, which it makes anew, the removal of an empty -wal, and the sync of a folder for a
# name that is new in it. And a warning that nobody could be told.
is_spared() { grep -F '(INJECTED)' calls | grep -qE '^[0-9]+ +(pwrite64\(.*-shm>|unlink\(.*-(shm|wal)"|fdatasync\([0-9]+<'"$tmp"'(/out)?>\)|write\(2<)'; }

# A kill is 137, a failure exit 1 (4: of the checkpoint's start) and one line that names it, unless it can be done without.
judge() {
    case $code in
    137) ;;
    0) is_spared || { cat calls; die "$what: nobody noticed"; }
       without=$((without + 1)) ;;
    1 | 4) [ "$(grep -c '^headrace: error: ' err)" = 1 ] || die "$what: not one error"
           grep -qE 'No space left|Input/output error|disk is full|disk I/O error' err || die "$what: the failure is not named" ;;
    *) die "$what: exit $code" ;;
    esac
}

# inject CALL HOW: every N, until a run is not hit
inject() {
    local call=$1 how=$2 n step=1 before=$hits
    case $call in write | pwrite64) step=$stride ;; esac
    for ((n = 1; ; n += step)); do
        what="$source to $sink, $how at $call $n"
        fresh
        run_injected "$call" "$how" $n
        if was_hit; then
            hits=$((hits + 1))
            judge
        elif [ $code != 0 ]; then
            die "$what: exit $code, and nothing was injected"
        fi
        "$headrace" run job.yaml --lanes 1 >>shown 2>err || die "$what: the run after it ended with $?"
        check 45
        feed 3
        "$headrace" run job.yaml --lanes 1 >>shown 2>err || die "$what: the last run ended with $?"
        check 60
        was_hit || break
    done
    [ $hits -gt "$before" ] || die "$source to $sink: no $call was there to be hit"
    guarantee "$call" "$how"
}

guarantee() { # CALL HOW
    local from=${source/files/file} to=$sink fault='kill -9 at each step of writing and publishing' out='each row once, every count right'
    from=${from/made/generator}
    from=${from/topic/kafka}
    case $to in csv) to=file ;; totals | changed) to=sqlite ;; console) out='no row missing, every count right' ;; esac
    case $2 in error=*)
        case $1 in write | pwrite64) fault=write ;; fsync | fdatasync) fault=fsync ;; renameat) fault=rename ;; unlink) fault=removal ;; esac
        fault="${2#error=} at each $fault"
        out="exit 1, the failure named, or done without; then $out" ;;
    esac
    echo "guarantee: $fault | $from | $to | $out | tests/contract.sh"
}

kill=signal=SIGKILL
least=10
if [ -z "${FULL:-}" ]; then
    source=files
    sink=file; inject renameat $kill
    sink=sqlite; inject pwrite64 $kill
    sink=changed; inject fdatasync $kill
    source=made
    sink=csv; inject renameat $kill
else
    least=150
    source=files
    for sink in file csv; do for call in write fsync renameat pwrite64; do inject $call $kill; done; done
    for sink in sqlite totals changed; do for call in fdatasync pwrite64 unlink; do inject $call $kill; done; done
    sink=console
    for call in write pwrite64; do inject $call $kill; done
    source=made
    sink=file
    for call in renameat fdatasync; do inject $call $kill; done
    sink=sqlite
    for call in unlink fdatasync; do inject $call $kill; done
    source=topic
    serve
    sink=file
    for call in renameat fsync; do inject $call $kill; done
    sink=sqlite
    for call in unlink fdatasync; do inject $call $kill; done
    source=files
    for sink in file csv; do # SQLite writes and syncs by other calls than the sink does
        for call in write pwrite64; do inject $call error=ENOSPC; done
        for call in fsync fdatasync renameat; do inject $call error=EIO; done
    done
    for sink in sqlite totals changed; do
        inject pwrite64 error=ENOSPC
        for call in fdatasync unlink; do inject $call error=EIO; done
    done
fi
[ $hits -ge $least ] || die "only $hits of $runs runs were hit"
echo "contract: $runs runs with an injection, $hits hit by it, $without done without what failed: every row once, every count right"
