/*
 * kafka_epochs.h: the topic in which Kafka sinks remember what they published: one partition, compacted, for each sink
 * a record with its transactional id as key and its newest epoch as value, written in the transaction of the rows.
 */
#ifndef HR_KAFKA_EPOCHS_H
#define HR_KAFKA_EPOCHS_H

#include "sources/kafka_config.h"

struct kafka_epochs {
    const char *brokers, *topic, *name; /* name: the transactional id */
    const struct hr_map *config;
};

/* Make the topic where it is not there. */
bool kafka_epochs_make(const struct kafka_epochs *, rd_kafka_t *producer, struct hr_error *);
/* The newest epoch committed; 0: none. Waits for the transactions of others that hide what comes behind them. */
bool kafka_epochs_read(const struct kafka_epochs *, int64_t *epoch, struct hr_error *);
/* Into the open transaction; 0, or why it cannot be written. */
rd_kafka_resp_err_t kafka_epochs_put(const struct kafka_epochs *, rd_kafka_t *producer, int64_t epoch);

#endif
