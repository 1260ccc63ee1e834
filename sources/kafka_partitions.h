/* kafka_partitions.h: the source's partitions: where each begins, ends and stands. */
#ifndef HR_KAFKA_PARTITIONS_H
#define HR_KAFKA_PARTITIONS_H

#include "sources/kafka_config.h"

#include <pthread.h>
#include <stdatomic.h>

/* The last record that was handed out: in the checkpoint, as the position's detail. */
struct kafka_last {
    bool known;
    int64_t offset, timestamp;
    uint64_t hash;
};

struct kafka_partition {
    int32_t number;
    struct hr_split split;    /* "invoices[3]" */
    char name[16];            /* "3": in the checkpoint */
    rd_kafka_queue_t *queue;  /* its own, forwarded to the one of all */
    int64_t next;             /* the offset expected next */
    int64_t end;              /* what was there at open */
    int64_t began;            /* where it was new in this run; -1: it was known before. In the detail, for an epoch that is read again */
    bool at_end;              /* end-of-partition was seen at `next` */
    struct kafka_last last;
    bool look;                /* fetched from last.offset on, to see whether it is still the same record */
    struct kafka_last until;  /* read again: the last record of the epoch, where there is one to compare with */
    bool unsure;              /* and it was not looked at yet */
    char detail[96];
};

/* Of a chunk at most: one batch, so that one hot partition feeds all lanes, and not much memory where messages are long. */
enum { KAFKA_CHUNK = 2048, KAFKA_CHUNK_BYTES = 1 << 20 };

struct kafka {
    const char *brokers, *topic;
    struct hr_map starting_offsets, config;
    int on_data_loss, on_error;

    struct hr_open open;
    rd_kafka_t *rk;
    rd_kafka_topic_t *rkt;
    struct kafka_partition **partition; /* sorted by number; each stays where it is */
    int partitions;
    rd_kafka_queue_t *queue;  /* of all partitions: what waits in it is bounded together */
    rd_kafka_message_t *got[KAFKA_CHUNK]; /* taken from it; handed out up to `at` */
    int at, n;
    int64_t record;           /* bytes of a message at most */
    struct hr_position *position;
    char group[256];          /* that mirrors the positions */
    rd_kafka_queue_t *mirrored; /* answers to that, and how many are missing */
    int mirroring;
    bool down;                /* said that no broker can be reached */
    char denied[256];         /* said that this refused us: a password, a certificate */
    int64_t lost, doubled;    /* offsets gone, messages seen twice: said at close */

    pthread_t watcher;        /* looks for new partitions, and wakes sleeping fetchers */
    bool watching;
    pthread_mutex_t lock;
    pthread_cond_t quit;
    bool quitting, hungry;
    struct timespec fed;      /* when the fetchers were woken last */
    atomic_int seen;          /* partitions that the topic has by now */
    bool gone;                /* it was not there when the watcher looked last */
    atomic_bool back;         /* and is again */
    int32_t *led;             /* one partition of each broker that leads some */
    int leaders;
};

enum { KAFKA_LOSS_FAIL, KAFKA_LOSS_CONTINUE };

/* Ask until the topic is there: number of its partitions, 0 after hr_fail() or when told to stop. */
int kafka_await_topic(struct kafka *);
/* Partitions `from` to n-1: watermarks, starting positions, assignment. */
bool kafka_add_partitions(struct kafka *, int n, bool late, struct hr_error *);
/* The offsets in [from, to) of a partition are gone: exit 5, or count them. */
bool kafka_loss(struct kafka *, const struct kafka_partition *, int64_t from, int64_t to, struct hr_error *);
void kafka_partitions_free(struct kafka *);
/* Start at a position that was committed, if the log still has it. */
bool kafka_resume(struct kafka *, struct kafka_partition *, const struct hr_position *from, int64_t low, int64_t high, struct hr_error *);
/* The topic was away: look whether it is the same one. */
bool kafka_look_again(struct kafka *, struct hr_error *);
/* It is another one, as what lies at an offset shows: exit 5, or read the partition from its beginning. */
bool kafka_made_anew(struct kafka *, struct kafka_partition *, int64_t offset, const char *shows, struct hr_error *);
bool kafka_go_to(struct kafka *, const struct kafka_partition *, int64_t offset, struct hr_error *);

/* A consumer that knows of errors and is assigned nothing; NULL after hr_fail(). */
rd_kafka_t *kafka_consumer(struct kafka *, struct hr_error *);
void kafka_consumer_free(rd_kafka_t *);
/* An error of a partition that passes by no waiting. */
bool kafka_is_final(rd_kafka_resp_err_t);

/* ---- kafka_again.c: an epoch that is read again ---- */

/* Where a partition begins and ends then; `from` is NULL where it was new. */
bool kafka_place_again(struct kafka *, struct kafka_partition *, const struct hr_position *from, const struct hr_position *until,
                       int64_t low, int64_t high, struct hr_error *);
/* Are the last records of all partitions the ones of then? Waits for brokers; false without an error when told to stop. */
bool kafka_check_until(struct kafka *, struct hr_error *);
/* The same at the end, of what was handed out. */
bool kafka_was_same(struct kafka *, struct hr_error *);

bool kafka_watch(struct kafka *);
void kafka_unwatch(struct kafka *);

/* ---- kafka_last.c ---- */

struct kafka_last kafka_last_of(const rd_kafka_message_t *);
bool kafka_last_same(const struct kafka_last *, const struct kafka_last *);
bool kafka_last_is(const struct kafka_last *, const rd_kafka_message_t *);
struct kafka_last kafka_last_from(const char *detail);
void kafka_last_put(const struct kafka_last *, int64_t began, char *text, size_t n);
/* Where the partition was new, by the detail of the epoch in which it was; 0: it says nothing. */
int64_t kafka_began_from(const char *detail);

/* ---- kafka_mirror.c ---- */

/* Set the group's offsets, in the background: nothing depends on it. */
void kafka_mirror(struct kafka *, struct hr_positions);
void kafka_mirror_end(struct kafka *);

/* A partition's queue runs low: have librdkafka fetch now. */
void kafka_hungry(struct kafka *);

#endif
