/* The last record that was read of a partition: if another one lies at its offset, the topic was made anew. */
#include "sources/kafka_partitions.h"

#include <stdio.h>

/* FNV-1a: told apart are two topics of one name, not somebody who wants to deceive. */
static uint64_t hash(const void *p, size_t n, uint64_t h) {
    const unsigned char *c = p;
    for (size_t i = 0; i < n; i++) h = (h ^ c[i]) * 0x100000001b3ull;
    return (h ^ n) * 0x100000001b3ull;
}

struct kafka_last kafka_last_of(const rd_kafka_message_t *m) {
    rd_kafka_timestamp_type_t type;
    uint64_t h = hash(m->key, m->key ? m->key_len : 0, 0xcbf29ce484222325ull);
    return (struct kafka_last){true, m->offset, rd_kafka_message_timestamp(m, &type), hash(m->payload, m->payload ? m->len : 0, h)};
}

void kafka_last_put(const struct kafka_last *l, int64_t began, char *text, size_t n) {
    int at = snprintf(text, n, "%lld:%lld:%016llx", (long long)l->offset, (long long)l->timestamp, (unsigned long long)l->hash);
    if (began >= 0) snprintf(text + at, n - (size_t)at, ":%lld", (long long)began);
}

int64_t kafka_began_from(const char *detail) {
    long long began = 0;
    return detail && sscanf(detail, "%*d:%*d:%*x:%lld", &began) == 1 ? began : 0;
}

struct kafka_last kafka_last_from(const char *detail) {
    long long offset, timestamp;
    unsigned long long h;
    if (!detail || sscanf(detail, "%lld:%lld:%llx", &offset, &timestamp, &h) != 3 || offset < 0) return (struct kafka_last){0};
    return (struct kafka_last){true, offset, timestamp, h};
}

bool kafka_last_same(const struct kafka_last *a, const struct kafka_last *b) {
    return a->known == b->known && a->offset == b->offset && a->timestamp == b->timestamp && a->hash == b->hash;
}

bool kafka_last_is(const struct kafka_last *l, const rd_kafka_message_t *m) {
    struct kafka_last is = kafka_last_of(m);
    return is.timestamp == l->timestamp && is.hash == l->hash;
}
