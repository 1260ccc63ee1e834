/*
 * kafka: records of one topic.
 *
 *   source:
 *     kafka:
 *       brokers: localhost:9092
 *       topic: invoices
 *       starting_offsets: earliest
 *       config: {security.protocol: SASL_SSL, sasl.mechanisms: PLAIN, sasl.username: me, sasl.password: "${PASSWORD}"}
 *
 * 1. Columns: key STRING, value STRING, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP.
 * 2. This process owns every partition of the topic (assign); new ones are found, and read from their
 *    beginning. Offsets live in the checkpoint; the consumer group headrace-NAME only mirrors them, for
 *    lag tools.
 * 3. starting_offsets (earliest, latest, or {0: 17, 1: 4}) counts only where there is no checkpoint.
 * 4. Only committed records are read. Gaps between offsets are legal; what lies below the next expected
 *    offset was seen before, and is dropped.
 * 5. A partition's end is an end-of-partition event: behind aborted transactions no message is there.
 * 6. Offsets that are gone stop the job with exit 5, or are counted with on_data_loss: continue. So does a topic that was made
 *    anew: its log ends before the position, or another record lies where the last one was that was read. An epoch that is read
 *    again is never another one: kafka_again.c.
 * 7. A message longer than `limits: {record: ...}` is a bad row, and goes by on_error; with null its key and value are null.
 * 8. What is not there yet (topic, broker) is waited for, and said once; available_now ends with exit 1,
 *    unless an epoch that was committed and not published is to be read again first: that waits, too.
 */
#include "sources/kafka_partitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What librdkafka holds is memory, about twice the payload's, and more than a few chunks ahead buys nothing. */
#define QUEUED_MESSAGES 40000
#define QUEUED_KIB 16384
#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number
enum { KEY, VALUE, TOPIC, PARTITION, OFFSET, TIMESTAMP, COLUMNS };

static const struct hr_field columns[COLUMNS] = {
    {"key", {.id = HR_STRING}},    {"value", {.id = HR_STRING}},  {"topic", {.id = HR_STRING}},
    {"partition", {.id = HR_INT}}, {"offset", {.id = HR_BIGINT}}, {"timestamp", {.id = HR_TIMESTAMP}},
};

static const struct hr_option options[] = {
    HR_OPTION(struct kafka, brokers, "localhost:9092", "host:port, ..."),
    HR_REQUIRED(struct kafka, topic, "the topic to read"),
    HR_OPTION(struct kafka, starting_offsets, "latest", "earliest, latest, or partition: offset, where there is no checkpoint"),
    HR_CHOICE(struct kafka, on_data_loss, "fail|continue", "fail", "when offsets are gone"),
    HR_ON_ERROR(struct kafka),
    HR_ROW(struct kafka, config, .help = "librdkafka properties (TLS, SASL, buffers)"),
    {0},
};

static bool bind_(void *self, struct hr_bind *b) {
    struct kafka *k = self;
    bool ok = kafka_config_check(b, &k->config);
    ok = kafka_check_name(b, &k->brokers, "brokers") && ok;
    ok = kafka_check_name(b, &k->topic, "topic") && ok;
    k->record = b->record;
    for (int i = 0; i < k->starting_offsets.n; i++) {
        const struct hr_map_item *item = &k->starting_offsets.item[i];
        char *end;
        bool word = !strcmp(item->value.s, "earliest") || !strcmp(item->value.s, "latest");
        bool number = strtoll(item->value.s, &end, 10) >= 0 && !*end && end != item->value.s;
        if (!word && !(number && *item->name))
            ok = hr_fault(b, &item->value, "starting_offsets is earliest, latest or {partition: offset}, not '%s'", item->value.s);
        if (*item->name && (strtoll(item->name, &end, 10) < 0 || *end))
            ok = hr_fault(b, &item->value, "starting_offsets: '%s' is no partition number", item->name);
    }
    for (int i = 0; i < COLUMNS; i++) hr_output(b, columns[i].name, columns[i].type);
    return ok;
}

/* ---- opening ---- */

/* Said once each: that nobody can be reached, and that nobody lets us in. */
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
    struct kafka *k = opaque;
    (void)rk;
    bool denied = code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
    if (denied && *k->denied) return;
    if (denied) snprintf(k->denied, sizeof k->denied, "%s", reason);
    bool down = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__RESOLVE;
    if (down && k->down) return;
    if (down) k->down = true;
    if (down) hr_log(HR_WARN, "kafka: no broker of %s can be reached; waiting (%s)", k->brokers, reason);
    else if (code != RD_KAFKA_RESP_ERR__TRANSPORT) hr_log(HR_WARN, "kafka: %s: %s", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

static void on_event(rd_kafka_t *rk, void *opaque) {
    (void)rk;
    struct kafka *k = opaque;
    hr_wake(&k->open);
}

rd_kafka_t *kafka_consumer(struct kafka *k, struct hr_error *err) {
    char why[512];
    snprintf(k->group, sizeof k->group, "headrace-%.200s", k->open.job);
    const struct kafka_property own[] = {
        {"group.id", k->group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},
        {NULL, NULL},
    };
    static const struct hr_map_item quiet[] = {
        {.name = "queued.min.messages", .value.s = TEXT_OF(QUEUED_MESSAGES)},
        {.name = "queued.max.messages.kbytes", .value.s = TEXT_OF(QUEUED_KIB)},
        {.name = "fetch.max.bytes", .value.s = "8388608"},
        {.name = "fetch.wait.max.ms", .value.s = "100"},
    };
    enum { QUIET = sizeof quiet / sizeof *quiet };
    struct hr_map_item *all = hr_resize(NULL, ((size_t)k->config.n + QUIET) * sizeof *all);
    memcpy(all, quiet, sizeof quiet);
    if (k->config.n) memcpy(all + QUIET, k->config.item, (size_t)k->config.n * sizeof *all); /* later ones win */
    struct hr_map config = {k->config.n + QUIET, all};
    rd_kafka_conf_t *conf = kafka_config_new(k->brokers, &config, own, err);
    free(all);
    if (!conf) return NULL;
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (rk) return rk;
    rd_kafka_conf_destroy(conf);
    hr_fail(err, HR_EFAIL, "kafka: %s", why);
    return NULL;
}

void kafka_consumer_free(rd_kafka_t *rk) { rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }

static bool connect_(struct kafka *k, struct hr_error *err) {
    k->rk = kafka_consumer(k, err);
    if (!k->rk) return false;
    k->rkt = rd_kafka_topic_new(k->rk, k->topic, NULL);
    return k->rkt || hr_fail(err, HR_EFAIL, "kafka: '%s' is no name of a topic", k->topic);
}

static bool open_(void *self, const struct hr_open *o) {
    struct kafka *k = self;
    k->open = *o;
    if (!connect_(k, o->err)) return false;
    int n = kafka_await_topic(k);
    if (o->until.n && n > o->until.n) n = o->until.n; /* partitions that came later are left out */
    atomic_store(&k->seen, n);
    k->queue = rd_kafka_queue_new(k->rk);
    rd_kafka_queue_cb_event_enable(k->queue, on_event, k);
    return n && kafka_add_partitions(k, n, false, o->err) && kafka_watch(k);
}

/* ---- handing out ---- */

struct messages {
    int n;
    rd_kafka_message_t *m[];
};

/* Data below the expected offset was handed out before; beyond the end of a bounded run it waits for the next. */
static bool take(struct kafka *k, struct kafka_partition *p, const rd_kafka_message_t *m) {
    bool looked = p->look && m->offset <= p->last.offset;
    p->look &= m->offset < p->last.offset;
    if (m->offset < p->next) {
        k->doubled += !looked;
        return false;
    }
    if (k->open.bounded && m->offset >= p->end) {
        p->next = p->end;
        return false;
    }
    p->next = m->offset + 1;
    p->at_end = false;
    return true;
}

/* What came after a bounded run began waits for the next one, so the position may not pass it. */
static int64_t end_for(const struct kafka *k, const struct kafka_partition *p, int64_t end) {
    return k->open.bounded && end > p->end ? p->end : end;
}

static bool range(struct kafka *k, const struct kafka_partition *p, int64_t *low, int64_t *high, struct hr_error *err) {
    rd_kafka_resp_err_t why = kafka_watermarks(k->rk, k->topic, p->number, low, high, 10000);
    return !why || hr_fail(err, HR_EFAIL, "kafka: %s: its offsets cannot be read: %s", p->split.name, rd_kafka_err2str(why));
}

static bool out_of_range(struct kafka *k, struct kafka_partition *p, struct hr_error *err) {
    int64_t low, high;
    if (!range(k, p, &low, &high, err)) return false;
    if (p->look && low <= p->next && p->next <= high) { /* what was to be looked at is gone since */
        p->look = false;
        return kafka_go_to(k, p, p->next, err);
    }
    if (low <= p->next) return kafka_made_anew(k, p, p->next, "is not in the log", err);
    int64_t to = end_for(k, p, low);
    if (!kafka_loss(k, p, p->next, to, err)) return false;
    p->next = to;
    return kafka_go_to(k, p, low, err);
}

/* An epoch that is read again has more than this: nobody is to wait for it. A new leader may not know the end yet. */
static bool ends_early(struct kafka *k, struct kafka_partition *p, struct hr_error *err) {
    int64_t low, high;
    return range(k, p, &low, &high, err) && (high >= p->end || kafka_made_anew(k, p, high, "is the end of the log now", err));
}

bool kafka_is_final(rd_kafka_resp_err_t why) {
    return why == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || why == RD_KAFKA_RESP_ERR__FATAL || why == RD_KAFKA_RESP_ERR__BAD_MSG;
}

static bool take_event(struct kafka *k, struct kafka_partition *p, const rd_kafka_message_t *m, struct hr_error *err) {
    switch (m->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (m->offset > p->next) p->next = end_for(k, p, m->offset);
        p->at_end = true;
        p->look = false; /* the record is gone, as compaction does */
        return !k->open.until.n || m->offset >= p->end || ends_early(k, p, err);
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return out_of_range(k, p, err);
    default:
        if (kafka_is_final(m->err))
            return hr_fail(err, HR_EFAIL, "kafka: %s@%lld: %s", p->split.name, (long long)p->next, rd_kafka_message_errstr(m));
        hr_log(HR_WARN, "kafka: %s@%lld: %s", p->split.name, (long long)p->next, rd_kafka_message_errstr(m));
        return true;
    }
}

static bool is_done(const struct kafka *k, const struct kafka_partition *p) { return k->open.bounded && !p->look && p->next >= p->end; }

static bool all_done(const struct kafka *k) {
    for (int i = 0; i < k->partitions; i++)
        if (!is_done(k, k->partition[i])) return false;
    return true;
}

static bool all_at_end(const struct kafka *k) {
    for (int i = 0; i < k->partitions; i++)
        if (!k->partition[i]->at_end) return false;
    return true;
}

/* The next messages of all partitions; each partition's come in order. */
static void more_messages(struct kafka *k) {
    size_t there = rd_kafka_queue_length(k->queue);
    k->at = k->n = 0;
    if (there < QUEUED_MESSAGES / 2 && !all_at_end(k)) kafka_hungry(k);
    if (there == 0) return;
    ssize_t n = rd_kafka_consume_batch_queue(k->queue, 0, k->got, there < KAFKA_CHUNK ? there : KAFKA_CHUNK);
    if (n > 0) k->n = (int)n;
}

/* What is left of the other topic's messages is not taken. */
static bool made_anew(struct kafka *k, struct kafka_partition *p, struct hr_error *err) {
    int n = k->at + 1;
    for (int i = n; i < k->n; i++) {
        if (k->got[i]->partition == p->number) rd_kafka_message_destroy(k->got[i]);
        else k->got[n++] = k->got[i];
    }
    k->n = n;
    return kafka_made_anew(k, p, p->last.offset, "holds another record than was read there", err);
}

/* Messages of one partition that follow each other, as far as there are some: moved to `run`. */
static bool take_run(struct kafka *k, struct kafka_partition **of, rd_kafka_message_t **run, int *n, struct hr_error *err) {
    size_t bytes = 0;
    for (*n = 0, *of = NULL; k->at < k->n && bytes < KAFKA_CHUNK_BYTES; k->at++) {
        rd_kafka_message_t *m = k->got[k->at];
        struct kafka_partition *p = m->partition >= 0 && m->partition < k->partitions ? k->partition[m->partition] : NULL;
        if (*n && p != *of) return true;
        bool ok = true, keep = false;
        if (p && m->err) ok = take_event(k, p, m, err);
        else if (p && p->look && m->offset == p->last.offset && !kafka_last_is(&p->last, m)) ok = made_anew(k, p, err);
        else keep = p && take(k, p, m);
        if (keep) {
            *of = p;
            run[(*n)++] = m;
            bytes += m->len + m->key_len;
        } else {
            rd_kafka_message_destroy(m);
        }
        if (ok) continue;
        k->at++;
        return false;
    }
    return true;
}

static enum hr_poll hand_out(struct kafka *k, struct kafka_partition *p, rd_kafka_message_t **run, int n, struct hr_chunk *chunk) {
    struct messages *m = hr_resize(NULL, sizeof *m + (size_t)n * sizeof m->m[0]);
    m->n = n;
    memcpy(m->m, run, (size_t)n * sizeof m->m[0]);
    *chunk = (struct hr_chunk){.split = &p->split, .data = m, .records = (uint32_t)n};
    for (int i = 0; i < n; i++) chunk->bytes += run[i]->len + run[i]->key_len;
    p->last = kafka_last_of(run[n - 1]);
    if (k->down) hr_log(HR_INFO, "kafka: connected again");
    k->down = false;
    *k->denied = '\0';
    return HR_CHUNK;
}

static enum hr_poll poll_(void *self, struct hr_chunk *chunk, struct hr_error *err) {
    struct kafka *k = self;
    int seen = atomic_load(&k->seen);
    rd_kafka_poll(k->rk, 0);
    if (seen > k->partitions && !k->open.bounded) {
        hr_log(HR_INFO, "kafka: topic '%s' has %d partitions now", k->topic, seen);
        if (!kafka_add_partitions(k, seen, true, err)) return HR_FAILED;
    }
    if (atomic_exchange(&k->back, false) && !kafka_look_again(k, err)) return HR_FAILED;
    rd_kafka_message_t *run[KAFKA_CHUNK];
    struct kafka_partition *of;
    int n;
    if (k->at == k->n) more_messages(k);
    if (!take_run(k, &of, run, &n, err)) {
        for (int i = 0; i < n; i++) rd_kafka_message_destroy(run[i]);
        return HR_FAILED;
    }
    if (n) return hand_out(k, of, run, n, chunk);
    if (!all_done(k)) return HR_IDLE;
    return kafka_was_same(k, err) ? HR_END : HR_FAILED;
}

static struct hr_positions positions(void *self) {
    struct kafka *k = self;
    for (int i = 0; i < k->partitions; i++) {
        struct kafka_partition *p = k->partition[i];
        if (p->last.known) kafka_last_put(&p->last, p->began, p->detail, sizeof p->detail);
        k->position[i] = (struct hr_position){p->name, p->next, p->last.known ? p->detail : NULL};
    }
    return (struct hr_positions){k->partitions, k->position};
}

static bool caught_up(void *self) {
    const struct kafka *k = self;
    for (int i = 0; i < k->partitions; i++)
        if (k->partition[i]->next < k->partition[i]->end) return false;
    return true;
}

/* ---- in a lane ---- */

static void fill_text(struct hr_column *c, uint32_t i, const void *p, size_t n) {
    if (!p) hr_set_null(c, i);
    ((struct hr_text *)c->at)[i] = (struct hr_text){p, (uint32_t)n, 0};
}

static void fill_timestamp(struct hr_column *c, uint32_t i, const rd_kafka_message_t *m) {
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(m, &type);
    int64_t *us = &((int64_t *)c->at)[i];
    /* a producer may write any number */
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || __builtin_mul_overflow(ms, 1000, us)) hr_set_null(c, i);
}

static void fill_column(const struct kafka *k, int column, rd_kafka_message_t *const *m, uint32_t n, struct hr_column *c) {
    for (uint32_t i = 0; i < n; i++)
        switch (column) {
        case KEY: fill_text(c, i, m[i]->key, m[i]->key_len); break;
        case VALUE: fill_text(c, i, m[i]->payload, m[i]->len); break;
        case TOPIC: fill_text(c, i, k->topic, strlen(k->topic)); break;
        case PARTITION: ((int32_t *)c->at)[i] = m[i]->partition; break;
        case OFFSET: ((int64_t *)c->at)[i] = m[i]->offset; break;
        default: fill_timestamp(c, i, m[i]);
        }
}

static bool refuse(const struct kafka *k, struct hr_lane *lane, struct hr_batch *out, uint32_t i, const rd_kafka_message_t *m) {
    char why[96];
    struct hr_text value = {.p = m->payload, .n = (uint32_t)m->len};
    snprintf(why, sizeof why, "the record has %zu bytes, more than limits.record (%lld)", m->len + m->key_len, (long long)k->record);
    for (int c = KEY; c <= VALUE; c++)
        if (out->column[c].at) fill_text(&out->column[c], i, NULL, 0);
    return hr_bad(lane, out, i, (enum hr_on_error)k->on_error, value, why);
}

/* Messages that are too long are in memory already, but nobody behind this works on them. */
static bool check_lengths(const struct kafka *k, struct hr_lane *lane, rd_kafka_message_t *const *m, struct hr_batch *out) {
    for (uint32_t i = 0; i < out->size; i++)
        if (m[i]->len + m[i]->key_len > (size_t)k->record && !refuse(k, lane, out, i, m[i])) return false;
    out->rows = hr_good_rows(lane, out->rows);
    return true;
}

static bool fill(const void *self, struct hr_lane *lane, struct hr_chunk *chunk, struct hr_batch *out) {
    const struct messages *all = chunk->data;
    uint32_t n = (uint32_t)all->n - (uint32_t)chunk->cursor;
    if (n > HR_BATCH) n = HR_BATCH;
    rd_kafka_message_t *const *m = all->m + chunk->cursor;
    chunk->cursor += n;
    out->rows = (struct hr_rows){NULL, n};
    out->size = n;
    int64_t *position = hr_batch_alloc(lane, (n + 1) * sizeof *position);
    for (uint32_t i = 0; i < n; i++) position[i] = m[i]->offset;
    out->position = position;
    for (int k = 0; n && k < COLUMNS; k++) {
        if (!lane->wanted[k]) continue;
        hr_column_make(lane, &out->column[k], n);
        fill_column(self, k, m, n, &out->column[k]);
    }
    return check_lengths(self, lane, m, out);
}

static void release(void *self, struct hr_chunk *chunk) {
    (void)self;
    struct messages *m = chunk->data;
    for (int i = 0; i < m->n; i++) rd_kafka_message_destroy(m->m[i]);
    free(m);
}

/* ---- after a commit, and at the end ---- */

static void committed(void *self, struct hr_positions at) { kafka_mirror(self, at); }

static bool lag(void *self, int64_t *records) {
    struct kafka *k = self;
    *records = 0;
    for (int i = 0; i < k->partitions; i++) {
        /* librdkafka remembers the end from its last fetch; before there was one, it is what open() was told */
        const struct kafka_partition *p = k->partition[i];
        int64_t low, high = p->end;
        if (rd_kafka_get_watermark_offsets(k->rk, k->topic, p->number, &low, &high) || high < p->end) high = p->end;
        if (high > p->next) *records += high - p->next;
    }
    return true;
}

static void close_(void *self) {
    struct kafka *k = self;
    kafka_unwatch(k);
    if (k->doubled) hr_log(HR_INFO, "kafka: %s: %lld records came twice and were dropped", k->topic, (long long)k->doubled);
    if (k->lost) hr_log(HR_WARN, "kafka: %s: %lld records were gone", k->topic, (long long)k->lost);
    k->doubled = k->lost = 0;
    for (; k->at < k->n; k->at++) rd_kafka_message_destroy(k->got[k->at]);
    if (k->queue) rd_kafka_queue_cb_event_enable(k->queue, NULL, NULL);
    kafka_partitions_free(k);
    if (k->queue) rd_kafka_queue_destroy(k->queue);
    k->queue = NULL;
    kafka_mirror_end(k);
    if (k->rkt) rd_kafka_topic_destroy(k->rkt);
    if (k->rk) kafka_consumer_free(k->rk);
    k->rkt = NULL;
    k->rk = NULL;
}

/* ---- for Spark ---- */

static void put_offsets(const struct kafka *k, struct hr_spark *s) {
    hr_spark_put(s, "\n.option(\"startingOffsets\", json.dumps({%s: {", hr_spark_option(s, &k->topic));
    for (int i = 0; i < s->from.n; i++) hr_spark_put(s, "%s\"%s\": %lld", i ? ", " : "", s->from.item[i].split, (long long)s->from.item[i].at);
    for (int i = 0; !s->from.n && i < k->starting_offsets.n; i++)
        hr_spark_put(s, "%s\"%s\": %s", i ? ", " : "", k->starting_offsets.item[i].name, k->starting_offsets.item[i].value.s);
    hr_spark_put(s, "}}))");
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct kafka *k = self;
    const struct hr_map *from = &k->starting_offsets;
    bool numbers = from->n && *from->item[0].name;
    for (int i = 0; numbers && i < from->n; i++)
        if (from->item[i].value.s[0] > '9') return hr_spark_refuse(s, &from->item[i].value, "a partition starts at a number there");
    if (numbers && !s->from.n) hr_spark_note(s, "Spark wants an offset for every partition of the topic");
    hr_spark_put(s, "spark.readStream.format(\"kafka\")\n.option(\"kafka.bootstrap.servers\", %s)\n.option(\"subscribe\", %s)",
                 hr_spark_option(s, &k->brokers), hr_spark_option(s, &k->topic));
    if (numbers || s->from.n) put_offsets(k, s);
    else if (from->n) hr_spark_put(s, "\n.option(\"startingOffsets\", %s)", hr_spark_string(s, from->item[0].value.s));
    if (k->on_data_loss == KAFKA_LOSS_CONTINUE) hr_spark_put(s, "\n.option(\"failOnDataLoss\", False)");
    hr_spark_put(s, "\n.option(\"kafka.isolation.level\", \"read_committed\")");
    return kafka_spark_config(s, &k->config) &&
           hr_spark_put(s, "\n.load()\n.selectExpr(\"CAST(key AS STRING)\", \"CAST(value AS STRING)\", \"topic\", \"partition\", \"offset\", \"timestamp\")");
}

HR_PLUGIN(source, kafka) = {
    .kind = HR_SOURCE,
    .name = "kafka",
    .about = "records of a Kafka topic",
    .options = options,
    .self_size = sizeof(struct kafka),
    .spark = spark,
    .source = {.bind = bind_, .open = open_, .poll = poll_, .fill = fill, .release = release, .positions = positions,
               .caught_up = caught_up, .committed = committed, .lag = lag, .close = close_},
};

extern const struct hr_plugin hr_sink_kafka, hr_command_broker; /* the other files of this module */
HR_MODULE(HR_RECORD(source, kafka), HR_RECORD(sink, kafka), HR_RECORD(command, broker));
