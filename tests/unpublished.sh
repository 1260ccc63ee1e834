#!/bin/bash
# An epoch that was committed and not published, as a kill leaves it, is read again: exactly what it was, once in each sink; or,
# where the source does not have it any more, exit 5 with its name, and the sinks as they were.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
mkdir "$tmp/job"
cd "$tmp/job" || exit 1
command -v strace >/dev/null || { echo "no strace: install strace"; exit 77; }
what='' passed=0
die() { echo "unpublished: $what: $*"; [ ! -s ../err ] || tail -3 ../err; exit 1; }
pass() { passed=$((passed + 1)); }
guarantee() { echo "guarantee: $1 | $source | $sink | $2 | tests/unpublished.sh"; }

# ---- a job of a source and a sink for its rows; all there is of it lies in this folder ----
job() {
    cat <<YAML
version: 1
name: unpublished
trigger: available_now
checkpoint: state.db
YAML
    case $source in
    file) echo 'source: {file: {id: in, path: "in/*.ndjson", format: ndjson, schema: "id INT"}}'
        echo 'operators: [filter: {id: rows, where: id > 0}' ;;
    kafka) echo 'source: {kafka: {brokers: "${BROKERS}", topic: t, starting_offsets: earliest, on_data_loss: "${LOSS:-fail}"}}'
        echo 'operators: [from_json: {id: rows, schema: "id INT"}' ;;
    esac
    echo ', group_by: {keys: {}, aggregates: {n: count(*), total: sum(id)}}]' # the totals go to the same sink
    case $sink in
    file) echo 'sinks: [file: {id: a, input: rows, path: out}' ;;
    sqlite) echo 'sinks: [sqlite: {id: a, input: rows, path: t.db, table: rows}' ;;
    esac
    echo ', sqlite: {id: b, mode: complete, path: totals.db, table: totals}]'
}
run() { timeout 60 "$headrace" run p.yaml --lanes 1 >/dev/null 2>../err; }
ids() {
    case $sink in
    file) cat out/part-*.ndjson | sed 's/.*"id":\([0-9]*\)}/\1/' ;;
    sqlite) sqlite3 t.db 'select id from rows' ;;
    esac | sort -n | tr '\n' ' '
}
meta() { sqlite3 state.db 'select epoch, published from hr_meta'; }
# shows EPOCHS TOTALS IDS: "newest|published" of the checkpoint, "n|total" and the rows of the sinks
shows() {
    [ "$(meta)" = "$1" ] || die "epoch and published are $(meta), not $1"
    [ "$(sqlite3 totals.db 'select n, total from totals')" = "$2" ] || die "the totals are $(sqlite3 totals.db 'select n, total from totals'), not $2"
    [ "$(ids)" = "$3" ] || die "the rows are $(ids), not $3"
}
keep() { rm -rf ../kept && cp -a . ../kept; }
back() { find . -mindepth 1 -delete && cp -a ../kept/. .; }

# The next run is killed with its epoch committed, and no sink has it.
killed_before_publishing() {
    local n call=renameat at=()
    [ $sink = file ] || call=openat at=(-P "$PWD/t.db-journal")
    keep
    for n in 1 2 3 4 5; do
        back
        (ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq -o /dev/null "${at[@]}" -e trace=$call -e inject=$call:signal=SIGKILL:when=$n \
            "$headrace" run p.yaml --lanes 1 2>../err; exit 0) 2>/dev/null # a shell says "Killed"
        [ "$(meta)" != '2|1' ] || break
    done
    shows '2|1' '2|3' '1 2 '
    keep
}
# lost TEXT: exit 5 with one line that says so; nothing is published, and that stays so
lost() {
    run
    local code=$?
    [ $code = 5 ] || die "exit $code, not 5"
    [ "$(grep -cF "error: $1" ../err)" = 1 ] && [ "$(wc -l <../err)" = 1 ] || die "not '$1' alone"
    shows '2|1' '2|3' '1 2 '
    pass
}

# ---- files: one that grew in the epoch and one that was new in it ----
lines() { printf '{"id":%d}\n' "$@"; }
source=file
for sink in file sqlite; do
    what="file to $sink" && find . -mindepth 1 -delete && job >p.yaml && mkdir in
    lines 1 2 >in/1.ndjson
    run || die "exit $?"
    lines 3 >>in/1.ndjson
    lines 4 5 >in/2.ndjson
    killed_before_publishing
    run || die "exit $?"
    shows '2|2' '5|15' '1 2 3 4 5 '
    guarantee 'kill -9 between commit and publishing' 'read again, each row once'
    back && mv in/2.ndjson archived
    lost 'file: in/2.ndjson is gone: its bytes 0 to 17 were to be read again'
    back && mv in/1.ndjson archived
    lost 'file: in/1.ndjson is gone: its bytes 18 to 26 were to be read again'
    back && truncate -s 9 in/2.ndjson
    lost 'file: in/2.ndjson has 9 bytes now: its bytes 0 to 17 were to be read again'
    lines 4 5 6 >in/2.ndjson && lines 7 >in/3.ndjson # as it was, and what came later
    run || die "exit $?"
    shows '3|3' '7|28' '1 2 3 4 5 6 7 '
    pass
    guarantee 'kill -9 between commit and publishing, then a file gone or shorter' 'exit 5 naming it and the bytes; nothing published'
done
