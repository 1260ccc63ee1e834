/*
 * latency: how long it takes from producing a record until its effect can be read on a command's standard output.
 *
 *   latency BOOTSTRAP TOPIC PARTITIONS RATE SECONDS COMMAND ARGUMENTS...
 *
 * starts COMMAND, sends RATE records a second for SECONDS, and prints when all of them were seen
 *
 *   records=100000 p50_ms=61.2 p99_ms=112.3 max_ms=130.1
 *
 *   1. Record id is {"id":ID,"key":ID modulo 500}, in partition key modulo PARTITIONS. The command has to print, as one JSON
 *      object a line, each key that changed with the greatest id it has: {"key":7,"last":1507}. So all ids of that key up to
 *      that one are then to be seen, and each record counts, not only the newest.
 *   2. The 500 records of a first round are not measured: they tell that the command is up.
 *   3. The clock starts when a record was due, not when it could be sent: a producer that falls behind does not make
 *      things look better. It stops when the line was read.
 *   4. In the end the command gets SIGTERM, and must end with exit code 0.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

enum { KEYS = 500, PATIENCE_MS = 30000, STEP_US = 500 };

struct measurement {
    int64_t n;            /* records, with those of the first round */
    int64_t *due, *took;  /* us, of each */
    int64_t seen[KEYS];   /* the next id of that key that was not seen */
    FILE *from;           /* the command's output */
    atomic_long all_seen; /* records */
};

static pid_t command;

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("latency: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    if (command > 0) kill(command, SIGKILL);
    exit(1);
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void pause_us(long us) { nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL); }

/* ---- reading ---- */

static void *read_lines(void *arg) {
    struct measurement *m = arg;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, m->from) > 0) {
        int64_t at = now_us(), key, last, n = 0;
        if (sscanf(line, "{\"key\":%" SCNd64 ",\"last\":%" SCNd64 "}", &key, &last) != 2 || key < 0 || key >= KEYS ||
            last >= m->n || last % KEYS != key)
            die("not a line that it should print: %s", line);
        for (int64_t *id = &m->seen[key]; *id <= last; *id += KEYS, n++) m->took[*id] = at - m->due[*id];
        atomic_fetch_add(&m->all_seen, n);
    }
    free(line);
    return NULL;
}

/* Wait until n records were seen in all. */
static void see(struct measurement *m, rd_kafka_t *rk, int64_t n) {
    int64_t before = -1, since = now_us();
    for (int64_t seen; (seen = atomic_load(&m->all_seen)) < n; pause_us(STEP_US)) {
        rd_kafka_poll(rk, 0);
        if (seen != before) since = now_us();
        before = seen;
        if (now_us() - since > PATIENCE_MS * INT64_C(1000)) die("%" PRId64 " of %" PRId64 " records were seen, then no more", seen, n);
    }
}

/* ---- sending ---- */

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
    (void)rk, (void)opaque;
    if (m->err) die("a record was not delivered: %s", rd_kafka_err2str(m->err));
}

static rd_kafka_t *producer(const char *bootstrap) {
    const char *set[][2] = {{"bootstrap.servers", bootstrap}, {"enable.idempotence", "true"}, {"linger.ms", "1"},
                            {"delivery.report.only.error", "true"}, {"log_level", "3"}};
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        if (rd_kafka_conf_set(conf, set[i][0], set[i][1], why, sizeof why) != RD_KAFKA_CONF_OK) die("%s", why);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk) die("%s", why);
    return rk;
}

static void produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, int partitions, int64_t id) {
    char json[64];
    int n = snprintf(json, sizeof json, "{\"id\":%" PRId64 ",\"key\":%" PRId64 "}", id, id % KEYS);
    while (rd_kafka_produce(topic, (int32_t)(id % KEYS % partitions), RD_KAFKA_MSG_F_COPY, json, (size_t)n, NULL, 0, NULL)) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("%s", rd_kafka_err2str(rd_kafka_last_error()));
        rd_kafka_poll(rk, 1);
    }
}

static void send_all(struct measurement *m, rd_kafka_t *rk, rd_kafka_topic_t *topic, int partitions, int64_t rate) {
    int64_t next = 0;
    for (; next < KEYS; next++) {
        m->due[next] = now_us();
        produce(rk, topic, partitions, next);
    }
    see(m, rk, KEYS);
    int64_t start = now_us();
    for (int64_t id = next; id < m->n; id++) m->due[id] = start + (int64_t)((__int128)(id - KEYS) * 1000000 / rate);
    while (next < m->n) {
        for (int64_t now = now_us(); next < m->n && m->due[next] <= now; next++) produce(rk, topic, partitions, next);
        rd_kafka_poll(rk, 0);
        pause_us(STEP_US);
    }
    see(m, rk, m->n);
}

/* ---- all of it ---- */

static FILE *start(char **argv) {
    int pipes[2];
    if (pipe(pipes) || (command = fork()) < 0) die("%s", strerror(errno));
    if (!command) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execvp(argv[0], argv);
        fprintf(stderr, "latency: %s: %s\n", argv[0], strerror(errno));
        _exit(125);
    }
    close(pipes[1]);
    return fdopen(pipes[0], "r");
}

static void stop(void) {
    int status;
    kill(command, SIGTERM);
    if (waitpid(command, &status, 0) != command || !WIFEXITED(status) || WEXITSTATUS(status))
        die("the command ended with %s %d", WIFEXITED(status) ? "exit code" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static long positive(const char *text) {
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < 1 || n > 100000000) die("%s: not a number from 1 to 100000000", text);
    return n;
}

int main(int argc, char **argv) {
    static struct measurement m;
    if (argc < 7) die("usage: latency BOOTSTRAP TOPIC PARTITIONS RATE SECONDS COMMAND ARGUMENTS...");
    long partitions = positive(argv[3]), rate = positive(argv[4]);
    m.n = KEYS + rate * positive(argv[5]);
    m.due = calloc((size_t)m.n, sizeof *m.due);
    m.took = calloc((size_t)m.n, sizeof *m.took);
    if (!m.due || !m.took) die("out of memory");
    for (int k = 0; k < KEYS; k++) m.seen[k] = k;
    m.from = start(argv + 6);
    pthread_t reader;
    if (!m.from || pthread_create(&reader, NULL, read_lines, &m)) die("cannot read");

    rd_kafka_t *rk = producer(argv[1]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    send_all(&m, rk, topic, (int)partitions, rate);
    stop();
    pthread_join(reader, NULL);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);

    int64_t *took = m.took + KEYS, n = m.n - KEYS;
    qsort(took, (size_t)n, sizeof *took, ascending);
    printf("records=%" PRId64 " p50_ms=%.1f p99_ms=%.1f max_ms=%.1f\n", n, (double)took[n / 2] / 1000,
           (double)took[n * 99 / 100] / 1000, (double)took[n - 1] / 1000);
    free(m.due);
    free(m.took);
    return 0;
}
