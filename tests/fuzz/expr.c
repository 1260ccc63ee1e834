/*
 * An expression of any text over a batch of every type: it is refused within the text, or evaluated to the type it
 * said; twice the same, and no other over the rows one by one. So does the call of an aggregate.
 */
#include "tests/fuzz/fuzz.h"

enum { ROWS = 4 };

static const char schema_text[] = "b BOOLEAN, i INT, l BIGINT, x DOUBLE, s STRING, d DATE, t TIMESTAMP, m DECIMAL(10,2), w DECIMAL(38,18)";
static const char *const cell[][ROWS] = {
    {"true", NULL, "false", "true"},
    {"7", NULL, "-2147483648", "2147483647"},
    {"5000000000", NULL, "-9223372036854775808", "9223372036854775807"},
    {"2.5", NULL, "NaN", "Infinity"},
    {"2024-02-28", NULL, "a_c%\xff", ""},
    {"2024-02-28", NULL, "0001-01-01", "9999-12-31"},
    {"2024-02-28 12:30:00.5", NULL, "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"},
    {"12.34", NULL, "-0.50", "99999999.99"},
    {"1", NULL, "-99999999999999999999.999999999999999999", "0.000000000000000001"},
};

static void fill(struct hr_lane *lane, struct hr_column *c, struct hr_type type, const char *const *text) {
    c->type = type;
    hr_column_make(lane, c, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        struct hr_text t = {text[i] ? fuzz_copy(text[i], strlen(text[i])) : NULL, text[i] ? (uint32_t)strlen(text[i]) : 0, 0};
        if (!t.p) hr_set_null(c, i);
        else CHECK(value_parse(type, t, (char *)c->at + i * hr_width(type)), "cell '%s'", text[i]);
    }
}

static void show(struct hr_buffer *out, const struct hr_column *c, uint32_t i) {
    if (hr_is_null(c, i)) buffer_puts(out, "NULL");
    else value_text(out, c->type, hr_value(c, i));
    buffer_putc(out, '|');
}

/* False: it failed, and says of what. */
static bool evaluate(const struct hr_expr *e, struct hr_lane *lane, struct hr_batch *b, bool one_by_one, struct hr_buffer *out) {
    struct hr_column result = {0};
    for (uint16_t i = 0; i < ROWS; i++) {
        if (one_by_one) b->rows = (struct hr_rows){fuzz_alloc(sizeof i), 1};
        else b->rows = (struct hr_rows){NULL, ROWS};
        if (one_by_one) memcpy((void *)b->rows.sel, &i, sizeof i);
        *lane->err = (struct hr_error){0};
        if (!expr_eval(e, lane, b, &result)) {
            CHECK(lane->err->code && *lane->err->text, "failed without a word");
            return false;
        }
        CHECK(type_equal(result.type, expr_type(e)), "another type than it said");
        HR_EACH(b->rows, k) show(out, &result, k);
        if (!one_by_one) break;
    }
    return true;
}

static void run(const struct hr_expr *e, struct hr_lane *lane, struct hr_batch *b) {
    struct hr_buffer whole = {0}, single = {0};
    bool ok = evaluate(e, lane, b, false, &whole), again = evaluate(e, lane, b, true, &single);
    CHECK(ok == again, "fails only with one row at a time, or only with all");
    if (ok) CHECK(whole.n == single.n && !memcmp(whole.p, single.p, whole.n), "%.*s or %.*s", (int)whole.n, whole.p, (int)single.n, single.p);
    buffer_free(&whole);
    buffer_free(&single);
}

void fuzz_one(const uint8_t *data, size_t n) {
    fuzz_host();
    struct arena arena = {0}, batch_arena = {0};
    struct hr_error err = {0};
    struct hr_schema schema;
    struct hr_column column[sizeof cell / sizeof *cell] = {{0}};
    struct lane_node node = {.batch = &batch_arena};
    struct hr_lane lane = {.err = &err, .host = &node};
    struct hr_batch batch = {.size = ROWS, .columns = sizeof cell / sizeof *cell, .column = column};
    size_t at;
    CHECK(schema_parse(&arena, schema_text, &schema, &at, &err), "%s", err.text);
    for (int k = 0; k < batch.columns; k++) fill(&lane, &column[k], schema.field[k].type, cell[k]);

    char *text = fuzz_alloc(n + 1);
    if (n) memcpy(text, data, n);
    text[n] = '\0';
    struct expr_fault fault = {0};
    struct hr_expr *e = expr_compile(&arena, registry_catalog(), text, &schema, &fault);
    CHECK(e || (*fault.text && fault.at <= strlen(text)), "refused at %zu: '%s'", fault.at, fault.text);
    if (e) run(e, &lane, &batch);
    struct hr_agg agg = {0};
    fault = (struct expr_fault){0};
    e = NULL;
    if (!expr_compile_aggregate(&arena, registry_catalog(), text, &schema, &agg, &e, &fault))
        CHECK(*fault.text && fault.at <= strlen(text), "refused at %zu: '%s'", fault.at, fault.text);
    else if (e) run(e, &lane, &batch);
    arena_free(&arena);
    arena_free(&batch_arena);
}
