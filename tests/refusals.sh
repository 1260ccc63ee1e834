#!/bin/bash
# What comes from outside and is no good: pipeline files, checkpoints, modules, brokers. Each is named in one
# line, with the exit code of its kind, and nothing is lost.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0 passed=0

# expect CODE TEXT COMMAND...: it exits with the code, and one line on stderr holds the text
expect() {
    local want=$1 text=$2 code
    shift 2
    "$@" >out 2>err </dev/null
    code=$?
    if [ $code = "$want" ] && { [ -z "$text" ] || [ "$(grep -cF -- "$text" err)" = 1 ]; }; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    echo "FAIL: $*: exit $code, not $want, or not once '$text' in:"
    head -5 err
}

job() { # NAME SOURCE KEY
    printf 'version: 1\nname: %s\ntrigger: available_now\ncheckpoint: state.db\nsource: %s\n' "$1" "$2"
    printf 'operators: [{group_by: {keys: [%s], aggregates: {n: count(*)}}}]\nsink: {console: {}}\n' "$3"
}
printf '{"id":1}\n{"id":2}\n' >in.ndjson
file='{file: {path: in.ndjson, format: ndjson, schema: id INT}}'

# ---- pipeline files ----
expect 3 'none.yaml: cannot be read: No such file' "$headrace" run none.yaml
expect 3 'is a directory' "$headrace" run "$tmp"
head -c 2097152 /dev/zero | tr '\0' '#' >large.yaml
expect 3 'large.yaml: is larger than 1 MiB' "$headrace" run large.yaml
job nul "$file" id | tr 'n' '\0' >nul.yaml
expect 3 'nul.yaml:1:' "$headrace" run nul.yaml
if [ "$(id -u)" != 0 ]; then
    job closed "$file" id >closed.yaml && chmod 0 closed.yaml
    expect 3 'closed.yaml: cannot be read: Permission denied' "$headrace" run closed.yaml
fi

# ---- limits ----
job limits "$file" id >limits.yaml
echo 'limits: {record: 20MiB, groups: 5, depth: 7}' >>limits.yaml
expect 0 '' "$headrace" explain limits.yaml
grep -qx 'limits: memory 1GiB, state 16GiB, groups 5, record 20MiB, depth 7, outbox 64MiB' out ||
    { echo "FAIL: explain shows other limits"; grep limits out; failed=$((failed + 1)); }

# ---- command line ----
job good "$file" id >good.yaml
expect 2 "no option '--lane'" "$headrace" run good.yaml --lane 2
expect 2 "not 'soon'" "$headrace" run good.yaml --trigger soon
expect 2 "--lanes wants a number from 1 to 64, not '0'" "$headrace" run good.yaml --lanes 0
expect 2 "no command 'rum'" "$headrace" rum good.yaml
expect 1 'gone.ndjson' "$headrace" run <(job good "${file/in.nd/gone.nd}" id)
job good "${file/in.nd/gone.nd}" id >gone.yaml
expect 1 'gone.yaml: file: cannot open gone.ndjson' "$headrace" check --connect gone.yaml
expect 0 '' "$headrace" check --connect good.yaml
expect 2 '--connect takes no value' "$headrace" check --connect=yes good.yaml

# ---- checkpoints ----
expect 0 '' "$headrace" run good.yaml
job other "$file" id >other.yaml
expect 4 "is another job's: its name is 'good', this one's is 'other'" "$headrace" run other.yaml
job good "$file" 'id, "id + 1"' >keys.yaml
expect 4 "is another job's" "$headrace" run keys.yaml
job good "${file/in.nd/in2.nd}" id >source.yaml
cp in.ndjson in2.ndjson
expect 4 "is another job's: its source" "$headrace" run source.yaml
cp state.db whole.db
sqlite3 state.db "update hr_state_group_by set s0 = x'010900000000000000'"
expect 4 'damaged: a row of the state does not match its checksum' "$headrace" run good.yaml
cp whole.db state.db && sqlite3 state.db "delete from hr_state_group_by where c0 = 1"
expect 4 'damaged: its rows do not add up' "$headrace" run good.yaml
cp whole.db state.db && sqlite3 state.db "update hr_positions set position = 0"
expect 4 'damaged: its rows do not add up' "$headrace" run good.yaml
cp whole.db state.db && sqlite3 state.db "pragma user_version = 99"
expect 4 'has format 99' "$headrace" run good.yaml
foreign() { # SQL TEXT
    cp whole.db state.db && sqlite3 state.db "$1"
    expect 4 "checkpoint state.db: $2" "$headrace" run good.yaml
}
foreign "create trigger bad after insert on hr_positions begin delete from hr_state_group_by; end" "holds the trigger 'bad', which headrace did not make"
foreign "create index slow on hr_positions(position)" "holds the index 'slow', which headrace did not make"
foreign "create table more(x)" "holds the table 'more', which headrace did not make"
foreign "create view look as select * from hr_meta" "holds the view 'look', which headrace did not make"
foreign "create virtual table find using fts5(x)" "holds the table 'find', which headrace did not make"
foreign "drop view group_by" "its view 'group_by' is gone"
foreign "drop view group_by; create view group_by as select 1 as id, 2 as n" "its view 'group_by' is not as headrace made it"
foreign "drop table hr_meta; create view hr_meta as select 1" "holds the view 'hr_meta', which headrace did not make"
foreign "alter table hr_counters add column x default 'x'" "its table 'hr_counters' is not as headrace made it"
[ "$(stat -c %a whole.db)" = 600 ] || { echo "FAIL: the checkpoint is not 0600"; failed=$((failed + 1)); }
[ "$(stat -c %a state.db.lock)" = 600 ] || { echo "FAIL: the lock file is not 0600"; failed=$((failed + 1)); }
# what is no checkpoint at all is left as it is, to the byte: somebody may want to look at it, or mend it
refused_as_is() { # TEXT
    cp state.db before.db
    expect 4 "checkpoint state.db: $1" "$headrace" run good.yaml
    cmp state.db before.db || { echo "FAIL: a refused checkpoint was changed: $1"; failed=$((failed + 1)); }
    [ -z "$(find . -name 'state.db-*')" ] || { echo "FAIL: files beside a refused checkpoint: $1"; failed=$((failed + 1)); }
}
for cut in 100 5000; do
    head -c $cut whole.db >state.db
    refused_as_is 'damaged: '
done
head -c "$(stat -c %s whole.db)" /dev/zero >state.db
refused_as_is 'damaged: file is not a database'
cp whole.db state.db && dd if=/dev/zero of=state.db bs=4096 count=1 conv=notrunc status=none
refused_as_is 'damaged: file is not a database'
: >state.db
refused_as_is 'is not a headrace checkpoint'
echo 'this is no database, though it is long enough to be one' >state.db
refused_as_is 'damaged: file is not a database'

# read-only: root may write to any file, so it asks somebody else to try
other=()
[ "$(id -u)" != 0 ] || other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
mkdir -m 777 closed && cp whole.db closed/state.db && chmod 400 closed/state.db && chmod 755 .
[ "$(id -u)" != 0 ] || chown 65534:65534 closed/state.db
if "${other[@]}" "$headrace" --version >out 2>err; then
    "${other[@]}" "$headrace" run good.yaml --checkpoint closed/state.db >out 2>err
    code=$?
    if { [ $code = 1 ] || [ $code = 4 ]; } && [ "$(wc -l <err)" = 1 ] && grep -q 'checkpoint closed/state.db: .*readonly' err &&
        [ ! -s out ] && cmp closed/state.db whole.db; then
        passed=$((passed + 1))
        readonly_tried=yes
    else
        failed=$((failed + 1))
        echo "FAIL: a read-only checkpoint: exit $code, $(head -5 err)"
    fi
else
    echo "refusals: no read-only checkpoint: nobody but root may run $headrace"
fi
rm state.db && mkdir state.db
expect 4 'checkpoint state.db: is not a file' "$headrace" run good.yaml
rmdir state.db
expect 4 'checkpoint nowhere/state.db: ' "$headrace" run good.yaml --checkpoint nowhere/state.db

# locked: a job that waits for more holds its checkpoint, and anybody may read it
cp whole.db state.db
mkfifo live
follow='{file: {path: in.ndjson, format: ndjson, schema: id INT, follow: true}}'
job good "$follow" id | sed 's/available_now/10ms/' >follow.yaml
rm state.db
"$headrace" run follow.yaml >live 2>follow.err &
follower=$!
exec 3<live
read -r _ <&3
expect 4 "checkpoint state.db: in use by process $follower" "$headrace" run follow.yaml
ln -s state.db link.db
expect 4 'checkpoint link.db: is a symbolic link' timeout 20 "$headrace" run follow.yaml --checkpoint link.db
expect 0 '' "$headrace" state follow.yaml --checkpoint link.db
ln -s . folder
expect 4 "checkpoint folder/state.db: in use by process $follower" timeout 20 "$headrace" run follow.yaml --checkpoint folder/state.db
ln state.db hard.db
expect 4 'checkpoint hard.db: has another name' timeout 20 "$headrace" run follow.yaml --checkpoint hard.db
rm hard.db link.db folder
expect 0 '' "$headrace" state follow.yaml
grep -q 'position in.ndjson' out || { echo "FAIL: state shows no position"; cat out; failed=$((failed + 1)); }
kill -INT $follower
wait $follower || { echo "FAIL: SIGINT did not end with 0"; failed=$((failed + 1)); }
exec 3<&-

# ---- modules ----
module() { # FILE ABI SIZE
    printf '#include <stdint.h>\nconst struct { uint32_t abi, size; void *host, *plugins; } headrace_module = {%s, %s, 0, 0};\n' "$2" "$3" |
        ${CC:-cc} -shared -fPIC -x c - -o "$1"
}
abi=$(sed -n 's/^#define HR_ABI \([0-9]*\)u$/\1/p' "$srcdir/core/headrace/plugin.h")
mkdir -m 755 modules && module modules/abi.so 99 8
printf '#include <stdlib.h>\n__attribute__((constructor)) static void ran(void) { exit(system("touch ran")); }\nconst unsigned headrace_module[6] = {98, 8};\n' |
    ${CC:-cc} -shared -fPIC -x c - -o modules/constructor.so
module modules/size.so "$abi" 8
echo 'no module' >modules/text.so
printf 'int x;' | ${CC:-cc} -shared -fPIC -x c - -o modules/plain.so
module modules/open.so "$abi" 8 && chmod o+w modules/open.so
mkdir modules/links && ln -s ../../folder/in.so modules/links/in.so
mkdir -m 757 folder && module folder/in.so "$abi" 8 && chmod 757 folder
sed 's/console/consolation/' good.yaml >sink.yaml
refused() { expect 3 "$1" "$headrace" check sink.yaml --plugin-dir modules --plugin-dir folder --plugin-dir modules/links --plugin-dir none; }
refused 'modules/abi.so: refused: built for ABI 99'
refused 'modules/constructor.so: refused: built for ABI 98'
[ ! -e ran ] || { echo "FAIL: code of a refused module ran"; failed=$((failed + 1)); }
refused 'modules/size.so: refused: its records have 8 bytes'
refused 'modules/text.so: refused: not a module'
refused 'modules/plain.so: refused: not a module: it does not export headrace_module'
refused 'modules/open.so: refused: everybody may write to it'
refused 'folder/in.so: refused: its folder: everybody may write to it'
refused 'modules/links/in.so: refused: its folder: everybody may write to it' # the file's, where a link leads
sed '/^    \.op = /s/\.bind = bind, //' "$srcdir/tests/plugin/sample.c" | ${CC:-cc} -std=gnu11 -shared -fPIC -I"$srcdir/core" -x c - -o modules/unbound.so
refused "modules/unbound.so: refused: the record of 'sample' is not complete"
sed 's/\.name = "sample"/.name = "bad name"/' "$srcdir/tests/plugin/sample.c" | ${CC:-cc} -std=gnu11 -shared -fPIC -I"$srcdir/core" -x c - -o modules/named.so
refused "modules/named.so: refused: a plug-in's name is letters"
refused 'none: no modules from there'
if [ "$(id -u)" = 0 ]; then
    module modules/theirs.so "$abi" 8 && chown 65534 modules/theirs.so
    refused 'modules/theirs.so: refused: it belongs to neither root nor you'
fi

# ---- brokers ----
kafka='{kafka: {brokers: "${KAFKA_BROKERS}", topic: "${TOPIC}", starting_offsets: earliest}}'
job topic "$kafka" partition >topic.yaml
"$headrace" broker --topic invoices:1 >address &
broker=$!
until [ -s address ]; do kill -0 $broker || exit 1; done
KAFKA_BROKERS=$(cat address)
export KAFKA_BROKERS
kill $broker && wait $broker
broker=
TOPIC=invoices expect 1 "no answer from $KAFKA_BROKERS" "$headrace" run topic.yaml --checkpoint down.db

echo "refusals: $passed passed, $failed failed"
[ $failed = 0 ] || exit 1
guarantee() { echo "guarantee: $1 | file | any | $2 | tests/refusals.sh"; }
[ -z "${readonly_tried:-}" ] || guarantee 'checkpoint read-only' 'refused, naming it; the file as it was'
guarantee 'checkpoint cut off, zeroed, changed, foreign, of another format' 'exit 4 with the reason; the file as it was'
guarantee 'second process on the checkpoint' 'exit 4 naming the process; nothing read'
