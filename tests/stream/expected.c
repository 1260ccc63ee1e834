/*
 * What the invoice job must come to: for each SellerID the correctly rounded sums of InvoiceTotal_amount and
 * tax_amount over the file read TIMES times, in SellerID order.
 *
 *   expected [-f FORMAT] [-a] FILE [TIMES]
 *
 *   -f list   SellerID|TotalSales|TotalTax, in the fewest digits that read back as the same double (the default)
 *   -f json   the console's rows: {"SellerID":1,"TotalSales":...,"TotalTax":...}
 *   -f bits   as list, but each sum as the 16 hex digits of its double. `select *` of the sqlite3 shell rounds to 15
 *             digits, so for a byte-for-byte comparison ask for
 *             select SellerID, hex(ieee754_to_blob(TotalSales)), hex(ieee754_to_blob(TotalTax)) from group_by
 *   -a        one row over all sellers; its SellerID is 0
 *
 * How it is exact: a double is a whole number of 2^-80 (or it is refused), so sums and products in 128-bit integers
 * are too (or the overflow is refused), and the only rounding is that of the result, which C converts to the nearest
 * double. A missing amount does not count; a sum over nothing is NULL: nothing, null or nothing.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "double.h"

enum { UNIT = 80 };   /* sums count in 2^-80 */
enum { SUMS = 2 };

struct sum { __int128 units; bool any; };
struct row { long seller; struct sum of[SUMS]; };

static long seller(const char *text) {
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end) die("'%s' is no SellerID", text);
    return n;
}

static struct sum amount(const char *text) {
    if (!*text) return (struct sum){ 0 };
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end) die("'%s' is no amount", text);
    double units = ldexp(x, UNIT);
    if (!(fabs(units) < ldexp(1, 127)) || units != trunc(units)) die("%s: no whole number of 2^-%d", text, UNIT);
    return (struct sum){ (__int128)units, true };
}

static void add(struct sum *to, struct sum x) {
    if (__builtin_add_overflow(to->units, x.units, &to->units)) die("a sum overflows");
    to->any |= x.any;
}

static double rounded(struct sum s, long times) {
    __int128 units;
    if (__builtin_mul_overflow(s.units, (__int128)times, &units)) die("a sum overflows");
    return ldexp((double)units, -UNIT);
}

static int by_seller(const void *a, const void *b) {
    long x = ((const struct row *)a)->seller, y = ((const struct row *)b)->seller;
    return (x > y) - (x < y);
}

static struct row *read_rows(const struct csv *c, bool all) {
    size_t key = csv_column(c, "SellerID"), sales = csv_column(c, "InvoiceTotal_amount"), tax = csv_column(c, "tax_amount");
    struct row *rows = calloc(c->rows + 1, sizeof *rows);
    if (!rows) die("out of memory");
    for (size_t i = 0; i < c->rows; i++) {
        rows[i].seller = all ? 0 : seller(csv_at(c, i, key));
        rows[i].of[0] = amount(csv_at(c, i, sales));
        rows[i].of[1] = amount(csv_at(c, i, tax));
    }
    qsort(rows, c->rows, sizeof *rows, by_seller);
    return rows;
}

static void print(const struct row *row, long times, const char *format) {
    char text[SUMS][DOUBLE_TEXT] = { "", "" };
    bool json = !strcmp(format, "json"), bits = !strcmp(format, "bits");
    for (int i = 0; i < SUMS; i++) {
        double x = rounded(row->of[i], times);
        uint64_t raw;
        memcpy(&raw, &x, sizeof raw);
        if (!row->of[i].any) snprintf(text[i], DOUBLE_TEXT, "%s", json ? "null" : "");
        else if (bits) snprintf(text[i], DOUBLE_TEXT, "%016" PRIX64, raw);
        else if (json) double_as_java(text[i], x);
        else double_as_c(text[i], x);
    }
    printf(json ? "{\"SellerID\":%ld,\"TotalSales\":%s,\"TotalTax\":%s}\n" : "%ld|%s|%s\n", row->seller, text[0], text[1]);
}

int main(int argc, char **argv) {
    const char *format = "list", *usage = "usage: expected [-f list|json|bits] [-a] FILE [TIMES]";
    bool all = false;
    for (int o; (o = getopt(argc, argv, "f:a")) != -1;)
        if (o == 'f') format = optarg;
        else if (o == 'a') all = true;
        else die("%s", usage);
    argv += optind;
    argc -= optind;
    long times = argc == 2 ? strtol(argv[1], NULL, 10) : 1;
    if (argc < 1 || argc > 2 || times < 1) die("%s", usage);
    if (strcmp(format, "list") && strcmp(format, "json") && strcmp(format, "bits")) die("%s", usage);

    struct csv csv;
    csv_read(&csv, argv[0]);
    struct row *rows = read_rows(&csv, all);
    for (size_t i = 0, next; i < csv.rows; i = next) {
        for (next = i + 1; next < csv.rows && rows[next].seller == rows[i].seller; next++)
            for (int s = 0; s < SUMS; s++) add(&rows[i].of[s], rows[next].of[s]);
        print(&rows[i], times, format);
    }
    free(rows);
    csv_free(&csv);
    return fflush(stdout) ? 1 : 0;
}
