/*
 * from_json over any bytes, a record a line. The first byte chooses how. The hot path and the reference give the same;
 * whether a record is bad, and of what, does not depend on the columns that somebody reads, nor does a column's value
 * on the others.
 */
#include "tests/fuzz/fuzz.h"
#include "core/data/json.h"
#include "core/data/json_internal.h"

enum { ROWS = 64 };

static const char schema_text[] = "id INT, big BIGINT, x DOUBLE, s STRING, b BOOLEAN, d DATE, t TIMESTAMP, m DECIMAL(10,2), _corrupt_record STRING, longer_than_eight STRING";

struct result {
    struct hr_column *column;
    const char **reason;
};

static struct result read_all(enum json_path path, const struct hr_json *j, struct hr_lane *lane, const struct hr_schema *schema, const struct hr_column *text,
                              uint32_t rows, uint32_t wanted) {
    struct result r = {fuzz_alloc((size_t)schema->n * sizeof *r.column), fuzz_alloc(rows * sizeof *r.reason)};
    for (int k = 0; k < schema->n; k++) {
        r.column[k] = (struct hr_column){.type = schema->field[k].type};
        if (wanted >> k & 1) hr_column_make(lane, &r.column[k], rows);
    }
    json_reader_read_by(path, j, ((struct lane_node *)lane->host)->batch, text, (struct hr_rows){NULL, rows}, r.column, r.reason);
    return r;
}

static void show(struct hr_buffer *out, const struct hr_column *c, uint32_t i) {
    if (hr_is_null(c, i)) buffer_puts(out, "NULL");
    else value_text(out, c->type, hr_value(c, i));
}

static void same(const struct result *a, const struct result *b, int columns, uint32_t rows, bool reasons) {
    struct hr_buffer x = {0}, y = {0};
    for (uint32_t i = 0; i < rows; i++) {
        if (reasons)
            CHECK(!a->reason[i] == !b->reason[i] && (!a->reason[i] || !strcmp(a->reason[i], b->reason[i])), "%s or %s",
                  a->reason[i] ? a->reason[i] : "good", b->reason[i] ? b->reason[i] : "good");
        for (int k = 0; k < columns; k++) {
            if (!a->column[k].at || !b->column[k].at) continue;
            x.n = y.n = 0;
            show(&x, &a->column[k], i);
            show(&y, &b->column[k], i);
            CHECK(x.n == y.n && !memcmp(x.p, y.p, x.n), "column %d: %.*s or %.*s", k, (int)x.n, x.p, (int)y.n, y.p);
        }
    }
    buffer_free(&x);
    buffer_free(&y);
}

void fuzz_one(const uint8_t *data, size_t n) {
    if (n < 2) return;
    fuzz_host();
    struct arena arena = {0}, batch = {0};
    struct hr_error err = {0};
    struct hr_schema schema;
    struct lane_node node = {.batch = &batch};
    struct hr_lane lane = {.err = &err, .host = &node};
    size_t at;
    CHECK(schema_parse(&arena, schema_text, &schema, &at, &err), "%s", err.text);
    unsigned how = data[0], pruned = data[1];
    struct hr_json_options o = {.strict = how & 1, .check_all = how >> 1 & 1, .corrupt = how & 4 ? "_corrupt_record" : NULL,
                                .depth = how >> 3};
    struct hr_json *j = json_reader_new(&arena, &schema, &o);
    struct hr_text text[ROWS];
    struct hr_column column = {.at = text, .type = {.id = HR_STRING}};
    uint32_t rows = 0;
    for (const uint8_t *p = data + 2, *end = data + n; rows < ROWS && p <= end; rows++) {
        const uint8_t *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        size_t length = (size_t)((stop ? stop : end) - p);
        text[rows] = (struct hr_text){fuzz_copy(p, length), (uint32_t)length, 0};
        p += length + 1;
    }
    uint32_t few = ~0u << 8 | pruned;
    struct result all = read_all(JSON_REFERENCE, j, &lane, &schema, &column, rows, ~0u),
                  some = read_all(JSON_REFERENCE, j, &lane, &schema, &column, rows, few),
                  both = read_all(JSON_BOTH, j, &lane, &schema, &column, rows, ~0u),
                  both_some = read_all(JSON_BOTH, j, &lane, &schema, &column, rows, few);
    same(&all, &some, schema.n, rows, o.check_all);
    same(&all, &both, schema.n, rows, true);
    same(&some, &both_some, schema.n, rows, true);
    arena_free(&arena);
    arena_free(&batch);
}
