# Tables of the console, left-aligned: the rows of the last one (-v all=1: of all), cells with TABs between.
/^Batch: / { if (!all) rows = 0; lines = 0; next }
/^\+-/ { lines++; next }
/^\|/ && lines == 2 {
    line = substr($0, 2, length($0) - 2)
    gsub(/ *\|/, "\t", line)
    sub(/ *$/, "", line)
    row[++rows] = line
}
END { for (i = 1; i <= rows; i++) print row[i] }
