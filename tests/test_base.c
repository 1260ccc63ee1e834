/* test_base.c: arenas, buffers, errors, the log, hashing, "did you mean", clocks */
#include "tests/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- arena ---- */

START_TEST(arena_memory_is_aligned_and_apart) {
    struct arena a = {0};
    enum { PIECES = 5000 };
    static unsigned char *piece[PIECES];
    static size_t size[PIECES];
    uint64_t seed = 11;
    for (int i = 0; i < PIECES; i++) {
        size[i] = random_below(&seed, i % 100 ? 200 : 100000);
        piece[i] = arena_alloc(&a, size[i]);
        ck_assert_uint_eq((uintptr_t)piece[i] % 16, 0);
        memset(piece[i], i % 251, size[i]);
    }
    for (int i = 0; i < PIECES; i++)
        for (size_t k = 0; k < size[i]; k++) ck_assert_msg(piece[i][k] == i % 251, "piece %d was written over", i);
    arena_free(&a);
    ck_assert_ptr_null(a.block);
    ck_assert_uint_eq(a.bytes, 0);
}
END_TEST

START_TEST(arena_holds_more_than_a_block) {
    struct arena a = {0};
    char *p = arena_zalloc(&a, 5 << 20);
    ck_assert_int_eq(p[0] | p[(5 << 20) - 1], 0);
    ck_assert_uint_ge(a.bytes, 5 << 20);
    char *q = arena_alloc(&a, 100);
    memset(q, 1, 100);
    ck_assert_int_eq(p[(5 << 20) - 1], 0);
    arena_free(&a);
}
END_TEST

/* A batch loop that needs the same each time holds no more after many rounds than after a few. */
START_TEST(arena_reset_keeps_one_block) {
    struct arena a = {0};
    size_t after = 0;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 50; i++) memset(arena_alloc(&a, 1000), 'x', 1000);
        arena_reset(&a);
        if (round == 10) after = a.bytes;
    }
    ck_assert_uint_eq(a.bytes, after);
    ck_assert_uint_ge(after, 50 * 1000);
    char *zeroed = arena_zalloc(&a, 4096);
    for (int i = 0; i < 4096; i++) ck_assert_int_eq(zeroed[i], 0);
    arena_free(&a);
}
END_TEST

START_TEST(arena_of_nothing) {
    struct arena a = {0};
    arena_reset(&a);
    arena_free(&a);
    ck_assert_ptr_nonnull(arena_alloc(&a, 0));
    ck_assert_str_eq(arena_strndup(&a, NULL, 0), "");
    arena_free(&a);
}
END_TEST

START_TEST(arena_texts) {
    struct arena a = {0};
    char *bytes = exact_bytes("abcdef", 6);
    char *part = arena_strndup(&a, bytes, 6);
    free(bytes);
    ck_assert_str_eq(part, "abcdef");
    ck_assert_str_eq(arena_strndup(&a, "abcdef", 2), "ab");
    ck_assert_str_eq(arena_strdup(&a, ""), "");
    char *text = arena_printf(&a, "%s-%d-%*s", part, 7, 9000, "end");
    ck_assert_uint_eq(strlen(text), 9 + 9000);
    ck_assert_str_eq(text + 9 + 9000 - 3, "end");
    arena_free(&a);
}
END_TEST

/* Nothing that is left to lose: one line, exit code 1. */
START_TEST(arena_of_everything_ends_the_program) {
    struct arena a = {0};
    static const size_t too_much[] = {SIZE_MAX, SIZE_MAX - 8, SIZE_MAX - 20};
    arena_alloc(&a, too_much[_i]);
}
END_TEST

/* ---- buffer ---- */

/* Each call appends what it should, wherever the end of the room happens to be. */
START_TEST(buffer_grows_by_every_call) {
    struct hr_buffer b = {0};
    char expected[21000], number[32];
    size_t n = 0;
    uint64_t seed = 5;
    while (n < 20000) {
        int length = snprintf(number, sizeof number, "%lld", (long long)(random_bits(&seed) >> random_below(&seed, 64)));
        memcpy(expected + n, number, (size_t)length);
        switch (random_below(&seed, 4)) {
        case 0: buffer_put(&b, number, (size_t)length); break;
        case 1: buffer_puts(&b, number); break;
        case 2: buffer_printf(&b, "%s", number); break;
        default: for (int i = 0; i < length; i++) buffer_putc(&b, number[i]);
        }
        n += (size_t)length;
    }
    ck_assert_uint_eq(b.n, n);
    ck_assert_mem_eq(b.p, expected, n);
    buffer_free(&b);
    ck_assert_ptr_null(b.p);
    ck_assert_uint_eq(b.n + b.room, 0);
}
END_TEST

START_TEST(buffer_of_nothing) {
    struct hr_buffer b = {0};
    buffer_put(&b, NULL, 0);
    buffer_puts(&b, "");
    buffer_printf(&b, "%s", "");
    ck_assert_uint_eq(b.n, 0);
    buffer_put(&b, "a\0b", 3);
    ck_assert_mem_eq(b.p, "a\0b", 3);
    hr_buffer_reset(&b);
    buffer_printf(&b, "%0500d", 1);
    ck_assert_uint_eq(b.n, 500);
    buffer_free(&b);
    buffer_free(&b);
}
END_TEST

/* ---- errors and the log ---- */

START_TEST(first_error_stays) {
    struct hr_error err = {0};
    ck_assert(!error_set(&err, HR_ECONFIG, "%s is %d", "it", 3));
    ck_assert(!error_set(&err, HR_EFAIL, "later"));
    ck_assert_int_eq(err.code, HR_ECONFIG);
    ck_assert_str_eq(err.text, "it is 3");
    struct hr_error cut = {0};
    error_set(&cut, HR_EFAIL, "%2000d", 1);
    ck_assert_uint_eq(strlen(cut.text), sizeof cut.text - 1);
}
END_TEST

/* What log_line() writes to stderr. */
static const char *logged(enum hr_level level, const char *text) {
    static char line[16384];
    char name[] = "/tmp/headrace-log-XXXXXX";
    int file = mkstemp(name), old = dup(2);
    ck_assert_int_ge(file, 0);
    unlink(name);
    dup2(file, 2);
    log_line(level, "%s", text);
    dup2(old, 2);
    close(old);
    ssize_t n = pread(file, line, sizeof line - 1, 0);
    close(file);
    line[n < 0 ? 0 : n] = '\0';
    return line;
}

START_TEST(log_lines_cannot_steer_a_terminal) {
    ck_assert_str_eq(logged(HR_ERROR, "no"), "headrace: error: no\n");
    ck_assert_str_eq(logged(HR_WARN, "no"), "headrace: warning: no\n");
    ck_assert_str_eq(logged(HR_INFO, "G\xc3\xbcte"), "headrace: G\xc3\xbcte\n");
    ck_assert_str_eq(logged(HR_INFO, "a\nb\033[2J\x7f\t"), "headrace: a\\x0ab\\x1b[2J\\x7f\\x09\n");
    char longest[5001];
    memset(longest, '\n', 5000);
    longest[5000] = '\0';
    const char *line = logged(HR_INFO, longest);
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

/* ---- hash ---- */

/* Checkpoints hold these: they may never change. */
START_TEST(hash_is_stable) {
    static const struct { const char *text; uint64_t seed, hash; } known[] = {
        {"", 0, 0xa5506ff52926ac13ull}, {"a", 0, 0xe2492180f9bc29c4ull}, {"invoices", 7, 0x54df0d2288c7ff23ull}, {"sixteen bytes...", 1, 0xdb45dcbc840cbdf8ull},
        {"a text of more than sixteen bytes, and of thirty-two too", 0x6865616472616365ull,
         0x1d9124a71daa4005ull},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        char *exact = exact_bytes(known[i].text, strlen(known[i].text));
        uint64_t hash = hash_bytes(exact, strlen(known[i].text), known[i].seed);
        free(exact);
        ck_assert_msg(hash == known[i].hash, "'%s': %#llx", known[i].text, (unsigned long long)hash);
    }
}
END_TEST

static int by_value(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

/* Zeros of every length, one bit in each place, and numbers in a row: 64 bits leave no room for an accident. */
START_TEST(hash_tells_apart) {
    enum { ZEROS = 200, BITS = 64 * 8, NUMBERS = 200000 };
    uint64_t *hash = xmalloc((ZEROS + BITS + NUMBERS) * sizeof *hash);
    unsigned char bytes[ZEROS] = {0};
    size_t n = 0;
    for (size_t k = 0; k < ZEROS; k++) hash[n++] = hash_bytes(bytes, k, 1);
    for (size_t bit = 0; bit < BITS; bit++) {
        bytes[bit / 8] = (unsigned char)(1 << bit % 8);
        hash[n++] = hash_bytes(bytes, 64, 1);
        bytes[bit / 8] = 0;
    }
    for (uint64_t k = 1; k <= NUMBERS; k++) hash[n++] = hash_bytes(&k, sizeof k, 1);
    size_t low[64] = {0};
    for (size_t i = 0; i < n; i++) low[hash[i] & 63]++;
    qsort(hash, n, sizeof *hash, by_value);
    for (size_t i = 1; i < n; i++) ck_assert_msg(hash[i] != hash[i - 1], "two texts have the hash %#llx", (unsigned long long)hash[i]);
    for (size_t i = 0; i < COUNT(low); i++) ck_assert_msg(low[i] > n / 64 / 2 && low[i] < n / 64 * 2, "slot %zu got %zu", i, low[i]);
    ck_assert(hash_bytes("x", 1, 1) != hash_bytes("x", 1, 2));
    free(hash);
}
END_TEST

/* ---- did you mean ---- */

START_TEST(closest_candidate) {
    static const char *const names[] = {"from_json", "to_date", "filter", "select", "with", "group_by", "id", NULL};
    static const struct { const char *name, *near; } wanted[] = {
        {"from_json", "from_json"}, {"form_json", "from_json"}, {"fromjson", "from_json"}, {"from__json", "from_json"},
        {"to_dat", "to_date"}, {"to_datte", "to_date"}, {"ot_date", "to_date"}, {"filtre", "filter"}, {"fliter", "filter"},
        {"selekt", "select"}, {"grupby", "group_by"}, {"wiht", "with"}, {"if", "id"}, {"i", NULL},
        {"ids", "id"}, {"", NULL}, {"x", NULL}, {"kafka", NULL}, {"group_by_and_a_lot_more", NULL},
        {"widths", "with"}, {"GROUP_BY", "group_by"}, {"ID", "id"},
    };
    for (size_t i = 0; i < COUNT(wanted); i++) {
        const char *near = closest(wanted[i].name, names);
        ck_assert_msg(wanted[i].near ? near && !strcmp(near, wanted[i].near) : !near, "%s: %s", wanted[i].name, near ? near : "none");
    }
    static const char *const none[] = {NULL}, *const two[] = {"abcdef", "abcdeX", NULL};
    ck_assert_ptr_null(closest("a", none));
    ck_assert_ptr_null(closest("a", NULL));
    ck_assert_str_eq(closest("abcdeY", two), "abcdef");
    ck_assert_str_eq(closest("abcdeX", two), "abcdeX");
    char longest[200];
    memset(longest, 'a', 199);
    longest[199] = '\0';
    ck_assert_ptr_null(closest(longest, names));
}
END_TEST

/* ---- folders ---- */

static char base_name[] = "/tmp/headrace-base-XXXXXX";
static int base_folder;

static void folder_setup(void) {
    ck_assert(mkdtemp(base_name) != NULL);
    base_folder = open(base_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(base_folder, 0);
}

static void folder_teardown(void) {
    static const char *const left[] = {"link", "file"};
    static const char *const folders[] = {"a/b/c", "a/b", "a"};
    for (size_t i = 0; i < COUNT(left); i++) unlinkat(base_folder, left[i], 0);
    for (size_t i = 0; i < COUNT(folders); i++) unlinkat(base_folder, folders[i], AT_REMOVEDIR);
    close(base_folder);
    rmdir(base_name);
}

/* Made where it is not there, for its owner only; found where it is; any way of writing the same path is that folder. */
START_TEST(folders_beneath_a_base) {
    static const char *const paths[] = {"a/b/c", "a//b/./c/", "./a/b/c"};
    struct hr_error err = {0};
    struct stat first, st;
    for (size_t i = 0; i < COUNT(paths); i++) {
        int fd = folder_beneath(base_folder, paths[i], &err);
        ck_assert_msg(fd >= 0, "%s", err.text);
        ck_assert_int_eq(fstat(fd, i ? &st : &first), 0);
        ck_assert_int_eq(first.st_mode & 0777, 0700);
        if (i) ck_assert_uint_eq(st.st_ino, first.st_ino);
        close(fd);
    }
    int fd = folder_beneath(base_folder, "", &err);
    ck_assert(fd >= 0 && fstat(fd, &st) == 0 && fstat(base_folder, &first) == 0 && st.st_ino == first.st_ino);
    close(fd);
}
END_TEST

/* No way out of the base, whatever lies in it. */
START_TEST(folders_out_of_a_base) {
    char longest[400] = "x/";
    memset(longest + 2, 'n', 300);
    struct { const char *path, *why; } refused[] = {
        {"/tmp", "not absolute"}, {"..", "'..' leads out"}, {"a/../..", "'..' leads out"}, {"link/x", "'link' is a link"}, {"link", "'link' is a link"},
        {"file/x", "'file' Not a directory"}, {longest, "a name is too long"},
    };
    ck_assert_int_eq(symlinkat("/tmp", base_folder, "link"), 0);
    close(openat(base_folder, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct hr_error err = {0};
        int fd = folder_beneath(base_folder, refused[i].path, &err);
        ck_assert_msg(fd < 0 && err.code == HR_EFAIL && strstr(err.text, refused[i].why), "%s: %d, %s", refused[i].path, fd, err.text);
    }
    unlinkat(base_folder, "x", AT_REMOVEDIR);
}
END_TEST

/* ---- clocks ---- */

START_TEST(clocks_go_forward) {
    int64_t before = clock_monotonic_us(), wall = clock_wall_us();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_monotonic_us();
        ck_assert_int_ge(now, before);
        before = now;
    }
    ck_assert_int_gt(wall, INT64_C(1700000000) * 1000000); /* microseconds, of this century */
    ck_assert_int_lt(wall, INT64_C(10000000000) * 1000000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("base");
    TCase *t = tcase_create("base");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, arena_memory_is_aligned_and_apart);
    tcase_add_test(t, arena_holds_more_than_a_block);
    tcase_add_test(t, arena_reset_keeps_one_block);
    tcase_add_test(t, arena_of_nothing);
    tcase_add_test(t, arena_texts);
    tcase_add_loop_exit_test(t, arena_of_everything_ends_the_program, HR_EFAIL, 0, 3);
    tcase_add_test(t, buffer_grows_by_every_call);
    tcase_add_test(t, buffer_of_nothing);
    tcase_add_test(t, first_error_stays);
    tcase_add_test(t, log_lines_cannot_steer_a_terminal);
    tcase_add_test(t, hash_is_stable);
    tcase_add_test(t, hash_tells_apart);
    tcase_add_test(t, closest_candidate);
    tcase_add_test(t, clocks_go_forward);
    suite_add_tcase(suite, t);
    t = tcase_create("folder");
    tcase_add_checked_fixture(t, folder_setup, folder_teardown);
    tcase_add_test(t, folders_beneath_a_base);
    tcase_add_test(t, folders_out_of_a_base);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
