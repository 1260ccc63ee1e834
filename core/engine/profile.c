/* See profile.h. */
#include "core/engine/profile.h"

#include <stdlib.h>
#include <time.h>

static _Thread_local struct profile *mine;

void profile_init(struct profile *p, int nodes) {
    *p = (struct profile){.nodes = nodes, .node = xcalloc((size_t)nodes, sizeof *p->node)};
    pthread_mutex_init(&p->lock, NULL);
}

void profile_free(struct profile *p) {
    free(p->node);
    pthread_mutex_destroy(&p->lock);
}

static void add(struct profile_spent *to, const struct profile_spent *from) {
    to->times += from->times;
    to->rows += from->rows;
    to->bytes += from->bytes;
    to->ns += from->ns;
}

void profile_enter(struct profile *sum) {
    if (!sum) return;
    mine = xmalloc(sizeof *mine);
    profile_init(mine, sum->nodes);
    mine->sum = sum;
}

void profile_leave(void) {
    if (!mine) return;
    struct profile *sum = mine->sum;
    pthread_mutex_lock(&sum->lock);
    for (int i = 0; i < sum->nodes; i++) add(&sum->node[i], &mine->node[i]);
    for (int i = 0; i < PROFILE_PARTS; i++) add(&sum->part[i], &mine->part[i]);
    sum->in_nodes += mine->in_nodes;
    pthread_mutex_unlock(&sum->lock);
    profile_free(mine);
    free(mine);
    mine = NULL;
}

static int64_t thread_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct profile_mark profile_begin(void) {
    return mine ? (struct profile_mark){thread_ns(), mine->in_nodes} : (struct profile_mark){0};
}

void profile_node(struct profile_mark since, int node, uint64_t rows, uint64_t bytes) {
    if (!mine) return;
    struct profile_spent spent = {1, rows, bytes, thread_ns() - since.at};
    add(&mine->node[node], &spent);
    mine->in_nodes += spent.ns;
}

void profile_part(struct profile_mark since, enum profile_part part) {
    if (!mine) return;
    struct profile_spent spent = {.times = 1, .ns = thread_ns() - since.at - (mine->in_nodes - since.in_nodes)};
    add(&mine->part[part], &spent);
}
