/*
 * kafka: rows to a topic.
 *
 *   sink:
 *     kafka: {brokers: localhost:9092, topic: totals, key: name, value: value}
 *
 * 1. value and key are STRING columns; without `key` a STRING column key is used where there is one.
 * 2. The producer is idempotent: a retry never doubles or reorders what this process sent.
 * 3. An epoch counts as published only when every record was acknowledged by all in-sync replicas. After
 *    a crash an epoch may be sent again.
 * 4. A record that cannot be delivered (too large, refused, timed out) stops the job before the commit.
 */
#include "sources/kafka_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kafka_sink {
    const char *brokers, *topic;
    struct hr_name key, value;
    struct hr_map config;

    int key_column, value_column; /* key_column -1: none */
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    int64_t failed;               /* records not delivered, and why the first was not */
    rd_kafka_resp_err_t why;
    bool down;
};

static const struct hr_option options[] = {
    HR_OPTION(struct kafka_sink, brokers, "localhost:9092", "host:port, ..."),
    HR_REQUIRED(struct kafka_sink, topic, "the topic to write"),
    HR_OPTION(struct kafka_sink, key, NULL, "column of the key (default: key, if there is one)"),
    HR_OPTION(struct kafka_sink, value, "value", "column of the value"),
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

static bool open_(void *self, const struct hr_sink_open *o) {
    struct kafka_sink *k = self;
    struct hr_error *err = o->err;
    char why[512];
    static const struct kafka_property own[] = {{"enable.idempotence", "true"}, {NULL, NULL}};
    rd_kafka_conf_t *conf = kafka_config_new(k->brokers, &k->config, own, err);
    if (!conf) return false;
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    k->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!k->rk) {
        rd_kafka_conf_destroy(conf);
        return hr_fail(err, HR_EFAIL, "kafka: %s", why);
    }
    k->rkt = rd_kafka_topic_new(k->rk, k->topic, NULL);
    return k->rkt || hr_fail(err, HR_EFAIL, "kafka: '%s' is no name of a topic", k->topic);
}

static bool check(struct kafka_sink *k, struct hr_error *err) {
    if (!k->failed) return true;
    return hr_fail(err, HR_EFAIL, "kafka: topic '%s' at %s: %lld records could not be delivered: %s", k->topic, k->brokers,
                   (long long)k->failed, rd_kafka_err2str(k->why));
}

/* A full queue is back-pressure: wait for deliveries. */
static bool produce(struct kafka_sink *k, const struct hr_text *key, const struct hr_text *value, struct hr_error *err) {
    while (rd_kafka_produce(k->rkt, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value ? (void *)value->p : NULL,
                            value ? value->n : 0, key ? key->p : NULL, key ? key->n : 0, NULL)) {
        rd_kafka_resp_err_t why = rd_kafka_last_error();
        if (why != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return hr_fail(err, HR_EFAIL, "kafka: topic '%s': a record of %u bytes cannot be sent: %s", k->topic,
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

static void close_(void *self) {
    struct kafka_sink *k = self;
    if (k->rkt) rd_kafka_topic_destroy(k->rkt);
    if (k->rk) {
        rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT); /* only after a failure is anything left */
        rd_kafka_flush(k->rk, 100);
        rd_kafka_destroy(k->rk);
    }
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
             .write = write_rows, .flush = flush_, .close = close_},
};
