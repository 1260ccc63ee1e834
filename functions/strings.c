/*
 * Text: case, parts, search, padding.
 *
 *   operators:
 *     - with: {columns: {code: "lpad(trim(SellerID), 6, '0')", label: "concat(City, ' ', upper(substring(City, 1, 3)))"}}
 *
 * 1. Names, arguments and results are Spark SQL's; places and lengths count characters from 1.
 * 2. Text is UTF-8; a byte that is none counts as a character, and stays as it is.
 * 3. lpad and rpad are null where more than 1048576 characters would be filled in: one record may not take all memory.
 * 4. upper and lower map one character to one: 'ß' stays 'ß' (Spark makes 'SS' of it).
 */
#include <headrace/plugin.h>

#include <locale.h>
#include <string.h>
#include <wctype.h>

#define TEXTS(column) ((const struct hr_text *)(column)->at)
#define OUT(c) ((struct hr_text *)(c)->out->at)
#define INTS(column) ((const int32_t *)(column)->at)

static const uint32_t most_padding = 1 << 20; /* characters: rule 3 */

/* ---- characters ---- */

/* Bytes of the character at p, of which `left` are there. */
static uint32_t width_at(const char *p, uint32_t left) {
    unsigned char c = (unsigned char)*p;
    uint32_t n = c < 0xC2 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 1;
    if (n > left) return 1;
    for (uint32_t k = 1; k < n; k++)
        if (((unsigned char)p[k] & 0xC0) != 0x80) return 1;
    return n;
}

static int64_t characters(struct hr_text t) {
    int64_t n = 0;
    for (uint32_t at = 0; at < t.n; at += width_at(t.p + at, t.n - at)) n++;
    return n;
}

/* Byte at which character k (from 0) begins; the end where there are fewer. */
static uint32_t byte_of(struct hr_text t, int64_t k) {
    uint32_t at = 0;
    while (k-- > 0 && at < t.n) at += width_at(t.p + at, t.n - at);
    return at;
}

static struct hr_text slice(struct hr_text t, uint32_t from, uint32_t to) {
    return (struct hr_text){t.p + from, to - from, 0};
}

static bool equal_at(struct hr_text t, uint32_t at, struct hr_text part) {
    return part.n <= t.n - at && (!part.n || !memcmp(t.p + at, part.p, part.n));
}

/* Where `part` stands in t at or after `from`, or -1. */
static int64_t find(struct hr_text t, struct hr_text part, uint32_t from) {
    if (!part.n) return from;
    if (part.n > t.n - from) return -1;
    const char *p = memmem(t.p + from, t.n - from, part.p, part.n);
    return p ? p - t.p : -1;
}

/* ---- case ---- */

static uint32_t decode(const char *p, uint32_t n) {
    static const uint8_t mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)p[0] & mask[n];
    for (uint32_t k = 1; k < n; k++) c = c << 6 | ((unsigned char)p[k] & 0x3F);
    return c;
}

static uint32_t encode(uint32_t c, char *p) {
    if (c < 0x80) return p[0] = (char)c, 1;
    uint32_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint32_t k = n - 1; k > 0; k--, c >>= 6) p[k] = (char)(0x80 | (c & 0x3F));
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    p[0] = (char)(lead[n] | c);
    return n;
}

static struct hr_text mapped(struct hr_lane *lane, struct hr_text t, wint_t (*map)(wint_t, locale_t), locale_t locale) {
    char *own = hr_batch_alloc(lane, (size_t)t.n * 2 + 4); /* no character grows by more than its width */
    uint32_t n = 0;
    for (uint32_t at = 0, width; at < t.n; at += width) {
        width = width_at(t.p + at, t.n - at);
        if (width == 1 && (unsigned char)t.p[at] >= 0x80) own[n++] = t.p[at];
        else n += encode((uint32_t)map(decode(t.p + at, width), locale), own + n);
    }
    return (struct hr_text){own, n, 0};
}

static bool map_case(const struct hr_call *c, wint_t (*map)(wint_t, locale_t)) {
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!locale) return hr_fail(c->lane->err, HR_EFAIL, "upper, lower: this system has no locale C.UTF-8");
    HR_EACH(c->rows, i) OUT(c)[i] = mapped(c->lane, TEXTS(c->arg[0])[i], map, locale);
    freelocale(locale);
    return true;
}

static bool upper(const struct hr_call *c) { return map_case(c, towupper_l); }
static bool lower(const struct hr_call *c) { return map_case(c, towlower_l); }

/* ---- parts ---- */

static bool length(const struct hr_call *c) {
    HR_EACH(c->rows, i) ((int32_t *)c->out->at)[i] = (int32_t)characters(TEXTS(c->arg[0])[i]);
    return true;
}

static bool trim_sides(const struct hr_call *c, bool left, bool right) {
    HR_EACH(c->rows, i) {
        struct hr_text t = TEXTS(c->arg[0])[i];
        uint32_t from = 0, to = t.n;
        while (left && from < to && t.p[from] == ' ') from++;
        while (right && from < to && t.p[to - 1] == ' ') to--;
        OUT(c)[i] = slice(t, from, to);
    }
    return true;
}

static bool trim(const struct hr_call *c) { return trim_sides(c, true, true); }
static bool ltrim(const struct hr_call *c) { return trim_sides(c, true, false); }
static bool rtrim(const struct hr_call *c) { return trim_sides(c, false, true); }

/* Spark's substringSQL: 0 is as 1, and a place before the beginning uses up some of the length. */
static bool substring(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        struct hr_text t = TEXTS(c->arg[0])[i];
        int64_t place = INTS(c->arg[1])[i];
        int64_t from = place > 0 ? place - 1 : place < 0 ? characters(t) + place : 0;
        int64_t to = c->args > 2 ? from + INTS(c->arg[2])[i] : INT64_MAX;
        uint32_t first = byte_of(t, from), last = byte_of(t, to);
        OUT(c)[i] = slice(t, first, last > first ? last : first);
    }
    return true;
}

/* Part k (from 1; negative: from the end) of a text split at every `by`. */
static struct hr_text part_of(struct hr_text t, struct hr_text by, int64_t k) {
    if (!by.n) return k == 1 || k == -1 ? t : slice(t, 0, 0);
    if (k < 0) {
        int64_t parts = 1;
        for (int64_t at = 0; (at = find(t, by, (uint32_t)at)) >= 0; at += by.n) parts++;
        k += parts + 1;
        if (k < 1) return slice(t, 0, 0);
    }
    uint32_t from = 0;
    for (;; k--) {
        int64_t at = find(t, by, from);
        if (k == 1) return slice(t, from, at < 0 ? t.n : (uint32_t)at);
        if (at < 0) return slice(t, 0, 0);
        from = (uint32_t)at + by.n;
    }
}

static bool type_split_part(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives,
                            struct hr_error *err) {
    (void)args, (void)arg, (void)gives;
    bool zero = constant[2] && constant[2]->n == 1 && constant[2]->p[0] == '0';
    return !zero || hr_fail(err, HR_ECONFIG, "parts are counted from 1, or from -1 at the end");
}

static bool split_part(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        int32_t k = INTS(c->arg[2])[i];
        if (k) OUT(c)[i] = part_of(TEXTS(c->arg[0])[i], TEXTS(c->arg[1])[i], k);
        else hr_set_null(c->out, i);
    }
    return true;
}

/* ---- search ---- */

static bool instr(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        struct hr_text t = TEXTS(c->arg[0])[i];
        int64_t at = find(t, TEXTS(c->arg[1])[i], 0);
        ((int32_t *)c->out->at)[i] = at < 0 ? 0 : (int32_t)characters(slice(t, 0, (uint32_t)at)) + 1;
    }
    return true;
}

static bool contains(const struct hr_call *c) {
    HR_EACH(c->rows, i) ((uint8_t *)c->out->at)[i] = find(TEXTS(c->arg[0])[i], TEXTS(c->arg[1])[i], 0) >= 0;
    return true;
}

static bool startswith(const struct hr_call *c) {
    HR_EACH(c->rows, i) ((uint8_t *)c->out->at)[i] = equal_at(TEXTS(c->arg[0])[i], 0, TEXTS(c->arg[1])[i]);
    return true;
}

static bool endswith(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        struct hr_text t = TEXTS(c->arg[0])[i], end = TEXTS(c->arg[1])[i];
        ((uint8_t *)c->out->at)[i] = end.n <= t.n && equal_at(t, t.n - end.n, end);
    }
    return true;
}

/* ---- putting together ---- */

static void put_text(struct hr_buffer *b, struct hr_text t) {
    if (t.n) hr_put(b, t.p, t.n);
}

static struct hr_text keep(struct hr_lane *lane, const struct hr_buffer *b) {
    char *own = hr_batch_alloc(lane, b->n);
    if (b->n) memcpy(own, b->p, b->n);
    return (struct hr_text){own, (uint32_t)b->n, 0};
}

static bool concat(const struct hr_call *c) {
    struct hr_buffer b = {0};
    HR_EACH(c->rows, i) {
        hr_buffer_reset(&b);
        for (int k = 0; k < c->args; k++) put_text(&b, TEXTS(c->arg[k])[i]);
        OUT(c)[i] = keep(c->lane, &b);
    }
    hr_buffer_free(&b);
    return true;
}

/* Nulls are left out; a null separator makes a null. */
static bool concat_ws(const struct hr_call *c) {
    struct hr_buffer b = {0};
    HR_EACH(c->rows, i) {
        if (hr_is_null(c->arg[0], i)) {
            hr_set_null(c->out, i);
            continue;
        }
        hr_buffer_reset(&b);
        bool any = false;
        for (int k = 1; k < c->args; k++) {
            if (hr_is_null(c->arg[k], i)) continue;
            if (any) put_text(&b, TEXTS(c->arg[0])[i]);
            put_text(&b, TEXTS(c->arg[k])[i]);
            any = true;
        }
        OUT(c)[i] = keep(c->lane, &b);
    }
    hr_buffer_free(&b);
    return true;
}

static bool replace(const struct hr_call *c) {
    struct hr_buffer b = {0};
    HR_EACH(c->rows, i) {
        struct hr_text t = TEXTS(c->arg[0])[i], search = TEXTS(c->arg[1])[i];
        struct hr_text by = c->args > 2 ? TEXTS(c->arg[2])[i] : (struct hr_text){0};
        uint32_t from = 0;
        int64_t at;
        hr_buffer_reset(&b);
        for (; search.n && (at = find(t, search, from)) >= 0; from = (uint32_t)at + search.n) {
            put_text(&b, slice(t, from, (uint32_t)at));
            put_text(&b, by);
        }
        put_text(&b, slice(t, from, t.n));
        OUT(c)[i] = keep(c->lane, &b);
    }
    hr_buffer_free(&b);
    return true;
}

/* `missing` characters of padding, over and over. */
static void put_padding(struct hr_buffer *b, struct hr_text pad, int64_t missing) {
    int64_t width = characters(pad);
    for (; missing >= width; missing -= width) put_text(b, pad);
    put_text(b, slice(pad, 0, byte_of(pad, missing)));
}

static bool pad_to(const struct hr_call *c, bool left) {
    static const struct hr_text blank = {" ", 1, 0};
    struct hr_buffer b = {0};
    HR_EACH(c->rows, i) {
        struct hr_text t = TEXTS(c->arg[0])[i], pad = c->args > 2 ? TEXTS(c->arg[2])[i] : blank;
        int64_t wanted = INTS(c->arg[1])[i] < 0 ? 0 : INTS(c->arg[1])[i], missing = pad.n ? wanted - characters(t) : 0;
        if (missing > most_padding) {
            hr_set_null(c->out, i);
            continue;
        }
        hr_buffer_reset(&b);
        if (left && missing > 0) put_padding(&b, pad, missing);
        put_text(&b, slice(t, 0, byte_of(t, wanted)));
        if (!left && missing > 0) put_padding(&b, pad, missing);
        OUT(c)[i] = keep(c->lane, &b);
    }
    hr_buffer_free(&b);
    return true;
}

static bool lpad(const struct hr_call *c) { return pad_to(c, true); }
static bool rpad(const struct hr_call *c) { return pad_to(c, false); }

#define TEXT {.id = HR_STRING}
#define INT {.id = HR_INT}
#define BOOLEAN {.id = HR_BOOLEAN}
#define FOUR_TEXTS TEXT, TEXT, TEXT, TEXT
#define ALL_TEXT {FOUR_TEXTS, FOUR_TEXTS, FOUR_TEXTS, FOUR_TEXTS}

static const struct hr_function table[] = {
    {"upper", "upper(text)", 1, 1, {TEXT}, TEXT, NULL, false, upper},
    {"lower", "lower(text)", 1, 1, {TEXT}, TEXT, NULL, false, lower},
    {"length", "length(text): in characters", 1, 1, {TEXT}, INT, NULL, false, length},
    {"trim", "trim(text): without blanks at both ends", 1, 1, {TEXT}, TEXT, NULL, false, trim},
    {"ltrim", "ltrim(text): without blanks at the left", 1, 1, {TEXT}, TEXT, NULL, false, ltrim},
    {"rtrim", "rtrim(text): without blanks at the right", 1, 1, {TEXT}, TEXT, NULL, false, rtrim},
    {"substring", "substring(text, place[, length]): a negative place counts from the end", 2, 3, {TEXT, INT, INT}, TEXT, NULL, false, substring},
    {"substr", "substr(text, place[, length]): as substring", 2, 3, {TEXT, INT, INT}, TEXT, NULL, false, substring},
    {"split_part", "split_part(text, delimiter, n): part n, from the end where n is negative", 3, 3, {TEXT, TEXT, INT}, TEXT, type_split_part, false, split_part},
    {"instr", "instr(text, part): its place, or 0", 2, 2, {TEXT, TEXT}, INT, NULL, false, instr},
    {"contains", "contains(text, part)", 2, 2, {TEXT, TEXT}, BOOLEAN, NULL, false, contains},
    {"startswith", "startswith(text, part)", 2, 2, {TEXT, TEXT}, BOOLEAN, NULL, false, startswith},
    {"endswith", "endswith(text, part)", 2, 2, {TEXT, TEXT}, BOOLEAN, NULL, false, endswith},
    {"concat", "concat(text, ...): null where one is null", 1, HR_ARGS, ALL_TEXT, TEXT, NULL, false, concat},
    {"concat_ws", "concat_ws(separator, text, ...): nulls left out", 1, HR_ARGS, ALL_TEXT, TEXT, NULL, true, concat_ws},
    {"replace", "replace(text, search[, by])", 2, 3, {TEXT, TEXT, TEXT}, TEXT, NULL, false, replace},
    {"lpad", "lpad(text, length[, padding]): filled or cut to that length", 2, 3, {TEXT, INT, TEXT}, TEXT, NULL, false, lpad},
    {"rpad", "rpad(text, length[, padding]): filled or cut to that length", 2, 3, {TEXT, INT, TEXT}, TEXT, NULL, false, rpad},
    {0},
};

HR_PLUGIN(functions, strings) = {
    .kind = HR_FUNCTIONS,
    .name = "strings",
    .about = "case, parts, search and padding of text",
    .functions = table,
};
HR_MODULE(HR_RECORD(functions, strings));
