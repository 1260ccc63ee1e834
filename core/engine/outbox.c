/* First the columns as text, as the pipeline may be another when it is read. A batch is its number of rows, then column by column a byte that says whether it is there, then each row a byte for
 * null or not and the value: as many bytes as the type has, or a length and the text. It is read on the machine that wrote it. */
#include "core/engine/outbox.h"
#include "core/data/value.h"

#include <string.h>

static void put_value(struct hr_buffer *b, const struct hr_column *c, uint32_t row) {
    bool null = hr_is_null(c, row);
    buffer_putc(b, !null);
    if (null) return;
    if (c->type.id != HR_STRING) {
        buffer_put(b, hr_value(c, row), hr_width(c->type));
        return;
    }
    const struct hr_text *text = hr_value(c, row);
    buffer_put(b, &text->n, sizeof text->n);
    buffer_put(b, text->p, text->n);
}

static void put_schema(struct hr_buffer *b, const struct hr_schema *schema) {
    char type[24];
    for (int i = 0; i < schema->n; i++) buffer_printf(b, "%s%s %s", i ? ", " : "", schema->field[i].name, type_name(schema->field[i].type, type));
    buffer_putc(b, '\0');
}

void outbox_put(struct hr_buffer *b, const struct hr_schema *schema, const struct hr_batch *batch) {
    if (!b->n) put_schema(b, schema);
    buffer_put(b, &batch->rows.n, sizeof batch->rows.n);
    for (int k = 0; k < batch->columns; k++) {
        const struct hr_column *c = &batch->column[k];
        buffer_putc(b, c->at != NULL);
        if (c->at) HR_EACH(batch->rows, i) put_value(b, c, i);
    }
}

/* ---- and back ---- */

struct reading {
    const char *p, *end;
};

static bool take(struct reading *r, void *to, size_t n) {
    if ((size_t)(r->end - r->p) < n) return false;
    memcpy(to, r->p, n);
    r->p += n;
    return true;
}

static bool take_value(struct reading *r, struct hr_column *c, uint32_t row) {
    char there;
    void *to = (char *)c->at + row * hr_width(c->type);
    if (!take(r, &there, 1)) return false;
    if (!there) return hr_set_null(c, row), true;
    if (c->type.id != HR_STRING) return take(r, to, hr_width(c->type));
    struct hr_text text = {0};
    if (!take(r, &text.n, sizeof text.n) || (size_t)(r->end - r->p) < text.n) return false;
    text.p = r->p;
    r->p += text.n;
    memcpy(to, &text, sizeof text);
    return true;
}

static bool take_column(struct reading *r, struct hr_column *c, uint32_t rows, struct arena *a) {
    char there;
    if (!take(r, &there, 1)) return false;
    if (!there) return true;
    size_t words = ((size_t)rows + 63) / 64;
    c->at = arena_zalloc(a, rows * hr_width(c->type));
    c->valid = memset(arena_alloc(a, words * 8), 0xff, words * 8);
    for (uint32_t i = 0; i < rows; i++)
        if (!take_value(r, c, i)) return false;
    return true;
}

/* Its columns are those that were put. */
static bool take_schema(struct reading *r, const char *sink, const struct hr_schema *schema, struct hr_error *err) {
    const char *was = r->p, *end = was < r->end ? memchr(was, '\0', (size_t)(r->end - was)) : NULL;
    struct hr_buffer is = {0};
    put_schema(&is, schema);
    if (end) r->p = end + 1;
    bool ok = end && !strcmp(was, is.p);
    if (!ok) error_set(err, HR_ECHECKPOINT, "sink '%s': the checkpoint keeps rows of its newest epoch with the columns '%.300s', and the columns are "
                                            "'%.300s' now: let the pipeline run once as it was", sink, end ? was : "", is.p);
    buffer_free(&is);
    return ok;
}

bool outbox_get(const char *p, size_t n, const char *sink, const struct hr_schema *schema, struct arena *a,
                bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *err) {
    struct reading r = {p, p + n};
    if (n && !take_schema(&r, sink, schema, err)) return false;
    while (r.p < r.end) {
        arena_reset(a);
        struct hr_batch b = {.columns = schema->n};
        b.column = arena_zalloc(a, ((size_t)schema->n + 1) * sizeof *b.column);
        bool ok = take(&r, &b.size, sizeof b.size) && b.size <= HR_BATCH;
        for (int k = 0; ok && k < schema->n; k++) {
            b.column[k].type = schema->field[k].type;
            ok = take_column(&r, &b.column[k], b.size, a);
        }
        if (!ok) return error_set(err, HR_ECHECKPOINT, "sink '%s': the rows that the checkpoint keeps for it are damaged", sink);
        b.rows.n = b.size;
        if (!each(ctx, &b)) return false;
    }
    return true;
}
