/*
 * Where a partition begins and ends.
 *
 * rd_kafka_query_watermark_offsets() does not keep to its timeout: a request that was sent when the broker went is tried again
 * until there is a broker (librdkafka 2.0.2), and nobody who wants to end the job is heard. This call keeps to it.
 */
#include "sources/kafka_config.h"

static rd_kafka_resp_err_t ask(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t end, int64_t *offset, int timeout_ms) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = end;
    rd_kafka_resp_err_t why = rd_kafka_offsets_for_times(rk, list, timeout_ms);
    if (!why) why = list->elems[0].err;
    if (!why) *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return why;
}

rd_kafka_resp_err_t kafka_watermarks(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *low, int64_t *high, int timeout_ms) {
    rd_kafka_resp_err_t why = ask(rk, topic, partition, RD_KAFKA_OFFSET_BEGINNING, low, timeout_ms);
    return why ? why : ask(rk, topic, partition, RD_KAFKA_OFFSET_END, high, timeout_ms);
}
