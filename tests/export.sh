#!/bin/bash
# What `headrace export --to spark` writes: the programs kept in tests/export, its notes and its refusals.
# The programs themselves run on Spark in tests/spark/streams.sh. Usage: export.sh [--update]
set -eu
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$srcdir"
export MIN=7 FORMAT=MM-dd-yy HALF=3
bad=0 compared=0
for file in tests/export/*.yaml pipelines/*.yaml; do
    name=$(basename "$file" .yaml)
    "$headrace" export --to spark "$file" >"$tmp/$name.py" 2>"$tmp/$name.err" || echo "exit $?" >>"$tmp/$name.err"
    [ "${1:-}" != --update ] || cp "$tmp/$name.py" "$tmp/$name.err" tests/export/
    for kept in py err; do
        diff -u "tests/export/$name.$kept" "$tmp/$name.$kept" || bad=1
        compared=$((compared + 1))
    done
done
! grep -l hunter2 "$tmp"/*.py || { echo "a password was copied"; bad=1; }
! command -v python3 >/dev/null || python3 -c 'import sys; [compile(open(f).read(), f, "exec") for f in sys.argv[1:] if open(f).read()]' "$tmp"/*.py || bad=1
# no variable is one that another node has
! command -v python3 >/dev/null || python3 - "$tmp"/*.py <<'END' || bad=1
import ast, sys
bad = 0
for path in sys.argv[1:]:
    seen = {"spark"}
    for statement in ast.parse(open(path).read()).body:
        if isinstance(statement, ast.Assign):
            name = statement.targets[0].id
            if name in seen and name != "spark":
                print(path, "assigns twice:", name)
                bad = 1
            seen.add(name)
sys.exit(bad)
END
refused() { # EXIT TEXT ARGUMENT...
    local want=$1 text=$2 code=0
    shift 2
    "$headrace" export "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
    [ "$code" = "$want" ] && grep -qF -- "$text" "$tmp/err" && [ ! -s "$tmp/out" ] || { echo "export $*: exit $code"; cat "$tmp/err"; bad=1; }
}
# what a program uses it imports
printf 'version: 1\nname: named\nsource: {file: {path: in.ndjson, format: ndjson, schema: "a INT"}}\nsink: console\n' >"$tmp/named.yaml"
"$headrace" export --to spark "$tmp/named.yaml" >"$tmp/named.py" 2>/dev/null || { echo "export of a file source: exit $?"; bad=1; }
grep -q 'os\.path' "$tmp/named.py" && grep -qx 'import os' "$tmp/named.py" || { echo "os is used and not imported"; cat "$tmp/named.py"; bad=1; }
# a secret is what headrace reads: the file without one newline at its end
printf ' pass word \n\n' >"$tmp/secret"
chmod 600 "$tmp/secret"
printf 'version: 1\nname: secret\nsource: {kafka: {topic: t, config: {security.protocol: SASL_SSL, sasl.username: me, sasl.password: "${file:%s}"}}}\nsink: console\n' "$tmp/secret" >"$tmp/secret.yaml"
"$headrace" export --to spark "$tmp/secret.yaml" >"$tmp/secret.py" 2>/dev/null || { echo "export of a secret: exit $?"; bad=1; }
grep -qF "(\"me\", read_secret(\"$tmp/secret\"))" "$tmp/secret.py" || { echo "the secret is not read by the program"; bad=1; }
! command -v python3 >/dev/null ||
    { sed -n '/^def read_secret/,/return/p' "$tmp/secret.py"; echo "assert read_secret('$tmp/secret') == ' pass word \\n'"; } | python3 - || bad=1
refused 2 "--to spark is wanted" pipelines/invoices.yaml
refused 2 "--to knows spark, and not 'flink'" --to flink pipelines/invoices.yaml
refused 4 "no checkpoint at $tmp/none.db" --to spark pipelines/invoices.yaml --checkpoint "$tmp/none.db" --with-state "$tmp/totals"

# --with-state: from a checkpoint that is whole and not in use
printf 'version: 1\nname: states\ntrigger: available_now\ncheckpoint: %s/states.db\nsource: {file: {path: %s/in.txt}}\n' "$tmp" "$tmp" >"$tmp/head"
{ cat "$tmp/head"; echo 'operators: [{group_by: {keys: [value], aggregates: {n: count(*)}}}]'; echo 'sink: {console: {}}'; } >"$tmp/states.yaml"
echo x >"$tmp/in.txt"
"$headrace" run "$tmp/states.yaml" >/dev/null
refused 3 "Spark cannot start within a file" --to spark "$tmp/states.yaml" --with-state "$tmp/totals"
sed 's/{file: .*/{generator: {rate: 10}}\nsink: "null"/; s/^trigger: .*/trigger: 10ms/' "$tmp/head" >"$tmp/running.yaml"
"$headrace" run "$tmp/running.yaml" --checkpoint "$tmp/running.db" &
job=$!
until [ -s "$tmp/running.db" ]; do kill -0 $job; done
refused 4 "$job" --to spark "$tmp/running.yaml" --checkpoint "$tmp/running.db" --with-state "$tmp/totals"
kill -TERM $job
wait $job
[ ! -e "$tmp/totals" ] || { echo "a refused export left totals"; bad=1; }

# Offsets and totals as they stand in the checkpoint, over the embedded broker.
mkfifo "$tmp/address"
"$headrace" broker --topic invoices:2 >"$tmp/address" &
broker=$!
trap 'kill $broker 2>/dev/null; rm -rf "$tmp"' EXIT
read -r KAFKA_BROKERS <"$tmp/address"
export KAFKA_BROKERS STATE_DIR=$tmp INVOICES=pipelines/data/invoices.csv
"$headrace" run pipelines/produce_invoices.yaml
"$headrace" run pipelines/invoices.yaml --trigger available_now >/dev/null
"$headrace" export --to spark pipelines/invoices.yaml --with-state "$tmp/totals" >"$tmp/state.py" 2>/dev/null || bad=1
view() { sqlite3 -readonly "$tmp/invoices.db" "$1"; }
view "select printf('{\"SellerID\":%d,\"TotalSales_sum\":%!.17g,\"TotalTax_sum\":%!.17g}', SellerID, TotalSales, TotalTax) from group_by order by SellerID" >"$tmp/wanted"
numbers() { sed 's/[^-0-9.E,]//g' "$1" | awk -F, '{ printf "%d %.17g %.17g\n", $1, $2, $3 }'; }
diff <(numbers "$tmp/wanted") <(numbers "$tmp/totals/totals.json") >"$tmp/diff" || { head -4 "$tmp/diff"; echo "the totals handed over are not those of the checkpoint"; bad=1; }
[ "$(wc -l <"$tmp/totals/totals.json")" = 500 ] || { echo "not 500 totals"; bad=1; }
for p in 0 1; do
    grep -q "\"$p\": $(view "select position from hr_positions where split = '$p'")[,}]" "$tmp/state.py" || { echo "the offset of partition $p is not handed over"; bad=1; }
done

# state_of NAME KEYS AGGREGATES: totals of the same topic, exported as NAME.py with NAME/totals.json
state_of() {
    cat >"$tmp/$1.yaml" <<-END
	version: 1
	name: $1
	trigger: available_now
	checkpoint: $tmp/$1.db
	source: {kafka: {brokers: "$KAFKA_BROKERS", topic: invoices, starting_offsets: earliest}}
	operators:
	  - from_json: {schema: "SellerID INT, tax_amount DECIMAL(38,18)", strict: false}
	  - group_by: {keys: $2, aggregates: $3}
	sink: {console: {}}
	END
    "$headrace" run "$tmp/$1.yaml" >/dev/null 2>"$tmp/$1.err" || { echo "$1: the job ended with $?"; cat "$tmp/$1.err"; bad=1; }
    timeout 10 "$headrace" export --to spark "$tmp/$1.yaml" --with-state "$tmp/$1" >"$tmp/$1.py" 2>"$tmp/$1.err"
}
holds() { grep -qF -- "$2" "$1" || { echo "$(basename "$1") has not: $2"; cat "$1"; bad=1; }; }

# a $ within names and expressions is no part's name
state_of dollars '{k: SellerID}' '{"a$sum": avg(SellerID), "b": "max(concat('"'"'$x $max'"'"', SellerID))"}' || bad=1
holds "$tmp/dollars.py" '"sum(`a$sum_sum`) / sum(`a$sum_count`)"'
holds "$tmp/dollars.py" "concat('\$x \$max', SellerID)"
# a key that is called as a part would be
state_of clash '{a_sum: SellerID}' '{a: avg(tax_amount * 2)}' && bad=1
holds "$tmp/clash.err" "avg of DECIMAL(38,16) cannot go on from a checkpoint in Spark: its digits would not all be right"
state_of clashes '{A_sum: SellerID, a_sum_: SellerID}' '{a: "avg(CAST(tax_amount AS DECIMAL(24,6)))"}' || bad=1
holds "$tmp/clashes.py" 'CAST(CAST(sum(a_sum__) AS DECIMAL(34,6)) / sum(a_count) AS DECIMAL(28,10))'
holds "$tmp/clashes/totals.json" '"a_sum__":'
# a total that its own type does not hold
state_of large '[SellerID]' '{a: sum(99999999999999999999999999999999999999)}' && bad=1
holds "$tmp/large.err" "a total of a does not fit its type"
[ ! -e "$tmp/large/totals.json" ] || { echo "a failed export left totals"; bad=1; }
refused 1 "totals.json: File exists" --to spark pipelines/invoices.yaml --with-state "$tmp/totals"

# what tests/spark/streams.sh compares with: doubles to 1e-12, decimals exactly
printf 'a\t12345678901234567890.12\t0.1\n' >"$tmp/one"
printf 'a\t12345678901234567890.99\t0.10000000000000002\n' >"$tmp/other"
same() { awk -v doubles="$1" -f tests/spark/same.awk "$tmp/one" "$tmp/other" >/dev/null; }
same "2 3" || { echo "same.awk: doubles may differ in their last digits"; bad=1; }
! same 3 || { echo "same.awk takes two decimals for the same"; bad=1; }
! same 2 || { echo "same.awk takes text for a double"; bad=1; }
echo "export: $compared files compared"
exit $bad
