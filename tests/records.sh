#!/bin/bash
# Records that are no good, or odd: JSON that is none, of 10,000 levels, with keys twice or a million of them, a record of
# 100 MB, a tombstone. Each goes by on_error and is counted, and memory does not grow with it.
set -u
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "records: $*"; tail -n 3 err; exit 1; }
guarantee() { echo "guarantee: $1 | $2 | any | $3 | tests/records.sh"; }

run() { # CODE FILE
    local code
    "$headrace" run "$2" >out 2>err </dev/null
    code=$?
    [ $code = "$1" ] || fail "$2: exit $code, not $1"
}
counted() { # FILE NODE COUNTS: in, out, dropped, dead-lettered, bad
    local got
    got=$("$headrace" state "$1" | sed -n "s/^ *$2: in \([0-9]*\), out \([0-9]*\), filtered 0, dropped \([0-9]*\), dead-lettered \([0-9]*\), bad \([0-9]*\).*/\1 \2 \3 \4 \5/p")
    [ "$got" = "$3" ] || fail "$1: $2 counted '$got', not '$3'"
}
shows() { [ "$(cat out)" = "$1" ] || fail "$what: $(head -c 1000 out)"; }
# MiB of resident memory that the run took at most; what a sanitizer keeps of freed memory is not counted
peak() {
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=1 "$builddir/bench/measure" -o out "$headrace" run "$1" 2>err >measured || fail "$1: $(cat measured)"
    sed 's/.*peak_mib=\([0-9]*\).*/\1/' measured
}

# ---- JSON that is bad, under each policy: cut off, of another type, NaN, no UTF-8, no object, too deep ----
many() { head -c "$1" /dev/zero | tr '\0' "$2"; }
{
    printf '%s\n' '{"id":1,"s":"a"}' '{"id":' '{"id":"x","s":"b"}' '{"id":NaN}'
    printf '{"id":2,"s":"\xff"}\n'
    printf '%s\n' '[1]' '{"id":5,"id":6,"s":"c","s":"d"}'
    printf '{"s":' && many 10000 '[' && many 10000 ']' && printf '}\n'
    echo '{"id":7}'
} >bad.txt
job() { # POLICY SINK
    printf 'version: 1\nname: bad\ntrigger: available_now\ncheckpoint: %s.db\n' "$1"
    printf 'source: {file: {path: bad.txt}}\noperators: [{from_json: {schema: "id INT, s STRING", on_error: %s}}]\n%s\n' "$1${2:+, errors: bad}" \
        "sinks: [{console: {input: from_json, format: json}}${2:+, $2}]"
}
job null >null.yaml
run 0 null.yaml
what='on_error: null' shows '{"id":1,"s":"a"}
{"id":null,"s":null}
{"id":null,"s":"b"}
{"id":null,"s":null}
{"id":null,"s":null}
{"id":null,"s":null}
{"id":6,"s":"d"}
{"id":null,"s":null}
{"id":7,"s":null}'
counted null.yaml from_json '9 9 0 0 6'
good='{"id":1,"s":"a"}
{"id":6,"s":"d"}
{"id":7,"s":null}'
job drop >drop.yaml
run 0 drop.yaml
what='on_error: drop' shows "$good"
counted drop.yaml from_json '9 3 6 0 6'
job dead_letter '{file: {input: bad, path: letters}}' >letter.yaml
sed -i 's/dead_letter.db/letter.db/' letter.yaml
run 0 letter.yaml
what='on_error: dead_letter' shows "$good"
counted letter.yaml from_json '9 3 0 6 6'
[ "$(sed 's/.*"offset":\([0-9]*\).*/\1/' letters/part-* | tr '\n' ' ')" = '17 24 43 54 71 107 ' ] || fail "dead letters: $(cut -c1-200 letters/part-*)"
job fail >fail.yaml
run 1 fail.yaml
[ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -qF 'error: from_json: bad.txt@17: JSON: ends too early' err || fail "on_error: fail"
counted fail.yaml from_json '0 0 0 0 0'
guarantee 'bad JSON, wrong type, NaN, invalid UTF-8, 10,000 levels' file 'by on_error (null, drop, dead_letter, fail), each counted'
guarantee 'duplicate keys in an object' file 'the last one counts, not bad'

# ---- a record of 100 MB: memory as with a short one, under each policy ----
cat >long.yaml <<'YAML'
version: 1
name: long
trigger: available_now
limits: {record: 1MiB}
source: {file: {path: long.txt, on_error: "${ON_ERROR:-drop}"}}
operators: [{group_by: {keys: [value], aggregates: {n: count(*)}}}]
sink: {console: {format: json}}
YAML
printf '%s\n' first last >long.txt
short=$(peak long.yaml) || exit 1
{ echo first; many 100000000 x; echo; echo last; } >long.txt
long=$(peak long.yaml) || exit 1
what='rows beside a record of 100 MB' shows '{"value":"first","n":1}
{"value":"last","n":1}'
[ "$long" -le $((short + 8)) ] || fail "a record of 100 MB took $long MiB, a short one $short MiB"
export ON_ERROR=null
long=$(peak long.yaml) || exit 1
grep -qx '{"value":null,"n":1}' out || fail "a record of 100 MB and on_error null: $(head -c 1000 out)"
[ "$long" -le $((short + 8)) ] || fail "a record of 100 MB took $long MiB under on_error null, a short one $short MiB"
ON_ERROR=fail
run 1 long.yaml
grep -qF 'error: file: long.txt@6: the record has 100000000 bytes, more than limits.record (1048576)' err || fail 'the long record is not named'
unset ON_ERROR
guarantee 'a record of 100 MB' file 'a bad row, by on_error; memory as with a short one'

# ---- a million keys in one object: memory as with one text of that size ----
cat >keys.yaml <<'YAML'
version: 1
name: keys
trigger: available_now
checkpoint: keys.db
limits: {record: 32MiB}
source: {file: {path: bad.txt}}
operators: [{from_json: {schema: "id INT, k999999 INT, last INT", on_error: fail}}]
sink: {console: {format: json}}
YAML
awk 'BEGIN { printf "{\"id\":1"; for (i = 0; i < 1000000; i++) printf ",\"k%d\":%d", i, i; print ",\"last\":7}" }' >keys.txt
{ printf '{"id":1,"text":"' && many $(($(stat -c %s keys.txt) - 100)) x && echo '","last":7}'; } >bad.txt
text=$(peak keys.yaml) || exit 1
rm keys.db
mv keys.txt bad.txt
keys=$(peak keys.yaml) || exit 1
what='a million keys' shows '{"id":1,"k999999":999999,"last":7}'
counted keys.yaml from_json '1 1 0 0 0'
[ "$keys" -le $((text + 8)) ] || fail "a million keys took $keys MiB, a text of that size $text MiB"
guarantee 'a million keys in one object' file 'read and counted; memory as with one text of that size'

# ---- tombstones: from a null through a topic to a null ----
"$headrace" broker --topic in:1 >address &
broker=$!
until [ -s address ]; do kill -0 $broker || exit 1; done
KAFKA_BROKERS=$(cat address)
export KAFKA_BROKERS
cat >write.yaml <<'YAML'
version: 1
name: write
trigger: available_now
source: {file: {path: in.ndjson, format: ndjson, schema: "key STRING, value STRING"}}
sink: {kafka: {brokers: "${KAFKA_BROKERS}", topic: in}}
YAML
printf '%s\n' '{"key":"a","value":"{\"id\":1}"}' '{"key":"a"}' '{"key":"b","value":""}' '{"key":"b","value":"{"}' '{"value":"{\"id\":2}"}' >in.ndjson
run 0 write.yaml
cat >read.yaml <<'YAML'
version: 1
name: read
trigger: available_now
checkpoint: read.db
source: {kafka: {brokers: "${KAFKA_BROKERS}", topic: in, starting_offsets: earliest}}
operators:
  - with: {columns: {tombstone: value IS NULL}}
  - from_json: {schema: id INT, keep: [key, tombstone], on_error: drop}
sink: {console: {format: json}}
YAML
run 0 read.yaml
what=tombstones shows '{"id":1,"key":"a","tombstone":false}
{"id":null,"key":"a","tombstone":true}
{"id":null,"key":"b","tombstone":false}
{"id":2,"key":null,"tombstone":false}'
counted read.yaml kafka '5 5 0 0 0'
counted read.yaml from_json '5 4 1 0 1'
guarantee 'tombstone' kafka 'a row with a null value, not bad; counted'
echo "records: 100 MB in $long MiB (a short one in $short), a million keys in $keys MiB (a text in $text)"
