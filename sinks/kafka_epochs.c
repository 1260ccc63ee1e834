/* See kafka_epochs.h. */
#include "sinks/kafka_epochs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 5000, TRIES = 12, POLL_MS = 100 };

static bool fail(const struct kafka_epochs *t, const char *why, struct hr_error *err) {
    return hr_fail(err, HR_EFAIL, "kafka: topic '%s' at %s, that remembers the epochs: %s", t->topic, t->brokers, why);
}

/* ---- making it ---- */

/* Its partitions that have a leader; -1: no answer, 0: no such topic. */
static int partitions(const struct kafka_epochs *t, rd_kafka_t *rk) {
    const struct rd_kafka_metadata *meta = NULL;
    rd_kafka_topic_t *only = rd_kafka_topic_new(rk, t->topic, NULL);
    int n = -1;
    if (only && !rd_kafka_metadata(rk, 0, only, &meta, ASK_MS) && meta->topic_cnt == 1) {
        const struct rd_kafka_metadata_topic *of = &meta->topics[0];
        if (!of->err) n = of->partition_cnt;
        else if (of->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) n = 0;
        for (int i = 0; i < of->partition_cnt && !of->err; i++)
            if (of->partitions[i].err || of->partitions[i].leader < 0) n = -1;
    }
    if (meta) rd_kafka_metadata_destroy(meta);
    if (only) rd_kafka_topic_destroy(only);
    return n;
}

/* Somebody else may be faster: that is as good. */
static bool create(const struct kafka_epochs *t, rd_kafka_t *rk, struct hr_error *err) {
    char why[512];
    rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(t->topic, 1, -1 /* the brokers' default */, why, sizeof why);
    if (!new) return fail(t, why, err);
    rd_kafka_NewTopic_set_config(new, "cleanup.policy", "compact");
    rd_kafka_NewTopic_set_config(new, "segment.ms", "3600000"); /* so that it is compacted, and stays short to read */
    rd_kafka_NewTopic_set_config(new, "min.cleanable.dirty.ratio", "0.1");
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &new, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS * TRIES);
    size_t n = 0;
    const rd_kafka_topic_result_t **of = event ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n) : NULL;
    rd_kafka_resp_err_t code = n ? rd_kafka_topic_result_error(of[0]) : event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    bool ok = !code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
    if (!ok) fail(t, rd_kafka_err2str(code), err);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(new);
    return ok;
}

bool kafka_epochs_make(const struct kafka_epochs *t, rd_kafka_t *rk, struct hr_error *err) {
    bool made = false;
    for (int tries = 0; tries < TRIES * ASK_MS / POLL_MS && !hr_stopping(); tries++) {
        int n = partitions(t, rk);
        if (n > 0) return true; /* only the first is used, should somebody have made more */
        if (n == 0 && !made && !(made = create(t, rk, err))) return false;
        kafka_pause(POLL_MS);
    }
    return !hr_stopping() && fail(t, "it does not become ready", err);
}

/* ---- reading it ---- */

static rd_kafka_t *client(const struct kafka_epochs *t, const char *isolation, struct hr_error *err) {
    char why[512];
    const struct kafka_property own[] = {{"group.id", t->name}, {"enable.auto.commit", "false"}, {"isolation.level", isolation},
                                         {"auto.offset.reset", "earliest"}, {"enable.partition.eof", "true"},
                                         {"fetch.wait.max.ms", "10"} /* the end is what is waited for */, {NULL, NULL}};
    rd_kafka_conf_t *conf = kafka_config_new(t->brokers, t->config, own, err);
    rd_kafka_t *rk = conf ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why) : NULL;
    if (rk || !conf) return rk;
    rd_kafka_conf_destroy(conf);
    fail(t, why, err);
    return NULL;
}

/* Where the log ends, with what is not committed yet. */
static bool end_of(const struct kafka_epochs *t, int64_t *end, struct hr_error *err) {
    rd_kafka_t *rk = client(t, "read_uncommitted", err);
    if (!rk) return false;
    int64_t low = 0;
    rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int tries = 0; why && tries < TRIES && !hr_stopping(); tries++)
        why = kafka_watermarks(rk, t->topic, 0, &low, end, ASK_MS);
    if (*end == low) *end = 0; /* it is empty */
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return !why || (!hr_stopping() && fail(t, rd_kafka_err2str(why), err));
}

/* Behind an open transaction of another sink nothing is shown, also not what we committed: go on to the end. */
static bool read_to(const struct kafka_epochs *t, rd_kafka_t *rk, int64_t end, int64_t *epoch, struct hr_error *err) {
    bool said = false, ok = true;
    for (int64_t at = 0; ok && at < end;) {
        if (hr_stopping()) return false;
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, POLL_MS);
        if (!m) continue;
        if (!m->err || m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) at = m->offset + !m->err;
        if (!m->err && m->key_len == strlen(t->name) && !memcmp(m->key, t->name, m->key_len)) {
            char text[24];
            snprintf(text, sizeof text, "%.*s", m->len < 20 ? (int)m->len : 20, m->payload ? (const char *)m->payload : "");
            *epoch = strtoll(text, NULL, 10);
        }
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && at < end && !said) {
            said = true;
            hr_log(HR_INFO, "kafka: topic '%s': waiting for the transaction of another sink to end", t->topic);
        }
        if (m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || m->err == RD_KAFKA_RESP_ERR__FATAL) ok = fail(t, rd_kafka_message_errstr(m), err);
        rd_kafka_message_destroy(m);
    }
    return ok;
}

bool kafka_epochs_read(const struct kafka_epochs *t, int64_t *epoch, struct hr_error *err) {
    int64_t end = 0;
    *epoch = 0;
    if (!end_of(t, &end, err)) return false;
    rd_kafka_t *rk = end ? client(t, "read_committed", err) : NULL;
    if (!rk) return !end;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, t->topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t why = rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    bool ok = why ? fail(t, rd_kafka_err2str(why), err) : read_to(t, rk, end, epoch, err);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return ok;
}

/* ---- writing to it ---- */

rd_kafka_resp_err_t kafka_epochs_put(const struct kafka_epochs *t, rd_kafka_t *rk, int64_t epoch) {
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)epoch);
    rd_kafka_resp_err_t why;
    while ((why = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(t->topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(t->name, strlen(t->name)),
                                    RD_KAFKA_V_VALUE(text, (size_t)n), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(rk, POLL_MS);
    return why;
}
