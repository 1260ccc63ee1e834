# docs/differences.md from the list and the examples that compare.awk found: awk -f docs.awk USES DIFFERENCES

BEGIN { FS = "\t"; most = 4 }

FILENAME == ARGV[1] { if (++seen[$1] <= most) example[$1, seen[$1]] = "| " code($3) " | " code($4) " | " code($5) " |"; next }

/^~ / { pattern[++patterns]; of[patterns] = 1; if (!first) first = patterns; next }

first && NF {
    print "\n## " ++sections ". " $0
    print "\n| input | Spark 3.5 | headrace |\n| --- | --- | --- |"
    left = most
    for (i = first; i <= patterns; i++)
        for (k = 1; k <= seen[i] && k <= most && left > 0; k++) { print example[i, k]; left-- }
    first = 0
    next
}

!patterns && !head {
    print "# Where headrace differs from Spark"
    print "\nheadrace gives Spark SQL's answers. The tests ask real Spark 3.5 and headrace the same few thousand questions (tests/spark),"
    print "and what differs on purpose stands in tests/spark/differences, from which this page is made (`tests/spark/run.sh --docs`)."
    print "Each section has some of its cases."
    print "\nReading JSON with `strict: true`, the default of from_json, is stricter than Spark on purpose too: RFC 8259 and nothing else."
    print "The comparison is made with `strict: false`."
    head = 1
}

function code(text) {
    if (length(text) > 60) { text = substr(text, 1, 57); sub(/[\300-\377][\200-\277]*$/, "", text); text = text "..." }
    gsub(/[\001-\037\177]|\302[\200-\237]/, "\357\277\275", text) # no reader's terminal is to obey one
    gsub(/\|/, "\\|", text)
    return text ~ /`/ ? "`` " text " ``" : "`" text "`"
}
