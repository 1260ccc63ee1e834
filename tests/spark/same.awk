# Are two files of rows, cells with TABs between, the same? awk -v doubles="2 5" -f same.awk A B
# The cells with these numbers are DOUBLE and may differ by 1e-12; everything else is compared exactly.
BEGIN { FS = "\t"; split(doubles, number, " "); for (i in number) is_double[number[i]] }
FILENAME == ARGV[1] { line[FNR] = $0; lines = FNR; next }
{ seen = FNR }
line[FNR] == $0 { next }
{
    n = split(line[FNR], cell, "\t")
    for (i = 1; i <= n || i <= NF; i++)
        if (cell[i] "" != $i "" && !(i in is_double && near(cell[i], $i))) { print "row " FNR ": " cell[i] " is not " $i; bad = 1; exit }
}
function is_number(x) { return x ~ /^-?[0-9]+\.[0-9]+(E-?[0-9]+)?$/ }
function size(x) { return x < 0 ? -x : x }
function near(x, y) { return is_number(x) && is_number(y) && size(x - y) <= 1e-12 * size(x) }
END {
    if (!bad && seen != lines) { print lines " rows, and " seen + 0; bad = 1 }
    exit bad || !lines
}
