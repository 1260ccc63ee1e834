# shellcheck shell=bash disable=SC2154,SC1091
# From the start of the process to its first table, with 10,000 records waiting in the topic.

. "$bench/sections/kafka.sh"

section_start() {
    need_topic sample 1
    rounds start_headrace start_spark
}

# first FILE: when its first table began, as measure -l stamped it
first() { figures="first=$(sed -n 's/^\([0-9.]*\) |SellerID.*/\1/p' "$1" | head -n 1) $figures"; }

run_start_headrace() {
    headrace_on sample 2 -l -o "$state/out" && first "$state/out" && same "$state/totals" 1
}

run_start_spark() {
    spark_on sample "$state/out" -l && first "$state/out" && spark_totals "$state/out" >"$state/totals" &&
        same "$state/totals" 1
}
