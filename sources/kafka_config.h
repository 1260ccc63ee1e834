/* kafka_config.h: a librdkafka configuration from the options that source and sink share. */
#ifndef HR_KAFKA_CONFIG_H
#define HR_KAFKA_CONFIG_H

#include <headrace/plugin.h>
#include <librdkafka/rdkafka.h>

struct kafka_property {
    const char *name, *value;
};

/* Check the user's properties at load; faults go to their places. */
bool kafka_config_check(struct hr_bind *, const struct hr_map *config);
/* The user's properties, then `own` (ends with a NULL name), which win. NULL after hr_fail(). The caller
 * hands it to rd_kafka_new() or destroys it. */
rd_kafka_conf_t *kafka_config_new(const char *brokers, const struct hr_map *config, const struct kafka_property *own,
                                  struct hr_error *);

/* kafka_spark.c: the user's properties as options of Spark's Kafka source or sink. */
bool kafka_spark_config(struct hr_spark *, const struct hr_map *config);

#endif
