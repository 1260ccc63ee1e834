# Are two files of rows, cells with TABs between, the same? Doubles to 1e-12, everything else exactly: awk -f same.awk A B
BEGIN { FS = "\t" }
FILENAME == ARGV[1] { line[FNR] = $0; lines = FNR; next }
{ seen = FNR }
line[FNR] == $0 { next }
{
    n = split(line[FNR], cell, "\t")
    for (i = 1; i <= n || i <= NF; i++)
        if (cell[i] "" != $i "" && !near(cell[i], $i)) { print "row " FNR ": " cell[i] " is not " $i; bad = 1; exit }
}
function is_double(x) { return x ~ /^-?[0-9]+\.[0-9]+(E-?[0-9]+)?$/ }
function size(x) { return x < 0 ? -x : x }
function near(x, y) { return is_double(x) && is_double(y) && size(x - y) <= 1e-12 * size(x) }
END {
    if (!bad && seen != lines) { print lines " rows, and " seen + 0; bad = 1 }
    exit bad || !lines
}
