/*
 * Fills a topic with invoices, fast: each row of a CSV file becomes the JSON object that headrace's to_json makes of all
 * its columns, and the file goes in TIMES times.
 *
 *   produce [-n TIMES] [-p PARTITION | -k COLUMN] [-t commit|abort] [-X PROPERTY=VALUE]...
 *           BOOTSTRAP TOPIC FILE
 *   produce -l [-n TIMES] FILE
 *
 *   1. Record r goes to partition r modulo the topic's partitions; with -p all go to that one; with -k the column is the key,
 *      and its hash (Java's) chooses. So what lies where depends on the arguments only.
 *   2. A field that looks like an integer is one, one with a fraction is a double in its shortest form, the rest is text;
 *      a missing value is left out.
 *   3. Each record is there once and in order: the producer is idempotent. Any failed delivery is exit code 1.
 *   4. -t puts all of it into one transaction and then commits or aborts that.
 *   5. -l prints the records, one a line, instead of sending them.
 *
 * The file is turned into JSON once; the records of all repeats share those bytes.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "csv.h"
#include "double.h"

enum { PATIENCE_MS = 60000 };

struct plan {
    bool lines;
    long times, partition;                     /* partition -1: by row number or key */
    const char *key, *transaction;
    const char *bootstrap, *topic, *file;
};

struct record { char *json; size_t length; };

static void put_text(FILE *to, const char *text) {
    fputc('"', to);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') fprintf(to, "\\%c", c);
        else if (c < 0x20) fprintf(to, "\\u%04x", c);
        else fputc(c, to);
    }
    fputc('"', to);
}

static void put_value(FILE *to, const char *field) {                          /* 2 */
    size_t digits = strspn(field + (*field == '-'), "0123456789") + (*field == '-');
    bool integer = digits > (size_t)(*field == '-') && !field[digits];
    char *end, number[DOUBLE_TEXT];
    double x = strtod(field, &end);
    if (integer) {
        fputs(field, to);
    } else if (field[digits] == '.' && !*end) {
        double_as_java(number, x);
        fputs(number, to);
    } else {
        put_text(to, field);
    }
}

static struct record *to_json(const struct csv *c) {
    struct record *records = calloc(c->rows + 1, sizeof *records);
    if (!records) die("out of memory");
    for (size_t row = 0; row < c->rows; row++) {
        FILE *to = open_memstream(&records[row].json, &records[row].length);
        if (!to) die("out of memory");
        const char *before = "{";
        for (size_t column = 0; column < c->columns; column++) {
            if (!*csv_at(c, row, column)) continue;
            fputs(before, to);
            put_text(to, csv_name(c, column));
            fputc(':', to);
            put_value(to, csv_at(c, row, column));
            before = ",";
        }
        fputs(*before == '{' ? "{}" : "}", to);
        if (fclose(to)) die("out of memory");
    }
    return records;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die("produce: %s", why);
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
    (void)rk, (void)opaque;
    if (m->err) die("produce: a record was not delivered: %s", rd_kafka_err2str(m->err));
}

static void must(const char *what, rd_kafka_error_t *error) {
    if (error) die("produce: %s: %s", what, rd_kafka_error_string(error));
}

static int partitions_of(rd_kafka_t *rk, rd_kafka_topic_t *topic) {
    const struct rd_kafka_metadata *meta;
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, topic, &meta, PATIENCE_MS);
    if (!err) err = meta->topics[0].err;
    if (err) die("produce: %s: %s", rd_kafka_topic_name(topic), rd_kafka_err2str(err));
    int count = meta->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(meta);
    return count;
}

static void print(const struct plan *plan, const struct csv *csv, const struct record *records) {   /* 5 */
    for (long n = 0; n < plan->times; n++)
        for (size_t row = 0; row < csv->rows; row++) {
            fwrite(records[row].json, 1, records[row].length, stdout);
            putchar('\n');
        }
    if (fflush(stdout)) die("produce: cannot write to standard output");
}

/* Returns the bytes of all values. */
static size_t produce(rd_kafka_t *rk, const struct plan *plan, const struct csv *csv, const struct record *records) {
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, plan->topic, NULL);
    size_t key = plan->key ? csv_column(csv, plan->key) : 0, bytes = 0;
    int count = partitions_of(rk, topic);
    for (size_t n = 0, row = 0; n < csv->rows * (size_t)plan->times; n++, row = row + 1 < csv->rows ? row + 1 : 0) {
        int32_t partition = plan->key ? RD_KAFKA_PARTITION_UA                  /* 1 */
                          : plan->partition >= 0 ? (int32_t)plan->partition : (int32_t)(n % (size_t)count);
        const char *k = plan->key ? csv_at(csv, row, key) : NULL;
        while (rd_kafka_produce(topic, partition, 0, records[row].json, records[row].length,
                                k, k ? strlen(k) : 0, NULL)) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die("produce: %s [%d]: %s", plan->topic, partition, rd_kafka_err2str(rd_kafka_last_error()));
            rd_kafka_poll(rk, 5);
        }
        bytes += records[row].length;
    }
    if (rd_kafka_flush(rk, PATIENCE_MS)) die("produce: not all delivered after %d ms", PATIENCE_MS);
    rd_kafka_topic_destroy(topic);
    return bytes;
}

static struct plan arguments(int argc, char **argv, rd_kafka_conf_t *conf) {
    struct plan plan = { .times = 1, .partition = -1 };
    bool ok = true;
    for (int o; (o = getopt(argc, argv, "ln:p:k:t:X:")) != -1;) {
        char *value = o == 'X' ? strchr(optarg, '=') : NULL;
        if (o == 'l') plan.lines = true;
        else if (o == 'n') plan.times = strtol(optarg, NULL, 10);
        else if (o == 'p') plan.partition = strtol(optarg, NULL, 10);
        else if (o == 'k') plan.key = optarg;
        else if (o == 't') plan.transaction = optarg;
        else if (value) { *value = '\0'; set(conf, optarg, value + 1); }
        else ok = false;
    }
    if (plan.transaction && strcmp(plan.transaction, "commit") && strcmp(plan.transaction, "abort")) ok = false;
    if (!ok || argc - optind != (plan.lines ? 1 : 3) || plan.times < 1 || (plan.key && plan.partition >= 0))
        die("usage: produce [-n TIMES] [-p PARTITION | -k COLUMN] [-t commit|abort] [-X PROPERTY=VALUE]... "
            "BOOTSTRAP TOPIC FILE, or produce -l [-n TIMES] FILE");
    plan.file = argv[argc - 1];
    if (plan.lines) return plan;
    plan.bootstrap = argv[optind];
    plan.topic = argv[optind + 1];
    return plan;
}

static void send_all(rd_kafka_conf_t *conf, const struct plan *plan, const struct csv *csv, const struct record *records) {
    set(conf, "bootstrap.servers", plan->bootstrap);
    if (plan->transaction) set(conf, "transactional.id", "tests/stream/produce");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    char why[512];
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk) die("produce: %s", why);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (plan->transaction) {
        must("init_transactions", rd_kafka_init_transactions(rk, PATIENCE_MS));
        must("begin_transaction", rd_kafka_begin_transaction(rk));
    }
    size_t bytes = produce(rk, plan, csv, records);
    if (plan->transaction) {
        must(plan->transaction, *plan->transaction == 'a' ? rd_kafka_abort_transaction(rk, PATIENCE_MS)
                                                          : rd_kafka_commit_transaction(rk, PATIENCE_MS));
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("records=%zu bytes=%zu wall=%.3f\n", csv->rows * (size_t)plan->times, bytes,
           (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec));
    rd_kafka_destroy(rk);
}

int main(int argc, char **argv) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "enable.idempotence", "true");                                   /* 3 */
    set(conf, "partitioner", "murmur2");                                       /* 1 */
    set(conf, "linger.ms", "20");
    set(conf, "batch.num.messages", "10000");
    set(conf, "queue.buffering.max.messages", "200000");
    set(conf, "delivery.report.only.error", "true");
    set(conf, "log_level", "3");   /* a broker that is just starting makes it retry, and tell */
    struct plan plan = arguments(argc, argv, conf);

    struct csv csv;
    csv_read(&csv, plan.file);
    struct record *records = to_json(&csv);
    if (plan.lines) {
        print(&plan, &csv, records);
        rd_kafka_conf_destroy(conf);
    } else {
        send_all(conf, &plan, &csv, records);
    }
    for (size_t row = 0; row < csv.rows; row++) free(records[row].json);
    free(records);
    csv_free(&csv);
    return 0;
}
