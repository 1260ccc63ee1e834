/* test_date_pattern.c: dates and times by Spark's patterns: which are refused, what they read, what they write */
#include "functions/date_pattern.h"
#include "tests/values.h"

static struct arena arena;

static const struct hr_host host = {.abi = HR_ABI, .put = buffer_put};
static void setup(void) { hr_host = &host; }
static void teardown(void) { arena_free(&arena); }

/* ---- patterns ---- */

static const struct {
    const char *pattern, *why; /* NULL: good */
} patterns[] = {
    {"yyyy-MM-dd", NULL}, {"y/M/d", NULL}, {"MM-dd-yy", NULL}, {"yyyy-MM-dd'T'HH:mm:ss.SSSSSS", NULL}, {"hh:mm a", NULL}, {"d MMMM yyyy", NULL},
    {"''yy", NULL}, {"'it''s' d", NULL}, {"SSSSSSSSS", NULL}, {"'", "never closed"}, {"yyyy'T", "never closed"}, {"", NULL},
    {"yyy", "once, twice or four times"}, {"yyyyy", "once, twice or four times"}, {"MMMMM", "at most four times"}, {"ddd", "at most twice"}, {"HHH", "at most twice"}, {"mmm", "at most twice"},
    {"sss", "at most twice"}, {"SSSSSSSSSS", "at most nine times"}, {"aa", "a stands once"}, {"E", "only the letters"}, {"Z", "only the letters"}, {"uuuu", "only the letters"}, {"yyyyT", "only the letters"},
    {"[yyyy]", "reserved"}, {"yyyy#", "reserved"}, {"{", "reserved"},
    {"y-y-y-y-y-y-y-y-y-y-y-y-", NULL}, {"y-y-y-y-y-y-y-y-y-y-y-y-y", "too many parts"}, {"'0123456789abcdef0123456789'", NULL},
    {"y-y-y-y-y-y-y-y-y-y-y-y'0123456789abcdef0'", "too many parts"},
};

START_TEST(patterns_are_checked) {
    struct date_pattern p;
    char *exact = exact_bytes(patterns[_i].pattern, strlen(patterns[_i].pattern));
    const char *why = date_pattern_compile(&p, exact, strlen(patterns[_i].pattern));
    free(exact);
    ck_assert_msg(patterns[_i].why ? why && strstr(why, patterns[_i].why) : !why, "%s: %s", patterns[_i].pattern, why ? why : "good");
}
END_TEST

static struct date_pattern compiled(const char *pattern) {
    struct date_pattern p;
    const char *why = date_pattern_compile(&p, pattern, strlen(pattern));
    ck_assert_msg(!why, "%s: %s", pattern, why);
    return p;
}

/* ---- reading; NULL: null ---- */

static const struct {
    const char *pattern, *text, *moment;
} read[] = {
    {"yyyy-MM-dd", "2024-02-29", "2024-02-29 00:00:00"}, {"yyyy-MM-dd", "2023-02-29", NULL}, {"yyyy-MM-dd", "1900-02-29", NULL}, {"yyyy-MM-dd", "2000-02-29", "2000-02-29 00:00:00"},
    {"yyyy-MM-dd", "2024-2-29", NULL}, {"yyyy-MM-dd", "24-02-29", NULL}, {"yyyy-MM-dd", "2024-02-29 ", NULL}, {"yyyy-MM-dd", "2024-02-2", NULL}, {"yyyy-MM-dd", "", NULL}, {"yyyy-MM-dd", "2024-00-01", NULL},
    {"yyyy-MM-dd", "2024-13-01", NULL}, {"yyyy-MM-dd", "2024-01-32", NULL}, {"yyyy-MM-dd", "2024-01-00", NULL}, {"yyyy-MM-dd", "0000-01-01", NULL}, {"yyyy-MM-dd", "-024-01-01", NULL}, {"yyyy-MM-dd", "0001-01-01", "0001-01-01 00:00:00"},
    {"MM-dd-yy", "02-28-24", "2024-02-28 00:00:00"}, {"MM-dd-yy", "02-30-24", NULL}, {"MM-dd-yy", "13-40-24", NULL}, {"MM-dd-yy", "2-5-24", NULL}, {"MM-dd-yy", "02-10-2024", NULL}, {"MM-dd-yy", "01-01-99", "2099-01-01 00:00:00"}, {"MM-dd-yy", "01-01-00", "2000-01-01 00:00:00"},
    {"M/d/y", "2/5/2024", "2024-02-05 00:00:00"}, {"M/d/y", "12/31/9999", "9999-12-31 00:00:00"}, {"M/d/y", "02/05/2024", "2024-02-05 00:00:00"}, {"M/d/y", "//2024", NULL}, {"M/d/y", "1/1/0", NULL},
    {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:59", "2024-02-29 23:59:59"}, {"yyyy-MM-dd HH:mm:ss", "2024-02-29 24:00:00", NULL}, {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:60:00", NULL}, {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:60", NULL},
    {"yyyy-MM-dd'T'HH:mm", "2024-02-29T07:05", "2024-02-29 07:05:00"}, {"yyyy-MM-dd'T'HH:mm", "2024-02-29t07:05", "2024-02-29 07:05:00"}, {"yyyy-MM-dd'T'HH:mm", "2024-02-29", NULL},
    {"HH:mm:ss.SSS", "01:02:03.045", "1970-01-01 01:02:03.045"}, {"HH:mm:ss.SSS", "01:02:03.04", "1970-01-01 01:02:03.04"}, {"HH:mm:ss.S", "01:02:03.4", "1970-01-01 01:02:03.4"}, {"HH:mm:ss.SSSSSSSSS", "01:02:03.123456789", "1970-01-01 01:02:03.123456"}, {"HH:mm:ss.SSSSSS", "01:02:03.000001", "1970-01-01 01:02:03.000001"},
    {"hh:mm a", "12:00 AM", "1970-01-01 00:00:00"}, {"hh:mm a", "12:00 PM", "1970-01-01 12:00:00"}, {"hh:mm a", "11:59 pm", "1970-01-01 23:59:00"}, {"hh:mm a", "00:10 AM", NULL}, {"hh:mm a", "13:00 AM", NULL}, {"hh:mm a", "10:00 XM", NULL}, {"hh:mm a", "10:00 A", NULL}, {"hh:mm a", "10:00 AX", NULL},
    {"d MMM yyyy", "5 Feb 2024", "2024-02-05 00:00:00"}, {"d MMM yyyy", "5 feb 2024", "2024-02-05 00:00:00"}, {"d MMM yyyy", "5 Fub 2024", NULL}, {"d MMM yyyy", "5 Fe", NULL}, {"d MMMM yyyy", "29 February 2024", "2024-02-29 00:00:00"}, {"d MMMM yyyy", "29 Feb 2024", NULL}, {"d MMMM yyyy", "31 December 1969", "1969-12-31 00:00:00"},
    {"hh:mm", "12:10", "1970-01-01 00:10:00"}, {"HH:mm a", "15:00 PM", "1970-01-01 15:00:00"}, {"HH:mm a", "03:00 PM", NULL}, {"HH:mm a", "12:00 AM", NULL}, {"HH:mm a", "00:00 AM", "1970-01-01 00:00:00"}, {"yyyy-MM-dd a", "2024-02-29 PM", "2024-02-29 12:00:00"},
    {"h H", "1 13", "1970-01-01 13:00:00"}, {"h H", "2 13", NULL}, {"h H", "12 0", "1970-01-01 00:00:00"}, {"h H", "0 12", NULL}, {"h H a", "1 13 PM", "1970-01-01 13:00:00"}, {"h H a", "1 13 AM", NULL},
    {"d dd", "2 02", "1970-01-02 00:00:00"}, {"d dd", "2 03", NULL}, {"yyyy yy", "2024 24", "2024-01-01 00:00:00"}, {"yyyy yy", "2024 23", NULL}, {"M MMM", "2 Feb", "1970-02-01 00:00:00"}, {"M MMM", "2 Mar", NULL}, {"S SS", "1 10", "1970-01-01 00:00:00.1"}, {"S SS", "1 2", NULL}, {"a a", "AM PM", NULL},
    {"Hmm", "930", "1970-01-01 09:30:00"}, {"Hmm", "1030", "1970-01-01 10:30:00"}, {"Hmm", "9", NULL}, {"Hmm", "93", NULL}, {"Hmm", "9 30", NULL}, {"Hmmss", "93015", "1970-01-01 09:30:15"}, {"Hmm", "000000000930", "1970-01-01 09:30:00"}, {"Hm", "930", NULL},
    {"HmmS", "9305", "1970-01-01 09:30:00.5"}, {"HmmssSSS", "93015123", NULL}, {"ssSSS", "5112", "1970-01-01 00:00:51.12"}, {"hmma", "930PM", "1970-01-01 21:30:00"}, {"dMMMyy", "9Feb24", "2024-02-09 00:00:00"}, {"ddHmm", "29930", "1970-01-29 09:30:00"}, {"ddHmm", "2930", NULL},
    {"yMMdd", "20240229", "2024-02-29 00:00:00"}, {"yMMdd", "240229", "0024-02-29 00:00:00"}, {"yyyyMMddHH", "2024022910", "2024-02-29 10:00:00"}, {"yyyyMMddH", "2024022910", NULL}, {"yyyyM", "202412", NULL}, {"yyyyMMddHHmmssSSS", "20240229103015123", NULL}, {"MMy", "122024", "2024-12-01 00:00:00"},
    {"H", "0000000000000000009", "1970-01-01 09:00:00"}, {"H", "00000000000000000009", NULL}, {"H", "99999999999999999999", NULL}, {"y", "9999999999", NULL}, {"yyyy", "+02024", "2024-01-01 00:00:00"}, {"yyyy", "+2024", NULL}, {"yyyy", "02024", NULL}, {"yyyyMM", "+0202402", "2024-02-01 00:00:00"}, {"y", "+2024", NULL}, {"", "", "1970-01-01 00:00:00"}, {"", "x", NULL},
    {"'day' d 'it''s'", "day 7 it's", "1970-01-07 00:00:00"}, {"'day' d", "dax 7", NULL}, {"''d''", "'7'", "1970-01-07 00:00:00"}, {"'0123456789abcdef0123456789' d", "0123456789abcdef0123456789 9", "1970-01-09 00:00:00"},
};

START_TEST(texts_are_read) {
    struct date_pattern p = compiled(read[_i].pattern);
    size_t n = strlen(read[_i].text);
    char *exact = exact_bytes(read[_i].text, n);
    int64_t us;
    bool ok = date_pattern_parse(&p, (struct hr_text){exact, (uint32_t)n, 0}, &us);
    free(exact);
    ck_assert_str_eq(ok ? text_of(&arena, T(HR_TIMESTAMP), &us) : "NULL", read[_i].moment ? read[_i].moment : "NULL");
}
END_TEST

/* ---- writing ---- */

static const struct {
    const char *pattern, *moment, *text;
} written[] = {
    {"yyyy-MM-dd HH:mm:ss.SSSSSS", "2024-02-09 03:04:05.000607", "2024-02-09 03:04:05.000607"}, {"yy-M-d H:m:s", "2004-02-09 03:04:05", "04-2-9 3:4:5"}, {"h:mm a", "1970-01-01 00:05:00", "12:05 AM"},
    {"hh a", "1970-01-01 12:00:00", "12 PM"}, {"hh a", "1970-01-01 23:00:00", "11 PM"}, {"d MMM yyyy, MMMM", "1969-12-31", "31 Dec 1969, December"}, {"S SS SSSS SSSSSSSSS", "1970-01-01 00:00:00.123456", "1 12 1234 123456000"},
    {"'T'''", "1970-01-01", "T'"}, {"yyyy y", "0001-01-01", "0001 1"}, {"", "1970-01-01", ""},
};

START_TEST(moments_are_written) {
    struct date_pattern p = compiled(written[_i].pattern);
    struct hr_buffer b = {0};
    int64_t us;
    value_of(T(HR_TIMESTAMP), written[_i].moment, &us, &arena);
    date_pattern_format(&p, us, &b);
    buffer_putc(&b, '\0');
    ck_assert_str_eq(b.p, written[_i].text);
    buffer_free(&b);
}
END_TEST

/* What a pattern wrote it reads again, as far as it says everything. */
START_TEST(written_moments_read_back) {
    static const char *const whole[] = {"yyyy-MM-dd HH:mm:ss.SSSSSS", "d MMM y hh:mm:ss.SSSSSS a", "MMMM d yyyy'at'H:m:s.SSSSSSSSS"};
    struct date_pattern p = compiled(whole[_i]);
    uint64_t seed = 31;
    for (int i = 0; i < 20000; i++) {
        int64_t us = (int64_t)random_below(&seed, 315537897600000000ull) - 62135596800000000, again;
        struct hr_buffer b = {0};
        date_pattern_format(&p, us, &b);
        MUST(date_pattern_parse(&p, (struct hr_text){b.p, (uint32_t)b.n, 0}, &again) && again == us, "%.*s", (int)b.n, b.p);
        buffer_free(&b);
    }
}
END_TEST

/* Far from today there are still years, months and days; the calendar agrees with the core's. */
START_TEST(calendar_of_all_timestamps) {
    struct date_pattern p = compiled("y-MM-dd HH:mm:ss.SSSSSS");
    struct hr_buffer b = {0};
    date_pattern_format(&p, INT64_MIN, &b);
    buffer_putc(&b, ' ');
    date_pattern_format(&p, INT64_MAX, &b);
    buffer_putc(&b, '\0');
    ck_assert_str_eq(b.p, "-290308-12-21 19:59:05.224192 294247-01-10 04:00:54.775807");
    buffer_free(&b);
    uint64_t seed = 17;
    for (int i = 0; i < 100000; i++) {
        int64_t days = (int64_t)random_below(&seed, 2 * 106751991ull) - 106751991;
        int y, m, d, y2, m2, d2;
        date_civil_of(days, &y, &m, &d);
        date_civil(days, &y2, &m2, &d2);
        MUST(y == y2 && m == m2 && d == d2 && date_days_of(y, m, d) == days && d <= date_month_days(y, m), "day %lld", (long long)days);
    }
    ck_assert(date_month_days(2000, 2) == 29 && date_month_days(1900, 2) == 28 && date_month_days(2024, 2) == 29 && date_month_days(2023, 2) == 28 && date_month_days(2023, 12) == 31);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("date_pattern");
    TCase *t = tcase_create("date_pattern");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, patterns_are_checked, 0, COUNT(patterns));
    tcase_add_loop_test(t, texts_are_read, 0, COUNT(read));
    tcase_add_loop_test(t, moments_are_written, 0, COUNT(written));
    tcase_add_loop_test(t, written_moments_read_back, 0, 3);
    tcase_add_test(t, calendar_of_all_timestamps);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
