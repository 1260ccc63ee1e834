/* Values as text and as JSON. */
#include "core/data/value.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- doubles: the fewest digits that read back (as JDK 19 prints them) ---- */

/* One more in the last digit of "d.ddde+dd". */
static void next_up(char *text) {
    char *p = strchr(text, 'e') - 1;
    while (p > text && (*p == '9' || *p == '.')) {
        if (*p == '9') *p = '0';
        p--;
    }
    ++*p;
}

static bool reads_back(const char *text, double v) { return strtod(text, NULL) == v; }

/* Digits of |v| (no zeros at the end) and its decimal exponent: v = 0.d1d2... * 10^exponent. */
static int shortest(double v, char digits[20], int *exponent) {
    char text[40];
    bool power_of_two = frexp(v, exponent) == 0.5;
    for (int precision = v < DBL_MIN ? 2 : 15; precision <= 17; precision++) { /* subnormals have fewer digits */
        snprintf(text, sizeof text, "%.*e", precision - 1, v);
        if (reads_back(text, v)) break;
        if (!power_of_two) continue;
        next_up(text); /* may still be v: the double above is twice as far away as the one below */
        if (reads_back(text, v)) break;
    }
    char *e = strchr(text, 'e');
    *exponent = (int)strtol(e + 1, NULL, 10) + 1;
    int n = 0;
    for (char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9') digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0') n--;
    return n;
}

static void put_digits(struct hr_buffer *b, const char *d, int n, int point) {
    if (point <= 0) {
        buffer_puts(b, "0.");
        for (int i = point; i < 0; i++) buffer_putc(b, '0');
        buffer_put(b, d, (size_t)n);
        return;
    }
    for (int i = 0; i < point; i++) buffer_putc(b, i < n ? d[i] : '0');
    buffer_putc(b, '.');
    if (n > point) buffer_put(b, d + point, (size_t)(n - point));
    else buffer_putc(b, '0');
}

static void put_double(struct hr_buffer *b, double v) {
    char digits[20];
    int exponent;
    if (isnan(v)) return buffer_puts(b, "NaN");
    if (signbit(v)) buffer_putc(b, '-');
    v = fabs(v);
    if (isinf(v)) return buffer_puts(b, "Infinity");
    if (v == 0) return buffer_puts(b, "0.0");
    int n = shortest(v, digits, &exponent);
    if (v >= 1e-3 && v < 1e7) return put_digits(b, digits, n, exponent);
    put_digits(b, digits, n, 1);
    buffer_printf(b, "E%d", exponent - 1);
}

/* ---- the other types ---- */

static void put_decimal(struct hr_buffer *b, hr_int128 v, int scale) {
    char text[64];
    int at = sizeof text, digits = 0;
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    for (; u || digits <= scale; digits++, u /= 10) {
        if (digits == scale && scale) text[--at] = '.';
        text[--at] = (char)('0' + (int)(u % 10));
    }
    if (v < 0) text[--at] = '-';
    buffer_put(b, text + at, sizeof text - (size_t)at);
}

/* As Java's BigDecimal: with an exponent where more than five zeros would stand behind the point. */
static void put_java_decimal(struct hr_buffer *b, hr_int128 v, int scale) {
    int digits = 1;
    for (hr_int128 rest = v / 10; rest; rest /= 10) digits++;
    int exponent = digits - 1 - scale;
    put_decimal(b, v, exponent < -6 ? digits - 1 : scale);
    if (exponent < -6) buffer_printf(b, "E%d", exponent);
}

static void put_date(struct hr_buffer *b, int64_t days) {
    int y, m, d;
    date_civil(days, &y, &m, &d);
    buffer_printf(b, "%04d-%02d-%02d", y, m, d);
}

static int64_t put_day_and_time(struct hr_buffer *b, int64_t us, char between) {
    const int64_t day_us = 86400000000;
    int64_t left = us % day_us, day = us / day_us - (left < 0);
    if (left < 0) left += day_us;
    put_date(b, day);
    int s = (int)(left / 1000000);
    buffer_printf(b, "%c%02d:%02d:%02d", between, s / 3600, s / 60 % 60, s % 60);
    return left % 1000000;
}

static void put_timestamp(struct hr_buffer *b, int64_t us) {
    int fraction = (int)put_day_and_time(b, us, ' ');
    if (!fraction) return;
    buffer_printf(b, ".%06d", fraction);
    while (b->p[b->n - 1] == '0') b->n--;
}

/* Spark's default for JSON: yyyy-MM-dd'T'HH:mm:ss.SSSXXX. */
static void put_json_timestamp(struct hr_buffer *b, int64_t us) {
    int fraction = (int)put_day_and_time(b, us, 'T');
    buffer_printf(b, ".%03dZ", fraction / 1000);
}

void value_text(struct hr_buffer *b, struct hr_type t, const void *value) {
    const struct hr_text *text = value;
    hr_int128 wide;
    switch (t.id) {
    case HR_BOOLEAN: buffer_puts(b, *(const uint8_t *)value ? "true" : "false"); break;
    case HR_INT: buffer_printf(b, "%d", *(const int32_t *)value); break;
    case HR_BIGINT: buffer_printf(b, "%lld", (long long)*(const int64_t *)value); break;
    case HR_DOUBLE: put_double(b, *(const double *)value); break;
    case HR_STRING: buffer_put(b, text->p, text->n); break;
    case HR_DATE: put_date(b, *(const int32_t *)value); break;
    case HR_TIMESTAMP: put_timestamp(b, *(const int64_t *)value); break;
    default: memcpy(&wide, value, 16); put_decimal(b, wide, t.scale);
    }
}

void value_string(struct hr_buffer *b, struct hr_type t, const void *value) {
    hr_int128 wide;
    if (t.id != HR_DECIMAL) return value_text(b, t, value);
    memcpy(&wide, value, 16);
    put_java_decimal(b, wide, t.scale);
}

/* ---- JSON ---- */

static void put_escaped(struct hr_buffer *b, unsigned char c) {
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *p = named; *p; p += 2)
        if (*p == (char)c) {
            buffer_putc(b, '\\');
            return buffer_putc(b, p[1]);
        }
    buffer_printf(b, "\\u%04X", c);
}

void json_quote(struct hr_buffer *b, const char *s, size_t n) {
    const unsigned char *p = (const unsigned char *)s;
    uint32_t code;
    buffer_putc(b, '"');
    for (size_t i = 0, from = 0; i <= n;) {
        size_t k = i < n ? hr_utf8(p + i, n - i, &code) : 0;
        bool plain = k > 1 || (k == 1 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f);
        if (plain) {
            i += k;
            continue;
        }
        buffer_put(b, s + from, i - from);
        if (i == n) break;
        if (k) put_escaped(b, p[i]);
        else buffer_puts(b, "\xEF\xBF\xBD");
        from = ++i;
    }
    buffer_putc(b, '"');
}

void value_json(struct hr_buffer *b, struct hr_type t, const void *value) {
    const struct hr_text *text = value;
    bool quoted = t.id == HR_DATE || (t.id == HR_DOUBLE && !isfinite(*(const double *)value));
    if (t.id == HR_STRING) return json_quote(b, text->p, text->n);
    if (t.id == HR_TIMESTAMP) {
        buffer_putc(b, '"');
        put_json_timestamp(b, *(const int64_t *)value);
        return buffer_putc(b, '"');
    }
    if (quoted) buffer_putc(b, '"');
    value_string(b, t, value);
    if (quoted) buffer_putc(b, '"');
}
