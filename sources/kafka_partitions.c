/* Partitions: found, placed, assigned, watched. */
#include "sources/kafka_partitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ASK_MS = 1000, BOUNDED_TRIES = 30, WATCH_SECONDS = 5, LEAST_FEED_US = 5000 };

/* ---- the topic ---- */

/* One partition of each leader, for wake_fetchers(). */
static void note_leaders(struct kafka *k, const struct rd_kafka_metadata_topic *t) {
    k->led = hr_resize(k->led, ((size_t)t->partition_cnt + 1) * sizeof *k->led);
    k->leaders = 0;
    for (int i = 0; i < t->partition_cnt; i++) {
        int other = 0;
        while (other < i && t->partitions[other].leader != t->partitions[i].leader) other++;
        if (other == i) k->led[k->leaders++] = t->partitions[i].id;
    }
}

/* Partitions of the topic; 0 where there is none, with the reason. */
static int ask_partitions(struct kafka *k, int timeout_ms, rd_kafka_resp_err_t *why) {
    const struct rd_kafka_metadata *meta = NULL;
    int n = 0;
    *why = rd_kafka_metadata(k->rk, 0, k->rkt, &meta, timeout_ms);
    if (*why) return 0;
    if (meta->topic_cnt == 1) {
        *why = meta->topics[0].err;
        if (!*why || *why == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) n = meta->topics[0].partition_cnt;
        note_leaders(k, &meta->topics[0]);
    }
    rd_kafka_metadata_destroy(meta);
    return n;
}

static bool is_missing(rd_kafka_resp_err_t why) {
    return why == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || why == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

/* A streaming job waits for what is not there yet, and says so once; one that wants "what is there now"
 * ends with the reason. An epoch that is read again has its end in the checkpoint, and is waited for. */
int kafka_await_topic(struct kafka *k) {
    rd_kafka_resp_err_t why, said = RD_KAFKA_RESP_ERR_NO_ERROR;
    bool now = k->open.bounded && !k->open.until.n;
    for (int tries = 0; !hr_stopping(); tries++) {
        int n = ask_partitions(k, ASK_MS, &why);
        rd_kafka_poll(k->rk, 0);
        if (n > 0) return n;
        bool missing = is_missing(why);
        if (now && (missing || *k->denied || tries >= BOUNDED_TRIES)) {
            if (*k->denied) hr_fail(k->open.err, HR_EFAIL, "kafka: refused by %s: %s", k->brokers, k->denied);
            else if (missing) hr_fail(k->open.err, HR_EFAIL, "kafka: topic '%s' does not exist at %s", k->topic, k->brokers);
            else hr_fail(k->open.err, HR_EFAIL, "kafka: no answer from %s: %s", k->brokers, rd_kafka_err2str(why));
            return 0;
        }
        if (why != said && missing) hr_log(HR_WARN, "kafka: topic '%s' does not exist at %s; waiting for it", k->topic, k->brokers);
        else if (why != said && !k->down) hr_log(HR_WARN, "kafka: no answer from %s: %s; waiting", k->brokers, rd_kafka_err2str(why));
        said = why;
        if (missing) kafka_pause(100);
    }
    return 0;
}

/* ---- positions ---- */

bool kafka_loss(struct kafka *k, const struct kafka_partition *p, int64_t from, int64_t to, struct hr_error *err) {
    if (k->on_data_loss == KAFKA_LOSS_FAIL)
        return hr_fail(err, HR_EDATALOSS, "kafka: %s: offsets %lld to %lld are gone (%lld records); on_data_loss: continue goes on without them",
                       p->split.name, (long long)from, (long long)to - 1, (long long)(to - from));
    hr_log(HR_WARN, "kafka: %s: offsets %lld to %lld are gone (%lld records); going on without them", p->split.name,
           (long long)from, (long long)to - 1, (long long)(to - from));
    k->lost += to - from;
    return true;
}

static const struct hr_position *position_in(struct hr_positions in, const char *name) {
    for (int i = 0; i < in.n; i++)
        if (!strcmp(in.item[i].split, name)) return &in.item[i];
    return NULL;
}

bool kafka_resume(struct kafka *k, struct kafka_partition *p, const struct hr_position *from, int64_t low, int64_t high, struct hr_error *err) {
    int64_t at = p->next = from->at;
    if (at > high) {
        if (k->on_data_loss == KAFKA_LOSS_FAIL)
            return hr_fail(err, HR_EDATALOSS, "kafka: %s: the checkpoint is at offset %lld, but the log ends at %lld: was the topic made anew?",
                           p->split.name, (long long)at, (long long)high);
        hr_log(HR_WARN, "kafka: %s: the checkpoint is at offset %lld, but the log ends at %lld; reading it from its beginning",
               p->split.name, (long long)at, (long long)high);
        p->next = low;
    } else if (at < low) {
        p->next = low < high ? low : high;
        return kafka_loss(k, p, at, p->next, err);
    } else {
        p->last = kafka_last_from(from->detail);
        p->look = p->last.known && p->last.offset >= low && p->last.offset < at;
    }
    return true;
}

bool kafka_go_to(struct kafka *k, const struct kafka_partition *p, int64_t offset, struct hr_error *err) {
    if (!rd_kafka_seek(k->rkt, p->number, offset, 10000)) return true;
    return hr_fail(err, HR_EFAIL, "kafka: %s: cannot go to offset %lld", p->split.name, (long long)offset);
}

bool kafka_made_anew(struct kafka *k, struct kafka_partition *p, int64_t offset, const char *shows, struct hr_error *err) {
    bool halfway = k->open.until.n && !p->look; /* rows of an epoch that is read again are handed out */
    if (k->on_data_loss == KAFKA_LOSS_FAIL || halfway)
        return hr_fail(err, HR_EDATALOSS, "kafka: %s: offset %lld %s: was the topic made anew?", p->split.name, (long long)offset, shows);
    hr_log(HR_WARN, "kafka: %s: offset %lld %s; reading it from its beginning", p->split.name, (long long)offset, shows);
    p->next = 0;
    p->last.known = p->look = false;
    return kafka_go_to(k, p, RD_KAFKA_OFFSET_BEGINNING, err);
}

/* What was taken from the queue and not handed out goes back, as it would pass for what comes behind the last record. */
bool kafka_look_again(struct kafka *k, struct hr_error *err) {
    for (; k->at < k->n; k->at++) rd_kafka_message_destroy(k->got[k->at]);
    for (int i = 0; i < k->partitions; i++) {
        struct kafka_partition *p = k->partition[i];
        p->look = p->last.known;
        if (!kafka_go_to(k, p, p->look ? p->last.offset : p->next, err)) return false;
    }
    return true;
}

/* Where there is no checkpoint: earliest, latest, or a number for each partition. */
static bool start(struct kafka *k, struct kafka_partition *p, int64_t low, int64_t high, struct hr_error *err) {
    const struct hr_map *m = &k->starting_offsets;
    for (int i = 0; i < m->n; i++) {
        const char *at = m->item[i].value.s;
        if (*m->item[i].name && strcmp(m->item[i].name, p->name)) continue;
        p->next = !strcmp(at, "earliest") ? low : !strcmp(at, "latest") ? high : strtoll(at, NULL, 10);
        if (p->next >= low && p->next <= high) return true;
        return hr_fail(err, HR_EFAIL, "kafka: %s: starting offset %s is not between %lld and %lld", p->split.name, at,
                       (long long)low, (long long)high);
    }
    return hr_fail(err, HR_EFAIL, "kafka: %s: starting_offsets does not name partition %s", p->split.name, p->name);
}

/* An epoch that is read again is waited for, however long nobody answers. */
static bool may_come(const struct kafka *k, rd_kafka_resp_err_t why) {
    return k->open.until.n && (why == RD_KAFKA_RESP_ERR__TIMED_OUT || why == RD_KAFKA_RESP_ERR__TRANSPORT || why == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
}

static bool place(struct kafka *k, struct kafka_partition *p, bool late, struct hr_error *err) {
    int64_t low = 0, high = 0;
    rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int tries = 0; why && tries < BOUNDED_TRIES && !hr_stopping(); tries += !may_come(k, why)) {
        rd_kafka_poll(k->rk, 0);
        why = kafka_watermarks(k->rk, k->topic, p->number, &low, &high, ASK_MS);
        if (why && why != RD_KAFKA_RESP_ERR__TIMED_OUT) kafka_pause(100); /* a leader is being elected */
    }
    if (why && hr_stopping()) return false;
    if (why) return hr_fail(err, HR_EFAIL, "kafka: %s: its offsets cannot be read: %s", p->split.name, rd_kafka_err2str(why));
    const struct hr_position *from = position_in(k->open.from, p->name), *until = position_in(k->open.until, p->name);
    if (until) return kafka_place_again(k, p, from, until, low, high, err);
    p->end = high;
    if (from) return kafka_resume(k, p, from, low, high, err);
    p->next = low; /* of a partition that came later */
    if (!late && !k->open.from.n && !start(k, p, low, high, err)) return false;
    p->began = p->next;
    return true;
}

/* ---- assignment ---- */

static struct kafka_partition *new_partition(struct kafka *k, int number) {
    struct kafka_partition *p = hr_resize(NULL, sizeof *p);
    char *name = hr_resize(NULL, strlen(k->topic) + 16);
    memset(p, 0, sizeof *p);
    snprintf(name, strlen(k->topic) + 16, "%s[%d]", k->topic, number);
    snprintf(p->name, sizeof p->name, "%d", number);
    p->number = number;
    p->began = -1;
    p->split = (struct hr_split){name, number, k->topic};
    return p;
}

/* Of an epoch that is read again nothing of it is left to read; its position may not even be in the log. */
static bool is_left_out(const struct kafka *k, const struct kafka_partition *p) {
    return k->open.until.n && !p->look && p->next >= p->end;
}

static bool assign(struct kafka *k, int from, struct hr_error *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(k->partitions - from);
    for (int i = from; i < k->partitions; i++) {
        struct kafka_partition *p = k->partition[i];
        if (is_left_out(k, p)) continue;
        p->queue = rd_kafka_queue_get_partition(k->rk, k->topic, p->number);
        rd_kafka_queue_forward(p->queue, k->queue);
        rd_kafka_topic_partition_list_add(list, k->topic, p->number)->offset = p->look ? p->last.offset : p->next;
    }
    rd_kafka_error_t *e = NULL;
    rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (from) e = rd_kafka_incremental_assign(k->rk, list);
    else why = rd_kafka_assign(k->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!e && !why) return true;
    hr_fail(err, HR_EFAIL, "kafka: %s: cannot be assigned: %s", k->topic, e ? rd_kafka_error_string(e) : rd_kafka_err2str(why));
    if (e) rd_kafka_error_destroy(e);
    return false;
}

/* A topic never has fewer partitions than before. */
static bool has_partitions(const struct kafka *k, int n, struct hr_positions known, struct hr_error *err) {
    for (int i = 0; i < known.n; i++)
        if (strtoll(known.item[i].split, NULL, 10) >= n)
            return hr_fail(err, HR_EDATALOSS, "kafka: topic '%s' has %d partitions, the checkpoint knows of partition %s: was it made anew?",
                           k->topic, n, known.item[i].split);
    return true;
}

/* A number too many is a mistake, or meant for another topic. */
static bool can_start(const struct kafka *k, int n, struct hr_error *err) {
    for (int i = 0; !k->open.from.n && i < k->starting_offsets.n; i++) {
        const char *name = k->starting_offsets.item[i].name;
        if (*name && strtoll(name, NULL, 10) >= n)
            return hr_fail(err, HR_EFAIL, "kafka: topic '%s' has %d partition%s: starting_offsets names partition %s", k->topic, n, n == 1 ? "" : "s", name);
    }
    return true;
}

bool kafka_add_partitions(struct kafka *k, int n, bool late, struct hr_error *err) {
    int from = k->partitions;
    if (!late && (!can_start(k, n, err) || !has_partitions(k, n, k->open.from, err) || !has_partitions(k, n, k->open.until, err))) return false;
    k->partition = hr_resize(k->partition, (size_t)n * sizeof(struct kafka_partition *));
    k->position = hr_resize(k->position, (size_t)n * sizeof *k->position);
    for (int i = from; i < n; i++) {
        k->partition[i] = new_partition(k, i);
        k->partitions++;
        if (!place(k, k->partition[i], late, err)) return false;
    }
    return kafka_check_until(k, err) && assign(k, from, err);
}

void kafka_partitions_free(struct kafka *k) {
    for (int i = 0; i < k->partitions; i++) {
        if (k->partition[i]->queue) rd_kafka_queue_destroy(k->partition[i]->queue);
        free((char *)k->partition[i]->split.name);
        free(k->partition[i]);
    }
    free(k->partition);
    free(k->position);
    free(k->led);
    k->led = NULL;
    k->partition = NULL;
    k->position = NULL;
    k->partitions = 0;
}

/* ---- partitions that come later ---- */

static void look_for_partitions(struct kafka *k) {
    rd_kafka_resp_err_t why;
    int n = k->open.bounded ? 0 : ask_partitions(k, ASK_MS, &why);
    if (!k->gone && !k->open.bounded && is_missing(why)) {
        hr_log(HR_WARN, "kafka: topic '%s' does not exist any more at %s; waiting for it", k->topic, k->brokers);
        k->gone = true;
    }
    if (k->gone && n > 0) {
        k->gone = false;
        atomic_store(&k->back, true);
        hr_wake(&k->open);
    }
    if (n <= atomic_load(&k->seen)) return;
    atomic_store(&k->seen, n);
    hr_wake(&k->open);
}

/* A fetcher whose queue was full sleeps for a second, however soon the queue is empty again
 * (fetch.queue.backoff.ms came with librdkafka 2.2). Any request to its broker wakes it: this one
 * asks all leaders at once, and keeps to its timeout. */
static void wake_fetchers(struct kafka *k) {
    if (!k->leaders) return;
    rd_kafka_topic_partition_list_t *ask = rd_kafka_topic_partition_list_new(k->leaders);
    for (int i = 0; i < k->leaders; i++) rd_kafka_topic_partition_list_add(ask, k->topic, k->led[i])->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_offsets_for_times(k->rk, ask, ASK_MS);
    rd_kafka_topic_partition_list_destroy(ask);
}

static struct timespec next_look(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += WATCH_SECONDS;
    return at;
}

static bool is_past(const struct timespec *at) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > at->tv_sec || (now.tv_sec == at->tv_sec && now.tv_nsec >= at->tv_nsec);
}

/* Hunger does not put off the look for partitions: under load there is no end of it. */
static void *watch(void *arg) {
    struct kafka *k = arg;
    struct timespec look = next_look();
    pthread_mutex_lock(&k->lock);
    while (!k->quitting) {
        int code = 0;
        while (!k->quitting && !k->hungry && !code) code = pthread_cond_timedwait(&k->quit, &k->lock, &look);
        bool hungry = k->hungry;
        k->hungry = false;
        if (k->quitting) break;
        pthread_mutex_unlock(&k->lock);
        if (hungry) wake_fetchers(k);
        if (is_past(&look)) {
            look_for_partitions(k);
            look = next_look();
        }
        pthread_mutex_lock(&k->lock);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

void kafka_hungry(struct kafka *k) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t since_us = (now.tv_sec - k->fed.tv_sec) * 1000000LL + (now.tv_nsec - k->fed.tv_nsec) / 1000;
    if (since_us < LEAST_FEED_US) return;
    k->fed = now;
    pthread_mutex_lock(&k->lock);
    k->hungry = true;
    pthread_cond_signal(&k->quit);
    pthread_mutex_unlock(&k->lock);
}

bool kafka_watch(struct kafka *k) {
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->quit, &clock);
    pthread_condattr_destroy(&clock);
    k->quitting = false;
    k->watching = !pthread_create(&k->watcher, NULL, watch, k);
    return k->watching || hr_fail(k->open.err, HR_EFAIL, "kafka: cannot start a thread");
}

void kafka_unwatch(struct kafka *k) {
    if (!k->watching) return;
    pthread_mutex_lock(&k->lock);
    k->quitting = true;
    pthread_cond_signal(&k->quit);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->watcher, NULL);
    pthread_cond_destroy(&k->quit);
    pthread_mutex_destroy(&k->lock);
    k->watching = false;
}
