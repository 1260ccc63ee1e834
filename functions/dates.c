/*
 * Dates and times: read, write, take apart, move.
 *
 *   operators:
 *     - with: {columns: {day: "to_date(invoice_Date, 'MM-dd-yy')", month: "date_trunc('month', at)", weekday: dayofweek(at)}}
 *
 * 1. Names, units and results are Spark SQL's; the time zone is UTC.
 * 2. A pattern (functions/date_pattern.h) or unit is a literal, and checked when the pipeline is loaded.
 * 3. Text that does not match, and a result outside the years 1 to 9999, is null.
 * 4. A DATE where a TIMESTAMP is wanted is its midnight; a TIMESTAMP where a DATE is wanted is its day.
 */
#include "functions/date_pattern.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define T(id_) {.id = id_}
#define DAYS(column, i) (((const int32_t *)(column)->at)[i])
#define MICROS(column, i) (((const int64_t *)(column)->at)[i])

static const int64_t second_us = 1000000;

static uint32_t first_of(struct hr_rows rows) { return rows.sel ? rows.sel[0] : 0; }

static bool is_number(uint8_t id) { return id == HR_INT || id == HR_BIGINT || id == HR_DOUBLE || id == HR_DECIMAL; }

/* ---- text ---- */

static bool check_pattern(const struct hr_text *text, struct hr_error *err) {
    struct date_pattern p;
    if (!text) return hr_fail(err, HR_ECONFIG, "the format must be a literal such as 'yyyy-MM-dd'");
    const char *why = date_pattern_compile(&p, text->p, text->n);
    return !why || hr_fail(err, HR_ECONFIG, "%s", why);
}

/* Without a format they are casts; with one they take text, and days and times as they are. */
static bool type_read(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives,
                      struct hr_error *err) {
    bool number = gives->id == HR_TIMESTAMP && args == 1 && is_number(arg[0].id); /* of seconds since 1970 */
    if (!number && arg[0].id != HR_NONE && arg[0].id != HR_STRING && arg[0].id != HR_DATE && arg[0].id != HR_TIMESTAMP)
        return hr_fail(err, HR_ECONFIG, "a STRING, DATE or TIMESTAMP is wanted here");
    if (args == 2) return check_pattern(constant[1], err);
    arg[0] = *gives;
    return true;
}

static bool type_pattern_second(int args, struct hr_type *arg, const struct hr_text *const *constant,
                                struct hr_type *gives, struct hr_error *err) {
    (void)args, (void)arg, (void)gives;
    return check_pattern(constant[1], err);
}

/* The pattern of a call, which type() saw compile. */
static void pattern_of(const struct hr_call *c, struct date_pattern *p) {
    const struct hr_text *text = hr_value(c->arg[1], first_of(c->rows));
    date_pattern_compile(p, text->p, text->n);
}

/* Row i as microseconds. */
static bool moment_of(const struct hr_call *c, const struct date_pattern *p, uint32_t i, int64_t *us) {
    const struct hr_column *from = c->arg[0];
    if (from->type.id == HR_DATE) return *us = DAYS(from, i) * DAY_US, true;
    if (from->type.id == HR_TIMESTAMP) return *us = MICROS(from, i), true;
    return date_pattern_parse(p, ((const struct hr_text *)from->at)[i], us);
}

static bool read_moments(const struct hr_call *c) {
    struct date_pattern pattern = {0};
    if (c->args > 1) pattern_of(c, &pattern);
    HR_EACH(c->rows, i) {
        int64_t us;
        if (!moment_of(c, &pattern, i, &us)) hr_set_null(c->out, i);
        else if (c->out->type.id == HR_DATE) ((int32_t *)c->out->at)[i] = (int32_t)floor_divide(us, DAY_US);
        else ((int64_t *)c->out->at)[i] = us;
    }
    return true;
}

static bool date_format(const struct hr_call *c) {
    struct date_pattern p;
    struct hr_buffer text = {0};
    pattern_of(c, &p);
    HR_EACH(c->rows, i) {
        hr_buffer_reset(&text);
        date_pattern_format(&p, MICROS(c->arg[0], i), &text);
        char *own = hr_batch_alloc(c->lane, text.n);
        if (text.n) memcpy(own, text.p, text.n);
        ((struct hr_text *)c->out->at)[i] = (struct hr_text){own, (uint32_t)text.n, 0};
    }
    hr_buffer_free(&text);
    return true;
}

/* ---- parts of a day and of a time ---- */

static int part_year(int64_t day) { int y, m, d; date_civil_of(day, &y, &m, &d); return y; }
static int part_month(int64_t day) { int y, m, d; date_civil_of(day, &y, &m, &d); return m; }
static int part_day(int64_t day) { int y, m, d; date_civil_of(day, &y, &m, &d); return d; }
static int part_quarter(int64_t day) { return (part_month(day) + 2) / 3; }
static int part_dayofyear(int64_t day) { return (int)(day - date_days_of(part_year(day), 1, 1) + 1); }
/* Sunday is 1; 1970-01-01 was a Thursday. */
static int part_dayofweek(int64_t day) { return (int)(day + 4 - floor_divide(day + 4, 7) * 7) + 1; }

static int64_t time_of(int64_t us) { return floor_rest(us, DAY_US); }
static int part_hour(int64_t us) { return (int)(time_of(us) / (3600 * second_us)); }
static int part_minute(int64_t us) { return (int)(time_of(us) / (60 * second_us) % 60); }
static int part_second(int64_t us) { return (int)(time_of(us) / second_us % 60); }

#define PART(name)                                                                                 \
    static bool name(const struct hr_call *c) {                                                    \
        HR_EACH(c->rows, i) {                                                                      \
            int64_t at = c->arg[0]->type.id == HR_DATE ? DAYS(c->arg[0], i) : MICROS(c->arg[0], i); \
            ((int32_t *)c->out->at)[i] = part_##name(at);                                          \
        }                                                                                          \
        return true;                                                                               \
    }
PART(year)
PART(quarter)
PART(month)
PART(day)
PART(dayofyear)
PART(dayofweek)
PART(hour)
PART(minute)
PART(second)

/* ---- moving ---- */

static bool in_calendar(int64_t day) { return day >= -719162 && day <= 2932896; /* 0001-01-01, 9999-12-31 */ }

static void put_day(const struct hr_call *c, uint32_t i, int64_t day) {
    if (in_calendar(day)) ((int32_t *)c->out->at)[i] = (int32_t)day;
    else hr_set_null(c->out, i);
}

static bool date_add(const struct hr_call *c) {
    HR_EACH(c->rows, i) put_day(c, i, (int64_t)DAYS(c->arg[0], i) + DAYS(c->arg[1], i));
    return true;
}

static bool date_sub(const struct hr_call *c) {
    HR_EACH(c->rows, i) put_day(c, i, (int64_t)DAYS(c->arg[0], i) - DAYS(c->arg[1], i));
    return true;
}

static bool datediff(const struct hr_call *c) {
    HR_EACH(c->rows, i) ((int32_t *)c->out->at)[i] = DAYS(c->arg[0], i) - DAYS(c->arg[1], i);
    return true;
}

/* The same day of another month, or that month's last. */
static bool add_months(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        int y, m, d;
        date_civil_of(DAYS(c->arg[0], i), &y, &m, &d);
        int64_t months = (int64_t)y * 12 + m - 1 + DAYS(c->arg[1], i), year = floor_divide(months, 12);
        if (year < 1 || year > 9999) {
            hr_set_null(c->out, i);
            continue;
        }
        int month = (int)(months - year * 12) + 1, last = date_month_days((int)year, month);
        put_day(c, i, date_days_of((int)year, month, d < last ? d : last));
    }
    return true;
}

static bool last_day(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        int y, m, d;
        date_civil_of(DAYS(c->arg[0], i), &y, &m, &d);
        put_day(c, i, date_days_of(y, m, date_month_days(y, m)));
    }
    return true;
}

/* ---- cutting off ---- */

enum unit { YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, UNKNOWN };

static enum unit unit_of(const struct hr_text *text) {
    static const struct { const char *name; enum unit unit; } units[] = {
        {"year", YEAR}, {"yyyy", YEAR}, {"yy", YEAR}, {"quarter", QUARTER}, {"month", MONTH}, {"mm", MONTH},
        {"mon", MONTH}, {"week", WEEK}, {"day", DAY}, {"dd", DAY}, {"hour", HOUR}, {"minute", MINUTE},
        {"second", SECOND}, {"millisecond", MILLISECOND}, {"microsecond", MICROSECOND},
    };
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (text->n == strlen(units[k].name) && !strncasecmp(text->p, units[k].name, text->n)) return units[k].unit;
    return UNKNOWN;
}

static bool check_unit(const struct hr_text *text, enum unit finest, struct hr_error *err) {
    if (text && unit_of(text) <= finest) return true;
    return hr_fail(err, HR_ECONFIG, "the unit must be one of 'year', 'quarter', 'month', 'week'%s",
                   finest == WEEK ? "" : ", 'day', 'hour', 'minute', 'second', 'millisecond', 'microsecond'");
}

static bool type_date_trunc(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives,
                            struct hr_error *err) {
    (void)args, (void)arg, (void)gives;
    return check_unit(constant[0], MICROSECOND, err);
}

static bool type_trunc(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives,
                       struct hr_error *err) {
    (void)args, (void)arg, (void)gives;
    return check_unit(constant[1], WEEK, err);
}

static int64_t day_cut(int64_t day, enum unit unit) {
    int y, m, d;
    date_civil_of(day, &y, &m, &d);
    switch (unit) {
    case YEAR: return date_days_of(y, 1, 1);
    case QUARTER: return date_days_of(y, (m - 1) / 3 * 3 + 1, 1);
    case MONTH: return day - d + 1;
    case WEEK: return floor_divide(day + 3, 7) * 7 - 3; /* Monday */
    default: return day;
    }
}

/* False: the start of the unit lies before all timestamps. */
static bool moment_cut(int64_t us, enum unit unit, int64_t *out) {
    static const int64_t size[] = {[HOUR] = 3600000000, [MINUTE] = 60000000, [SECOND] = 1000000, [MILLISECOND] = 1000, [MICROSECOND] = 1};
    if (unit > DAY) return !__builtin_mul_overflow(floor_divide(us, size[unit]), size[unit], out);
    return !__builtin_mul_overflow(day_cut(floor_divide(us, DAY_US), unit), DAY_US, out);
}

static bool date_trunc(const struct hr_call *c) {
    enum unit unit = unit_of(hr_value(c->arg[0], first_of(c->rows)));
    HR_EACH(c->rows, i)
        if (!moment_cut(MICROS(c->arg[1], i), unit, &((int64_t *)c->out->at)[i])) hr_set_null(c->out, i);
    return true;
}

static bool trunc_date(const struct hr_call *c) {
    enum unit unit = unit_of(hr_value(c->arg[1], first_of(c->rows)));
    HR_EACH(c->rows, i) put_day(c, i, day_cut(DAYS(c->arg[0], i), unit));
    return true;
}

/* ---- numbers ---- */

static void put_moment(const struct hr_call *c, uint32_t i, int64_t us) {
    if (in_calendar(floor_divide(us, DAY_US))) ((int64_t *)c->out->at)[i] = us;
    else hr_set_null(c->out, i);
}

static bool scaled(const struct hr_call *c, int64_t by) {
    HR_EACH(c->rows, i) {
        int64_t us;
        if (__builtin_mul_overflow(MICROS(c->arg[0], i), by, &us)) hr_set_null(c->out, i);
        else put_moment(c, i, us);
    }
    return true;
}

/* Seconds may have a fraction: a DOUBLE, or a DECIMAL with six digits of it. */
static bool type_seconds(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives,
                         struct hr_error *err) {
    (void)args, (void)constant, (void)gives;
    if (arg[0].id == HR_TIMESTAMP) return hr_fail(err, HR_ECONFIG, "a number is wanted here, not a TIMESTAMP");
    if (arg[0].id == HR_DECIMAL) arg[0] = (struct hr_type){HR_DECIMAL, 38, 6};
    else if (arg[0].id != HR_DOUBLE) arg[0] = (struct hr_type)T(HR_BIGINT);
    return true;
}

static bool timestamp_seconds(const struct hr_call *c) {
    if (c->arg[0]->type.id == HR_BIGINT) return scaled(c, second_us);
    HR_EACH(c->rows, i) {
        double us = 0;
        hr_int128 exact = 0;
        if (c->arg[0]->type.id == HR_DOUBLE) us = ((const double *)c->arg[0]->at)[i] * 1e6;
        else us = (double)(exact = ((const hr_int128 *)c->arg[0]->at)[i]);
        if (!(fabs(us) < 0x1p62)) hr_set_null(c->out, i);
        else put_moment(c, i, c->arg[0]->type.id == HR_DOUBLE ? (int64_t)us : (int64_t)exact);
    }
    return true;
}

static bool timestamp_millis(const struct hr_call *c) { return scaled(c, 1000); }

static bool unix_of(const struct hr_call *c, int64_t unit) {
    HR_EACH(c->rows, i) ((int64_t *)c->out->at)[i] = floor_divide(MICROS(c->arg[0], i), unit);
    return true;
}

static bool unix_seconds(const struct hr_call *c) { return unix_of(c, second_us); }
static bool unix_millis(const struct hr_call *c) { return unix_of(c, 1000); }

#define DATE T(HR_DATE)
#define TIMESTAMP T(HR_TIMESTAMP)
#define INT T(HR_INT)
#define BIGINT T(HR_BIGINT)
#define TEXT T(HR_STRING)

static const struct hr_function table[] = {
    {"to_date", "to_date(text[, format]): read a day", 1, 2, {{0}, TEXT}, DATE, type_read, false, read_moments},
    {"to_timestamp", "to_timestamp(text[, format]): read a time; a number is seconds since 1970", 1, 2, {{0}, TEXT}, TIMESTAMP, type_read, false, read_moments},
    {"date_format", "date_format(time, format): write a time", 2, 2, {TIMESTAMP, TEXT}, TEXT, type_pattern_second, false, date_format},
    {"year", "year(day)", 1, 1, {DATE}, INT, NULL, false, year},
    {"quarter", "quarter(day): 1 to 4", 1, 1, {DATE}, INT, NULL, false, quarter},
    {"month", "month(day): 1 to 12", 1, 1, {DATE}, INT, NULL, false, month},
    {"day", "day(day): 1 to 31", 1, 1, {DATE}, INT, NULL, false, day},
    {"dayofmonth", "dayofmonth(day): 1 to 31", 1, 1, {DATE}, INT, NULL, false, day},
    {"dayofyear", "dayofyear(day): 1 to 366", 1, 1, {DATE}, INT, NULL, false, dayofyear},
    {"dayofweek", "dayofweek(day): 1 is Sunday, 7 is Saturday", 1, 1, {DATE}, INT, NULL, false, dayofweek},
    {"hour", "hour(time): 0 to 23", 1, 1, {TIMESTAMP}, INT, NULL, false, hour},
    {"minute", "minute(time): 0 to 59", 1, 1, {TIMESTAMP}, INT, NULL, false, minute},
    {"second", "second(time): 0 to 59", 1, 1, {TIMESTAMP}, INT, NULL, false, second},
    {"date_add", "date_add(day, n): n days later", 2, 2, {DATE, INT}, DATE, NULL, false, date_add},
    {"date_sub", "date_sub(day, n): n days earlier", 2, 2, {DATE, INT}, DATE, NULL, false, date_sub},
    {"datediff", "datediff(end, start): days between", 2, 2, {DATE, DATE}, INT, NULL, false, datediff},
    {"add_months", "add_months(day, n): n months later", 2, 2, {DATE, INT}, DATE, NULL, false, add_months},
    {"last_day", "last_day(day): of its month", 1, 1, {DATE}, DATE, NULL, false, last_day},
    {"date_trunc", "date_trunc(unit, time): cut off what is finer", 2, 2, {TEXT, TIMESTAMP}, TIMESTAMP, type_date_trunc, false, date_trunc},
    {"trunc", "trunc(day, unit): first day of its year, quarter, month or week", 2, 2, {DATE, TEXT}, DATE, type_trunc, false, trunc_date},
    {"timestamp_seconds", "timestamp_seconds(n): since 1970", 1, 1, {{0}}, TIMESTAMP, type_seconds, false, timestamp_seconds},
    {"timestamp_millis", "timestamp_millis(n): since 1970", 1, 1, {BIGINT}, TIMESTAMP, NULL, false, timestamp_millis},
    {"unix_seconds", "unix_seconds(time): since 1970", 1, 1, {TIMESTAMP}, BIGINT, NULL, false, unix_seconds},
    {"unix_millis", "unix_millis(time): since 1970", 1, 1, {TIMESTAMP}, BIGINT, NULL, false, unix_millis},
    {0},
};

HR_PLUGIN(functions, dates) = {
    .kind = HR_FUNCTIONS,
    .name = "dates",
    .about = "read, write, take apart and move dates and times",
    .functions = table,
};
HR_MODULE(HR_RECORD(functions, dates));
