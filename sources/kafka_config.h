/* kafka_config.h: what source and sink share: a librdkafka configuration from their options, and questions to a broker. */
#ifndef HR_KAFKA_CONFIG_H
#define HR_KAFKA_CONFIG_H

#include <headrace/plugin.h>
#include <librdkafka/rdkafka.h>

struct kafka_property {
    const char *name, *value;
};

/* Check the user's properties at load; faults go to their places. */
bool kafka_config_check(struct hr_bind *, const struct hr_map *config);
/* A fault where an option that has to name something is empty. */
bool kafka_check_name(struct hr_bind *, const char *const *option, const char *what);
/* The user's properties, then `own` (ends with a NULL name), which win. NULL after hr_fail(). The caller
 * hands it to rd_kafka_new() or destroys it. */
rd_kafka_conf_t *kafka_config_new(const char *brokers, const struct hr_map *config, const struct kafka_property *own,
                                  struct hr_error *);

void kafka_pause(int ms); /* before a broker is asked again */

/* kafka_watermarks.c: the offsets of a partition's first record and behind its last one; each is asked for at most timeout_ms. */
rd_kafka_resp_err_t kafka_watermarks(rd_kafka_t *, const char *topic, int32_t partition, int64_t *low, int64_t *high, int timeout_ms);

/* kafka_spark.c: the user's properties as options of Spark's Kafka source or sink. */
bool kafka_spark_config(struct hr_spark *, const struct hr_map *config);

#endif
