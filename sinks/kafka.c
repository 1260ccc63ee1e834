/*
 * kafka: rows to a topic.
 *
 *   sink:
 *     kafka: {brokers: localhost:9092, topic: totals, key: name, value: value}
 *
 * 1. value and key are STRING columns; without `key` a STRING column key is used where there is one.
 * 2. With a checkpoint an epoch is one transaction: a read_committed consumer sees each epoch once, whatever is
 *    killed. Its number goes to the topic `epochs` in the same transaction (sinks/kafka_epochs.h); the transactional
 *    id is headrace-PIPELINE-ID, with the pipeline's uuid from the checkpoint. Opening it ends what a process before
 *    left open, and fences that process off: a fenced one ends with exit 1 and commits nothing more.
 * 3. A transaction that the brokers gave up (an outage longer than a minute and a trigger) is published again from the
 *    checkpoint: the run starts over. So does one whose outcome is not known: the topic of epochs tells.
 * 4. Without a checkpoint the producer is idempotent only: a retry never doubles or reorders what this run sent.
 * 5. A record that cannot be delivered ever (too large, refused) stops the job before the commit.
 */
#include "sinks/kafka_epochs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSACTION_MS = 60000, STEP_MS = 1000, ABORT_MS = 5000 };

struct kafka_sink {
    const char *brokers, *topic, *epochs;
    struct hr_name key, value;
    struct hr_map config;

    int key_column, value_column; /* key_column -1: none */
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    char name[512];               /* the transactional id; "": no transactions */
    bool open;                    /* a transaction is */
    int64_t failed;               /* records not delivered, and why the first was not */
    rd_kafka_resp_err_t why;
    bool down;
};

static const struct hr_option options[] = {
    HR_OPTION(struct kafka_sink, brokers, "localhost:9092", "host:port, ..."),
    HR_REQUIRED(struct kafka_sink, topic, "the topic to write"),
    HR_OPTION(struct kafka_sink, key, NULL, "column of the key (default: key, if there is one)"),
    HR_OPTION(struct kafka_sink, value, "value", "column of the value"),
    HR_OPTION(struct kafka_sink, epochs, "headrace-epochs", "topic that remembers the epochs published; made where it is not there"),
    HR_ROW(struct kafka_sink, config, .help = "librdkafka properties (TLS, SASL, buffers)"),
    {0},
};

static bool is_text(struct hr_bind *b, const struct hr_name *name, int column) {
    return b->in->field[column].type.id == HR_STRING ||
           hr_fault(b, name, "column '%s' is not STRING: to_json, or CAST(%s AS STRING) in a with", b->in->field[column].name,
                    b->in->field[column].name);
}

static bool bind_(void *self, struct hr_bind *b) {
    struct kafka_sink *k = self;
    bool ok = kafka_config_check(b, &k->config);
    ok = kafka_check_name(b, &k->brokers, "brokers") && ok;
    ok = kafka_check_name(b, &k->topic, "topic") && ok;
    k->key_column = -1;
    k->value_column = hr_column_index(b, &k->value);
    if (k->value_column < 0 || !is_text(b, &k->value, k->value_column)) return false;
    if (k->key.s) {
        k->key_column = hr_column_index(b, &k->key);
        return ok && k->key_column >= 0 && is_text(b, &k->key, k->key_column);
    }
    for (int i = 0; i < b->in->n; i++)
        if (!strcmp(b->in->field[i].name, "key") && b->in->field[i].type.id == HR_STRING) k->key_column = i;
    return ok;
}

static void need(const void *self, uint8_t *in) {
    const struct kafka_sink *k = self;
    in[k->value_column] = 1;
    if (k->key_column >= 0) in[k->key_column] = 1;
}

/* ---- the producer ---- */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
    (void)rk;
    struct kafka_sink *k = opaque;
    if (!m->err) {
        if (k->down) hr_log(HR_INFO, "kafka: connected again");
        k->down = false;
    } else if (!k->failed++) {
        k->why = m->err;
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
    (void)rk;
    struct kafka_sink *k = opaque;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !k->down) {
        k->down = true;
        hr_log(HR_WARN, "kafka: no broker of %s can be reached; waiting (%s)", k->brokers, reason);
    }
}

/* A producer that another one took the place of must not go on; every call says no more than "fatal error" then. In every
 * other case the checkpoint and the topic of epochs tell what is to be done. */
static bool is_fenced_off(struct kafka_sink *k, struct hr_error *err) {
    if (rd_kafka_fatal_error(k->rk, NULL, 0) != RD_KAFKA_RESP_ERR__FENCED) return false;
    hr_fail(err, HR_EFAIL, "kafka: topic '%s': another process writes as %s: this one ends", k->topic, k->name);
    return true;
}

/* What became of a transactional call; frees the error. */
static bool settle(struct kafka_sink *k, rd_kafka_error_t *e, const char *doing, struct hr_error *err) {
    if (!e) return true;
    if (!is_fenced_off(k, err))
        hr_fail(err, HR_EREPEAT, "kafka: topic '%s' at %s: %s: %s", k->topic, k->brokers, doing, rd_kafka_error_string(e));
    rd_kafka_error_destroy(e);
    return false;
}

/* init_transactions until the brokers answer: ends and fences off what was there under this name. False without an
 * error where the user asked to end. */
static bool begin_transactions(struct kafka_sink *k, struct hr_error *err) {
    for (;;) {
        rd_kafka_error_t *e = rd_kafka_init_transactions(k->rk, STEP_MS);
        rd_kafka_poll(k->rk, 0);
        if (!e) return true;
        if (!rd_kafka_error_is_retriable(e)) {
            hr_fail(err, HR_EFAIL, "kafka: no transactions at %s: %s", k->brokers, rd_kafka_error_string(e));
            rd_kafka_error_destroy(e);
            return false;
        }
        rd_kafka_error_destroy(e);
        if (hr_stopping()) return false;
    }
}

static bool make_producer(struct kafka_sink *k, int64_t interval_us, struct hr_error *err) {
    char why[512], timeout[24];
    snprintf(timeout, sizeof timeout, "%lld", (long long)(TRANSACTION_MS + interval_us / 1000));
    const struct kafka_property own[] = {{"enable.idempotence", "true"},
                                         {*k->name ? "transactional.id" : NULL, k->name},
                                         {"transaction.timeout.ms", timeout},
                                         {NULL, NULL}};
    rd_kafka_conf_t *conf = kafka_config_new(k->brokers, &k->config, own, err);
    if (!conf) return false;
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    k->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (k->rk) return true;
    rd_kafka_conf_destroy(conf);
    return hr_fail(err, HR_EFAIL, "kafka: %s", why);
}

static bool open_(void *self, const struct hr_sink_open *o) {
    struct kafka_sink *k = self;
    if (o->restarts) snprintf(k->name, sizeof k->name, "headrace-%s-%s", o->pipeline, o->id);
    if (!make_producer(k, o->interval_us, o->err)) return false;
    k->rkt = rd_kafka_topic_new(k->rk, k->topic, NULL);
    if (!k->rkt) return hr_fail(o->err, HR_EFAIL, "kafka: '%s' is no name of a topic", k->topic);
    return !*k->name || begin_transactions(k, o->err);
}

static bool remembered(void *self, int64_t *epoch, struct hr_error *err) {
    struct kafka_sink *k = self;
    struct kafka_epochs in = {k->brokers, k->epochs, k->name, &k->config};
    return kafka_epochs_make(&in, k->rk, err) && kafka_epochs_read(&in, epoch, err);
}

/* ---- an epoch ---- */

/* No second try would help. */
static bool is_refused(rd_kafka_resp_err_t why) {
    switch (why) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: case RD_KAFKA_RESP_ERR_INVALID_MSG: case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION: case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP: return true;
    default: return false;
    }
}

static int failure(const struct kafka_sink *k, rd_kafka_resp_err_t why) {
    return *k->name && !is_refused(why) ? HR_EREPEAT : HR_EFAIL;
}

static bool check(struct kafka_sink *k, struct hr_error *err) {
    if (!k->failed) return true;
    if (is_fenced_off(k, err)) return false;
    return hr_fail(err, failure(k, k->why), "kafka: topic '%s' at %s: %lld records could not be delivered: %s", k->topic, k->brokers,
                   (long long)k->failed, rd_kafka_err2str(k->why));
}

static bool begin(void *self, int64_t epoch, struct hr_error *err) {
    (void)epoch;
    struct kafka_sink *k = self;
    if (!*k->name) return true;
    if (!settle(k, rd_kafka_begin_transaction(k->rk), "a transaction cannot begin", err)) return false;
    return k->open = true;
}

/* NULL is Kafka's null, a tombstone: an empty text, whose p may be NULL, is none. */
static const char *bytes_of(const struct hr_text *text) { return !text ? NULL : text->n ? text->p : ""; }

/* A full queue is back-pressure: wait for deliveries. */
static bool produce(struct kafka_sink *k, const struct hr_text *key, const struct hr_text *value, struct hr_error *err) {
    while (rd_kafka_produce(k->rkt, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)bytes_of(value),
                            value ? value->n : 0, bytes_of(key), key ? key->n : 0, NULL)) {
        rd_kafka_resp_err_t why = rd_kafka_last_error();
        if (why != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return !is_fenced_off(k, err) && hr_fail(err, failure(k, why), "kafka: topic '%s': a record of %u bytes cannot be sent: %s", k->topic,
                           value ? value->n : 0, rd_kafka_err2str(why));
        rd_kafka_poll(k->rk, 100);
        if (!check(k, err)) return false;
    }
    return true;
}

static const struct hr_text *text_at(const struct hr_batch *b, int column, uint32_t i) {
    return column < 0 || hr_is_null(&b->column[column], i) ? NULL : hr_value(&b->column[column], i);
}

static bool write_rows(void *self, const struct hr_batch *b, struct hr_error *err) {
    struct kafka_sink *k = self;
    HR_EACH(b->rows, i)
        if (!produce(k, text_at(b, k->key_column, i), text_at(b, k->value_column, i), err)) return false;
    rd_kafka_poll(k->rk, 0);
    return check(k, err);
}

static bool flush_(void *self, struct hr_error *err) {
    struct kafka_sink *k = self;
    while (rd_kafka_flush(k->rk, 1000) == RD_KAFKA_RESP_ERR__TIMED_OUT)
        if (!check(k, err)) return false;
    return check(k, err);
}

/* Called again until the outcome is known: each call goes on where the one before stopped waiting. */
static bool publish(void *self, int64_t epoch, struct hr_error *err) {
    struct kafka_sink *k = self;
    if (!*k->name) return true;
    struct kafka_epochs in = {k->brokers, k->epochs, k->name, &k->config};
    rd_kafka_resp_err_t why = kafka_epochs_put(&in, k->rk, epoch);
    if (why)
        return !is_fenced_off(k, err) && hr_fail(err, HR_EREPEAT, "kafka: topic '%s': epoch %lld cannot be written: %s", k->epochs,
                                                 (long long)epoch, rd_kafka_err2str(why));
    for (;;) {
        rd_kafka_error_t *e = rd_kafka_commit_transaction(k->rk, STEP_MS);
        rd_kafka_poll(k->rk, 0);
        if (!e || !rd_kafka_error_is_retriable(e)) {
            k->open = false;
            return settle(k, e, "a transaction was not committed", err);
        }
        rd_kafka_error_destroy(e);
    }
}

/* What was begun and not published is ended here, so that nobody waits for its timeout; where that does not work,
 * the next process does it. */
static void close_(void *self) {
    struct kafka_sink *k = self;
    if (k->rkt) rd_kafka_topic_destroy(k->rkt);
    if (k->rk) {
        rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT); /* only after a failure is anything left */
        if (k->open && !rd_kafka_fatal_error(k->rk, NULL, 0)) {
            rd_kafka_error_t *e = rd_kafka_abort_transaction(k->rk, ABORT_MS);
            if (e) rd_kafka_error_destroy(e);
        }
        rd_kafka_flush(k->rk, 100);
        rd_kafka_destroy(k->rk);
    }
    k->open = false;
    k->rkt = NULL;
    k->rk = NULL;
}

static void put_column(struct hr_spark *s, int column, const char *as) {
    const char *name = s->in->field[column].name;
    if (strcmp(name, as)) hr_spark_put(s, "F.col(%s).alias(\"%s\")", hr_spark_column(s, name), as);
    else hr_spark_put(s, "\"%s\"", as);
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct kafka_sink *k = self;
    hr_spark_note(s, "Spark's Kafka sink may write an epoch twice after a failure");
    hr_spark_put(s, "%s.select(", s->input);
    if (k->key_column >= 0) put_column(s, k->key_column, "key");
    if (k->key_column >= 0) hr_spark_put(s, ", ");
    put_column(s, k->value_column, "value");
    hr_spark_put(s, ")\n.writeStream.format(\"kafka\")\n.option(\"kafka.bootstrap.servers\", %s)\n.option(\"topic\", %s)",
                 hr_spark_option(s, &k->brokers), hr_spark_option(s, &k->topic));
    return kafka_spark_config(s, &k->config);
}

HR_PLUGIN(sink, kafka) = {
    .kind = HR_SINK,
    .name = "kafka",
    .about = "write records to a Kafka topic",
    .options = options,
    .self_size = sizeof(struct kafka_sink),
    .spark = spark,
    .sink = {.modes = HR_APPEND | HR_COMPLETE | HR_UPDATE, .elsewhere = true, .bind = bind_, .need = need, .open = open_,
             .remembered = remembered, .begin = begin, .write = write_rows, .flush = flush_, .publish = publish, .close = close_},
};
