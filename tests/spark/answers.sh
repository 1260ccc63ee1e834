#!/bin/bash
# What headrace answers to every line of the corpora, in the form that spark.py writes: answers.sh HEADRACE OUT_DIR.
set -eu
headrace=$1 out=$2
corpora=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

lines() { awk '!/^#/ { text = 1 } text' "$1"; }          # without the comments at the top
expressions() { grep -v '^#' "$1" | grep .; }
yaml() { sed "s/'/''/g; s/^/'/; s/\$/'/"; }              # a line as a YAML scalar
json() { sed 's/\\/\\\\/g; s/"/\\"/g; s/\t/\\t/g'; }     # a line as the inside of a JSON string

# ask SOURCE OPERATOR KEY FILE: the pipeline SOURCE | OPERATOR: {KEY: {c1: line 1 of FILE, ...}}; prints for each line its
# type and values with tabs between, or "refused". What `headrace check` refuses is left out of the run. Exit 1: the run failed.
ask() {
    local n
    { echo "version: 1"; echo "name: ask"; echo "source: {$1}"; echo "operators:"; echo "  - $2:"; echo "      id: typed"; echo "      $3:"
      yaml <"$4" | awk '{ print "        c" NR ": " $0 }'; } >head.yaml
    n=$(($(wc -l <head.yaml) - $(wc -l <"$4")))
    { cat head.yaml; echo "sink: {console: {format: json}}"; } >all.yaml
    "$headrace" check all.yaml 2>faults >/dev/null || true
    awk -F: -v n="$n" '/^all.yaml:/ { print $2 - n }' faults | sort -un >refused
    awk -v n="$n" 'FILENAME == "refused" { bad[$1]; next } !(FNR - n in bad)' refused head.yaml >run.yaml
    { echo "  - select: {id: text, columns: {"
      awk -v n="$(wc -l <"$4")" 'BEGIN { while (getline < "refused" > 0) bad[$1]; for (i = 1; i <= n; i++) if (!(i in bad)) print "c" i ": \"CAST(c" i " AS STRING)\"," }'
      echo "}}"; echo "sink: {console: {format: json}}"; } >>run.yaml
    [ "$(wc -l <refused)" -lt "$(wc -l <"$4")" ] || { yes refused | head -"$(wc -l <"$4")"; return 0; }
    "$headrace" explain run.yaml 2>failure | awk '/^typed / { on = 1; next } /^[^ ]/ { on = 0 } on && /^    c[0-9]/ { print substr($1, 2) "\t" $2 }' >types
    "$headrace" run run.yaml 2>failure >rows || return 1
    awk -v n="$(wc -l <"$4")" '
        FILENAME == "types" { split($0, t, "\t"); answer[t[1]] = t[2]; order[++columns] = t[1]; next }
        { sub(/^\{"c[0-9]+":/, ""); sub(/\}$/, ""); split($0, v, /,"c[0-9]+":/)
          for (k = 1; k <= columns; k++) answer[order[k]] = answer[order[k]] "\t" v[k] }
        END { for (i = 1; i <= n; i++) print (i in answer ? answer[i] : "refused") }' types rows
}

answer_expressions() {
    expressions "$corpora/expressions.txt" >asked
    cp "$corpora/table.ndjson" .
    ask "file: {path: table.ndjson, format: ndjson, schema: \"$(cat "$corpora/table.schema")\"}" with columns asked | paste asked -
}

answer_dates() {
    lines "$corpora/dates.txt" | sed "s/\\\\/\\\\\\\\/g; s/'/\\\\'/g" |
        awk -F'\t' '{ print "to_date(\047" $2 "\047, \047" $1 "\047)"; print "to_timestamp(\047" $2 "\047, \047" $1 "\047)" }' >asked
    ask "generator: {rows: 1}" select columns asked | paste asked -
}

# numbered: records as {"n": LINE, "value": "..."}
numbered() { json | awk '{ print "{\"n\":" NR ",\"value\":\"" $0 "\"}" }' >records.ndjson; }
# from_json SCHEMA ON_ERROR COLUMN...: rows of records.ndjson as "n TAB value TAB ..."
from_json() {
    local schema=$1 on_error=$2 text=
    shift 2
    for column; do text="$text, $column: \"CAST($column AS STRING)\""; done
    cat >json.yaml <<-END
	version: 1
	name: json
	source: {file: {path: records.ndjson, format: ndjson, schema: "n INT, value STRING"}}
	operators:
	  - from_json: {schema: "$schema", keep: [n], strict: false, on_error: $on_error}
	  - select: {columns: {n: n$text}}
	sink: {console: {format: json}}
	END
    "$headrace" run json.yaml 2>/dev/null | sed 's/^{"n":\([0-9]*\)/\1/; s/}$//; s/,"[a-z_]*":/\t/g'
}
# goodness: "ok" or "bad" for each line of records.ndjson: whether on_error: drop keeps it
goodness() { from_json "$1" drop | awk -v n="$(wc -l <records.ndjson)" '{ good[$1] } END { for (i = 1; i <= n; i++) print (i in good ? "ok" : "bad") }'; }

answer_json_values() {
    lines "$corpora/json/values.txt" >values
    sed 's/^/{"x": /; s/$/}/' values | numbered
    for type in INT BIGINT DOUBLE STRING BOOLEAN DATE TIMESTAMP 'DECIMAL(10,2)' 'DECIMAL(38,18)'; do
        goodness "x $type" >good
        from_json "x $type" "null" x | cut -f2- | paste good - >answers
        sed "s/\t/<TAB>/g; s/\$/ as $type/" values | paste - answers
    done
}

answer_json_records() {
    lines "$corpora/json/records.txt" >values
    numbered <values
    goodness "a INT, b STRING, c DOUBLE" >good
    from_json "a INT, b STRING, c DOUBLE, _corrupt_record STRING" "null" a b c _corrupt_record | cut -f2- | paste good - >answers
    sed 's/\t/<TAB>/g' values | paste - answers
}

answer_aggregates() {
    expressions "$corpora/aggregates.calls" >calls
    lines "$corpora/aggregates.txt" | while IFS=$'\t' read -r type values; do
        # a blank within quotes belongs to the value
        printf '%s' "$values" | awk '{ for (i = 1; i <= length($0); i++) { c = substr($0, i, 1); if (c == "\"") q = !q; printf "%s", c == " " && !q ? "\n" : c } print "" }' |
            sed 's/^/{"x": /; s/$/}/' >x.ndjson
        source="file: {path: x.ndjson, format: ndjson, schema: \"x $type\"}"
        # one that stops the job must not take the others with it
        ask "$source" group_by aggregates calls >answers ||
            while read -r call; do echo "$call" >one; ask "$source" group_by aggregates one || echo refused; done <calls >answers
        sed "s/\$/ of $type: $(printf '%s' "$values" | sed 's/[\/&\\]/\\&/g')/" calls | paste - answers
    done
}

answer_to_json() {
    cp "$corpora/table.ndjson" .
    cat >to_json.yaml <<-END
	version: 1
	name: to_json
	source: {file: {path: table.ndjson, format: ndjson, schema: "$(cat "$corpora/table.schema")"}}
	operators: [{to_json: {}}, {select: {columns: [value]}}]
	sink: {console: {truncate: false}}
	END
    # Values as they are: the table's cells hold no bar of their own at their ends.
    "$headrace" run to_json.yaml 2>/dev/null | sed -n 's/^|\({.*}\) *|$/\1/p' | awk '{ print "row " NR "\tok\t" $0 }'
}

answer_console() {
    for file in "$corpora"/console/*.txt; do
        tail -n +2 "$file" >rows.ndjson
        for truncate in 20 false 3 8; do
            cat >console.yaml <<-END
		version: 1
		name: console
		source: {file: {path: rows.ndjson, format: ndjson, schema: "$(head -1 "$file")"}}
		sink: {console: {truncate: $truncate}}
		END
            "$headrace" run console.yaml 2>/dev/null | tail -n +4 |
                awk -v name="${file##*/} truncate ${truncate/false/0}" '{ print name " line " NR "\tok\t" $0 }'
        done
    done
}

for corpus in expressions dates json-values json-records aggregates to_json console; do
    "answer_${corpus/-/_}" >"$out/$corpus"
done
