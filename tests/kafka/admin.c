/*
 * What the tests ask of a broker beside records: Kafka's own scripts start a JVM for each of these, which takes
 * seconds; this takes milliseconds.
 *
 *   admin ports COUNT                              free TCP ports of this machine, one a line
 *   admin BOOTSTRAP ready MS CLUSTER               does that cluster answer within MS, each partition with a leader?
 *   admin BOOTSTRAP create TOPIC COUNT [K=V...]    a topic of COUNT partitions with these settings
 *   admin BOOTSTRAP delete TOPIC
 *   admin BOOTSTRAP partitions TOPIC COUNT         more of them, COUNT in all
 *   admin BOOTSTRAP trim TOPIC PARTITION OFFSET    delete the records before OFFSET, as retention does
 *   admin BOOTSTRAP offsets TOPIC                  partition, first and end offset, one partition a line
 *   admin BOOTSTRAP committed TOPIC GROUP          the sum of the group's offsets over all partitions
 *   admin BOOTSTRAP dump TOPIC                     values of all committed records, one a line
 *   admin BOOTSTRAP dangle TOPIC ID                a record in a transaction that is never ended (of transactional ID)
 *
 * A change has arrived everywhere when the command returns: the next client sees it.
 * Exit code 0, or 1 and one line on stderr.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

enum { PATIENCE_MS = 30000, PAUSE_MS = 10 };

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("admin: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static int64_t number(const char *text, int64_t least, int64_t most) {
    char *end;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || n < least || n > most)
        die("%s: not a number from %" PRId64 " to %" PRId64, text, least, most);
    return n;
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static bool is_free(int port) {
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int s = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (s < 0) die("no socket");
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool ok = bind(s, (struct sockaddr *)&at, sizeof at) == 0;
    close(s);
    return ok;
}

/* From below the range (32768 and up) out of which the system serves "any port": else an outgoing connection of
 * anybody's could sit on the broker's port while the broker is down, and it could not come back. */
static void ports(int count) {
    enum { FIRST = 20000, PORTS = 12000 };
    unsigned start = (unsigned)getpid() * 31u + (unsigned)now_ms();
    for (unsigned i = 0; i < PORTS && count > 0; i++) {
        int port = FIRST + (int)((start + i) % PORTS);
        if (is_free(port)) {
            printf("%d\n", port);
            count--;
        }
    }
    if (count > 0) die("no free port");
}

static rd_kafka_t *client(const char *bootstrap) {
    char why[512];
    const char *set[][2] = {
        { "bootstrap.servers", bootstrap },
        { "reconnect.backoff.ms", "20" }, { "reconnect.backoff.max.ms", "100" },   /* it may be just starting */
        { "log_level", "0" },                                                      /* refused connections: expected */
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        if (rd_kafka_conf_set(conf, set[i][0], set[i][1], why, sizeof why) != RD_KAFKA_CONF_OK) die("%s", why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk) die("%s", why);
    return rk;
}

/* How many partitions of the topic have a leader; of every topic, if it is NULL. -1: something is not ready yet. */
static int led(rd_kafka_t *rk, const char *topic, int timeout_ms) {
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_t *only = topic ? rd_kafka_topic_new(rk, topic, NULL) : NULL;
    int partitions = -1;
    if (!rd_kafka_metadata(rk, !only, only, &meta, timeout_ms)) {
        partitions = meta->broker_cnt > 0 ? 0 : -1;
        for (int t = 0; t < meta->topic_cnt && partitions >= 0; t++) {
            const struct rd_kafka_metadata_topic *of = &meta->topics[t];
            partitions = of->err ? -1 : partitions + of->partition_cnt;
            for (int p = 0; p < of->partition_cnt && partitions >= 0; p++)
                if (of->partitions[p].err || of->partitions[p].leader < 0) partitions = -1;
        }
        rd_kafka_metadata_destroy(meta);
    }
    if (only) rd_kafka_topic_destroy(only);
    return partitions;
}

/* Another broker on this port is worse than none: tests would run on somebody else's topics. */
static void ready(rd_kafka_t *rk, int ms, const char *cluster) {
    for (int64_t end = now_ms() + ms, left; (left = end - now_ms()) > 0; pause_ms(PAUSE_MS)) {
        if (led(rk, NULL, (int)left) < 0) continue;
        char *id = rd_kafka_clusterid(rk, 0);
        if (!id || strcmp(id, cluster)) die("the cluster here is %s", id ? id : "nameless");
        rd_kafka_mem_free(rk, id);
        return;
    }
    die("no answer within %d ms", ms);
}

/* The controller has said yes; the broker hears of it a moment later. `want` is -1 for a topic that has to go. */
static void settle(rd_kafka_t *rk, const char *topic, int want) {
    for (int64_t end = now_ms() + PATIENCE_MS, left; (left = end - now_ms()) > 0; pause_ms(PAUSE_MS))
        if (led(rk, topic, (int)left) == want) return;
    die("%s: accepted, but not to be seen after %d ms", topic, PATIENCE_MS);
}

/* The result event of one admin request, its request-level and per-topic errors already reported. */
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    if (!event) die("no answer within %d ms", PATIENCE_MS);
    if (rd_kafka_event_error(event)) die("%s", rd_kafka_event_error_string(event));

    size_t n = 0;
    const rd_kafka_topic_result_t **of = NULL;
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
        of = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n); break;
    case RD_KAFKA_EVENT_DELETETOPICS_RESULT:
        of = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n); break;
    case RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT:
        of = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &n); break;
    default: break;
    }
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(of[i]);
        const char *why = rd_kafka_topic_result_error_string(of[i]);
        if (err) die("%s: %s", rd_kafka_topic_result_name(of[i]), why ? why : rd_kafka_err2str(err));
    }
    return event;
}

static void create(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic, int count, char **settings) {
    char why[512];
    rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(topic, count, 1, why, sizeof why);
    if (!new) die("%s: %s", topic, why);
    for (; *settings; settings++) {
        char *value = strchr(*settings, '=');
        if (!value) die("%s: not NAME=VALUE", *settings);
        *value++ = '\0';
        rd_kafka_NewTopic_set_config(new, *settings, value);
    }
    rd_kafka_CreateTopics(rk, &new, 1, NULL, queue);
    rd_kafka_event_destroy(answer(queue));
    rd_kafka_NewTopic_destroy(new);
    settle(rk, topic, count);
}

static void delete(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic) {
    rd_kafka_DeleteTopic_t *old = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &old, 1, NULL, queue);
    rd_kafka_event_destroy(answer(queue));
    rd_kafka_DeleteTopic_destroy(old);
    settle(rk, topic, -1);
}

static void add_partitions(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic, int count) {
    char why[512];
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(topic, (size_t)count, why, sizeof why);
    if (!more) die("%s: %s", topic, why);
    rd_kafka_CreatePartitions(rk, &more, 1, NULL, queue);
    rd_kafka_event_destroy(answer(queue));
    rd_kafka_NewPartitions_destroy(more);
    settle(rk, topic, count);
}

static void trim(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic, int partition, int64_t offset) {
    rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, topic, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue);
    const rd_kafka_topic_partition_list_t *done =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    for (int i = 0; i < done->cnt; i++)
        if (done->elems[i].err) die("%s [%d]: %s", topic, partition, rd_kafka_err2str(done->elems[i].err));
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(before);
}

static void offsets(rd_kafka_t *rk, const char *topic) {
    int count = led(rk, topic, PATIENCE_MS);
    if (count < 0) die("%s: no such topic, or not ready", topic);
    for (int p = 0; p < count; p++) {
        int64_t first, end;
        rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(rk, topic, p, &first, &end, PATIENCE_MS);
        if (err) die("%s [%d]: %s", topic, p, rd_kafka_err2str(err));
        printf("%d %" PRId64 " %" PRId64 "\n", p, first, end);
    }
}

static rd_kafka_t *another(const char *bootstrap, rd_kafka_type_t type, const char *(*set)[2], size_t n) {
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof why);
    for (size_t i = 0; i < n; i++)
        if (rd_kafka_conf_set(conf, set[i][0], set[i][1], why, sizeof why) != RD_KAFKA_CONF_OK) die("%s", why);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (!rk) die("%s", why);
    return rk;
}

static void assign_all(rd_kafka_t *consumer, const char *topic, int count) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++) rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    if (rd_kafka_assign(consumer, list)) die("%s: cannot be assigned", topic);
    rd_kafka_topic_partition_list_destroy(list);
}

/* To the last stable offset of each partition: what an open transaction holds back is not waited for. */
static void dump(rd_kafka_t *rk, const char *bootstrap, const char *topic) {
    const char *set[][2] = { { "group.id", "dump" }, { "isolation.level", "read_committed" }, { "enable.partition.eof", "true" },
                             { "auto.offset.reset", "earliest" }, { "enable.auto.commit", "false" } };
    int count = led(rk, topic, PATIENCE_MS), ended = 0;
    if (count < 0) die("%s: no such topic, or not ready", topic);
    rd_kafka_t *consumer = another(bootstrap, RD_KAFKA_CONSUMER, set, sizeof set / sizeof *set);
    assign_all(consumer, topic, count);
    while (ended < count) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, PATIENCE_MS);
        if (!m) die("%s: no answer within %d ms", topic, PATIENCE_MS);
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ended++;
        else if (m->err) die("%s: %s", topic, rd_kafka_message_errstr(m));
        else printf("%.*s\n", (int)m->len, (const char *)m->payload);
        rd_kafka_message_destroy(m);
    }
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void committed(rd_kafka_t *rk, const char *bootstrap, const char *topic, const char *group) {
    const char *set[][2] = { { "group.id", group } };
    int count = led(rk, topic, PATIENCE_MS);
    if (count < 0) die("%s: no such topic, or not ready", topic);
    rd_kafka_t *consumer = another(bootstrap, RD_KAFKA_CONSUMER, set, 1);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++) rd_kafka_topic_partition_list_add(list, topic, p);
    rd_kafka_resp_err_t err = rd_kafka_committed(consumer, list, PATIENCE_MS);
    if (err) die("%s: %s", group, rd_kafka_err2str(err));
    int64_t sum = 0;
    for (int p = 0; p < count; p++)
        if (list->elems[p].offset >= 0) sum += list->elems[p].offset;
    printf("%" PRId64 "\n", sum);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void must(rd_kafka_error_t *e, const char *what) {
    if (e) die("%s: %s", what, rd_kafka_error_string(e));
}

/* Until the transaction's timeout, if nobody fences it off. */
static void dangle(const char *bootstrap, const char *topic, const char *id) {
    const char *set[][2] = { { "transactional.id", id }, { "transaction.timeout.ms", "5000" } };
    rd_kafka_t *producer = another(bootstrap, RD_KAFKA_PRODUCER, set, sizeof set / sizeof *set);
    must(rd_kafka_init_transactions(producer, PATIENCE_MS), "init");
    must(rd_kafka_begin_transaction(producer), "begin");
    if (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY("dangling", 8), RD_KAFKA_V_VALUE("0", 1), RD_KAFKA_V_END)) die("produce");
    if (rd_kafka_flush(producer, PATIENCE_MS) || rd_kafka_fatal_error(producer, NULL, 0)) die("flush");
    exit(0);
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[2] : "", *topic = argc > 3 ? argv[3] : NULL;
    if (argc == 3 && !strcmp(argv[1], "ports")) {
        ports((int)number(argv[2], 1, 100));
        return 0;
    }
    if (!topic) die("usage: see the head of tests/kafka/admin.c");

    rd_kafka_t *rk = client(argv[1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    if (!strcmp(what, "ready") && argc == 5)           ready(rk, (int)number(argv[3], 1, 600000), argv[4]);
    else if (!strcmp(what, "create") && argc >= 5)     create(rk, queue, topic, (int)number(argv[4], 1, 10000), argv + 5);
    else if (!strcmp(what, "delete") && argc == 4)     delete(rk, queue, topic);
    else if (!strcmp(what, "partitions") && argc == 5) add_partitions(rk, queue, topic, (int)number(argv[4], 1, 10000));
    else if (!strcmp(what, "trim") && argc == 6)
        trim(rk, queue, topic, (int)number(argv[4], 0, INT32_MAX), number(argv[5], 0, INT64_MAX));
    else if (!strcmp(what, "offsets") && argc == 4)    offsets(rk, topic);
    else if (!strcmp(what, "committed") && argc == 5)  committed(rk, argv[1], topic, argv[4]);
    else if (!strcmp(what, "dump") && argc == 4)       dump(rk, argv[1], topic);
    else if (!strcmp(what, "dangle") && argc == 5)     dangle(argv[1], topic, argv[4]);
    else die("%s: no such command, or not its arguments; see the head of tests/kafka/admin.c", what);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return 0;
}
