/* The file source, driven through its record as the engine does, with a host of its own. */
#include "tests/file_unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- formats ---- */

START_TEST(lines) {
    WRITE(path, "\xEF\xBB\xBF" "a\r\n\nb\rc\n\"d");
    ck_assert(make("path", path, NULL));
    reads("3:a\n6:\n7:b\rc\n11:\"d\n");
    WRITE(path, "");
    ck_assert(make("path", path, NULL));
    reads("");
}
END_TEST

START_TEST(ndjson) {
    schema_field[0].type.id = HR_STRING;
    schema_fields = 1;
    WRITE(path, "{1}\r\n\n \r\nx\n{2}");
    ck_assert(make("path", path, "format", "ndjson", "schema", "s", NULL));
    reads("0:{1}\n9:NULL\n11:{2}\n");
    ck_assert_int_eq(bads, 1);
    ck_assert(make("path", path, "format", "ndjson", "schema", "s", "on_error", "drop", NULL));
    reads("0:{1}\n11:{2}\n");
    ck_assert_uint_eq(dropped, 1);
}
END_TEST

START_TEST(csv) {
    WRITE(path, "\xEF\xBB\xBF\"b\",x,A\r\n\"one,\"\"1\"\"\nmore\",,1\r\n\n,,\n\"\",y,-2\nit\"s,z,3");
    ck_assert(make("path", path, "format", "csv", "schema", "s", NULL));
    reads("12:1|one,\"1\"\nmore\n34:NULL|NULL\n37:-2|\n45:3|it\"s\n");
    ck_assert_int_eq(bads, 0);
}
END_TEST

START_TEST(csv_without_header) {
    WRITE(path, "1;x,y\n;\"\"\n");
    ck_assert(make("path", path, "format", "csv", "schema", "s", "header", "false", "delimiter", ";", NULL));
    reads("0:1|x,y\n6:NULL|\n");
}
END_TEST

START_TEST(csv_bad_rows) {
    const char *text = "a,b\n1\nx,keep\n2,\"q\"z\n3,4,5\n4,ok\n5,\"open\n6,gone\n";
    WRITE(path, text);
    ck_assert(make("path", path, "format", "csv", "schema", "s", NULL));
    reads("4:NULL|NULL\n6:NULL|keep\n13:NULL|NULL\n20:NULL|NULL\n26:4|ok\n31:NULL|NULL\n");
    ck_assert_int_eq(bads, 5);
    ck_assert(make("path", path, "format", "csv", "schema", "s", "on_error", "drop", NULL));
    reads("26:4|ok\n");
    ck_assert_uint_eq(dropped, 5);
    ck_assert(make("path", path, "format", "csv", "schema", "s", "on_error", "fail", NULL));
    refuses(HR_EFAIL, "in@4: 1 field instead of 2", NOWHERE);
}
END_TEST

START_TEST(only_wanted_columns) {
    WRITE(path, "a,b\nx,1\n");
    wanted[0] = 0;
    ck_assert(make("path", path, "format", "csv", "schema", "s", NULL));
    reads("4:#|1\n");
    ck_assert_int_eq(bads, 0);
    ck_assert(make("path", path, "format", "csv", "schema", "s", "on_error", "drop", NULL));
    reads(""); /* a row is bad whoever reads it */
    wanted[1] = 0;
    ck_assert(make("path", path, "format", "csv", "schema", "s", NULL));
    reads("4:#|#\n");
}
END_TEST

START_TEST(more_rows_than_a_batch) {
    for (int i = 0; i < 2 * HR_BATCH + 1; i++) APPEND(path, "r\n");
    ck_assert(make("path", path, NULL));
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(drain(), HR_END);
    int n = 0;
    for (const char *p = rows; (p = strchr(p, '\n')); p++) n++;
    ck_assert_int_eq(n, 2 * HR_BATCH + 1);
    SOURCE.close(self);
}
END_TEST

/* ---- borders and positions ---- */

static const char *const nasty[][2] = {
    {"lines", "\xEF\xBB\xBF" "one\r\n\n\r\ntwo\n\nthree \"\n4"},
    {"csv", "\xEF\xBB\xBF\"a\",\"b\nb\",b\r\n"
            "1,\"x\ny\",\"p\"\"\n\"\"q\"\r\n\r\n2,,\"\"\n3,it\"s,\n4,\"bad\"x,y\nz,z,\"\n\n\"\n5,,6"},
    {"csv", "a,b\n\n"},
    {"csv", "a,b"},
    {"csv", "a,b\n1,2\n3,\"never closed\n4,5\n"},
};

static void make_nasty(int i) {
    bool typed = strcmp(nasty[i][0], "lines") != 0;
    WRITE(path, nasty[i][1]);
    ck_assert(make("path", path, "format", nasty[i][0], typed ? "schema" : NULL, "s", NULL));
}

START_TEST(border_at_every_byte) {
    static char whole[sizeof rows];
    make_nasty(_i);
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(drain(), HR_END);
    SOURCE.close(self);
    memcpy(whole, rows, sizeof rows);
    for (file_chunk_bytes = 1; file_chunk_bytes < strlen(nasty[_i][1]) + 3; file_chunk_bytes++) {
        make_nasty(_i);
        reads(whole);
    }
}
END_TEST

/* Stop after every chunk and go on from there: the same rows, none twice and none left out. */
START_TEST(resume_at_every_position) {
    static char whole[sizeof rows];
    make_nasty(_i);
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(drain(), HR_END);
    SOURCE.close(self);
    memcpy(whole, rows, sizeof rows);
    for (file_chunk_bytes = 1; file_chunk_bytes < 20; file_chunk_bytes++) {
        struct hr_positions at = NOWHERE;
        enum hr_poll result;
        rows[0] = '\0';
        do {
            make_nasty(_i);
            ck_assert_msg(open_from(at, true), "%s", err.text);
            result = step();
            at = positions_now();
            SOURCE.close(self);
        } while (result == HR_CHUNK);
        ck_assert_int_eq(result, HR_END);
        ck_assert_str_eq(rows, whole);
        ck_assert_int_eq(at.n, 1);
        ck_assert_int_eq(at.item[0].at, (int64_t)strlen(nasty[_i][1]));
    }
}
END_TEST

/* Where poll() sees borders and where fill() sees them must be the same, whatever the bytes are. */
START_TEST(random_bytes) {
    static const char letters[] = "1a\"\"\",,\r\n\n\xEF\xBB\xBF";
    static char whole[sizeof rows];
    unsigned seed = (unsigned)_i;
    for (int round = 0; round < 60; round++) {
        char text[40];
        size_t n = 0;
        if (round % 2) n = (size_t)snprintf(text, sizeof text, "\xEF\xBB\xBF\"\n");
        while (n < sizeof text - 1) {
            seed = seed * 1103515245u + 12345u;
            text[n++] = letters[seed / 65536 % (sizeof letters - 1)];
        }
        write_file(path, text, n, "w");
        for (file_chunk_bytes = 64; file_chunk_bytes; file_chunk_bytes /= 2) {
            ck_assert(make("path", path, "format", "csv", "schema", "s", "header", "false", NULL));
            rows[0] = '\0';
            ck_assert(open_from(NOWHERE, false));
            ck_assert_int_eq(drain(), HR_END);
            SOURCE.close(self);
            if (file_chunk_bytes == 64) memcpy(whole, rows, sizeof rows);
            ck_assert_str_eq(rows, whole);
        }
    }
}
END_TEST

/* Wherever the borders of the buffer fall, and whether or not it could hold the record. */
START_TEST(long_records) {
    static const char *const text = "short\n01234567890123456789\n01234567890123456789abcd\r\nx\n";
    record = 20;
    for (file_chunk_bytes = 1; file_chunk_bytes < 64; file_chunk_bytes++) {
        WRITE(path, text);
        ck_assert(make("path", path, NULL));
        reads("0:short\n6:01234567890123456789\n27:NULL\n53:x\n");
        ck_assert_int_eq(bads, 1);
        ck_assert_str_eq(said, "the record has 24 bytes, more than limits.record (20)");
        ck_assert(make("path", path, "on_error", "drop", NULL));
        reads("0:short\n6:01234567890123456789\n53:x\n");
        ck_assert_uint_eq(dropped, 1);
        ck_assert(make("path", path, "on_error", "fail", NULL));
        refuses(HR_EFAIL, "in@27: the record has 24 bytes, more than limits.record (20)", NOWHERE);
        WRITE(path, "short\n01234567890123456789abcdefghijklmnopqrstuvwxyz");
        ck_assert(make("path", path, "on_error", "fail", NULL));
        refuses(HR_EFAIL, "in@6: the record has 46 bytes, more than limits.record (20)", NOWHERE);
        ck_assert(make("path", path, NULL));
        reads("0:short\n6:NULL\n");
        WRITE(path, "1,x\n2,\"0123\n45678\n90123456789\"\n3,y\n");
        ck_assert(make("path", path, "format", "csv", "schema", "", "header", "false", NULL));
        reads("0:1|x\n4:NULL|NULL\n31:3|y\n");
        WRITE(path, "{1}\n{012345678901234567890123456789}\n{2}\n");
        schema_fields = 1;
        schema_field[0].type.id = HR_STRING;
        ck_assert(make("path", path, "format", "ndjson", "schema", "", NULL));
        reads("0:{1}\n4:NULL\n37:{2}\n");
        schema_fields = 2;
        schema_field[0].type.id = HR_INT;
    }
    WRITE(path, "0123456789,0123456789,0123456789\n1,x\n");
    file_chunk_bytes = 8;
    ck_assert(make("path", path, "format", "csv", "schema", "", NULL));
    refuses(HR_EFAIL, "the header", NOWHERE);
}
END_TEST

static struct hr_positions read_to_end(const char *option, const char *value) {
    ck_assert(make("path", path, option, value, NULL));
    ck_assert_msg(open_from(NOWHERE, true), "%s", err.text);
    ck_assert_int_eq(drain(), HR_END);
    struct hr_positions at = positions_now();
    SOURCE.close(self);
    return at;
}

START_TEST(changed_files) {
    WRITE(path, "one\ntwo");
    struct hr_positions at = read_to_end(NULL, NULL);
    ck_assert_int_eq(at.item[0].at, 7);
    APPEND(path, "\nthree\n");
    rows[0] = '\0';
    ck_assert(make("path", path, NULL));
    ck_assert(open_from(at, false));
    ck_assert_int_eq(drain(), HR_END);
    SOURCE.close(self);
    ck_assert_str_eq(rows, "8:three\n");
    WRITE(path, "one\ntwofold\n");
    ck_assert(make("path", path, NULL));
    refuses(HR_EDATALOSS, "has grown", at);
    WRITE(path, "one\n");
    ck_assert(make("path", path, NULL));
    refuses(HR_EDATALOSS, "in was read up to byte 7, but now has 4 bytes", at);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(make("path", path, NULL));
    refuses(HR_EFAIL, "cannot open", at);
}
END_TEST

/* ---- several files ---- */

START_TEST(globs) {
    char *b = in_folder("b.txt"), *a = in_folder("a.txt");
    WRITE(b, "b\n");
    WRITE(a, "a");
    WRITE(path, "in\n");
    ck_assert_int_eq(mkdir(in_folder("c.txt"), 0700), 0);
    ck_assert(make("path", path, "path", in_folder("*.txt"), NULL));
    reads("0:in\n0:a\n0:b\n");
    ck_assert(make("path", in_folder("*.none"), NULL));
    refuses(HR_EFAIL, "no file matches", NOWHERE);
}
END_TEST

/* A file that was read and is gone stays in the positions; one that was not read is lost. */
START_TEST(gone_files) {
    char *a = in_folder("a.txt"), *b = in_folder("b.txt"), *glob = in_folder("*.txt");
    WRITE(a, "a\n");
    WRITE(b, "b\n");
    ck_assert(make("path", glob, NULL));
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(step(), HR_CHUNK);
    struct hr_positions at = positions_now();
    SOURCE.close(self);
    ck_assert_int_eq(at.n, 2);
    ck_assert_int_eq(unlink(a), 0);
    rows[0] = '\0';
    ck_assert(make("path", glob, NULL));
    ck_assert_msg(open_from(at, false), "%s", err.text);
    ck_assert_int_eq(drain(), HR_END);
    ck_assert_int_eq(SOURCE.positions(self).n, 2);
    SOURCE.close(self);
    ck_assert_str_eq(rows, "0:b\n");
    ck_assert_int_eq(unlink(b), 0);
    ck_assert(make("path", glob, NULL));
    refuses(HR_EDATALOSS, "b.txt is gone", at);
}
END_TEST

/* What is no longer asked for is not read on, but its position is kept. */
START_TEST(other_path) {
    WRITE(path, "one\n");
    struct hr_positions at = read_to_end(NULL, NULL);
    APPEND(path, "two\n");
    WRITE(in_folder("other"), "x\n");
    rows[0] = '\0';
    ck_assert(make("path", in_folder("other"), NULL));
    ck_assert(open_from(at, false));
    ck_assert_int_eq(drain(), HR_END);
    ck_assert_int_eq(SOURCE.positions(self).n, 2);
    SOURCE.close(self);
    ck_assert_str_eq(rows, "0:x\n");
}
END_TEST

START_TEST(cut_short_while_read) {
    file_chunk_bytes = 4;
    WRITE(path, "one\ntwo\nsix\n");
    ck_assert(make("path", path, NULL));
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(step(), HR_CHUNK);
    ck_assert_int_eq(truncate(path, 9), 0);
    ck_assert_int_eq(drain(), HR_FAILED);
    ck_assert_int_eq(err.code, HR_EDATALOSS);
    ck_assert_str_eq(rows, "0:one\n4:two\n");
    SOURCE.close(self);
}
END_TEST

/* Lines of any length, some longer than a record may be: wherever the borders fall, as if read in one piece. */
START_TEST(lanes_read_the_middle_of_chunks) {
    static char text[6000], whole[sizeof rows];
    unsigned seed = 5;
    size_t n = 0;
    record = 40;
    while (n < sizeof text - 100) {
        seed = seed * 1103515245u + 12345u;
        n += (size_t)snprintf(text + n, 100, "%.*s%s", (int)(seed / 65536 % 61),
                              "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", seed / 65536 % 5 ? "\n" : "\r\n");
    }
    write_file(path, text, n, "w");
    ck_assert(make("path", path, NULL));
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(drain(), HR_END);
    SOURCE.close(self);
    memcpy(whole, rows, sizeof rows);
    for (file_chunk_bytes = 16; file_chunk_bytes < 300; file_chunk_bytes += 9) {
        ck_assert(make("path", path, NULL));
        reads(whole);
    }
}
END_TEST

/* The chunk was handed out, and before a lane came to read its middle, the file was cut. */
START_TEST(cut_short_before_a_lane_reads) {
    static const char line[] = "fifteen bytes..\n";
    struct hr_chunk first = {0}, second = {0};
    file_chunk_bytes = 64;
    for (int i = 0; i < 40; i++) APPEND(path, line);
    ck_assert(make("path", path, NULL));
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(SOURCE.poll(self, &first, &err), HR_CHUNK);
    ck_assert_int_eq(SOURCE.poll(self, &second, &err), HR_CHUNK);
    ck_assert_int_eq(truncate(path, 70), 0);
    ck_assert(take(&first));
    ck_assert(!take(&second));
    ck_assert_int_eq(err.code, HR_EDATALOSS);
    ck_assert_ptr_nonnull(strstr(err.text, "became shorter"));
    SOURCE.close(self);
}
END_TEST

START_TEST(follow) {
    char *glob = in_folder("*");
    WRITE(path, "one\ntw");
    ck_assert(make("path", glob, "follow", "true", NULL));
    ck_assert(open_from(NOWHERE, false));
    ck_assert(!SOURCE.caught_up(self));
    ck_assert_int_eq(drain(), HR_IDLE);
    ck_assert(SOURCE.caught_up(self));
    ck_assert_str_eq(rows, "0:one\n");
    ck_assert_int_eq(drain(), HR_IDLE);
    APPEND(path, "o\nth");
    ck_assert_int_eq(drain(), HR_IDLE);
    WRITE(in_folder("jn"), "new\n");
    ck_assert_int_eq(drain(), HR_IDLE); /* finds it */
    ck_assert_int_eq(drain(), HR_IDLE);
    ck_assert_str_eq(rows, "0:one\n4:two\n0:new\n");
    struct hr_positions at = positions_now();
    ck_assert_int_eq(at.n, 2);
    ck_assert_int_eq(at.item[0].at, 8);
    WRITE(path, "one\n");
    ck_assert_int_eq(drain(), HR_FAILED);
    ck_assert_int_eq(err.code, HR_EDATALOSS);
    SOURCE.close(self);
}
END_TEST

START_TEST(follow_csv_header) {
    WRITE(path, "a,");
    ck_assert(make("path", path, "follow", "true", "format", "csv", "schema", "s", NULL));
    ck_assert(open_from(NOWHERE, false));
    ck_assert_int_eq(drain(), HR_IDLE);
    ck_assert(SOURCE.caught_up(self));
    APPEND(path, "b\n1,\"x\n");
    ck_assert_int_eq(drain(), HR_IDLE);
    ck_assert_str_eq(rows, "");
    APPEND(path, "y\"\n2");
    ck_assert_int_eq(drain(), HR_IDLE);
    ck_assert_str_eq(rows, "4:1|x\ny\n");
    SOURCE.close(self);
}
END_TEST

START_TEST(bounded) {
    WRITE(path, "one\ntwo\nth");
    ck_assert(make("path", path, "follow", "true", NULL));
    ck_assert(open_from(NOWHERE, true));
    APPEND(path, "ree\nfour\n");
    ck_assert_int_eq(drain(), HR_END);
    ck_assert(SOURCE.caught_up(self));
    struct hr_positions at = positions_now();
    SOURCE.close(self);
    ck_assert_str_eq(rows, "0:one\n4:two\n");
    ck_assert(make("path", path, "follow", "true", NULL));
    ck_assert(open_from(at, true));
    ck_assert_int_eq(drain(), HR_END);
    SOURCE.close(self);
    ck_assert_str_eq(rows, "0:one\n4:two\n8:three\n14:four\n");
}
END_TEST

/* ---- stdin ---- */

static void say(int fd, const char *text) { ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text)); }

START_TEST(standard_input) {
    int fd[2], before = dup(0);
    ck_assert_int_eq(pipe(fd), 0);
    dup2(fd[0], 0);
    ck_assert(make("path", "-", "format", "csv", "schema", "s", NULL));
    ck_assert(not_rereadable);
    ck_assert(open_from(NOWHERE, true));
    ck_assert_int_eq(step(), HR_IDLE);
    say(fd[1], "\xEF\xBB\xBF");
    ck_assert_int_eq(step(), HR_IDLE);
    say(fd[1], "\n\na,b\n1,\"x");
    ck_assert_int_eq(step(), HR_IDLE);
    ck_assert(!SOURCE.caught_up(self));
    say(fd[1], "\ny\"\n2,z");
    ck_assert_int_eq(step(), HR_CHUNK);
    ck_assert_int_eq(step(), HR_IDLE);
    close(fd[1]);
    ck_assert_int_eq(drain(), HR_END);
    ck_assert(SOURCE.caught_up(self));
    SOURCE.close(self);
    ck_assert_str_eq(rows, "9:1|x\ny\n17:2|z\n");
    dup2(before, 0);
    close(before);
    close(fd[0]);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(refused_options) {
    ck_assert(!make("path", path, "schema", "s", NULL));
    ck_assert(!make("path", path, "format", "csv", NULL));
    ck_assert(!make("path", path, "format", "ndjson", NULL));
    ck_assert(!make("path", path, "delimiter", "ab", NULL));
    ck_assert(!make("path", path, "delimiter", "", NULL));
    ck_assert(!make("path", path, "delimiter", "\"", NULL));
    ck_assert(!make("path", path, "path", path, NULL));
    ck_assert(!make("path", "", NULL));
}
END_TEST

START_TEST(refused_files) {
    ck_assert(make("path", path, NULL));
    refuses(HR_EFAIL, "/in: No such file", NOWHERE);
    ck_assert(make("path", folder, NULL));
    refuses(HR_EFAIL, "is a directory", NOWHERE);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert(make("path", path, NULL));
    refuses(HR_EFAIL, "no regular file", NOWHERE);
    ck_assert_int_eq(unlink(path), 0);
    static const char *const header[][2] = {
        {"a,c\n", "/in: the header has no column 'b'"},
        {"a,b,b\n", "/in: the header has twice the column 'b'"},
        {"\n\"a\"x,b\n", "/in@1: the header: text after"},
        {"a,\"b\n", "/in@0: the header: a quote"},
    };
    for (int i = 0; i < 4; i++) {
        WRITE(path, header[i][0]);
        ck_assert(make("path", path, "format", "csv", "schema", "s", NULL));
        ck_assert(!open_from(NOWHERE, false));
        refuses(HR_EFAIL, header[i][1], NOWHERE);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("file");
    TCase *all = tcase_create("file");
    tcase_add_checked_fixture(all, set_up, tear_down);
    int nasties = (int)(sizeof nasty / sizeof *nasty);
    tcase_add_test(all, lines);
    tcase_add_test(all, ndjson);
    tcase_add_test(all, csv);
    tcase_add_test(all, csv_without_header);
    tcase_add_test(all, csv_bad_rows);
    tcase_add_test(all, only_wanted_columns);
    tcase_add_test(all, more_rows_than_a_batch);
    tcase_add_loop_test(all, border_at_every_byte, 0, nasties);
    tcase_add_loop_test(all, resume_at_every_position, 0, nasties);
    tcase_add_loop_test(all, random_bytes, 0, 10);
    tcase_add_test(all, long_records);
    tcase_add_test(all, changed_files);
    tcase_add_test(all, globs);
    tcase_add_test(all, gone_files);
    tcase_add_test(all, other_path);
    tcase_add_test(all, cut_short_while_read);
    tcase_add_test(all, lanes_read_the_middle_of_chunks);
    tcase_add_test(all, cut_short_before_a_lane_reads);
    tcase_add_test(all, follow);
    tcase_add_test(all, follow_csv_header);
    tcase_add_test(all, bounded);
    tcase_add_test(all, standard_input);
    tcase_add_test(all, refused_options);
    tcase_add_test(all, refused_files);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
