/*
 * json_hot.c: one record in one pass, straight into the columns.
 *
 *   1. All of the record is checked as json_validate() does. A record in which anything is odd is left to the
 *      reference: a fault, an escape in a name. So no reason is made up here.
 *   2. Records of a stream mostly have the same names in the same order: the members seen in this batch are kept as they
 *      were written, `"name":`, and the one at the expected place is compared first, without looking for its end.
 *   3. Short numbers and strings without escapes are read here. The end of any other value is found by
 *      json_value_end(), and json_read_field() converts it as the reference does.
 *   4. A member that comes twice overwrites its column; one that does not come is null.
 *   5. The text ends with '}', so a loop over bytes of another kind stops there at the latest. Reading further than the
 *      next byte needs REACH bytes that are there.
 */
#include "core/data/json_block.h"
#include "core/data/json_internal.h"

enum {
    REACH = 32,       /* bytes of a member's name that are compared at once */
    MORE_MEMBERS = 64, /* members kept besides the schema's */
    LOOK = 32,        /* members that are tried for a name */
};

enum action { SKIP, READ_INT, READ_BIGINT, READ_DOUBLE, READ_DECIMAL, READ_STRING, READ_OTHER };

struct member {
    char start[REACH]; /* of the text, then zeros */
    uint32_t mask;     /* of the bytes in `start` that belong to it */
    uint32_t n;
    const char *text;  /* `"name":` in a record of this batch */
    int field;
    enum action action;
};

struct json_shape {
    struct member *member; /* in the order in which they mostly come */
    int n, most;
    uint32_t *seen;        /* of each field: row + 1 of the last record that had it */
    int *wanted, wants;    /* fields that have a column */
};

static struct json_shape *new_shape(struct json_reading *r) {
    struct arena *a = r->context.arena;
    struct json_shape *s = arena_zalloc(a, sizeof *s);
    int fields = r->json->fields;
    s->most = fields + MORE_MEMBERS;
    s->member = arena_alloc(a, (size_t)s->most * sizeof *s->member);
    s->seen = arena_zalloc(a, ((size_t)fields + 1) * sizeof *s->seen);
    s->wanted = arena_alloc(a, ((size_t)fields + 1) * sizeof *s->wanted);
    for (int f = 0; f < fields; f++)
        if (r->out[f].at) s->wanted[s->wants++] = f;
    return s;
}

/* ---- names ---- */

static enum action action_of(const struct json_reading *r, int field) {
    if (field == JSON_UNKNOWN) return SKIP;
    if (!r->out[field].at) return r->check ? READ_OTHER : SKIP;
    switch (r->json->field[field].type.id) {
    case HR_INT: return READ_INT;
    case HR_BIGINT: return READ_BIGINT;
    case HR_DOUBLE: return READ_DOUBLE;
    case HR_DECIMAL: return READ_DECIMAL;
    case HR_STRING: return READ_STRING;
    default: return READ_OTHER;
    }
}

static inline bool is_member(const struct member *m, const char *p, const char *end) {
    if (end - p < REACH) return (uint32_t)(end - p) > m->n && memcmp(p, m->text, m->n) == 0;
    uint32_t same = block_equal(p, m->start) | block_equal(p + JSON_BLOCK, m->start + JSON_BLOCK) << JSON_BLOCK;
    if ((same & m->mask) != m->mask) return false;
    return m->n <= REACH || ((uint64_t)(end - p) > m->n && memcmp(p + REACH, m->text + REACH, m->n - REACH) == 0);
}

/* Behind the string whose opening quote is at p, if it has neither escapes nor bytes beyond ASCII; else NULL. */
static inline const char *plain_string(const char *p, const char *end) {
    for (p++; end - p >= JSON_BLOCK; p += JSON_BLOCK) {
        uint32_t stops = block_stops(p);
        if (!stops) continue;
        p += __builtin_ctz(stops);
        return *p == '"' ? p + 1 : NULL;
    }
    for (; p < end && *p != '"'; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x80 || *p == '\\') return NULL;
    return p < end ? p + 1 : NULL;
}

/* A name met for the first time goes where it was met, so that what is left out now and then keeps its place. */
static void keep_member(struct json_shape *s, const struct member *m, int at) {
    if (s->n == s->most) return;
    if (at > s->n) at = s->n;
    memmove(&s->member[at + 1], &s->member[at], (size_t)(s->n - at) * sizeof *m);
    s->member[at] = *m;
    s->n++;
}

/* A name that was not expected: `*m` becomes what it is. Returns what follows the colon, or NULL. */
static const char *new_member(struct json_reading *r, const char *p, const char *end, int at, struct member *m) {
    const char *start = p;
    if (*p != '"') return NULL;
    p = plain_string(start, end);
    if (!p) {
        p = json_value_end(start, end, 0);
        if (!p || memchr(start, '\\', (size_t)(p - start))) return NULL;
    }
    struct hr_text name = {.p = start + 1, .n = (uint32_t)(p - start - 2)};
    *m = (struct member){.text = start, .n = (uint32_t)(p - start) + 1, .field = json_find(r->json, name)};
    m->action = action_of(r, m->field);
    bool as_kept = p < end && *p == ':';
    while (p < end && json_blank(*p)) p++;
    if (p == end || *p != ':') return NULL;
    uint32_t n = m->n < REACH ? m->n : REACH;
    m->mask = n == REACH ? UINT32_MAX : (1u << n) - 1;
    memcpy(m->start, start, as_kept ? n : 0);
    if (as_kept) keep_member(r->shape, m, at);
    return p + 1;
}

/* The member at *p is not the one expected at `at`. */
__attribute__((noinline)) static const struct member *other_member(struct json_reading *r, const char **p, const char *end,
                                                                    int *at, struct member *scratch) {
    struct json_shape *s = r->shape;
    for (int look = 0, k = *at; look < s->n && look < LOOK; look++, k++) {
        if (k >= s->n) k = 0;
        const struct member *m = &s->member[k];
        if (!is_member(m, *p, end)) continue;
        *p += m->n;
        *at = k + 1;
        return m;
    }
    *p = new_member(r, *p, end, *at, scratch);
    ++*at;
    return *p ? scratch : NULL;
}

/* The member at *p, which moves behind the colon; NULL: odd. `at` is where it is expected. */
static inline const struct member *find_member(struct json_reading *r, const char **p, const char *end, int *at,
                                               struct member *scratch) {
    const struct json_shape *s = r->shape;
    const struct member *m = &s->member[*at];
    if (*at >= s->n || !is_member(m, *p, end)) return other_member(r, p, end, at, scratch);
    *p += m->n;
    ++*at;
    return m;
}

/* ---- numbers ---- */

struct number {
    uint64_t mantissa;
    unsigned fraction; /* digits behind the point */
    bool minus, point;
    const char *end;
};

/* The number at p where it is short: at most 8 digits before a point and 8 behind it, or 15 without one, and no
 * exponent. False: look closer. */
static inline __attribute__((always_inline)) bool short_number(const char *p, const char *end, bool value, struct number *n) {
    if (end - p < REACH) return false;
    n->minus = *p == '-';
    p += n->minus;
    uint32_t others = ~block_digits(p); /* all bits beyond the block are set */
    unsigned whole = (unsigned)__builtin_ctz(others), fraction = 0;
    if (whole == 0 || whole == JSON_BLOCK || (whole > 1 && *p == '0')) return false;
    n->point = p[whole] == '.';
    n->end = p + whole;
    if (n->point) {
        others >>= whole + 1;
        fraction = (unsigned)__builtin_ctz(others);
        n->end += 1 + fraction;
        if (fraction == 0 || fraction > 8 || whole > 8 || whole + 1 + fraction >= JSON_BLOCK) return false;
    }
    if ((*n->end | 0x20) == 'e') return false;
    n->fraction = fraction;
    if (!value) return true;
    static const uint32_t ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    if (whole <= 8) n->mantissa = block_number(p, whole) * ten[fraction] + block_number(p + whole + 1, fraction);
    else n->mantissa = block_number(p, whole - 8) * ten[8] + block_number(p + whole - 8, 8);
    return true;
}

/* ---- values ---- */

static inline void mark(struct json_reading *r, int field, uint32_t row) { r->shape->seen[field] = row + 1; }

/* Any value at all, as the reference reads it. */
__attribute__((noinline)) static const char *other_value(struct json_reading *r, const struct member *m, const char *p, const char *end,
                               uint32_t row, const char **wrong) {
    const char *stop = json_value_end(p, end, r->json->depth - 1);
    if (!stop || m->action == SKIP) return stop;
    bool quoted = *p == '"';
    struct json_value v = {{.p = p + quoted, .n = (uint32_t)(stop - p) - 2 * quoted}, *p};
    const char *why = json_read_field(r, m->field, v, row);
    if (!*wrong) *wrong = why;
    mark(r, m->field, row);
    return stop;
}

static inline const char *read_integer(struct json_reading *r, const struct member *m, const char *p, const char *end,
                                       uint32_t row, const char **wrong) {
    struct number n;
    if (!short_number(p, end, true, &n) || n.point || (m->action == READ_INT && n.mantissa > INT32_MAX))
        return other_value(r, m, p, end, row, wrong);
    struct hr_column *c = &r->out[m->field];
    int64_t v = n.minus ? -(int64_t)n.mantissa : (int64_t)n.mantissa;
    if (m->action == READ_INT) ((int32_t *)c->at)[row] = (int32_t)v;
    else ((int64_t *)c->at)[row] = v;
    json_set_valid(c, row);
    mark(r, m->field, row);
    return n.end;
}

/* -0 is an integer to Java and so 0, while -0.0 keeps its sign: other_value() knows. */
static inline const char *read_double(struct json_reading *r, const struct member *m, const char *p, const char *end,
                                      uint32_t row, const char **wrong) {
    struct number n;
    double d;
    if (!short_number(p, end, true, &n) || (n.minus && !n.mantissa) || !double_scale(n.mantissa, -(int)n.fraction, &d))
        return other_value(r, m, p, end, row, wrong);
    struct hr_column *c = &r->out[m->field];
    ((double *)c->at)[row] = n.minus ? -d : d;
    json_set_valid(c, row);
    mark(r, m->field, row);
    return n.end;
}

static inline const char *read_decimal(struct json_reading *r, const struct member *m, const char *p, const char *end,
                                       uint32_t row, const char **wrong) {
    struct number n;
    struct hr_type type = r->json->field[m->field].type;
    hr_int128 v;
    if (!short_number(p, end, true, &n) ||
        !decimal_rescale((hr_int128)n.mantissa, (int)n.fraction, type.scale, &v) || !decimal_fits(v, type.precision))
        return other_value(r, m, p, end, row, wrong);
    struct hr_column *c = &r->out[m->field];
    v = n.minus ? -v : v;
    memcpy(json_cell(c, sizeof v, row), &v, sizeof v);
    json_set_valid(c, row);
    mark(r, m->field, row);
    return n.end;
}

static inline const char *read_string(struct json_reading *r, const struct member *m, const char *p, const char *end,
                                      uint32_t row, const char **wrong) {
    const char *stop = *p == '"' ? plain_string(p, end) : NULL;
    if (!stop) return other_value(r, m, p, end, row, wrong);
    struct hr_column *c = &r->out[m->field];
    ((struct hr_text *)c->at)[row] = (struct hr_text){.p = p + 1, .n = (uint32_t)(stop - p) - 2};
    json_set_valid(c, row);
    mark(r, m->field, row);
    return stop;
}

static inline const char *skip_value(struct json_reading *r, const struct member *m, const char *p, const char *end,
                                     uint32_t row, const char **wrong) {
    struct number n;
    const char *stop;
    if (*p == '"' ? (stop = plain_string(p, end)) != NULL : short_number(p, end, false, &n) && (stop = n.end, true))
        return stop;
    return other_value(r, m, p, end, row, wrong);
}

/* Behind the value at p, or NULL where it is none. */
static inline const char *read_value(struct json_reading *r, const struct member *m, const char *p, const char *end,
                                     uint32_t row, const char **wrong) {
    switch (m->action) {
    case SKIP: return skip_value(r, m, p, end, row, wrong);
    case READ_INT: case READ_BIGINT: return read_integer(r, m, p, end, row, wrong);
    case READ_DOUBLE: return read_double(r, m, p, end, row, wrong);
    case READ_DECIMAL: return read_decimal(r, m, p, end, row, wrong);
    case READ_STRING: return read_string(r, m, p, end, row, wrong);
    default: return other_value(r, m, p, end, row, wrong);
    }
}

/* ---- the record ---- */

static inline const char *skip_blanks(const char *p) {
    while (json_blank(*p)) p++;
    return p;
}

static void null_missing(struct json_reading *r, uint32_t row) {
    const struct json_shape *s = r->shape;
    for (int k = 0; k < s->wants; k++) {
        int f = s->wanted[k];
        if (s->seen[f] != row + 1) json_set_null(&r->out[f], r->json->field[f].width, row);
    }
}

bool json_hot(struct json_reading *r, struct hr_text text, uint32_t row, const char **wrong) {
    const char *p = text.p, *end = p + text.n;
    if (*p != '{' || end[-1] != '}') return false;
    if (!r->shape) r->shape = new_shape(r);
    p = skip_blanks(p + 1);
    for (int at = 0; *p != '}';) {
        struct member scratch;
        const struct member *m = find_member(r, &p, end, &at, &scratch);
        if (!m) return false;
        p = read_value(r, m, skip_blanks(p), end, row, wrong);
        if (!p || p == end) return false;
        p = skip_blanks(p);
        if (*p == '}') break;
        if (*p != ',') return false;
        p = skip_blanks(p + 1);
        if (*p == '}') return false;
    }
    null_missing(r, row);
    return p + 1 == end;
}
