# Compares two files of answers line by line: awk -v corpus=NAME -v listed=differences -f compare.awk SPARK HEADRACE.
# Where one value differs, the line "corpus TAB input TAB Spark's TAB headrace's" must match an entry of the list. Prints
# what is not listed, and to the file `uses` the number of the entry and that line, for each that is.

BEGIN {
    FS = "\t"
    while ((getline line < listed) > 0)
        if (line ~ /^~ /) {
            entry[++entries] = substr(line, 3)
            gsub(/ \| /, "\t", entry[entries])
        }
}

FILENAME == ARGV[1] { golden[FNR] = $0; golden_lines = FNR; next }

FNR > golden_lines { print corpus ": no golden answer to: " $1; bad = 1; exit }

{
    n = split(golden[FNR], spark, "\t")
    if (spark[1] != $1) { print corpus ": line " FNR " of the golden file is about another input than " $1; bad = 1; exit }
    inputs++
    if (golden[FNR] == $0) next
    # A word for all of it where one side gives no values.
    if (n == 2 || NF == 2) { differ(spark[1], rest(golden[FNR]), rest($0)); next }
    for (k = 2; k <= n || k <= NF; k++)
        if (spark[k] "" != $k "") differ($1, spark[k], $k)
}

function rest(line) { sub(/^[^\t]*\t/, "", line); gsub(/\t/, " ", line); return line }

function differ(input, theirs, ours,    line, i) {
    line = corpus "\t" input "\t" theirs "\t" ours
    if (line in seen) return # in another row
    seen[line]
    for (i = 1; i <= entries; i++)
        if (line ~ entry[i]) { print i "\t" line > uses; return }
    print corpus ": " input "\n    Spark:    " theirs "\n    headrace: " ours
    bad = 1
}

END {
    if (!bad && FNR < golden_lines) { print corpus ": the golden file has answers to more inputs"; bad = 1 }
    exit bad
}
