/* test_options.c: options filled from tables, and the fixed part of a pipeline file */
#include "tests/document.h"

#include <math.h>

/* ---- a table with an option of every type ---- */

struct every {
    const char *text;
    bool flag;
    int64_t number;
    double part;
    struct hr_name column;
    struct hr_sql where;
    struct hr_list keys;
    struct hr_map columns;
    struct hr_duration wait;
    struct hr_bytes room;
    int on_error;
    const char *password;
    const char *must;
};

static const struct hr_option table[] = {
    HR_OPTION(struct every, text, "fallback", "a text"),
    HR_OPTION(struct every, flag, "true", "yes or no"),
    HR_OPTION(struct every, number, NULL, "a number"),
    HR_OPTION(struct every, part, "0.5", "a part"),
    HR_OPTION(struct every, column, NULL, "a column"),
    HR_OPTION(struct every, where, NULL, "a condition"),
    HR_OPTION(struct every, keys, NULL, "some keys"),
    HR_OPTION(struct every, columns, NULL, "some columns"),
    HR_OPTION(struct every, wait, "1s", "how long"),
    HR_OPTION(struct every, room, "1MiB", "how much"),
    HR_CHOICE(struct every, on_error, "null|drop|fail", "null", "what becomes of a bad row"),
    HR_SECRET(struct every, password, "not to be seen"),
    HR_REQUIRED(struct every, must, "has to be there"),
    {0},
};
static const char *const reserved[] = {"id", "input", NULL};

static struct every filled;

static bool fill(struct document *d, const char *options) {
    char *text;
    ck_assert_int_ge(asprintf(&text, "o: {%s}\n", options), 0);
    ck_assert_msg(document_of(d, text), "%s", document_printed(d));
    free(text);
    filled = (struct every){0};
    return options_fill(d, yaml_get(d->root, "o"), table, "step", reserved, &filled);
}

START_TEST(every_type_is_filled) {
    struct document d;
    ck_assert(fill(&d, "text: 'a b', flag: false, number: -12, part: 1e3, column: c, where: \"x > 1\", keys: [a, \"f(b, c)\"], columns: {n: 1, m: two}, wait: 5ms, room: 4KiB, on_error: fail, password: p, must: m, id: mine"));
    ck_assert_str_eq(filled.text, "a b");
    ck_assert(!filled.flag && filled.number == -12 && filled.part == 1000 && filled.wait.us == 5000 && filled.room.n == 4096 && filled.on_error == HR_ON_ERROR_FAIL);
    ck_assert_str_eq(filled.column.s, "c");
    ck_assert(filled.column.place.line == 1 && filled.column.place.column == 63 && filled.column.place.file == &d);
    ck_assert_str_eq(filled.where.s, "x > 1");
    ck_assert(filled.keys.n == 2 && filled.columns.n == 2);
    ck_assert_str_eq(filled.keys.item[1].s, "f(b, c)");
    ck_assert_str_eq(filled.columns.item[1].name, "m");
    ck_assert_str_eq(filled.columns.item[1].value.s, "two");
    ck_assert_int_lt(filled.columns.item[0].place.column, filled.columns.item[0].value.place.column);
    document_free(&d);
}
END_TEST

START_TEST(what_is_not_given_has_its_fallback) {
    struct document d;
    ck_assert(fill(&d, "must: m"));
    ck_assert_str_eq(filled.text, "fallback");
    ck_assert(filled.flag && filled.number == 0 && filled.part == 0.5 && filled.wait.us == 1000000 && filled.room.n == 1 << 20 && filled.on_error == HR_ON_ERROR_NULL);
    ck_assert(!filled.column.s && !filled.where.s && !filled.keys.n && !filled.columns.n && !filled.password);
    document_free(&d);
}
END_TEST

/* One value is a list of one, and a mapping without names; a list is a mapping without names too. */
START_TEST(one_value_is_a_list) {
    struct document d;
    ck_assert(fill(&d, "must: m, keys: a, columns: x"));
    ck_assert(filled.keys.n == 1 && filled.columns.n == 1 && !*filled.columns.item[0].name);
    ck_assert_str_eq(filled.columns.item[0].value.s, "x");
    document_free(&d);
    ck_assert(fill(&d, "must: m, keys: [], columns: [x, y], text: ''"));
    ck_assert(filled.keys.n == 0 && filled.columns.n == 2 && !*filled.columns.item[1].name && !*filled.text);
    document_free(&d);
}
END_TEST

static const struct {
    const char *options, *fault; /* NULL: good */
} values[] = {
    {"flag: yes", "step: flag wants true or false, not 'yes'"}, {"flag: True", "wants true or false"}, {"number: 9223372036854775807", NULL}, {"number: 9223372036854775808", "step: number wants a whole number, not '9223372036854775808'"},
    {"number: 1.5", "wants a whole number"}, {"number: 12x", "wants a whole number"}, {"number: ' '", "wants a whole number"}, {"part: x", "step: part wants a number, not 'x'"}, {"part: 1e999", "wants a number"}, {"part: nan", "wants a number"}, {"part: -0.25", NULL},
    {"wait: 5", "step: wait wants a duration such as 5s or 100ms, not '5'"}, {"room: 5MB", "step: room wants a size such as 16MiB, not '5MB'"}, {"on_error: nul", "step: on_error wants one of null|drop|fail, not 'nul'"}, {"on_error: dropp", "wants one of"}, {"on_error: drop", NULL},
    {"text: [a]", "step: text wants one value"}, {"text: {a: b}", "step: text wants one value"}, {"text: ", "step: text wants a value"}, {"keys: {a: b}", "step: keys wants a list"}, {"keys: [a, [b]]", "step: keys wants one value"}, {"keys: [a, ]", NULL},
    {"columns: {a: [b]}", "step: columns wants one value"}, {"columns: {a: }", "step: columns wants a value"}, {"where: f(a", "step: where: a parenthesis stays open"}, {"where: 'f(a'", NULL}, {"keys: [g(x, y)]", "a parenthesis stays open"},
    {"password: [hunter2]", "step: password wants one value"}, {"txt: a", "step: no option 'txt'; did you mean 'text'?"}, {"inputs: a", "step: no option 'inputs'; did you mean 'input'?"}, {"qqqqqqq: a", "step: no option 'qqqqqqq'\n"}, {"where: f(a, b", "step: no option 'b'; a value with a comma inside {}? quote it"},
};

START_TEST(values_are_checked) {
    struct document d;
    char *options;
    ck_assert_int_ge(asprintf(&options, "must: m, %s", values[_i].options), 0);
    bool ok = fill(&d, options);
    const char *printed = document_printed(&d);
    ck_assert_msg(ok == !values[_i].fault && ok == !d.faults, "%s: %s", values[_i].options, printed);
    if (!ok) ck_assert_msg(strstr(printed, values[_i].fault) != NULL, "%s: %s", values[_i].options, printed);
    ck_assert_msg(!strstr(printed, "hunter2"), "%s", printed);
    free(options);
    document_free(&d);
}
END_TEST

START_TEST(missing_and_several_faults) {
    struct document d;
    ck_assert(!fill(&d, "flag: maybe, wait: x"));
    ck_assert_int_eq(d.faults, 3);
    ck_assert_ptr_nonnull(strstr(document_printed(&d), "p.yaml:1:4: step: option 'must' is missing: has to be there\n"));
    document_free(&d);
}
END_TEST

START_TEST(table_as_manual) {
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    options_print(table, out);
    fclose(out);
    static const char *const lines[] = {
        "text", "text", "a text (default: fallback)\n", "flag", "true|false", "yes or no (default: true)\n", "number", "a number\n", "column", "a column\n", "SQL", "a condition\n", "list", "some keys\n", "mapping", "some columns\n",
        "how long (default: 1s)\n", "null|drop|fail", "what becomes of a bad row (default: null)\n", "password", "not to be seen", "has to be there (required)\n",
    };
    const char *p = text;
    for (size_t i = 0; i < COUNT(lines); i++) {
        p = strstr(p, lines[i]);
        ck_assert_msg(p != NULL, "'%s' is not in its place in\n%s", lines[i], text);
    }
    free(text);
}
END_TEST

/* ---- the fixed part of a pipeline file ---- */

static bool read_pipeline(struct document *d, struct pipeline_config *p, const char *text) {
    ck_assert_msg(document_of(d, text), "%s", document_printed(d));
    return pipeline_read(d, p);
}

START_TEST(pipeline_of_a_chain) {
    struct document d;
    struct pipeline_config p;
    ck_assert_msg(read_pipeline(&d, &p, "version: 1\nname: job\ntrigger: 250ms\ncheckpoint: a.db\nsource: {file: {path: x}}\noperators:\n- filter: {where: a}\n- filter: {where: b}\n"
                  "- select: {id: filter_2, columns: c}\nsink: null\nlimits: {record: 1KiB}\n"), "%s", document_printed(&d));
    ck_assert_str_eq(p.name, "job");
    ck_assert_str_eq(p.checkpoint, "a.db");
    ck_assert(!p.available_now && p.trigger_us == 250000 && p.nodes == 5 && p.sinks == 1 && p.limits.record.n == 1024 && p.limits.depth == 64);
    static const struct { const char *plugin, *id; enum hr_kind kind; int line; } wanted[] = {
        {"file", "file", HR_SOURCE, 5}, {"filter", "filter", HR_OPERATOR, 7}, {"filter", "filter_3", HR_OPERATOR, 8}, {"select", "filter_2", HR_OPERATOR, 9}, {"null", "null", HR_SINK, 10},
    };
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(p.node[i].plugin, wanted[i].plugin);
        ck_assert_str_eq(p.node[i].id, wanted[i].id);
        ck_assert(p.node[i].kind == wanted[i].kind && p.node[i].place.line == wanted[i].line);
        ck_assert(!p.node[i].options == (i == 4));
    }
    document_free(&d);
}
END_TEST

START_TEST(pipeline_of_the_least) {
    struct document d;
    struct pipeline_config p;
    ck_assert(read_pipeline(&d, &p, "version: 1\nname: j\ntrigger: available_now\nsource: {generator: }\noperators:\nsink: {console: {}}\n"));
    ck_assert(p.available_now && !p.checkpoint && p.nodes == 2 && !p.node[0].options && p.node[1].options);
    document_free(&d);
    ck_assert(read_pipeline(&d, &p, "version: 1\nname: j\nsource: a\nsink: b\n"));
    ck_assert(p.trigger_us == 5000000 && !p.available_now);
    document_free(&d);
}
END_TEST

#define GOOD "version: 1\nname: j\nsource: a\nsink: b\n"
static const struct {
    const char *text, *fault;
} pipelines[] = {
    {"name: j\nsource: a\nsink: b\n", "'version' is missing"}, {"version: 2\nname: j\nsource: a\nsink: b\n", ":1:10: version 2 is not known"}, {"version: 1\nsource: a\nsink: b\n", "'name' is missing"},
    {"version: 1\nname: j\nsink: b\n", "'source' is missing"}, {"version: 1\nname: j\nsource: a\n", "'sink' is missing"}, {"version: 1\nname: \"a\\x1bb\"\nsource: a\nsink: b\n", ":2:7: a name may not hold control characters"},
    {"version: 1\nname: [j]\nsource: a\nsink: b\n", ":2:7: 'name' wants one value"}, {"version: 1\nname:\nsource: a\nsink: b\n", "'name' wants one value"},
    {GOOD "trigger: soon\n", ":5:10: trigger wants a duration such as 5s, or available_now, not 'soon'"}, {GOOD "trigger: 0s\n", "trigger wants a duration"}, {GOOD "checkpoint: {a: b}\n", "'checkpoint' wants one value"},
    {GOOD "operator: x\n", ":5:1: no key 'operator'; did you mean 'operators'?"}, {GOOD "zzz: x\n", ":5:1: no key 'zzz'\n"}, {GOOD "operators: x\n", ":5:12: 'operators' is a list"}, {GOOD "operators: {x: y}\n", "'operators' is a list"},
    {GOOD "operators: [{a: {}, b: {}}]\n", ":5:21: one plug-in at a time"}, {GOOD "operators: [[a]]\n", "a node is `plug-in: {options}`"}, {GOOD "operators: ['']\n", "a node is `plug-in: {options}`"}, {GOOD "operators: [{}]\n", "a node is `plug-in: {options}`"},
    {GOOD "operators: [{a: [x]}]\n", ":5:17: a: options are a mapping"}, {GOOD "operators: [{a: x}]\n", "a: options are a mapping"}, {GOOD "operators: [{a: {id: 1x}}]\n", ":5:22: a: an id is letters"}, {GOOD "operators: [{a: {id: hr_x}}]\n", "an id is letters"}, {GOOD "operators: [{a: {id: SQLITE_x}}]\n", "an id is letters"},
    {GOOD "operators: [{a: {id: [x]}}]\n", "an id is letters"}, {GOOD "operators: [{a: {id: x}}, {b: {id: X}}]\n", ":5:36: b: id 'X' is taken"}, {GOOD "limits: 5\n", "'limits' is a mapping"}, {GOOD "limits: {depth: 0}\n", ":5:17: limits: depth is from 1 to 1024, not 0"},
    {GOOD "limits: {groups: -5}\n", "limits: groups is from 1 to 1000000000, not -5"}, {GOOD "limits: {depth: -1}\n", "limits: depth is from 1 to 1024, not -1"},
    {GOOD "limits: {groups: +2000000000}\n", "limits: groups is from 1 to 1000000000, not +2000000000"}, {GOOD "limits: {memory: -5}\n", "limits: memory wants a size"},
    {GOOD "limits: {record: 1GiB}\n", "limits: record is from 1 to 512MiB"}, {GOOD "limits: {groups: x}\n", "limits: groups wants a whole number"}, {GOOD "limits: {recrod: 1}\n", "did you mean 'record'?"},
};

START_TEST(pipelines_are_refused) {
    struct document d;
    struct pipeline_config p;
    ck_assert(!read_pipeline(&d, &p, pipelines[_i].text));
    ck_assert_msg(strstr(document_printed(&d), pipelines[_i].fault) != NULL, "%s", document_printed(&d));
    document_free(&d);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("options");
    TCase *t = tcase_create("options");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, document_setup, document_teardown);
    tcase_add_test(t, every_type_is_filled);
    tcase_add_test(t, what_is_not_given_has_its_fallback);
    tcase_add_test(t, one_value_is_a_list);
    tcase_add_loop_test(t, values_are_checked, 0, COUNT(values));
    tcase_add_test(t, missing_and_several_faults);
    tcase_add_test(t, table_as_manual);
    tcase_add_test(t, pipeline_of_a_chain);
    tcase_add_test(t, pipeline_of_the_least);
    tcase_add_loop_test(t, pipelines_are_refused, 0, COUNT(pipelines));
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
