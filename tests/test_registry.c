/* test_registry.c: which plug-ins are known by which name; modules from a folder are tests/refusals.sh's */
#include "core/plugin/registry.h"
#include "tests/unit.h"

static const struct hr_function functions[] = {{.name = "twice"}, {.name = "half"}, {0}}, more_functions[] = {{.name = "Twice"}, {.name = "third"}, {0}};
static const struct hr_aggregate aggregates[] = {{.name = "sum"}, {.name = "median"}, {0}};
static const struct hr_plugin z_source = {.kind = HR_SOURCE, .name = "zeta"}, source = {.kind = HR_SOURCE, .name = "alpha"}, same_source = {.kind = HR_SOURCE, .name = "alpha"},
    sink = {.kind = HR_SINK, .name = "alpha"}, op = {.kind = HR_OPERATOR, .name = "filter"}, command = {.kind = HR_COMMAND, .name = "broker"},
    some = {.kind = HR_FUNCTIONS, .name = "some", .functions = functions}, more = {.kind = HR_FUNCTIONS, .name = "tail", .functions = more_functions}, sums = {.kind = HR_AGGREGATES, .name = "sums", .aggregates = aggregates};
const struct hr_plugin *const hr_builtin[] = {&z_source, &sink, &source, &same_source, &command, &op, &more, &some, &sums, NULL};

static const struct hr_host host = {.abi = HR_ABI};

static void setup(void) {
    unsetenv("HEADRACE_PLUGIN_PATH");
    registry_load(&host, NULL, 0);
}
static void teardown(void) { registry_unload(); }

START_TEST(found_by_kind_and_name) {
    ck_assert_ptr_eq(registry_find(HR_SOURCE, "alpha")->plugin, &source); /* the first hides a later one */
    ck_assert_ptr_eq(registry_find(HR_SINK, "alpha")->plugin, &sink);
    ck_assert_ptr_eq(registry_find(HR_COMMAND, "broker")->plugin, &command);
    ck_assert_str_eq(registry_find(HR_SOURCE, "zeta")->from, "built in");
    ck_assert_ptr_null(registry_find(HR_OPERATOR, "alpha"));
    ck_assert_ptr_null(registry_find(HR_SOURCE, "ALPHA"));
    ck_assert_ptr_eq(hr_host, &host);
}
END_TEST

START_TEST(all_but_the_hidden) {
    const struct hr_plugin *want[] = {&z_source, &sink, &source, &command, &op, &more, &some, &sums};
    const struct registered *all;
    ck_assert_int_ge(registry_all(&all), 8);
    for (int i = 0; i < 8; i++) ck_assert_ptr_eq(all[i].plugin, want[i]);
}
END_TEST

static int times_in(const char *const *names, const char *name) {
    int n = 0;
    for (; *names; names++) n += !strcmp(*names, name);
    return n;
}

START_TEST(names_of_a_kind) {
    ck_assert_int_eq(times_in(registry_names(HR_SOURCE), "alpha"), 1);
    ck_assert_int_eq(times_in(registry_names(HR_SOURCE), "zeta"), 1);
    ck_assert_int_eq(times_in(registry_names(HR_SOURCE), "filter"), 0);
    ck_assert_int_eq(times_in(registry_names(HR_OPERATOR), "filter"), 1);
}
END_TEST

/* SQL's names know no case; a name that two tables have is the one's that was loaded first. */
START_TEST(functions_and_aggregates) {
    const struct expr_catalog *c = registry_catalog();
    ck_assert_ptr_eq(c->function("HALF"), &functions[1]);
    ck_assert_ptr_eq(c->function("twice"), &more_functions[0]);
    ck_assert_ptr_eq(c->function("third"), &more_functions[1]);
    ck_assert_ptr_eq(c->aggregate("Median"), &aggregates[1]);
    ck_assert(!c->function("sum") && !c->aggregate("half") && !c->function("") && !c->aggregate("summ"));
    const char *const *names = c->names();
    ck_assert(times_in(names, "half") == 1 && times_in(names, "median") == 1 && times_in(names, "alpha") == 0);
}
END_TEST

START_TEST(folders_that_are_not_there) {
    static const char *const dirs[] = {"/tmp/headrace-no-such-folder"};
    ck_assert_ptr_null(registry_refused() ? registry_refused()[0] : NULL);
    registry_load(&host, dirs, 1);
    ck_assert_ptr_nonnull(strstr(registry_refused()[0], "/tmp/headrace-no-such-folder: no modules from there"));
    setenv("HEADRACE_PLUGIN_PATH", "/tmp/headrace-neither::/tmp/headrace-nor", 1);
    registry_load(&host, dirs, 1); /* again: nothing is left of before */
    const char *const *why = registry_refused();
    int n = 0;
    while (why[n]) n++;
    ck_assert_int_eq(n, 3);
    ck_assert_ptr_nonnull(strstr(why[1], "headrace-neither"));
    ck_assert_ptr_nonnull(strstr(why[2], "headrace-nor"));
    ck_assert_ptr_eq(registry_find(HR_SOURCE, "alpha")->plugin, &source);
    registry_unload();
    ck_assert_ptr_null(registry_find(HR_SOURCE, "alpha"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("registry");
    TCase *t = tcase_create("registry");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, found_by_kind_and_name);
    tcase_add_test(t, all_but_the_hidden);
    tcase_add_test(t, names_of_a_kind);
    tcase_add_test(t, functions_and_aggregates);
    tcase_add_test(t, folders_that_are_not_there);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
