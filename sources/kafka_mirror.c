/*
 * The consumer group mirrors the checkpoint's positions, for lag tools.
 *
 * An admin request does it: rd_kafka_commit() holds up rd_kafka_destroy() for as long as the broker has no coordinator
 * for the group, 45 seconds at the first run on a new cluster (librdkafka 2.0.2).
 *
 * It is given the longest time there is, an hour: one that is given up while it looks for the coordinator is freed, and
 * ends the process with a failed assertion as soon as a broker is back (librdkafka 2.0.2, and later ones by their text).
 */
#include "sources/kafka_partitions.h"

#include <stdlib.h>

enum { REQUEST_MS = 3600 * 1000, LAST_MS = 50 };

static void take_answers(struct kafka *k, int timeout_ms) {
    for (rd_kafka_event_t *e; k->mirroring && (e = rd_kafka_queue_poll(k->mirrored, timeout_ms)); rd_kafka_event_destroy(e)) k->mirroring--;
}

static rd_kafka_topic_partition_list_t *list_of(const struct kafka *k, struct hr_positions at) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(at.n);
    for (int i = 0; i < at.n; i++)
        rd_kafka_topic_partition_list_add(list, k->topic, (int32_t)strtoll(at.item[i].split, NULL, 10))->offset = at.item[i].at;
    return list;
}

void kafka_mirror(struct kafka *k, struct hr_positions at) {
    char why[128];
    take_answers(k, 0);
    if (!at.n) return;
    if (!k->mirrored) k->mirrored = rd_kafka_queue_new(k->rk);
    rd_kafka_topic_partition_list_t *list = list_of(k, at);
    rd_kafka_AlterConsumerGroupOffsets_t *alter = rd_kafka_AlterConsumerGroupOffsets_new(k->group, list);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(k->rk, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
    rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS, why, sizeof why);
    rd_kafka_AlterConsumerGroupOffsets(k->rk, &alter, 1, options, k->mirrored);
    k->mirroring++;
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_AlterConsumerGroupOffsets_destroy(alter);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The last request gets a moment to arrive, and no more. */
void kafka_mirror_end(struct kafka *k) {
    take_answers(k, LAST_MS);
    k->mirroring = 0;
    if (k->mirrored) rd_kafka_queue_destroy(k->mirrored);
    k->mirrored = NULL;
}
