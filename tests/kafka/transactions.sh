#!/bin/bash
# The kafka sink on a real broker: from_json, filter, to_json into a topic, killed with -9 at random instants, and so is the
# broker. A read_committed consumer then sees the row of each input record once, and all of them.
# Then: of two processes of the same name one at most goes on, an old checkpoint is refused, and the topic of epochs is read
# behind somebody else's open transaction.
# KILLS, BOUNCES: kills of the job, and of the broker. TIMES: copies of the sample that are produced at a time; COPIES: at least, in all.
set -u
tmp=$(mktemp -d)
export KAFKA_ADMIN="$builddir/tests/kafka/admin" HEADRACE_PLUGIN_PATH=$builddir/.libs
headrace=$builddir/headrace broker=$srcdir/tests/kafka/broker.sh
sample=$srcdir/pipelines/data/invoices.csv
kills=${KILLS:-20} bounces=${BOUNCES:-2} times=${TIMES:-5} copies=${COPIES:-50} seed=${SEED:-$$}
RANDOM=$seed
job=
"$broker" start "$tmp" || exit $?
trap '[ -z "$job" ] || kill -9 $job 2>/dev/null; "$broker" stop "$tmp" >/dev/null 2>&1; rm -rf "$tmp"' EXIT
KAFKA_BROKERS=$(cat "$tmp/bootstrap")
export KAFKA_BROKERS
cd "$tmp" || exit 1
die() { echo "transactions: $* (seed $seed)"; [ ! -s err ] || tail -20 err; exit 1; }

cat >job.yaml <<'YAML'
version: 1
name: transactions
trigger: 50ms
checkpoint: state.db
source: {kafka: {brokers: "${KAFKA_BROKERS}", topic: in, starting_offsets: earliest}}
operators:
  - from_json: {schema: "SellerID INT, InvoiceTotal_amount DOUBLE", keep: [partition, offset]}
  - filter: {where: InvoiceTotal_amount > 500}
  - to_json: {columns: [partition, offset, SellerID, InvoiceTotal_amount]}
sink: {kafka: {id: out, brokers: "${KAFKA_BROKERS}", topic: out}}
YAML
"$broker" topic "$tmp" in 2
"$broker" topic "$tmp" out 3

produced=0
more() { "$builddir/tests/stream/produce" -n "$times" "$KAFKA_BROKERS" in "$sample" >/dev/null || die "cannot produce"; produced=$((produced + times)); }
number() { sqlite3 -readonly state.db "$1" 2>/dev/null || echo 0; }
position() { number 'select coalesce(sum(position), 0) from hr_positions'; }
epoch() { number 'select epoch from hr_meta'; }
await() { until "$@"; do kill -0 $job 2>/dev/null || die "the job ended while waiting for: $*"; sleep 0.02; done; }
past() { [ "$(position)" -gt "$1" ]; }
run() { "$headrace" run job.yaml "$@" >>out 2>>err; }

# what has to come out, from the CSV itself: rows, and amounts in cents by seller
amounts='{ n++; c[$1] += $2 } END { for (s in c) printf "%s %.0f\n", s, c[s]; print "rows", n }'
wanted() {
    awk -F, -v OFS=' ' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $at["InvoiceTotal_amount"] > 500 { print $at["SellerID"], int($at["InvoiceTotal_amount"] * 100 + 0.5) }' "$sample" |
        awk -v t="$produced" '{ n += t; c[$1] += t * $2 } END { for (s in c) printf "%s %.0f\n", s, c[s]; print "rows", n }' | sort
}
got() {
    sed 's/.*"SellerID":\([0-9]*\),"InvoiceTotal_amount":\([-0-9.E]*\)}/\1 \2/' "$1" | awk '{ print $1, int($2 * 100 + 0.5) }' | awk "$amounts" | sort
}
check() {
    "$broker" admin "$tmp" dump out >dumped || die "the topic cannot be read"
    [ "$(sed 's/"SellerID".*//' dumped | sort | uniq -d | wc -l)" = 0 ] || die "$(sed 's/"SellerID".*//' dumped | sort | uniq -d | wc -l) rows came twice"
    diff <(wanted) <(got dumped) >difference || { head -5 difference; die "the rows are not those that were produced"; }
}

more
hit=0 bounced=0
while [ $hit -lt "$kills" ]; do
    [ "$(position)" -lt $((produced * 10000 - times * 2000)) ] || more
    "$headrace" run job.yaml >>out 2>>err &
    job=$!
    if [ $((hit % 2)) = 0 ]; then await past "$(position)"; fi # every other one is alone with chance: also while it recovers
    if [ $hit -ge $(((bounced + 1) * kills / (bounces + 1))) ]; then
        bounced=$((bounced + 1))
        "$broker" kill "$tmp"
        "$broker" restart "$tmp" || die "the broker did not come back"
        more
        await past "$(position)"
    fi
    pause=$(awk -v r=$RANDOM 'BEGIN { printf "%.3f", r / 32768 * 0.4 }')
    read -rt "$pause" <> <(:)
    kill -9 $job 2>/dev/null || { wait $job; die "a run ended by itself with $?"; }
    wait $job 2>/dev/null
    job=
    hit=$((hit + 1))
done 2>/dev/null
until [ $produced -ge "$copies" ]; do more; done
run --trigger available_now || die "the last run ended with $?"
check
echo "transactions: $hit kills and $bounced of the broker, $((produced * 10000)) records in, $(wc -l <dumped) out, each once, in $(epoch) epochs (seed $seed)"

# ---- two processes of one name, the second from a copy of the checkpoint: only one of them goes on ----
cp state.db old.db
"$headrace" run job.yaml >>out 2>first.err &
first=$!
more
job=$first
await past "$(position)"
sqlite3 state.db ".backup copy.db"
"$headrace" run job.yaml --checkpoint copy.db >>out 2>second.err &
second=$!
more
wait -n $first $second
code=$?
# fenced off, or its checkpoint was behind what the other had published when it looked
[ $code = 1 ] || [ $code = 4 ] || die "one of two processes of the same name ended with $code"
cat first.err second.err >err
grep -q 'another process writes as headrace-.*-out: this one ends\|is the checkpoint an old copy' err || die "it does not say why it ended"
if kill -0 $first 2>/dev/null; then job=$first at=state.db; else job=$second at=copy.db; fi
# the other one reads all there is; or it is the copy, and finds that it was made too early
there() { [ "$(sqlite3 -readonly $at 'select sum(position) from hr_positions' 2>/dev/null)" = $((produced * 10000)) ]; }
until there || ! kill -0 $job 2>/dev/null; do sleep 0.02; done
kill -INT $job 2>/dev/null
wait $job
code=$?
job=
if [ $at = copy.db ] && [ $code = 4 ]; then at=state.db; elif [ $code != 0 ]; then die "the other one ended with $code"; fi
[ $at = state.db ] || { rm -f state.db*; mv copy.db state.db; }
run --trigger available_now || die "the run after it ended with $?"
check

# ---- an old checkpoint ----
"$headrace" run job.yaml --checkpoint old.db --trigger available_now >>out 2>err
[ $? = 4 ] || die "an old checkpoint was taken"
grep -q "sink 'out' (kafka topic=out) remembers epoch .*: is the checkpoint an old copy?" err || die "an old checkpoint is not named"
check

# ---- somebody else's transaction lies before what this sink remembers ----
"$broker" admin "$tmp" dangle headrace-epochs nobody
more
"$headrace" run job.yaml --trigger available_now >>out 2>err || die "behind an open transaction: exit $?"
cp state.db before.db
"$broker" admin "$tmp" dangle headrace-epochs nobody
more
"$headrace" run job.yaml --trigger available_now >>out 2>err || die "behind an open transaction: exit $?"
"$headrace" run job.yaml --trigger available_now --checkpoint before.db >>out 2>err
[ $? = 4 ] || die "an epoch behind an open transaction was not seen"
check
echo "guarantee: kill -9 at a random instant, of the broker twice | kafka | kafka | a read_committed consumer sees each row once | tests/kafka/transactions.sh"
echo "guarantee: two processes of one name | kafka | kafka | one of them ends, with the reason; each row once | tests/kafka/transactions.sh"
echo "guarantee: checkpoint an old copy | kafka | kafka | exit 4 with the reason; nothing written | tests/kafka/transactions.sh"
echo "guarantee: transaction of another left open | kafka | kafka | what the sink remembers is read behind it; each row once | tests/kafka/transactions.sh"
echo "transactions: one of two ended, refused with an old checkpoint, read behind an open transaction; rows still each once"
