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

const char *date_pattern_compile(struct date_pattern *p, const char *text, size_t n) {
    const char *why = n ? NULL : "a pattern such as yyyy-MM-dd is wanted";
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
    return why;
}

/* ---- parsing ---- */

struct moment {
    int year, month, day, hour, hour12, minute, second, pm; /* hour12: -1 where the pattern has none */
    int64_t fraction_us;
};

static bool number(struct hr_text *t, int least, int most, int *out) {
    int n = 0, v = 0;
    while (n < most && (uint32_t)n < t->n && t->p[n] >= '0' && t->p[n] <= '9') v = v * 10 + (t->p[n++] - '0');
    if (n < least) return false;
    t->p += n;
    t->n -= (uint32_t)n;
    *out = v;
    return true;
}

static bool month_by_name(struct hr_text *t, bool whole, int *out) {
    for (int m = 0; m < 12; m++) {
        size_t n = whole ? strlen(month_name[m]) : 3;
        if (t->n < n || strncasecmp(t->p, month_name[m], n)) continue;
        t->p += n;
        t->n -= (uint32_t)n;
        *out = m + 1;
        return true;
    }
    return false;
}

static bool fraction(struct hr_text *t, int count, int64_t *us) {
    uint32_t before = t->n;
    int v;
    if (!number(t, 1, count, &v)) return false;
    *us = v;
    for (count = (int)(before - t->n); count < 6; count++) *us *= 10;
    for (; count > 6; count--) *us /= 10;
    return true;
}

static bool half_day(struct hr_text *t, int *pm) {
    if (t->n < 2 || (t->p[1] != 'M' && t->p[1] != 'm')) return false;
    *pm = t->p[0] == 'P' || t->p[0] == 'p';
    if (!*pm && t->p[0] != 'A' && t->p[0] != 'a') return false;
    t->p += 2;
    t->n -= 2;
    return true;
}

/* One letter takes one digit or more, two letters two digits: as the formatter's strict parser. Words and quoted text
 * are read whatever their case. */
static bool parse_part(const struct date_part *part, struct hr_text *t, struct moment *m) {
    int least = part->count, most = part->count > 1 ? part->count : 9;
    switch (part->letter) {
    case 'y':
        if (!number(t, least, part->count == 2 ? 2 : part->count == 1 ? 9 : 4, &m->year)) return false;
        if (part->count == 2) m->year += 2000;
        return true;
    case 'M': return part->count > 2 ? month_by_name(t, part->count == 4, &m->month) : number(t, least, most, &m->month);
    case 'd': return number(t, least, most, &m->day);
    case 'H': return number(t, least, most, &m->hour);
    case 'h': return number(t, least, most, &m->hour12);
    case 'm': return number(t, least, most, &m->minute);
    case 's': return number(t, least, most, &m->second);
    case 'S': return fraction(t, part->count, &m->fraction_us);
    case 'a': return half_day(t, &m->pm);
    default: break;
    }
    if (t->n < part->count || strncasecmp(t->p, part->literal, part->count)) return false;
    t->p += part->count;
    t->n -= part->count;
    return true;
}

static bool is_moment(struct moment *m) {
    if (m->year < 1 || m->year > 9999 || m->month < 1 || m->month > 12 || m->day < 1 || m->day > date_month_days(m->year, m->month)) return false;
    if (m->hour12 >= 0) {
        if (m->hour12 < 1 || m->hour12 > 12) return false;
        m->hour = m->hour12 % 12 + 12 * m->pm;
    }
    return m->hour <= 23 && m->minute <= 59 && m->second <= 59;
}

bool date_pattern_parse(const struct date_pattern *p, struct hr_text t, int64_t *us) {
    struct moment m = {.year = 1970, .month = 1, .day = 1, .hour12 = -1};
    for (int i = 0; i < p->n; i++)
        if (!parse_part(&p->part[i], &t, &m)) return false;
    if (t.n || !is_moment(&m)) return false;
    int64_t seconds = m.hour * 3600 + m.minute * 60 + m.second;
    *us = date_days_of(m.year, m.month, m.day) * DAY_US + seconds * 1000000 + m.fraction_us;
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
