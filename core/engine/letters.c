/* Dead letters: bad rows as rows of their own. */
#include "core/engine/lane.h"

#include <string.h>

enum { VALUE, TOPIC, PARTITION, OFFSET, NODE, REASON, COLUMNS };
static const struct hr_field fields[COLUMNS] = {
    {"value", {.id = HR_STRING}}, {"topic", {.id = HR_STRING}}, {"partition", {.id = HR_INT}},
    {"offset", {.id = HR_BIGINT}}, {"node", {.id = HR_STRING}}, {"reason", {.id = HR_STRING}},
};
const struct hr_schema letters_schema = {COLUMNS, fields};

void letters_put(struct letters *l, struct letter letter) {
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->item = xrealloc(l->item, (size_t)l->room * sizeof *l->item);
    }
    l->item[l->n++] = letter;
}

static void put_text(struct hr_column *c, uint32_t row, const char *s) {
    ((struct hr_text *)c->at)[row] = (struct hr_text){.p = s, .n = (uint32_t)strlen(s)};
}

/* Where there is no topic, the split's name stands for it, and the partition is null. */
static void put_row(const struct letter *l, struct hr_column *column, uint32_t row) {
    ((struct hr_text *)column[VALUE].at)[row] = l->value;
    put_text(&column[TOPIC], row, l->split->topic ? l->split->topic : l->split->name);
    ((int32_t *)column[PARTITION].at)[row] = l->split->index;
    if (l->split->topic) column[PARTITION].valid[row >> 6] |= 1ull << (row & 63);
    ((int64_t *)column[OFFSET].at)[row] = l->position;
    put_text(&column[NODE], row, l->node->id);
    put_text(&column[REASON], row, l->reason);
}

/* At most as many rows as the batch had: a row leaves it only once. */
struct hr_batch letters_batch(const struct letters *l, int name, struct arena *a) {
    struct hr_batch b = batch_of(a, &letters_schema);
    int64_t *position = arena_alloc(a, (size_t)l->n * sizeof *position);
    for (int c = 0; c < COLUMNS; c++) b.column[c].at = arena_zalloc(a, (size_t)l->n * hr_width(fields[c].type));
    b.column[PARTITION].valid = arena_zalloc(a, ((size_t)l->n / 64 + 1) * sizeof(uint64_t));
    for (int i = 0; i < l->n; i++) {
        if (l->item[i].node->config->letters != name) continue;
        position[b.size] = l->item[i].position;
        b.split = l->item[i].split;
        put_row(&l->item[i], b.column, b.size++);
    }
    b.rows.n = b.size;
    b.position = position;
    return b;
}
