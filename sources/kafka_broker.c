/*
 * headrace broker --topic NAME:PARTITIONS ...: a Kafka broker inside this process, to try things without one.
 *
 * 1. It is librdkafka's mock cluster: in memory, at most 5 MiB or 100,000 message sets a partition, no
 *    transactions. For demos and tests of errors, not for benchmarks.
 * 2. Its address is the first line on standard output; the system chooses the port.
 * 3. It runs until SIGINT or SIGTERM.
 */
#include <headrace/plugin.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: headrace broker --topic NAME:PARTITIONS ...\n\n"
                            "A Kafka broker in memory, for demos: prints its address, runs until it is interrupted.\n";

static int wrong(const char *what) {
    hr_log(HR_ERROR, "broker: %s", what);
    return HR_EUSAGE;
}

/* NAME:PARTITIONS; false: it is not. */
static bool create_topic(rd_kafka_mock_cluster_t *cluster, char *text) {
    char *colon = strrchr(text, ':'), *end;
    long n = colon ? strtol(colon + 1, &end, 10) : 0;
    if (!colon || colon == text || *end || n < 1 || n > 1000) return false;
    *colon = '\0';
    return !rd_kafka_mock_topic_create(cluster, text, (int)n, 1);
}

static int serve(rd_kafka_mock_cluster_t *cluster, int argc, char **argv) {
    for (int i = 2; i < argc; i += 2)
        if (!create_topic(cluster, argv[i])) return wrong("--topic wants NAME:PARTITIONS");
    sigset_t until;
    sigemptyset(&until);
    sigaddset(&until, SIGINT);
    sigaddset(&until, SIGTERM);
    int got;
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    if (fflush(stdout)) return wrong("cannot write the address");
    return sigwait(&until, &got) ? HR_EFAIL : HR_OK;
}

static int run(int argc, char **argv) {
    char why[512];
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) return fputs(usage, stdout) < 0 ? HR_EFAIL : HR_OK;
    if (argc < 3 || argc % 2 == 0) return wrong("at least one --topic NAME:PARTITIONS is wanted");
    for (int i = 1; i < argc; i += 2)
        if (strcmp(argv[i], "--topic")) return wrong("the only option is --topic NAME:PARTITIONS");
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL); /* before librdkafka starts threads: they inherit it */
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", why, sizeof why); /* it would miss bootstrap.servers, which are its own */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk) return wrong(why);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
    int code = cluster ? serve(cluster, argc, argv) : wrong("the broker cannot be started");
    if (cluster) rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    return code;
}

HR_PLUGIN(command, broker) = {
    .kind = HR_COMMAND,
    .name = "broker",
    .about = "a Kafka broker in memory, for demos",
    .command = {.run = run},
};
