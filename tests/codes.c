/*
 * A broker in memory whose first answers are errors: librdkafka's mock cluster, told through its API.
 *
 *   codes TOPIC:PARTITIONS REQUEST CODE...    REQUEST: fetch or produce; CODE: numbers of Kafka's protocol, one for each
 *                                             of the first requests of that kind
 *
 * Its address is the first line on standard output; it runs until SIGTERM.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRODUCE = 0, FETCH = 1, MOST = 32 }; /* keys of Kafka's protocol */

static int wrong(const char *what) { return fprintf(stderr, "codes: %s\n", what), 1; }

int main(int argc, char **argv) {
    char why[512], *colon = argc > 3 ? strrchr(argv[1], ':') : NULL;
    sigset_t until;
    int got;
    if (!colon || argc - 3 > MOST) return wrong("usage: codes TOPIC:PARTITIONS fetch|produce CODE...");
    *colon = '\0';
    sigemptyset(&until);
    sigaddset(&until, SIGTERM);
    sigprocmask(SIG_BLOCK, &until, NULL); /* before librdkafka starts threads: they inherit it */
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    rd_kafka_mock_cluster_t *cluster = rk ? rd_kafka_mock_cluster_new(rk, 1) : NULL;
    if (!cluster) return wrong("no cluster");
    if (rd_kafka_mock_topic_create(cluster, argv[1], (int)strtol(colon + 1, NULL, 10), 1)) return wrong("no topic");
    for (int i = 3; i < argc; i++)
        rd_kafka_mock_push_request_errors(cluster, strcmp(argv[2], "fetch") ? PRODUCE : FETCH, 1, (rd_kafka_resp_err_t)(int)strtol(argv[i], NULL, 10));
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    sigwait(&until, &got);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    return 0;
}
