/* test_type.c: types and schemas as text */
#include "tests/values.h"

static struct arena arena;

static void teardown(void) { arena_free(&arena); }

static const struct {
    const char *text, *name; /* NULL: refused */
    const char *rest;
} types[] = {
    {"BOOLEAN", "BOOLEAN", ""}, {"int", "INT", ""}, {"Integer", "INT", ""}, {"BIGINT", "BIGINT", ""}, {"long", "BIGINT", ""},
    {"Double", "DOUBLE", ""}, {"STRING", "STRING", ""}, {"DATE", "DATE", ""}, {"timestamp", "TIMESTAMP", ""},
    {"DECIMAL(18,2)", "DECIMAL(18,2)", ""}, {"dec ( 5 , 5 )", "DECIMAL(5,5)", ""}, {"NUMERIC(38)", "DECIMAL(38,0)", ""},
    {"DECIMAL", "DECIMAL(10,0)", ""}, {" \n INT", "INT", ""}, {"INT)", "INT", ")"}, {"INT, b", "INT", ", b"},
    {"DECIMAL(0,0)", NULL, NULL}, {"DECIMAL(39,0)", NULL, NULL}, {"DECIMAL(5,6)", NULL, NULL}, {"DECIMAL(5,2", NULL, NULL},
    {"DECIMAL(5,)", NULL, NULL}, {"DECIMAL()", NULL, NULL}, {"DECIMAL(1000,2)", NULL, NULL}, {"DECIMAL(-5,2)", NULL, NULL},
    {"", NULL, NULL}, {"INTEGERS", NULL, NULL}, {"IN", NULL, NULL}, {"VARCHAR(10)", NULL, NULL}, {"1", NULL, NULL},
};

START_TEST(type_names) {
    char name[24];
    struct hr_type type;
    const char *p = types[_i].text;
    bool ok = type_parse(&p, &type);
    ck_assert_msg(ok == !!types[_i].name, "%s: %d", types[_i].text, ok);
    if (!ok) return;
    ck_assert_str_eq(type_name(type, name), types[_i].name);
    ck_assert_str_eq(p, types[_i].rest);
    p = name; /* and its own name gives it back */
    struct hr_type again;
    ck_assert(type_parse(&p, &again) && type_equal(type, again));
}
END_TEST

START_TEST(types_that_differ) {
    char name[24];
    for (int i = 0; i < EVERY_TYPE; i++)
        for (int j = 0; j < EVERY_TYPE; j++) ck_assert_int_eq(type_equal(every_type[i], every_type[j]), i == j);
    struct hr_type odd = {HR_INT, 3, 1}; /* precision and scale mean nothing here */
    ck_assert(type_equal(odd, T(HR_INT)));
    ck_assert_str_eq(type_name(T(HR_NONE), name), "VOID");
}
END_TEST

static const struct {
    const char *text, *shown; /* name=type of each column */
} schemas[] = {
    {"a INT", "a=INT"}, {"a INT, b DECIMAL(18,2) NOT NULL,c string", "a=INT b=DECIMAL(18,2) c=STRING"},
    {" `odd name` DOUBLE , `b``q`: DATE ", "odd name=DOUBLE b`q=DATE"}, {"a:INT,b :BIGINT", "a=INT b=BIGINT"},
    {"a INT not null", "a=INT"}, {"_1 INT, 1a INT", "_1=INT 1a=INT"}, {"Gr\xc3\xb6\xc3\x9f" "e INT", "Gr\xc3\xb6\xc3\x9f" "e=INT"},
    {"date DATE, int INT", "date=DATE int=INT"},
};

START_TEST(schema_of_columns) {
    struct hr_schema s;
    struct hr_error err = {0};
    size_t at;
    struct hr_buffer b = {0};
    char *exact = strdup(schemas[_i].text);
    ck_assert_msg(schema_parse(&arena, exact, &s, &at, &err), "%s: %s", exact, err.text);
    free(exact); /* the names are copies */
    char name[24];
    for (int i = 0; i < s.n; i++) buffer_printf(&b, "%s%s=%s", i ? " " : "", s.field[i].name, type_name(s.field[i].type, name));
    buffer_putc(&b, '\0');
    ck_assert_str_eq(b.p, schemas[_i].shown);
    buffer_free(&b);
}
END_TEST

static const struct {
    const char *text;
    size_t at;
    const char *why;
} faults[] = {
    {"", 0, "a column name is wanted"}, {"  ", 2, "a column name is wanted"}, {"a INT,", 6, "a column name is wanted"},
    {"a INT, , b INT", 7, "a column name is wanted"}, {"a", 1, "a type is wanted"}, {"a INTT", 2, "a type is wanted"},
    {"a INT b INT", 6, "a comma or the end"}, {"a INT, A BIGINT", 7, "'A' stands twice"}, {"`a INT", 0, "a column name is wanted"},
    {"`` INT", 0, "a column name is wanted"}, {"a INT NOT", 2, "NOT is followed by NULL"}, {"a DECIMAL(40,2)", 2, "a type is wanted"},
    {"a INT;", 5, "a comma or the end"}, {"a INT NOTNULL", 6, "a comma or the end"},
};

START_TEST(schema_faults_have_their_place) {
    struct hr_schema s;
    struct hr_error err = {0};
    size_t at = 999;
    ck_assert(!schema_parse(&arena, faults[_i].text, &s, &at, &err));
    ck_assert_msg(at == faults[_i].at && strstr(err.text, faults[_i].why), "'%s': %zu: %s", faults[_i].text, at, err.text);
    ck_assert_int_eq(err.code, HR_ECONFIG);
}
END_TEST

START_TEST(schema_of_a_thousand_columns) {
    struct hr_buffer b = {0};
    struct hr_schema s;
    struct hr_error err = {0};
    size_t at;
    for (int i = 0; i < 1000; i++) buffer_printf(&b, "%sc%d INT", i ? ", " : "", i);
    buffer_putc(&b, '\0');
    ck_assert(schema_parse(&arena, b.p, &s, &at, &err));
    ck_assert_int_eq(s.n, 1000);
    ck_assert_str_eq(s.field[999].name, "c999");
    b.n--;
    buffer_puts(&b, ", c1000 INT");
    buffer_putc(&b, '\0');
    ck_assert(!schema_parse(&arena, b.p, &s, &at, &err));
    ck_assert_str_eq(err.text, "more than 1000 columns");
    buffer_free(&b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("type");
    TCase *t = tcase_create("type");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_loop_test(t, type_names, 0, COUNT(types));
    tcase_add_test(t, types_that_differ);
    tcase_add_loop_test(t, schema_of_columns, 0, COUNT(schemas));
    tcase_add_loop_test(t, schema_faults_have_their_place, 0, COUNT(faults));
    tcase_add_test(t, schema_of_a_thousand_columns);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
