/*
 * witness: for tests that kill: how far this run has read, for others to see.
 *
 *   operators:
 *     - witness: {file: read}
 *
 * 1. The file holds for each split the position after the last row that came by, as an int64_t at 8 times its number. It is
 *    mapped, so that what stands in it outlives any kill.
 * 2. Rows pass unchanged.
 */
#include <headrace/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPLITS = 64 };

struct witness {
    const char *file;
    int columns;
    _Atomic int64_t *seen; /* of each split */
};

static const struct hr_option options[] = {
    HR_REQUIRED(struct witness, file, "where to write it"),
    {0},
};

static bool bind(void *self, struct hr_bind *b) {
    struct witness *w = self;
    int fd = open(w->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *at = fd >= 0 && ftruncate(fd, SPLITS * sizeof *w->seen) == 0
                   ? mmap(NULL, SPLITS * sizeof *w->seen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (at == MAP_FAILED) return hr_fault(b, &w->file, "%s: %s", w->file, strerror(errno));
    close(fd);
    w->seen = at;
    w->columns = b->in->n;
    for (int i = 0; i < b->in->n; i++)
        if (hr_output(b, b->in->field[i].name, b->in->field[i].type) < 0) return false;
    return true;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    memcpy(in, out, (size_t)((const struct witness *)self)->columns);
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct witness *w = self;
    (void)lane;
    for (int c = 0; c < w->columns; c++) out->column[c] = in->column[c];
    if (!in->size || in->split->index >= SPLITS) return true;
    _Atomic int64_t *seen = &w->seen[in->split->index];
    int64_t last = in->position[in->size - 1] + 1, so_far = atomic_load(seen);
    while (so_far < last && !atomic_compare_exchange_weak(seen, &so_far, last)) {}
    return true;
}

HR_PLUGIN(operator, witness) = {
    .kind = HR_OPERATOR,
    .name = "witness",
    .about = "write down how far this run has read",
    .options = options,
    .self_size = sizeof(struct witness),
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, witness));
