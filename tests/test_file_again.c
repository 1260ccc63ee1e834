/* The file source reads an epoch again, as after a kill: what it read then, or data loss before the first row. */
#include "tests/file_unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *a, *b, *glob;
static struct hr_positions before, after;

static struct hr_positions read_on(struct hr_positions from) {
    ck_assert(make("path", glob, NULL));
    ck_assert_msg(open_from(from, true), "%s", err.text);
    ck_assert_int_eq(drain(), HR_END);
    struct hr_positions at = positions_now();
    SOURCE.close(self);
    return at;
}

/* One epoch read a; the next one what a had grown by, and b, which was new. */
static void two_epochs(void) {
    set_up();
    a = in_folder("a.txt");
    b = in_folder("b.txt");
    glob = in_folder("*.txt");
    WRITE(a, "one\n");
    before = read_on(NOWHERE);
    APPEND(a, "two\n");
    WRITE(b, "x\ny\n");
    after = read_on(before);
    rows[0] = '\0';
}

static bool again(void) {
    ck_assert(make("path", glob, NULL));
    return open_again(before, after);
}

static void gives(const char *expected) {
    ck_assert_msg(again(), "%s", err.text);
    ck_assert_int_eq(drain(), HR_END);
    struct hr_positions at = positions_now();
    SOURCE.close(self);
    ck_assert_str_eq(rows, expected);
    for (int i = 0; i < after.n; i++)
        for (int k = 0; k < at.n; k++)
            if (!strcmp(at.item[k].split, after.item[i].split)) ck_assert_int_eq(at.item[k].at, after.item[i].at);
}

static void is_lost(const char *why) {
    ck_assert(!again());
    SOURCE.close(self);
    ck_assert_int_eq(err.code, HR_EDATALOSS);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s' does not say '%s'", err.text, why);
}

START_TEST(the_same) { gives("4:two\n0:x\n2:y\n"); }
END_TEST

START_TEST(what_came_later) {
    APPEND(a, "three\n");
    APPEND(b, "z");
    WRITE(in_folder("c.txt"), "new\n");
    gives("4:two\n0:x\n2:y\n");
}
END_TEST

START_TEST(what_was_read_before) {
    after.n = 1; /* only a was read; b is left out, and needs not be there */
    after.item = &after.item[!strcmp(after.item[1].split, a)];
    ck_assert_int_eq(unlink(b), 0);
    gives("4:two\n");
    before = after;
    ck_assert_int_eq(unlink(a), 0);
    rows[0] = '\0';
    gives("");
}
END_TEST

START_TEST(new_file_gone) {
    ck_assert_int_eq(unlink(b), 0);
    is_lost("b.txt is gone: its bytes 0 to 3 were to be read again");
    ck_assert_int_eq(unlink(a), 0);
    before.n = 0; /* nothing matches any more */
    is_lost(".txt is gone");
}
END_TEST

START_TEST(grown_file_gone) {
    ck_assert_int_eq(unlink(a), 0);
    is_lost("a.txt is gone: its bytes 4 to 7 were to be read again");
}
END_TEST

START_TEST(shorter_file) {
    ck_assert_int_eq(truncate(b, 2), 0);
    is_lost("b.txt has 2 bytes now: its bytes 0 to 3 were to be read again");
    WRITE(b, "x\ny\n");
    ck_assert_int_eq(truncate(a, 2), 0);
    is_lost("a.txt has 2 bytes now: its bytes 4 to 7 were to be read again");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("file again");
    TCase *all = tcase_create("file again");
    tcase_add_checked_fixture(all, two_epochs, tear_down);
    tcase_add_test(all, the_same);
    tcase_add_test(all, what_came_later);
    tcase_add_test(all, what_was_read_before);
    tcase_add_test(all, new_file_gone);
    tcase_add_test(all, grown_file_gone);
    tcase_add_test(all, shorter_file);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
