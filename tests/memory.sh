#!/bin/bash
# More groups than `limits: memory` holds: view, printed rows and restarts are to the byte those of a run that
# keeps all in memory, also after kill -9. tests/memory_long.sh has 20 million groups.
set -eu
headrace=$builddir/headrace
export HEADRACE_PLUGIN_PATH=$builddir/.libs
tmp=$(mktemp -d)
job=
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp"
rows=${ROWS:-300000}
groups=$((rows / 3))

# pipeline NAME ROWS MEMORY MODE
pipeline() {
    cat <<YAML
version: 1
name: many
trigger: available_now
limits: {memory: $3}
checkpoint: $1.db
source:
  generator: {rows: $2, seed: 7, columns: {key: "xxhash64(id, seed) % $groups", amount: "xxhash64(id) % 1000000007 / 997.0D", text: "concat('text ', id % 1009)"}}
operators:
  - group_by:
      keys: {key: key, tens: "CASE WHEN key % 10 <> 3 THEN concat('k', key % 10) END"}
      aggregates: {total: sum(amount), least: min(text), most: max(amount), mean: "avg(CAST(amount AS DECIMAL(18,2)))", n: count(*)}
sink: {console: {format: json, mode: $4}}
YAML
}
one() { sqlite3 -readonly "$1.db" "$2" 2>/dev/null || echo 0; }
view() { one "$1" 'select * from group_by'; one "$1" 'select hex(s0), hex(s1), hex(s2), hex(s3), hex(s4) from hr_state_group_by order by hr_key'; }

# all in memory, in one go
pipeline all $rows 4GiB complete >all.yaml
"$headrace" run all.yaml --lanes 2 >tables 2>err
[ ! -s err ] || { echo "memory: $(cat err), in 4GiB"; exit 1; }
tail -n "$(one all 'select count(*) from group_by')" tables >all.out # an epoch each second printed one
view all >all.view
[ "$(one all 'select sum(n) from group_by')" = "$rows" ]
[ "$(one all 'select count(*) from group_by')" -gt $((groups / 2)) ]

# little memory: epochs end early, and what they print at last is what each group ended with
pipeline some $rows 1MiB update >some.yaml
"$headrace" run some.yaml --lanes 2 >some.out 2>err
[ "$(grep -c 'many: epochs end before their trigger, .* limits: {memory: 1MiB}' err)/$(wc -l <err)" = 1/1 ] || { echo "memory: said $(cat err)"; exit 1; }
[ "$(one some 'select epoch from hr_meta')" -ge 5 ] || { echo "memory: only $(one some 'select epoch from hr_meta') epochs: nothing had to leave memory"; exit 1; }
view some | cmp all.view -
awk -F'"total"' '{ last[$1] = $0 } END { for (k in last) print last[k] }' some.out | sort | cmp <(sort all.out) -
"$headrace" state some.yaml group_by | cmp all.out -

# a restart writes what changed and no more, and prints a complete table from the file
pipeline some $((rows + 1)) 1MiB complete >more.yaml
"$headrace" run more.yaml --lanes 2 >more.out
[ "$(one some 'select count(*) from hr_state_group_by where hr_epoch = (select epoch from hr_meta)')" = 1 ]
pipeline whole $((rows + 1)) 4GiB complete >whole.yaml
"$headrace" run whole.yaml --lanes 3 >tables
tail -n "$(one whole 'select count(*) from group_by')" tables | cmp more.out -
view some | cmp <(view whole) -

# limits.groups counts groups that are on disk only, and nothing is committed of the epoch in which they become too many
most=$(($(wc -l <all.out) - 1))
pipeline limited $rows 1MiB update | sed "s/{memory: 1MiB}/{memory: 1MiB, groups: $most}/" >limited.yaml
for run in 1 2; do
    ! "$headrace" run limited.yaml --lanes $run >limited.out 2>err || { echo "memory: run $run let one group more than limits.groups through"; exit 1; }
    grep -q "groups are more than limits.groups" err
    [ "$(one limited 'select count(*) from group_by')" -le $most ] || { echo "memory: more groups than limits.groups were committed"; exit 1; }
done
pipeline limited $rows 1MiB update >limited.yaml
"$headrace" run limited.yaml --lanes 2 >limited.out
view limited | cmp all.view -

# killed after every few epochs
pipeline killed $rows 1MiB update >killed.yaml
kills=0
until [ "$(one killed 'select position from hr_positions')" = "$rows" ]; do
    "$headrace" run killed.yaml --lanes 2 >>killed.out &
    job=$!
    from=$(one killed 'select epoch from hr_meta')
    until [ "$(one killed 'select epoch from hr_meta')" -ge $((from + 2)) ] || ! kill -0 $job 2>/dev/null; do :; done
    ! kill -9 $job 2>/dev/null || kills=$((kills + 1))
    wait $job 2>/dev/null || :
    job=
done
[ $kills -ge 2 ] || { echo "memory: $kills kills only"; exit 1; }
pipeline killed $rows 1MiB complete >killed.yaml
"$headrace" run killed.yaml >/dev/null
view killed | cmp all.view -
"$headrace" state killed.yaml group_by | cmp all.out -
echo "guarantee: more groups than limits.memory holds, kill -9 | generator | console | to the byte as with plenty of memory | tests/memory.sh"
echo "memory: $(wc -l <all.out) groups in 1MiB as in 4GiB, over $(one some 'select epoch from hr_meta') epochs and $kills kills"
