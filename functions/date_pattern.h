/*
 * date_pattern.h: dates and timestamps as text, by Spark 3.5's datetime patterns (those of Java's
 * DateTimeFormatter that say something about a day or a time of day).
 * A pattern is a plain value: it owns nothing, and is never changed after date_pattern_compile().
 */
#ifndef HR_DATE_PATTERN_H
#define HR_DATE_PATTERN_H

#include <headrace/plugin.h>

enum { DATE_PARTS = 24, DATE_LITERAL = 16 };

struct date_part {
    char letter;  /* y M d H h m s S a, or 0: literal */
    uint8_t count; /* letters; bytes of a literal */
    uint8_t behind; /* digits that the numbers of fixed width right behind this one take of its run */
    char literal[DATE_LITERAL];
};

struct date_pattern {
    int n;
    struct date_part part[DATE_PARTS];
};

/* NULL, or why the pattern is refused: a static string. */
const char *date_pattern_compile(struct date_pattern *, const char *text, size_t n);
/* All of the text must match, and name a day of the calendar. Microseconds since 1970-01-01 UTC; what the
 * pattern leaves out is 1970-01-01 00:00:00. */
bool date_pattern_parse(const struct date_pattern *, struct hr_text, int64_t *us);
void date_pattern_format(const struct date_pattern *, int64_t us, struct hr_buffer *);

/* Days since 1970-01-01 to year, month and day, and back (Howard Hinnant, "chrono-compatible low-level
 * date algorithms"). */
void date_civil_of(int64_t days, int *y, int *m, int *d);
int64_t date_days_of(int y, int m, int d);
int date_month_days(int y, int m);

enum { DAY_SECONDS = 86400 };
#define DAY_US (INT64_C(86400000000))

/* Round down, for times before 1970 too. */
static inline int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int64_t floor_rest(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

#endif
