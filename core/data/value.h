/*
 * value.h: single values as text, JSON and keys, and back.  Semantics are Spark SQL's; docs/differences.md has what differs.
 */
#ifndef HR_VALUE_H
#define HR_VALUE_H

#include "core/base/base.h"

/* "DECIMAL(18,2)"; at most 24 bytes with the NUL. */
const char *type_name(struct hr_type, char out[24]);
bool type_equal(struct hr_type, struct hr_type);
/* Parse "a INT, `odd name` DECIMAL(18,2) NOT NULL". On a fault sets *at to the byte offset and *err. */
bool schema_parse(struct arena *, const char *text, struct hr_schema *out, size_t *at, struct hr_error *);
/* One type name such as "DECIMAL(18,2)" starting at *p, which moves behind it. */
bool type_parse(const char **p, struct hr_type *out);
/* For a message: what type_parse() takes. */
#define TYPE_NAMES "BOOLEAN, INT, BIGINT, DOUBLE, STRING, DATE, TIMESTAMP or DECIMAL(p,s) with p up to 38 and s up to p"

/* proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms") */
/* Within the years 1 to 9999. */
static inline bool timestamp_valid(int64_t us) { return us >= -62135596800000000 && us < 253402300800000000; }
static inline bool days_valid(int64_t days) { return days >= -719162 && days <= 2932896; }
bool date_valid(int y, int m, int d);
int32_t date_days(int y, int m, int d);
void date_civil(int64_t days, int *y, int *m, int *d);

/* As show() prints them: doubles like Java's Double.toString (JDK 19), dates yyyy-MM-dd, timestamps
 * yyyy-MM-dd HH:mm:ss[.ffffff] UTC. Strings raw. */
void value_text(struct hr_buffer *, struct hr_type, const void *value);
/* As CAST(... AS STRING): differs for a DECIMAL below 1e-6 only, which show() writes without an exponent. */
void value_string(struct hr_buffer *, struct hr_type, const void *value);
/* As to_json() writes them; strings quoted and escaped, NaN and Infinity as strings. */
void value_json(struct hr_buffer *, struct hr_type, const void *value);
/* A JSON string with quotes; invalid UTF-8 becomes U+FFFD. */
void json_quote(struct hr_buffer *, const char *p, size_t n);
/* CAST(text AS type): surrounding blanks ignored; false: null. STRING points into the text. */
bool value_parse(struct hr_type, struct hr_text, void *value);
/* CAST between any two types; false: null (also for what does not fit). Text goes to *scratch. */
bool value_cast(struct hr_type from, const void *in, struct hr_type to, void *out, struct arena *scratch);

/* A number written as SQL and JSON write one, to the nearest double, ties to even; too large is infinite. */
double double_read(struct hr_text);
/* mantissa * 10^exponent, likewise; false: double_read() has to look at the text. */
bool double_scale(uint64_t mantissa, int exponent, double *out);

/* Decimal arithmetic helpers on 128-bit integers. */
bool decimal_fits(hr_int128 v, int precision);
bool decimal_rescale(hr_int128 v, int from_scale, int to_scale, hr_int128 *out); /* half up; false: overflow */
bool decimal_parse(const char *p, size_t n, int precision, int scale, hr_int128 *out); /* JSON/SQL number text */
double decimal_to_double(hr_int128 v, int scale); /* correctly rounded */

bool utf8_valid(const char *p, size_t n);
char *utf8_put(char *out, uint32_t rune); /* one to four bytes; returns behind them */

/* Order-preserving, prefix-free encoding of one key value (nulls first; -0.0 = 0.0; one NaN, last);
 * concatenated for several. Decode moves *p; a string is copied to the arena. */
void key_put(struct hr_buffer *, struct hr_type, const void *value_or_null);
bool key_get(const char **p, const char *end, struct hr_type, void *value, bool *null, struct arena *);

#endif
