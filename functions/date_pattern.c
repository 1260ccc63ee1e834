/* See date_pattern.h. */
#include "functions/date_pattern.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const month_name[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};

/* ---- calendar ---- */

int64_t date_days_of(int y, int m, int d) {
    y -= m <= 2;
    int64_t era = floor_divide(y, 400);
    int64_t of_era = y - era * 400, of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void date_civil_of(int64_t days, int *y, int *m, int *d) {
    days += 719468;
    int64_t era = floor_divide(days, 146097), day = days - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100), mp = (5 * of_year + 2) / 153;
    *d = (int)(of_year - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = (int)(year + era * 400 + (*m <= 2));
}

int date_month_days(int y, int m) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return m == 2 && leap ? 29 : days[m - 1];
}

/* ---- compiling ---- */

/* NULL where Spark knows the letter that many times, and so do we. */
static const char *check_letter(char letter, size_t count) {
    switch (letter) {
    case 'y': return count <= 4 && count != 3 ? NULL : "y stands once, twice or four times";
    case 'M': return count <= 4 ? NULL : "M stands at most four times";
    case 'd': case 'H': case 'h': case 'm': case 's': return count <= 2 ? NULL : "d, H, h, m and s stand at most twice";
    case 'S': return count <= 9 ? NULL : "S stands at most nine times";
    case 'a': return count == 1 ? NULL : "a stands once";
    default: return "only the letters y M d H h m s S a have a meaning here; quote text: 'T'";
    }
}

static const char *add_literal(struct date_pattern *p, char c) {
    struct date_part *last = p->n ? &p->part[p->n - 1] : NULL;
    if (!last || last->letter || last->count == DATE_LITERAL) {
        if (p->n == DATE_PARTS) return "this pattern has too many parts";
        last = &p->part[p->n++];
        *last = (struct date_part){0};
    }
    last->literal[last->count++] = c;
    return NULL;
}

static const char *add_quoted(struct date_pattern *p, const char *text, size_t n, size_t *i) {
    const char *why = NULL;
    size_t start = ++*i;
    for (; *i < n && !why; ++*i) {
        if (text[*i] != '\'') why = add_literal(p, text[*i]);
        else if (*i + 1 < n && text[*i + 1] == '\'') why = add_literal(p, text[(*i)++]);
        else return *i == start ? add_literal(p, '\'') : NULL;
    }
    return why ? why : "this quote is never closed";
}

static bool is_number(const struct date_part *part) {
    switch (part->letter) {
    case 0: case 'a': return false;
    case 'M': return part->count <= 2;
    case 'S': return part->count == 1; /* any other fraction is no neighbour for java.time */
    default: return true;
    }
}

static int fixed_width(const struct date_part *part) {
    return part->letter == 'S' || part->count == 2 ? part->count : 0;
}

/* Numbers right next to each other ("Hmm") share a run of digits: the first leaves to those of fixed width behind it what
 * they need. One of no fixed width begins anew, and the one before takes all it can (java.time: adjacent value parsing). */
static void share_digits(struct date_pattern *p) {
    struct date_part *first = NULL;
    for (struct date_part *part = p->part; part < p->part + p->n; part++) {
        int width = fixed_width(part);
        if (!is_number(part)) {
            first = NULL;
        } else if (first && width) {
            first->behind += (uint8_t)width;
        } else {
            if (first) first->behind = 0;
            first = part;
        }
    }
}

const char *date_pattern_compile(struct date_pattern *p, const char *text, size_t n) {
    const char *why = NULL;
    p->n = 0;
    for (size_t i = 0; i < n && !why; i++) {
        char c = text[i];
        if (c == '\'') {
            why = add_quoted(p, text, n, &i);
        } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            size_t count = 1;
            while (i + count < n && text[i + count] == c) count++;
            why = check_letter(c, count);
            if (!why && p->n == DATE_PARTS) why = "this pattern has too many parts";
            if (!why) p->part[p->n++] = (struct date_part){.letter = c, .count = (uint8_t)count};
            i += count - 1;
        } else {
            why = strchr("[]{}#", c) && c ? "[ ] { } and # are reserved in patterns" : add_literal(p, c);
        }
    }
    share_digits(p);
    return why;
}

/* ---- parsing ---- */

/* -1 is what the text did not say. */
struct moment {
    int year, month, day, hour, hour12, pm, minute, second, nanosecond;
};

/* A field that comes twice must say the same. */
static bool set(int *field, int v) {
    if (*field >= 0 && *field != v) return false;
    return *field = v, true;
}

static uint32_t digits_at(struct hr_text t, uint32_t most) {
    uint32_t n = 0;
    while (n < most && n < t.n && t.p[n] >= '0' && t.p[n] <= '9') n++;
    return n;
}

/* The next n digits; a number that is larger than any field stays so, however long it is. */
static int take_digits(struct hr_text *t, uint32_t n) {
    int v = 0;
    for (uint32_t i = 0; i < n; i++) v = v > 9999999 ? 99999999 : v * 10 + (t->p[i] - '0');
    t->p += n;
    t->n -= n;
    return v;
}

/* One letter takes one digit or more, but for those behind it, two letters two digits: as the formatter's strict parser. */
static bool number(const struct date_part *part, struct hr_text *t, int *field) {
    uint32_t least = part->count, most = part->count > 1 ? part->count : 19, n = digits_at(*t, most + part->behind);
    if (n < least) return false;
    if (part->behind) n = n > least + part->behind ? n - part->behind : least;
    return set(field, take_digits(t, n));
}

/* Two digits are a year from 2000 on. Four letters take all digits, of which there must be four, or more behind a '+'. */
static bool year(const struct date_part *part, struct hr_text *t, int *field) {
    int y = -1;
    if (part->count == 2) return number(part, t, &y) && set(field, 2000 + y);
    if (part->count == 1) return number(part, t, field);
    bool plus = t->n && *t->p == '+';
    if (plus) t->p++, t->n--;
    struct hr_text from = *t;
    if (!number(&(struct date_part){.letter = 'y', .count = 1, .behind = part->behind}, t, field)) return false;
    return plus ? from.n - t->n > 4 : from.n - t->n == 4;
}

static bool month_by_name(struct hr_text *t, bool whole, int *out) {
    for (int m = 0; m < 12; m++) {
        size_t n = whole ? strlen(month_name[m]) : 3;
        if (t->n < n || strncasecmp(t->p, month_name[m], n)) continue;
        t->p += n;
        t->n -= (uint32_t)n;
        return set(out, m + 1);
    }
    return false;
}

static bool fraction(const struct date_part *part, struct hr_text *t, int *nanosecond) {
    uint32_t n = digits_at(*t, part->count);
    if (!n) return false;
    int v = 0;
    for (uint32_t i = 0; i < 9; i++) v = v * 10 + (i < n ? t->p[i] - '0' : 0);
    t->p += n;
    t->n -= n;
    return set(nanosecond, v);
}

static bool half_day(struct hr_text *t, int *pm) {
    if (t->n < 2 || (t->p[1] != 'M' && t->p[1] != 'm')) return false;
    bool is_pm = t->p[0] == 'P' || t->p[0] == 'p';
    if (!is_pm && t->p[0] != 'A' && t->p[0] != 'a') return false;
    t->p += 2;
    t->n -= 2;
    return set(pm, is_pm);
}

/* Words and quoted text are read whatever their case. */
static bool parse_part(const struct date_part *part, struct hr_text *t, struct moment *m) {
    switch (part->letter) {
    case 'y': return year(part, t, &m->year);
    case 'M': return part->count > 2 ? month_by_name(t, part->count == 4, &m->month) : number(part, t, &m->month);
    case 'd': return number(part, t, &m->day);
    case 'H': return number(part, t, &m->hour);
    case 'h': return number(part, t, &m->hour12);
    case 'm': return number(part, t, &m->minute);
    case 's': return number(part, t, &m->second);
    case 'S': return fraction(part, t, &m->nanosecond);
    case 'a': return half_day(t, &m->pm);
    default: break;
    }
    if (t->n < part->count || strncasecmp(t->p, part->literal, part->count)) return false;
    t->p += part->count;
    t->n -= part->count;
    return true;
}

/* The hour, if what is said of it in up to three ways agrees. Without H, h is before noon unless a says otherwise, and a
 * alone is its first hour. */
static bool hour_of(const struct moment *m, int *hour) {
    if (m->hour12 == 0 || m->hour12 > 12 || m->hour > 23) return false;
    bool pm = m->pm > 0;
    if (m->hour < 0) return *hour = (m->hour12 < 0 ? 0 : m->hour12 % 12) + 12 * pm, true;
    if (m->hour12 >= 0 && m->hour12 % 12 != m->hour % 12) return false;
    return *hour = m->hour, m->pm < 0 || pm == (m->hour >= 12);
}

static int or_else(int field, int otherwise) { return field < 0 ? otherwise : field; }

bool date_pattern_parse(const struct date_pattern *p, struct hr_text t, int64_t *us) {
    struct moment m = {-1, -1, -1, -1, -1, -1, -1, -1, -1};
    int hour;
    for (int i = 0; i < p->n; i++)
        if (!parse_part(&p->part[i], &t, &m)) return false;
    int y = or_else(m.year, 1970), month = or_else(m.month, 1), day = or_else(m.day, 1);
    if (t.n || y < 1 || y > 9999 || month < 1 || month > 12 || day < 1 || day > date_month_days(y, month)) return false;
    if (!hour_of(&m, &hour) || m.minute > 59 || m.second > 59) return false;
    int64_t seconds = hour * 3600 + or_else(m.minute, 0) * 60 + or_else(m.second, 0);
    *us = date_days_of(y, month, day) * DAY_US + seconds * 1000000 + or_else(m.nanosecond, 0) / 1000;
    return true;
}

/* ---- formatting ---- */

static void put_number(struct hr_buffer *b, int64_t v, int width) {
    char text[32];
    int n = snprintf(text, sizeof text, "%0*lld", width, (long long)v);
    hr_put(b, text, (size_t)n);
}

static void format_part(const struct date_part *part, int y, int m, int d, int64_t time_us, struct hr_buffer *b) {
    int64_t s = time_us / 1000000, us = time_us % 1000000;
    int hour = (int)(s / 3600), count = part->count;
    switch (part->letter) {
    case 'y': put_number(b, count == 2 ? (y % 100 + 100) % 100 : y, count); return;
    case 'M':
        if (count > 2) hr_put(b, month_name[m - 1], count == 3 ? 3 : strlen(month_name[m - 1]));
        else put_number(b, m, count);
        return;
    case 'd': put_number(b, d, count); return;
    case 'H': put_number(b, hour, count); return;
    case 'h': put_number(b, hour % 12 ? hour % 12 : 12, count); return;
    case 'm': put_number(b, s / 60 % 60, count); return;
    case 's': put_number(b, s % 60, count); return;
    case 'a': hr_put(b, hour < 12 ? "AM" : "PM", 2); return;
    case 'S':
        us *= 1000;
        for (int k = count; k < 9; k++) us /= 10;
        put_number(b, us, count);
        return;
    default: hr_put(b, part->literal, part->count);
    }
}

void date_pattern_format(const struct date_pattern *p, int64_t us, struct hr_buffer *b) {
    int y, m, d;
    date_civil_of(floor_divide(us, DAY_US), &y, &m, &d);
    for (int i = 0; i < p->n; i++) format_part(&p->part[i], y, m, d, floor_rest(us, DAY_US), b);
}
