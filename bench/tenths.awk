# awk -f tenths.awk ROWS TRACE: memory and processor time of a record in the first tenth and in the last.
# ROWS has "seconds rows" an epoch, TRACE "seconds MiB cpu" a quarter second.
NR == FNR { end[++epochs] = $1; rows[epochs] = (all += $2); next }
{ at[++samples] = $1; mib[samples] = $2; cpu[samples] = $3 }

# The value at that time, on the line between two samples
function value(v, t,    i) {
    for (i = 2; i < samples && at[i] < t; i++);
    return v[i - 1] + (v[i] - v[i - 1]) * (t - at[i - 1]) / (at[i] - at[i - 1])
}
# The last epoch that ended before that share of the rows was in
function epoch(share,    e) {
    for (e = 1; e < epochs && rows[e + 1] <= share * all; e++);
    return e
}
function ns(a, b) { return 1e9 * (value(cpu, end[b]) - value(cpu, end[a])) / (rows[b] - rows[a]) }
END {
    if (epochs < 20 || samples < 20) exit   # too short to tell
    printf "first_mib=%.1f last_mib=%.1f first_ns=%.2f last_ns=%.2f", value(mib, end[epoch(0.1)]),
        value(mib, end[epochs - 1]), ns(1, epoch(0.1)), ns(epoch(0.9), epochs - 1)
}
