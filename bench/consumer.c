/*
 * The yardstick: a bare librdkafka consumer that only counts. headrace's rate is held against it on the same topic.
 *
 *   consumer BOOTSTRAP TOPIC PARTITIONS default|tuned
 *
 * reads each partition from its beginning to the end it had and prints
 *
 *   mode=... records=... bytes=... first=... wall=... cpu=... peak_rss_mib=...
 *
 * bytes are those of keys and values; first is the seconds from the start of the process to the first record, wall to the
 * end of the last partition, cpu the user and system seconds in that time.
 *
 *   default   every property at its default, assign() at once, one message a call: what a first program does
 *   tuned     asks for metadata and watermarks before assign(), else librdkafka waits half a second before its first
 *             message; short fetch waits, a deep queue, many messages a call
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

enum { PATIENCE_MS = 30000, BATCH = 10000 };

struct count {
    int64_t records, bytes;
    int open;              /* partitions that have not come to their end */
    double start, first;
};

__attribute__((noreturn)) static void die(const char *what) {
    fprintf(stderr, "consumer: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void take(struct count *c, rd_kafka_message_t *m) {
    if (!m->err) {
        if (!c->records++) c->first = now() - c->start;
        c->bytes += (int64_t)(m->len + m->key_len);
    } else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        c->open--;
    } else {
        die(rd_kafka_message_errstr(m));
    }
    rd_kafka_message_destroy(m);
}

static void one_by_one(rd_kafka_t *rk, struct count *c) {
    while (c->open > 0) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, PATIENCE_MS);
        if (!m) die("nothing came");
        take(c, m);
    }
}

static void in_batches(rd_kafka_t *rk, struct count *c) {
    static rd_kafka_message_t *batch[BATCH];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    /* The short wait is for the end of the topic only: a call returns when its array is full or the time is over. */
    for (double last = now(); c->open > 0;) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 5, batch, BATCH);
        for (ssize_t i = 0; i < n; i++) take(c, batch[i]);
        if (n > 0) last = now();
        else if (now() - last > PATIENCE_MS / 1000) die("nothing came");
    }
    rd_kafka_queue_destroy(queue);
}

/* librdkafka keeps what it learns here, so that assign() can fetch at once. */
static void ask_first(rd_kafka_t *rk, const char *topic, int partitions) {
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, t, &meta, PATIENCE_MS);
    if (err) die(rd_kafka_err2str(err));
    rd_kafka_metadata_destroy(meta);
    for (int p = 0; p < partitions; p++) {
        int64_t low, high;
        err = rd_kafka_query_watermark_offsets(rk, topic, p, &low, &high, PATIENCE_MS);
        if (err) die(rd_kafka_err2str(err));
    }
    rd_kafka_topic_destroy(t);
}

static rd_kafka_t *consumer(const char *bootstrap, int tuned) {
    const char *set[][2] = {
        { "bootstrap.servers", bootstrap }, { "group.id", "headrace-bench" }, { "enable.partition.eof", "true" },
        { "fetch.wait.max.ms", "5" }, { "queued.min.messages", "1000000" },
    };
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < (tuned ? 5 : 3); i++)
        if (rd_kafka_conf_set(conf, set[i][0], set[i][1], why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk) die(why);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

int main(int argc, char **argv) {
    struct count c = { .start = now() };
    const char *mode = argc == 5 ? argv[4] : "";
    int tuned = !strcmp(mode, "tuned"), partitions = argc == 5 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (partitions < 1 || (!tuned && strcmp(mode, "default")))
        die("usage: consumer BOOTSTRAP TOPIC PARTITIONS default|tuned");

    rd_kafka_t *rk = consumer(argv[1], tuned);
    if (tuned) ask_first(rk, argv[2], partitions);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(all, argv[2], p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t err = rd_kafka_assign(rk, all);
    if (err) die(rd_kafka_err2str(err));

    c.open = partitions;
    if (tuned) in_batches(rk, &c);
    else one_by_one(rk, &c);

    double wall = now() - c.start;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("mode=%s records=%" PRId64 " bytes=%" PRId64 " first=%.3f wall=%.3f cpu=%.3f peak_rss_mib=%.1f\n",
           mode, c.records, c.bytes, c.first, wall,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
           (double)used.ru_maxrss / 1024);
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return 0;
}
