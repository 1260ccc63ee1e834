/* test_config.c: units, ${NAME}, and a pipeline file as a tree with places: what is refused, and how that is said */
#include "tests/document.h"

#include <sys/stat.h>

/* ---- units ---- */

static const struct {
    const char *text;
    int64_t us, bytes; /* -1: refused */
} units[] = {
    {"5s", 5000000, -1}, {"100ms", 100000, -1}, {"7us", 7, -1}, {"2m", 120000000, -1}, {"1h", 3600000000, -1}, {"1d", 86400000000, -1}, {"0s", 0, -1}, {"007s", 7000000, -1},
    {"4096", -1, 4096}, {"12B", -1, 12}, {"64KiB", -1, 65536}, {"16MiB", -1, 16777216}, {"2GiB", -1, 2147483648}, {"0", -1, 0}, {"9223372036854775807", -1, INT64_MAX},
    {"9223372036854775808", -1, -1}, {"8589934592GiB", -1, -1}, {"8589934591GiB", -1, 8589934591 * (INT64_C(1) << 30)}, {"106751992d", -1, -1}, {"36501d", -1, -1}, {"36500d", 36500 * INT64_C(86400000000), -1},
    {"99999999999999999999s", -1, -1}, {"", -1, -1}, {"s", -1, -1}, {"5 s", -1, -1}, {" 5s", -1, -1}, {"-5s", -1, -1}, {"+5s", -1, -1}, {"1.5s", -1, -1}, {"5S", -1, -1}, {"5sec", -1, -1}, {"16MB", -1, -1}, {"16mib", -1, -1},
    {"0x10", -1, -1},
};

START_TEST(durations_and_sizes) {
    int64_t us = -7, bytes = -7;
    bool duration = duration_parse(units[_i].text, &us), size = bytes_parse(units[_i].text, &bytes);
    ck_assert_msg(duration == (units[_i].us >= 0) && (!duration || us == units[_i].us), "'%s': %d, %lld us", units[_i].text, duration, (long long)us);
    ck_assert_msg(size == (units[_i].bytes >= 0) && (!size || bytes == units[_i].bytes), "'%s': %d, %lld bytes", units[_i].text, size, (long long)bytes);
}
END_TEST

START_TEST(sizes_as_text) {
    static const struct { int64_t n; const char *text; } sizes[] = {{0, "0"}, {1, "1"}, {1023, "1023"}, {1024, "1KiB"}, {1025, "1025"}, {65536, "64KiB"}, {16777216, "16MiB"}, {INT64_C(5) << 30, "5GiB"}, {INT64_MAX, "9223372036854775807"}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char out[24];
        int64_t back;
        const char *text = bytes_text(sizes[i].n, out);
        ck_assert_msg(!strncmp(text, sizes[i].text, strlen(sizes[i].text)), "%lld: %s", (long long)sizes[i].n, text);
        ck_assert(bytes_parse(text, &back) && back == sizes[i].n);
    }
}
END_TEST

/* ---- ${NAME} ---- */

static const struct {
    const char *value, *expanded, *fault; /* of "k: VALUE" */
} expansions[] = {
    {"${HR_SET}", "from set", NULL}, {"${HR_ENV}", "from env", NULL}, {"a${HR_ENV}b${HR_SET}c", "afrom envbfrom setc", NULL}, {"${HR_ENV:-other}", "from env", NULL},
    {"${HR_NONE:-other}", "other", NULL}, {"${HR_EMPTY:-other}", "other", NULL}, {"'${HR_EMPTY}'", "", NULL}, {"'${HR_NONE:-}'", "", NULL}, {"${HR_NONE:-a:-b}", "a:-b", NULL}, {"${HR_NONE:-$5}", "$5", NULL},
    {"$HR_ENV", "$HR_ENV", NULL}, {"'$$ {x} $'", "$$ {x} $", NULL}, {"\"${HR_ENV}\"", "from env", NULL}, {"'${HR_YAML}'", "{a: [b", NULL}, {"${HR_NESTED}", "${HR_ENV}", NULL},
    {"${HR_NONE}", NULL, "${HR_NONE} is not set: export HR_NONE, use --set HR_NONE=VALUE, or write ${HR_NONE:-default}"}, {"${HR_ENV", NULL, "'${' is never closed by '}'"}, {"'${}'", NULL, "a variable is"}, {"'${1A}'", NULL, "a variable is"},
    {"'${A B}'", NULL, "a variable is"}, {"'${HR_ENV:=x}'", NULL, "a variable is"},
};

START_TEST(variables_are_expanded) {
    static const struct setting settings[] = {{"HR_SET", "hidden"}, {"HR_SET", "from set"}, {"HR_NESTED", "${HR_ENV}"}, {"HR_YAML", "{a: [b"}};
    struct document d;
    setenv("HR_ENV", "from env", 1);
    setenv("HR_SET", "from the environment", 1);
    setenv("HR_EMPTY", "", 1);
    unsetenv("HR_NONE");
    char *text;
    ck_assert_int_ge(asprintf(&text, "k: %s\nlist: [\"${HR_SET}\", '${HR_YAML}${HR_NESTED}']\n", expansions[_i].value), 0);
    bool ok = document_of_bytes(&d, text, strlen(text), settings, 4);
    free(text);
    ck_assert_msg(ok == !expansions[_i].fault, "%s: %s", expansions[_i].value, document_printed(&d));
    if (ok) {
        ck_assert_str_eq(yaml_get(d.root, "k")->text, expansions[_i].expanded);
        ck_assert_str_eq(yaml_get(d.root, "list")->entry[0].value->text, "from set");
    } else {
        ck_assert_int_eq(d.faults, 1);
        ck_assert_msg(strstr(d.fault[0].text, expansions[_i].fault) != NULL, "%s", d.fault[0].text);
        ck_assert_int_eq(d.fault[0].place.line, 1);
        ck_assert_int_eq(d.fault[0].place.column, 4);
    }
    document_free(&d);
}
END_TEST

START_TEST(settings_nobody_asks_for) {
    static const struct setting settings[] = {{"USED", "1"}, {"UNUSED", "2"}};
    struct document d;
    ck_assert(!document_of_bytes(&d, "a: ${USED}\n", 11, settings, 2));
    ck_assert_str_eq(document_printed(&d), "p.yaml: --set UNUSED: the file has no ${UNUSED}\n");
    document_free(&d);
}
END_TEST

/* ---- the tree ---- */

START_TEST(tree_with_places) {
    struct document d;
    ck_assert(document_of(&d, "\xef\xbb\xbf# \xc3\xa4\nname: plain\n\nmap:\n  'two words': \"quo\\nted\"\n  \xc3\xb6: [1, {x: 2}]\r\n  empty:\n  text: |\n    line\n    more\n"));
    struct yaml *map = yaml_get(d.root, "map"), *list = yaml_get(map, "\xc3\xb6");
    ck_assert(d.root->kind == YAML_MAP && d.root->n == 2 && map->n == 4 && list->kind == YAML_LIST && list->n == 2);
    ck_assert(yaml_get(d.root, "name")->place.line == 2 && yaml_get(d.root, "name")->place.column == 7 && !yaml_get(d.root, "name")->quoted);
    ck_assert_str_eq(yaml_get(map, "two words")->text, "quo\nted");
    ck_assert(yaml_get(map, "two words")->quoted && map->entry[0].key_place.column == 3);
    ck_assert_str_eq(yaml_get(list->entry[1].value, "x")->text, "2");
    ck_assert(list->entry[1].value->place.line == 6 && list->entry[1].value->place.column == 10); /* characters, not bytes */
    ck_assert(!list->entry[0].key && list->end.column == 17);
    ck_assert_str_eq(yaml_get(map, "empty")->text, "");
    ck_assert_str_eq(yaml_get(map, "text")->text, "line\nmore\n");
    ck_assert(!yaml_get(map, "none") && !yaml_get(NULL, "x") && !yaml_get(list, "x"));
    document_free(&d);
}
END_TEST

/* ---- what is refused, with its excerpt ---- */

static const struct {
    const char *text, *printed;
} refused[] = {
    {"", "p.yaml: is empty: a pipeline file is a YAML mapping (version, name, source, ...)\n"},
    {"# nothing\n", "p.yaml: is empty: a pipeline file is a YAML mapping (version, name, source, ...)\n"},
    {"just text\n", "p.yaml:1:1: a pipeline file is a YAML mapping (version, name, source, ...), not a scalar\n     1 | just text\n       | ^\n"},
    {"- a\n- b\n", "p.yaml:1:1: a pipeline file is a YAML mapping (version, name, source, ...), not a list\n     1 | - a\n       | ^\n"},
    {"a: 1\nbb: 2\na: 3\n", "p.yaml:3:1: 'a' stands here twice\n     3 | a: 3\n       | ^\n"},
    {"m:\n  same: 1\n  same: 2\n", "p.yaml:3:3: 'same' stands here twice\n     3 |   same: 2\n       |   ^^^^\n"},
    {"a: &x 1\n", "p.yaml:1:4: anchors and aliases are refused: write it out\n     1 | a: &x 1\n       |    ^\n"},
    {"a: 1\nb: *x\n", "p.yaml:2:4: anchors and aliases are refused: write it out\n     2 | b: *x\n       |    ^\n"},
    {"a: &x {b: 1}\nc: &y [1]\n", "p.yaml:1:4: anchors and aliases are refused: write it out\n     1 | a: &x {b: 1}\n       |    ^\np.yaml:2:4: anchors and aliases are refused: write it out\n     2 | c: &y [1]\n       |    ^\n"},
    {"a: !!str 1\n", "p.yaml:1:4: tags are refused\n     1 | a: !!str 1\n       |    ^\n"},
    {"a: 1\n--- \nb: 2\n", "p.yaml:2:1: a second document: one file is one pipeline\n     2 | --- \n       | ^^^\n"},
    {"? [a, b]\n: 1\n", "p.yaml:1:3: a key is a plain word\n     1 | ? [a, b]\n       |   ^\n"},
    {"a: \"x\\0y\"\n", "p.yaml:1:4: a value may not hold a NUL character\n     1 | a: \"x\\0y\"\n       |    ^\n"},
    {"k: caf\xe9\n", "p.yaml:1:7: this is not UTF-8\n     1 | k: caf?\n       |       ^\n"},
    {"k: 1\nl: a\x01\n", "p.yaml:2:5: this is a control character, which YAML does not allow\n     2 | l: a?\n       |     ^\n"},
    {"\xc3\xa9t\xc3\xa9: 1\n\xc3\xa9t\xc3\xa9: 2\n", "p.yaml:2:1: '\xc3\xa9t\xc3\xa9' stands here twice\n     2 | \xc3\xa9t\xc3\xa9: 2\n       | ^^^"},
};

START_TEST(files_are_refused) {
    struct document d;
    ck_assert(!document_of(&d, refused[_i].text));
    const char *printed = document_printed(&d);
    ck_assert_msg(!strncmp(printed, refused[_i].printed, strlen(refused[_i].printed)), "%s", printed);
    document_free(&d);
}
END_TEST

/* The parser's own words differ with its version; the place and the hint do not. */
START_TEST(broken_yaml_has_its_place) {
    struct document d;
    ck_assert(!document_of(&d, "a: 1\nb: {c: f(x, y: [\n"));
    const char *printed = document_printed(&d);
    ck_assert_msg(!strncmp(printed, "p.yaml:3:1: YAML: ", 18) && strstr(printed, "quote it"), "%s", printed);
    document_free(&d);
    ck_assert(!document_of(&d, "a: 1\n\tb: 2\n"));
    ck_assert_msg(strstr(document_printed(&d), "p.yaml:2:1: YAML: ") != NULL, "%s", document_printed(&d));
    document_free(&d);
}
END_TEST

START_TEST(size_and_depth_have_limits) {
    struct document d;
    size_t n = (1 << 20) + 1;
    char *text = malloc(n);
    memset(text, '#', n);
    memcpy(text, "a: 1\n", 5);
    ck_assert(document_of_bytes(&d, text, n - 1, NULL, 0));
    document_free(&d);
    ck_assert(!document_of_bytes(&d, text, n, NULL, 0));
    ck_assert_str_eq(document_printed(&d), "p.yaml: is larger than 1 MiB\n");
    document_free(&d);
    free(text);
    struct hr_buffer b = {0};
    buffer_puts(&b, "a: ");
    for (int i = 0; i < 100; i++) buffer_putc(&b, '[');
    for (int i = 0; i < 100; i++) buffer_putc(&b, ']');
    ck_assert(!document_of_bytes(&d, b.p, b.n, NULL, 0));
    ck_assert_msg(strstr(document_printed(&d), "p.yaml:1:35: nested deeper than 32 levels\n") != NULL, "%s", document_printed(&d));
    document_free(&d);
    buffer_free(&b);
}
END_TEST

START_TEST(files_that_are_none) {
    struct document d;
    ck_assert(!document_load(&d, "none.yaml", NULL, 0));
    ck_assert_str_eq(document_printed(&d), "none.yaml: cannot be read: No such file or directory\n");
    document_free(&d);
    ck_assert(!document_load(&d, "/tmp", NULL, 0));
    ck_assert_str_eq(document_printed(&d), "/tmp: is a directory\n");
    document_free(&d);
}
END_TEST

/* ---- faults by others: where they stand, their order, what they may not show ---- */

START_TEST(faults_are_sorted_and_told_once) {
    struct document d;
    ck_assert(document_of(&d, "a: 1\nb: 2\n"));
    ck_assert_str_eq(document_printed(&d), "");
    document_fault(&d, (struct hr_place){2, 4, &d}, 9, "second %d", 2);
    document_fault(&d, (struct hr_place){1, 1, &d}, 0, "first");
    document_fault(&d, (struct hr_place){2, 4, &d}, 9, "second %d", 2);
    document_fault(&d, (struct hr_place){.file = &d}, 1, "of the file\033[2J");
    ck_assert_str_eq(document_printed(&d), "p.yaml: of the file\\x1b[2J\np.yaml:1:1: first\n     1 | a: 1\n       | ^\n"
                     "p.yaml:2:4: second 2\n     2 | b: 2\n       |    ^\n");
    document_free(&d);
}
END_TEST

static const struct {
    const char *file;
    size_t at, n; /* of the value of k */
    const char *printed;
} within[] = {
    {"k: a + bb\n", 4, 2, "p.yaml:1:8: why\n     1 | k: a + bb\n       |        ^^\n"},
    {"k: 'a + bb'\n", 4, 2, "p.yaml:1:9: why\n     1 | k: 'a + bb'\n       |         ^^\n"},
    {"k: \"\xc3\xa9 + bb\"\n", 5, 2, "p.yaml:1:9: why\n     1 | k: \"\xc3\xa9 + bb\"\n       |         ^^\n"},
    {"k: |\n  a +\n  bb c\n", 4, 2, "p.yaml:3:3: why\n     3 |   bb c\n       |   ^^\n"},
    {"k: \"a\\x20+ bb\"\n", 4, 2, "p.yaml:1:4: why (at character 5 of 'a + bb')\n     1 | k: \"a\\x20+ bb\"\n       |    ^\n"},
    {"k: ${HR_NONE:-a + bb}\n", 4, 2, "p.yaml:1:4: why (at character 5 of 'a + bb')\n     1 | k: ${HR_NONE:-a + bb}\n       |    ^\n"},
    {"k: a + bb\n", 99, 5, "p.yaml:1:10: why\n     1 | k: a + bb\n       |          ^\n"},
};

START_TEST(faults_inside_of_values) {
    struct document d;
    unsetenv("HR_NONE");
    ck_assert(document_of(&d, within[_i].file));
    struct yaml *k = yaml_get(d.root, "k");
    document_fault_in(&d, k->place, k->text, within[_i].at, within[_i].n, "why");
    ck_assert_str_eq(document_printed(&d), within[_i].printed);
    document_free(&d);
}
END_TEST

START_TEST(secrets_are_not_shown) {
    struct document d;
    ck_assert(document_of(&d, "who: {user: me, key: hunter2, list: [hunter3, b]}\nplain: x\n"));
    document_hide(&d, yaml_get(yaml_get(d.root, "who"), "key"));
    document_hide(&d, yaml_get(yaml_get(d.root, "who"), "list"));
    document_fault(&d, (struct hr_place){1, 7, &d}, 4, "why");
    const char *printed = document_printed(&d);
    ck_assert_msg(!strstr(printed, "hunter2") && !strstr(printed, "hunter3") && strstr(printed, "user: me"), "%s", printed);
    document_free(&d);
    /* by their names, in a file that is whole and in one that is not */
    static const char *const files[] = {"sink:\n  kafka:\n    sasl.password: hunter2\n    sasl.password: hunter3\n", "sink:\n  kafka:\n    sasl.password: hunter2: x\n"};
    for (size_t i = 0; i < COUNT(files); i++) {
        ck_assert(!document_of(&d, files[i]));
        printed = document_printed(&d);
        ck_assert_msg(strstr(printed, "    sasl.password") && !strstr(printed, "hunter"), "%s", printed);
        document_free(&d);
    }
}
END_TEST

/* A line is shown up to a width, the fault's part of it. */
START_TEST(long_lines_are_cut) {
    struct document d;
    char text[2100] = "k: ";
    memset(text + 3, 'x', 2000);
    memcpy(text + 1500, "HERE", 4);
    text[2003] = '\n';
    ck_assert(document_of(&d, text));
    document_fault(&d, (struct hr_place){1, 1501, &d}, 4, "why");
    const char *printed = document_printed(&d), *here = strstr(printed, "HERE"), *caret = strstr(printed, "^^^^\n");
    ck_assert(here && caret && strlen(printed) < 500);
    const char *line = strstr(printed, " | "), *carets = strstr(line + 3, " | ");
    ck_assert_int_eq(here - line, caret - carets);
    document_free(&d);
}
END_TEST

START_TEST(suggestions) {
    struct document d;
    static const char *const names[] = {"filter", "select", NULL};
    ck_assert(document_of(&d, "a: 1\n"));
    ck_assert_str_eq(document_suggestion(&d, "fitler", names), "; did you mean 'filter'?");
    ck_assert_str_eq(document_suggestion(&d, "x", names), "");
    document_free(&d);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config");
    TCase *t = tcase_create("config");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, document_setup, document_teardown);
    tcase_add_loop_test(t, durations_and_sizes, 0, COUNT(units));
    tcase_add_test(t, sizes_as_text);
    tcase_add_loop_test(t, variables_are_expanded, 0, COUNT(expansions));
    tcase_add_test(t, settings_nobody_asks_for);
    tcase_add_test(t, tree_with_places);
    tcase_add_loop_test(t, files_are_refused, 0, COUNT(refused));
    tcase_add_test(t, broken_yaml_has_its_place);
    tcase_add_test(t, size_and_depth_have_limits);
    tcase_add_test(t, files_that_are_none);
    tcase_add_test(t, faults_are_sorted_and_told_once);
    tcase_add_loop_test(t, faults_inside_of_values, 0, COUNT(within));
    tcase_add_test(t, secrets_are_not_shown);
    tcase_add_test(t, long_lines_are_cut);
    tcase_add_test(t, suggestions);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
