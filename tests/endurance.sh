#!/bin/bash
# Two days of stream in an hour: as many epochs as a trigger of 5 s gives in 48 hours, at a trigger of 100 ms. In the first
# half the job is killed with -9 and started again, RESTARTS times; in the second it runs on. Memory, open files and the sizes
# of checkpoint and target at the end are those of the beginning, and the totals are exact.
# RESTARTS, EPOCHS: fewer, to try the script. For make check-long; its last result is in tests/LONG.md.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
restarts=${RESTARTS:-1000} epochs=${EPOCHS:-34560} seed=${SEED:-$$}
RANDOM=$seed
tmp=$(mktemp -d)
job=
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
die() { echo "endurance: $* (seed $seed)"; [ ! -s err ] || tail -5 err; exit 1; }

cat >job.yaml <<'YAML'
version: 1
name: endurance
trigger: 100ms
checkpoint: state.db
source: {generator: {rate: 50000, columns: {seller: id % 500, amount: id}}}
operators: [{group_by: {keys: [seller], aggregates: {n: count(*), total: sum(amount)}}}]
sink: {sqlite: {path: target.db, table: totals, key: [seller], mode: update}}
YAML
number() { sqlite3 -readonly state.db ".timeout 10000" "$1" 2>/dev/null || echo 0; }
epoch() { number 'select epoch from hr_meta'; }
start() { "$headrace" run job.yaml >>out 2>>err & job=$!; }
pause() { read -rt "$1" <> <(:); }

# what the job holds now: peak and present memory in KiB, open files, bytes of the checkpoint and of the target
look() { echo "$(awk '/^Vm(HWM|RSS)/ { print $2 }' /proc/$job/status | xargs) $(find /proc/$job/fd -mindepth 1 | wc -l) $(stat -c %s state.db target.db | xargs)" >>"$1"; }

# flat FILE: the most of the last tenth, beside the most of the second tenth (the first warms up)
flat() {
    awk -v name="$1" '{ for (i = 1; i <= 5; i++) v[NR, i] = $i }
        function most(i, from, to,  r, m) { for (r = from; r <= to; r++) if (v[r, i] > m) m = v[r, i]; return m }
        END {
            split("KiB at the peak,KiB,open files,bytes of checkpoint,bytes of target", what, ",")
            split("4096 4096 0 65536 65536", slack, " ")
            tenth = int(NR / 10)
            for (i = 1; i <= 5; i++) {
                early = most(i, tenth + 1, 2 * tenth); late = most(i, NR - tenth + 1, NR)
                printf "endurance: %s: %d %s, %d at the end\n", name, early, what[i], late
                if (late > early + slack[i]) grown = 1
            }
            exit tenth < 1 || grown
        }' "$1" || die "$1: something grew, or there are too few samples"
}

for ((i = 0; i < restarts; i++)); do
    start
    pause "$(awk -v r=$RANDOM -v s="$epochs" -v n="$restarts" 'BEGIN { printf "%.3f", r / 32768 * s / n / 10 }')"
    [ $((i % 5)) != 0 ] || while [ ! -s state.db ] || [ ! -s target.db ]; do pause 0.01; done
    [ ! -s state.db ] || [ ! -s target.db ] || look restarts
    kill -9 $job 2>/dev/null || { wait $job; die "a run ended by itself with $?"; }
    wait $job
done 2>/dev/null
between=$(epoch)
start
while [ "$(epoch)" -lt "$epochs" ]; do
    kill -0 $job || die "the run ended by itself"
    pause 1
    look running
done
kill -TERM $job
wait $job || die "the last run ended with $?"
job=
flat restarts
flat running

rows=$(number 'select position from hr_positions')
exact=$(number "select count(*) from group_by where n = ($rows - seller + 499) / 500 and total = seller * n + 500 * (n * (n - 1) / 2)")
[ "$exact" = 500 ] || die "$exact of 500 totals are exact"
diff <(number 'select seller, n, total from group_by order by 1') <(sqlite3 -readonly target.db 'select seller, n, total from totals order by 1') >difference ||
    die "the target differs: $(head -3 difference)"
echo "endurance: $restarts kills in $between epochs, then on to epoch $(epoch); $rows rows, 500 groups, each exact, in checkpoint and target (seed $seed)"
