#!/bin/bash
# An epoch that is committed and not published yet, and a pipeline file that changed before the restart: its rows come to
# the sinks they were for, or the run is refused with the way out. A console on a full disk keeps the epoch from the sinks
# behind it.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
die() { echo "pending: $*"; [ ! -s err ] || tail -3 err; exit 1; }

# expect CODE TEXT COMMAND...: that exit code, and the text once on stderr
expect() {
    local want=$1 text=$2 code
    shift 2
    "$@" >out.txt 2>err
    code=$?
    [ $code = "$want" ] || die "$*: exit $code, not $want"
    [ -z "$text" ] || [ "$(grep -cF -- "$text" err)" = 1 ] || die "$*: not once '$text'"
}
leave_pending() {
    "$headrace" run p.yaml "$@" >/dev/full 2>err
    [ $? = 1 ] && [ "$(sqlite3 p.db 'select epoch - published from hr_meta')" = 1 ] || die "no epoch was left unpublished"
}

# ---- sinks that changed places, or left ----
pipeline() { # SINKS
    printf 'version: 1\nname: p\ntrigger: available_now\ncheckpoint: p.db\nsource: {generator: {rows: "${ROWS}"}}\nsinks:\n  - console: {format: json}\n%s\n' "$1"
}
table() { echo "  - sqlite: {path: t.db, table: $1${2:+, id: $2}}"; }
ids() { sqlite3 t.db "select group_concat(id, ' ') from $1"; }
pipeline "$(table a; table b)" >p.yaml
expect 0 '' "$headrace" run p.yaml --set ROWS=2
leave_pending --set ROWS=4
pipeline "$(table b; table a)" >p.yaml
cp p.db before.db
expect 4 "checkpoint p.db: sink 'sqlite' wrote to 'sqlite path=t.db table=a', where epoch 2 may be missing yet, and now writes to 'sqlite path=t.db table=b': let the pipeline run once as it was, or give the new sink another id" \
    "$headrace" run p.yaml --set ROWS=4
cmp before.db p.db || die "a refused run changed the checkpoint"
# a start that fails, and an export that is refused, forget no sink; one that came after the epoch cannot miss it
sed 's|^sinks:|sinks: [{"null": {}}]|; /^  - /d' p.yaml >other.yaml
expect 4 'its last epoch was not published' "$headrace" export --to spark other.yaml --with-state totals --set ROWS=4
pipeline '  - sqlite: {path: no/such/folder/t.db, table: a, id: new}' >other.yaml
mkdir no && ln -s /tmp no/such
expect 1 '' "$headrace" run other.yaml --set ROWS=4
rm -r no
pipeline "$(table a; table b)" >p.yaml
expect 0 '' "$headrace" run p.yaml --set ROWS=6
[ "$(ids a)/$(ids b)" = '0 1 2 3 4 5/0 1 2 3 4 5' ] || die "two tables: $(ids a)/$(ids b)"
pipeline "$(table b; table a)" >p.yaml # nothing is pending: new sinks, as the documentation says
expect 0 '' "$headrace" run p.yaml --set ROWS=7
[ "$(ids a)/$(ids b)" = '0 1 2 3 4 5 6/0 1 2 3 4 5 6' ] || die "two tables that changed places: $(ids a)/$(ids b)"

leave_pending --set ROWS=8
pipeline "$(table a new)" >p.yaml
expect 0 "warning: checkpoint p.db: sink 'sqlite' (sqlite path=t.db table=b) has left the pipeline, and may miss epoch 5" "$headrace" run p.yaml --set ROWS=9
grep -qF "sink 'sqlite_2' (sqlite path=t.db table=a) has left" err || die "the other sink is not named"
[ "$(ids a)/$(ids b)" = '0 1 2 3 4 5 6 8/0 1 2 3 4 5 6' ] || die "a sink that left, and a new one: $(ids a)/$(ids b)"
echo "guarantee: pipeline file changed before an epoch is published: sinks | generator | sqlite | refused naming both targets, or told what a sink that left may miss | tests/pending.sh"

# ---- rows of stdin that the checkpoint keeps, and other columns ----
stdin() { # COLUMNS
    printf 'version: 1\nname: p\ntrigger: available_now\ncheckpoint: p.db\nsource: {file: {path: "-", format: ndjson, schema: "k BIGINT, v BIGINT"}}\n'
    printf 'operators: [{select: {columns: %s}}]\nsinks: [{console: {format: json}}, {file: {path: out}}]\n' "$1"
}
rm -f p.db*
stdin '[k, v]' >p.yaml
leave_pending <<<'{"k":1,"v":100}'
for columns in '[v, k]' '{k: "CAST(k AS DOUBLE)", v: v}' '[k]'; do
    stdin "$columns" >p.yaml
    expect 4 "sink 'console': the checkpoint keeps rows of its newest epoch with the columns 'k BIGINT, v BIGINT', and the columns are '" "$headrace" run p.yaml </dev/null
done
stdin '[k, v]' >p.yaml
expect 0 '' "$headrace" run p.yaml <<<'{"k":2,"v":200}'
[ "$(cat out.txt)" = '{"k":1,"v":100}
{"k":2,"v":200}' ] && [ "$(cat out/part-*)" = "$(cat out.txt)" ] || die "rows kept for a sink: $(cat out.txt out/part-*)"
echo "guarantee: pipeline file changed before an epoch is published: columns | file (stdin) | file, console | refused naming both; the rows come when it is as it was | tests/pending.sh"

# ---- the -wal of a run that was killed is removed: an earlier epoch, and not the beginning ----
cat >p.yaml <<'YAML'
version: 1
name: p
trigger: 20ms
checkpoint: wal.db
source: {generator: {rate: 5000}}
operators: [{group_by: {id: g, keys: [], aggregates: {n: count(*), top: max(id)}}}]
sink: {"null": {mode: update}}
YAML
epoch() { sqlite3 -readonly wal.db 'select epoch from hr_meta' 2>/dev/null || echo 0; }
"$headrace" run p.yaml 2>err &
job=$!
until [ "$(epoch)" -ge 3 ]; do kill -0 $job || die "the job ended"; done
kill -9 $job
wait $job 2>/dev/null
rm -f wal.db-wal wal.db-shm
read -r at n <<<"$(sqlite3 -readonly -separator ' ' wal.db 'select epoch, n from hr_meta, g where n = top + 1 and n = (select position from hr_positions)')"
[ "${at:-0}" -ge 1 ] || die "without its -wal the checkpoint is at epoch ${at:-none}"
sed -i "s/20ms/available_now/; s/rate: 5000/rows: $((n + 1000))/" p.yaml
expect 0 '' "$headrace" run p.yaml
[ "$(sqlite3 wal.db 'select n, top from g')" = "$((n + 1000))|$((n + 999))" ] || die "after its -wal was removed: $(sqlite3 wal.db 'select * from g')"
echo "guarantee: checkpoint: its -wal deleted | generator | any | exact from an earlier epoch, never from zero | tests/pending.sh"
echo "pending: passed"
