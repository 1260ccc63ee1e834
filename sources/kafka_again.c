/*
 * An epoch that was committed and not published is read again: what it was, or nothing.
 *
 * 1. Before a row is handed out, the log has to reach as far as the epoch did, and where its last record lay there has to be that
 *    record (kafka_last.c). A consumer of its own fetches it: rd_kafka_seek() would let messages of before through (librdkafka 2.0.2).
 * 2. What is gone is data loss. With on_data_loss: continue the epoch is published without it; records that took its place are
 *    not of this epoch. They come with the next one, as where the job goes on it finds the topic made anew.
 * 3. What changes while it is read again is data loss in any case, as rows are handed out by then; the next start finds it by 1.
 * 4. A broker that is away is waited for.
 */
#include "sources/kafka_partitions.h"

#include <stdio.h>
#include <string.h>

enum { POLL_MS = 100 };

/* Nothing of it is read; its position is where the epoch ended all the same. */
static bool leave_out(struct kafka_partition *p) {
    p->next = p->end;
    p->until.known = p->unsure = p->look = false;
    return true;
}

/* Nothing that is there now is of the epoch. */
static bool all_gone(struct kafka *k, struct kafka_partition *p, const char *why, struct hr_error *err) {
    long long from = p->next, to = p->end - 1;
    if (k->on_data_loss == KAFKA_LOSS_FAIL)
        return hr_fail(err, HR_EDATALOSS, "kafka: %s: offsets %lld to %lld were to be read again, but %s: was the topic made anew?",
                       p->split.name, from, to, why);
    hr_log(HR_WARN, "kafka: %s: offsets %lld to %lld were to be read again, but %s; the epoch is published without them", p->split.name,
           from, to, why);
    k->lost += p->end - p->next;
    return leave_out(p);
}

/* Positions pass the ends of transactions, too. Without a last record nothing was ever read, or an older checkpoint kept none. */
static bool was_read(const struct hr_position *from, const struct hr_position *until) {
    struct kafka_last before = kafka_last_from(from->detail), last = kafka_last_from(until->detail);
    return last.known ? !kafka_last_same(&before, &last) : from->at != until->at;
}

bool kafka_place_again(struct kafka *k, struct kafka_partition *p, const struct hr_position *from, const struct hr_position *until,
                       int64_t low, int64_t high, struct hr_error *err) {
    struct hr_position beginning = {"", kafka_began_from(until->detail), NULL}; /* of a partition that was new */
    char why[64];
    if (!from) from = &beginning;
    p->until = kafka_last_from(until->detail);
    p->end = until->at;
    p->next = from->at < until->at ? from->at : 0; /* 0: the topic was made anew within the epoch */
    snprintf(why, sizeof why, "the log ends at %lld", (long long)high);
    if (!was_read(from, until)) return leave_out(p);
    if (p->end > high) return all_gone(k, p, why, err);
    if (p->until.known && p->until.offset < low) return kafka_loss(k, p, p->next, p->end, err) && leave_out(p);
    p->unsure = p->until.known;
    return kafka_resume(k, p, from, low, p->end, err);
}

/* ---- the last record of each partition ---- */

static bool compare(struct kafka *k, struct kafka_partition *p, const rd_kafka_message_t *m, struct hr_error *err) {
    char why[96];
    if (m->offset < p->until.offset) return true; /* not there yet */
    p->unsure = false;
    if (m->err || m->offset > p->until.offset) { /* the end, or what comes next: compaction took it */
        p->until.known = false;
        return kafka_loss(k, p, p->until.offset, p->until.offset + 1, err);
    }
    snprintf(why, sizeof why, "offset %lld holds another record than was read there", (long long)m->offset);
    return kafka_last_is(&p->until, m) || all_gone(k, p, why, err);
}

static bool take(struct kafka *k, const rd_kafka_message_t *m, struct hr_error *err) {
    struct kafka_partition *p = m->partition >= 0 && m->partition < k->partitions ? k->partition[m->partition] : NULL;
    if (!p || !p->unsure) return true;
    switch (m->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        return compare(k, p, m, err);
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return all_gone(k, p, "the log has another range now", err);
    default:
        return !kafka_is_final(m->err) ||
               hr_fail(err, HR_EFAIL, "kafka: %s@%lld: %s", p->split.name, (long long)p->until.offset, rd_kafka_message_errstr(m));
    }
}

static int unsure(const struct kafka *k) {
    int n = 0;
    for (int i = 0; i < k->partitions; i++) n += k->partition[i]->unsure;
    return n;
}

static rd_kafka_t *consumer_of_last(struct kafka *k, struct hr_error *err) {
    rd_kafka_t *rk = kafka_consumer(k, err);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(k->partitions);
    for (int i = 0; i < k->partitions; i++)
        if (k->partition[i]->unsure) rd_kafka_topic_partition_list_add(list, k->topic, k->partition[i]->number)->offset = k->partition[i]->until.offset;
    rd_kafka_resp_err_t why = rk ? rd_kafka_assign(rk, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    if (!why) return rk;
    hr_fail(err, HR_EFAIL, "kafka: %s: cannot be assigned: %s", k->topic, rd_kafka_err2str(why));
    kafka_consumer_free(rk);
    return NULL;
}

bool kafka_check_until(struct kafka *k, struct hr_error *err) {
    if (!unsure(k)) return true;
    rd_kafka_t *rk = consumer_of_last(k, err);
    bool ok = rk != NULL;
    while (ok && unsure(k) && !hr_stopping()) {
        rd_kafka_poll(rk, 0);
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, POLL_MS);
        if (!m) continue;
        ok = take(k, m, err);
        rd_kafka_message_destroy(m);
    }
    if (rk) kafka_consumer_free(rk);
    return ok && !unsure(k);
}

/* ---- while it is read, and at its end ---- */

bool kafka_was_same(struct kafka *k, struct hr_error *err) {
    for (int i = 0; i < k->partitions; i++) {
        const struct kafka_partition *p = k->partition[i];
        if (p->until.known && !kafka_last_same(&p->last, &p->until))
            return hr_fail(err, HR_EDATALOSS, "kafka: %s: offset %lld holds another record than was read there: was the topic made anew?",
                           p->split.name, (long long)p->until.offset);
    }
    return true;
}
