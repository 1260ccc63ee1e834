/* CAST: from text, and between types. What does not fit is null, never wrong. */
#include "core/data/value.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static struct hr_text trimmed(struct hr_text t) {
    while (t.n && (unsigned char)*t.p <= ' ') t.p++, t.n--;
    while (t.n && (unsigned char)t.p[t.n - 1] <= ' ') t.n--;
    return t;
}

static bool word_is(struct hr_text t, const char *word) {
    return t.n == strlen(word) && !strncasecmp(t.p, word, t.n);
}

static bool parse_boolean(struct hr_text t, uint8_t *out) {
    static const char *const yes[] = {"true", "t", "yes", "y", "1"}, *const no[] = {"false", "f", "no", "n", "0"};
    for (int i = 0; i < 5; i++) {
        if (word_is(t, yes[i])) return *out = 1, true;
        if (word_is(t, no[i])) return *out = 0, true;
    }
    return false;
}

/* Spark cuts a fraction off: CAST('1.9' AS INT) is 1. No exponent. */
static bool parse_integer(struct hr_text t, int64_t low, int64_t high, int64_t *out) {
    uint32_t i = t.n && (*t.p == '-' || *t.p == '+');
    bool minus = i && *t.p == '-';
    hr_int128 v = 0;
    uint32_t digits = 0;
    for (; i < t.n && isdigit((unsigned char)t.p[i]); i++, digits++)
        if ((v = v * 10 + (t.p[i] - '0')) > (hr_int128)INT64_MAX + 1) return false;
    if (i < t.n && t.p[i] == '.')
        for (i++; i < t.n && isdigit((unsigned char)t.p[i]); i++) digits++;
    if (i < t.n || !digits) return false;
    if (minus) v = -v;
    *out = (int64_t)v;
    return v >= low && v <= high;
}

static bool number_shape(struct hr_text t) {
    uint32_t i = t.n && (*t.p == '-' || *t.p == '+'), digits = 0, tail = 0;
    for (; i < t.n && isdigit((unsigned char)t.p[i]); i++) digits++;
    if (i < t.n && t.p[i] == '.')
        for (i++; i < t.n && isdigit((unsigned char)t.p[i]); i++) digits++;
    if (!digits) return false;
    if (i == t.n || (t.p[i] | 32) != 'e') return i == t.n;
    i++;
    if (i < t.n && (t.p[i] == '-' || t.p[i] == '+')) i++;
    for (; i < t.n && isdigit((unsigned char)t.p[i]); i++) tail++;
    return i == t.n && tail;
}

static bool parse_double(struct hr_text t, double *out) {
    bool minus = t.n && *t.p == '-', sign = minus || (t.n && *t.p == '+');
    struct hr_text rest = {t.p + sign, t.n - sign, 0};
    if (word_is(t, "nan")) return *out = NAN, true;
    if (word_is(rest, "infinity") || word_is(rest, "inf")) return *out = minus ? -INFINITY : INFINITY, true;
    if (!number_shape(t)) return false;
    return *out = double_read(t), true;
}

/* Up to `most` digits at *p, at least `least`. */
static bool digits(const char **p, const char *end, int least, int most, int *out) {
    int n = 0;
    for (*out = 0; n < most && *p < end && isdigit((unsigned char)**p); n++) *out = *out * 10 + *(*p)++ - '0';
    return n >= least;
}

/* [+]yyyy, yyyy-[m]m, yyyy-[m]m-[d]d: only behind a day may more follow. Zeros may stand before the year. */
static bool parse_day(const char **p, const char *end, int year_digits, int32_t *days) {
    int y, m = 1, d = 1;
    bool day = false;
    if (*p < end && **p == '+') ++*p;
    if (!digits(p, end, 4, year_digits, &y)) return false;
    if (*p < end && **p == '-') {
        ++*p;
        if (!digits(p, end, 1, 2, &m)) return false;
        day = *p < end && **p == '-';
        if (day && (++*p, !digits(p, end, 1, 2, &d))) return false;
    }
    if ((*p < end && !day) || !date_valid(y, m, d)) return false;
    *days = date_days(y, m, d);
    return true;
}

static bool parse_date(struct hr_text t, int32_t *out) {
    const char *p = t.p, *end = t.p + t.n;
    return parse_day(&p, end, 7, out) && (p == end || *p == 'T' || *p == ' ');
}

/* Does the text at *p begin with the word? Then *p is behind it. */
static bool skip_word(const char **p, const char *end, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(end - *p) < n || memcmp(*p, word, n)) return false;
    *p += n;
    return true;
}

/* ":m" at the end, ":mm", ":mm:ss", "mm", "mmss" */
static bool parse_zone_rest(const char *p, const char *end, int hour_digits, int *m, int *s) {
    bool colon = skip_word(&p, end, ":");
    if (p == end) return !colon;
    if (!colon && hour_digits < 2) return false;
    const char *minutes = p;
    if (!digits(&p, end, 1, 2, m) || *m > 59) return false;
    if (p - minutes < 2) return colon && p == end;
    if (p == end) return true;
    return skip_word(&p, end, ":") == colon && digits(&p, end, 2, 2, s) && *s <= 59 && p == end;
}

/* Nothing, Z, or UTC, GMT or UT, an offset or both: [h]h:[m]m[:ss], hhmm[ss] or [h]h, of 18 hours at most. */
static bool parse_zone(const char *p, const char *end, int64_t *us) {
    int h, m = 0, s = 0;
    *us = 0;
    if (p == end || (end - p == 1 && *p == 'Z')) return true;
    if ((skip_word(&p, end, "UTC") || skip_word(&p, end, "GMT") || skip_word(&p, end, "UT")) && p == end) return true;
    bool minus = p < end && *p == '-';
    if (!minus && (p == end || *p != '+')) return false;
    const char *hours = ++p;
    if (!digits(&p, end, 1, 2, &h) || !parse_zone_rest(p, end, (int)(p - hours), &m, &s)) return false;
    int offset = h * 3600 + m * 60 + s;
    *us = (int64_t)offset * 1000000 * (minus ? -1 : 1);
    return offset <= 18 * 3600;
}

static bool parse_fraction(const char **p, const char *end, int64_t *us) {
    int64_t unit = 100000;
    *us = 0;
    if (*p == end || **p != '.') return true;
    for (++*p; *p < end && isdigit((unsigned char)**p); ++*p, unit /= 10) *us += (**p - '0') * unit;
    return true;
}

/* A day, then [h]h, [h]h:[m]m or [h]h:[m]m:[s]s; fraction and zone stand behind seconds only. */
static bool parse_timestamp(struct hr_text t, int64_t *out) {
    const char *p = t.p, *end = t.p + t.n;
    int32_t day;
    int h = 0, m = 0, s = 0;
    int64_t us = 0, zone = 0;
    if (!parse_day(&p, end, 6, &day)) return false;
    if (p < end) {
        if (*p != 'T' && *p != ' ') return false;
        p++;
        if (!digits(&p, end, 1, 2, &h)) return false;
        if (p < end && (*p++ != ':' || !digits(&p, end, 1, 2, &m))) return false;
        if (p < end && (*p++ != ':' || !digits(&p, end, 1, 2, &s))) return false;
        parse_fraction(&p, end, &us);
        while (p < end && *p == ' ') p++;
        if (h > 23 || m > 59 || s > 59 || !parse_zone(p, end, &zone)) return false;
    }
    *out = (int64_t)day * 86400000000 + ((int64_t)h * 3600 + m * 60 + s) * 1000000 + us - zone;
    return timestamp_valid(*out); /* the zone may lead out of the years 1 to 9999 */
}

bool value_parse(struct hr_type type, struct hr_text t, void *value) {
    int64_t v = 0;
    if (type.id == HR_STRING) return *(struct hr_text *)value = t, true;
    t = trimmed(t);
    switch (type.id) {
    case HR_BOOLEAN: return parse_boolean(t, value);
    case HR_INT:
        if (!parse_integer(t, INT32_MIN, INT32_MAX, &v)) return false;
        return *(int32_t *)value = (int32_t)v, true;
    case HR_BIGINT: return parse_integer(t, INT64_MIN, INT64_MAX, value);
    case HR_DOUBLE: return parse_double(t, value);
    case HR_DATE: return parse_date(t, value);
    case HR_TIMESTAMP: return parse_timestamp(t, value);
    default: return decimal_parse(t.p, t.n, type.precision, type.scale, value);
    }
}
