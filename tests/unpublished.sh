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

# ---- a job of a source and a sink for its rows; its checkpoint and sinks lie in this folder ----
job() {
    cat <<YAML
version: 1
name: unpublished
trigger: available_now
checkpoint: state.db
YAML
    case $source in
    file) echo 'source: {file: {id: in, path: "../in/*.ndjson", format: ndjson, schema: "id INT"}}'
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
    file) cat out/part-*.ndjson 2>/dev/null | sed 's/.*"id":\([0-9]*\)}/\1/' ;;
    sqlite) sqlite3 t.db 'select id from rows' 2>/dev/null ;;
    esac | sort -n | tr '\n' ' '
}
meta() { sqlite3 state.db 'select epoch, published from hr_meta'; }
# shows EPOCHS TOTALS IDS: "newest|published" of the checkpoint, "n|total" and the rows of the sinks
shows() {
    local totals
    [ "$(meta)" = "$1" ] || die "epoch and published are $(meta), not $1"
    totals=$(sqlite3 totals.db 'select n, total from totals' 2>/dev/null)
    [ "$totals" = "$2" ] || die "the totals are $totals, not $2"
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
        [ "$(meta)" != "${before[0]}" ] || break
    done
    shows "${before[@]}"
    keep
}
warned() { grep -qF "warning: $1" ../err || die "not '$1'"; }
# lost TEXT: exit 5 with one line that says so; nothing is published, and that stays so
lost() {
    run
    local code=$?
    [ $code = 5 ] || die "exit $code, not 5"
    [ "$(grep -cF "error: $1" ../err)" = 1 ] && [ "$(wc -l <../err)" = 1 ] || die "not '$1' alone"
    shows "${before[@]}"
    pass
}

# ---- files: one that grew in the epoch and one that was new in it ----
lines() { printf '{"id":%d}\n' "$@"; }
source=file before=('2|1' '2|3' '1 2 ')
for sink in file sqlite; do
    what="file to $sink" && find . -mindepth 1 -delete && job >p.yaml && rm -rf ../in && mkdir ../in
    lines 1 2 >../in/1.ndjson
    run || die "exit $?"
    lines 3 >>../in/1.ndjson
    lines 4 5 >../in/2.ndjson
    killed_before_publishing
    run || die "exit $?"
    shows '2|2' '5|15' '1 2 3 4 5 '
    guarantee 'kill -9 between commit and publishing' 'read again, each row once'
    back && mv ../in/2.ndjson ../archived
    lost 'file: ../in/2.ndjson is gone: its bytes 0 to 17 were to be read again'
    mv ../archived ../in/2.ndjson && mv ../in/1.ndjson ../archived
    lost 'file: ../in/1.ndjson is gone: its bytes 18 to 26 were to be read again'
    mv ../archived ../in/1.ndjson && truncate -s 9 ../in/2.ndjson
    lost 'file: ../in/2.ndjson has 9 bytes now: its bytes 0 to 17 were to be read again'
    lines 4 5 6 >../in/2.ndjson && lines 7 >../in/3.ndjson # as it was, and what came later
    run || die "exit $?"
    [ ! -s ../err ] || die "it says something"
    shows '3|3' '7|28' '1 2 3 4 5 6 7 '
    back && cp ../in/2.ndjson ../in/new && mv ../in/new ../in/2.ndjson
    run || die "exit $?"
    warned 'file: ../in/2.ndjson was replaced; reading bytes 0 to 17 of the new one again'
    shows '3|3' '7|28' '1 2 3 4 5 6 7 '
    guarantee 'kill -9 between commit and publishing, then a file gone or shorter' 'exit 5 naming it and the bytes; nothing published'
done

# ---- kafka, on the embedded broker: it forgets its topics when it ends, so the next one has them made anew ----
mkfifo ../address
cat >../produce.yaml <<'YAML'
version: 1
name: produce
source: {file: {path: "-"}}
sink: {kafka: {brokers: "${BROKERS}", topic: t}}
YAML
serve() { # PARTITIONS
    [ -z "$broker" ] || { kill $broker && wait $broker; }
    "$headrace" broker --topic "t:$1" >../address &
    broker=$!
    read -r BROKERS <../address
    export BROKERS
}
produce() { lines "$@" | "$headrace" run ../produce.yaml 2>../err || die "the writer ended with $?"; }
source=kafka before=('1|0' '' '')
anew='offsets 0 to 4 were to be read again, but'
for sink in file sqlite; do
    what="kafka to $sink" && find . -mindepth 1 -delete && job >p.yaml
    serve 1 && produce 1 2 3 4 5
    killed_before_publishing
    produce 6
    run || die "exit $?"
    shows '2|2' '6|21' '1 2 3 4 5 6 '
    guarantee 'kill -9 between commit and publishing' 'read again, each row once'
    back && serve 1 && produce 101 102
    lost "kafka: t[0]: $anew the log ends at 2: was the topic made anew?"
    LOSS=continue run || die "on_data_loss: continue: exit $?"
    warned "kafka: t[0]: $anew the log ends at 2; the epoch is published without them"
    shows '2|2' '7|218' '101 102 '
    back && produce 103 104 105 106
    lost "kafka: t[0]: $anew offset 4 holds another record than was read there: was the topic made anew?"
    LOSS=continue run || die "on_data_loss: continue: exit $?"
    warned "kafka: t[0]: $anew offset 4 holds another record than was read there; the epoch is published without them"
    shows '2|2' '11|636' '101 102 103 104 105 106 '
    what="kafka to $sink, fewer partitions" && find . -mindepth 1 -delete && job >p.yaml
    serve 2 && produce 1 2 3 4 5
    killed_before_publishing
    serve 1 && produce 101 102 103 104 105 106
    lost "kafka: topic 't' has 1 partitions, the checkpoint knows of partition 1: was it made anew?"
    guarantee 'kill -9 between commit and publishing, then the topic made anew' \
        'exit 5 naming the partition, nothing published; on_data_loss: continue: the epoch without what is gone, never with other records'
done

# ---- with on_data_loss: continue the topic may be made anew within an epoch: shorter, as long, longer ----
export LOSS=continue
sink=file
for n in 102 103 105; do
    before=('2|1' '3|6' '1 2 3 ')
    what="kafka, made anew up to $n within the epoch" && find . -mindepth 1 -delete && job >p.yaml
    serve 1 && produce 1 2 3
    run || die "exit $?"
    serve 1 && produce $(seq 101 $n)
    killed_before_publishing
    run || die "exit $?"
    [ "$(ids)" = "1 2 3 $(seq 101 $n | tr '\n' ' ')" ] || die "the rows are $(ids)"
    [ "$(meta)" = '2|2' ] || die "epoch and published are $(meta)"
    pass
done
echo "unpublished: $passed epochs whose records were gone or others: none was published as another one"
