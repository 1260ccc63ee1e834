/*
 * file: rows to files in a folder, a part an epoch.
 *
 *   sink:
 *     file: {path: out/rows, format: ndjson, rotate_bytes: 64MiB, rotate_age: 10m}
 *
 * 1. path is a folder beneath --data-dir, made where it is not there. No link is followed. Files are 0600.
 * 2. ndjson: a JSON object a row with all columns. csv: a header, then rows; null is empty, an empty text is "".
 *    With one column null is "" too: readers skip empty lines.
 * 3. The rows of epoch N become visible as part-N.ndjson (N with 20 digits) when it is published, all at once;
 *    until then they are in hidden files. An epoch without rows has no part. In mode complete each part is the
 *    whole result, in mode update what changed.
 * 4. With rotate_bytes or rotate_age a part is cut into pieces part-N-0000.ndjson, part-N-0001.ndjson, ..., each
 *    begun when the one before it had that many bytes or that age. They are all renamed when N is published.
 * 5. .headrace in the folder holds whose it is, and the newest epoch that was published: it is replaced first, and
 *    decides. Pieces of that epoch that are hidden still are renamed at the next start; all were synced before.
 *    Parts may be taken away at any time.
 * 6. A folder of another pipeline or sink, or one that holds parts and no .headrace, is refused; one of a run that never
 *    published is taken, as that may have failed at its source and kept no checkpoint. So is one that another
 *    process writes to, with a copy of the checkpoint: the folder is locked as long as a run has it open.
 * 7. What cannot be written or synced stops the job. fsync is never tried again.
 */
#include "sinks/rows.h"
#include "sources/file_spark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NDJSON, CSV };
enum { WRITE_AT = 1 << 16, NAME = 64 };
#define MEMORY ".headrace"

struct file_sink {
    const char *path;
    int format;
    struct hr_bytes rotate_bytes;
    struct hr_duration rotate_age;

    struct hr_schema schema;
    struct rows_json json;
    struct hr_buffer out;
    char owner[512];    /* pipeline and id, as .headrace has them */
    int folder, fd;     /* fd: the piece being written; -1: none */
    int64_t epoch;      /* of the pieces */
    int pieces;         /* begun in this epoch */
    int64_t bytes, begun_us; /* of the piece being written */
};

static const struct hr_option options[] = {
    HR_REQUIRED(struct file_sink, path, "a folder, beneath --data-dir"),
    HR_CHOICE(struct file_sink, format, "ndjson|csv", "ndjson", "what a row is"),
    HR_OPTION(struct file_sink, rotate_bytes, NULL, "begin another piece of an epoch's part after this many bytes"),
    HR_OPTION(struct file_sink, rotate_age, NULL, "begin another piece of an epoch's part after this long"),
    {0},
};

static bool bind_(void *self, struct hr_bind *b) {
    struct file_sink *f = self;
    const char *why = rows_path_fault(f->path);
    if (why) return hr_fault(b, &f->path, "%s", why);
    f->folder = f->fd = -1;
    return true;
}

/* ---- names ---- */

static bool rotates(const struct file_sink *f) { return f->rotate_bytes.n || f->rotate_age.us; }

static void name_of(const struct file_sink *f, int64_t epoch, int piece, bool hidden, char name[NAME]) {
    const char *ending = f->format == CSV ? "csv" : "ndjson", *dot = hidden ? "." : "", *tmp = hidden ? ".tmp" : "";
    if (rotates(f)) snprintf(name, NAME, "%spart-%020lld-%04d.%s%s", dot, (long long)epoch, piece, ending, tmp);
    else snprintf(name, NAME, "%spart-%020lld.%s%s", dot, (long long)epoch, ending, tmp);
}

/* The epoch in the name of a part or a hidden piece; -1: it is neither. */
static int64_t epoch_in(const char *name, bool *hidden) {
    *hidden = *name == '.';
    if (strncmp(name + *hidden, "part-", 5)) return -1;
    const char *digits = name + *hidden + 5;
    if (strspn(digits, "0123456789") != 20) return -1;
    return strtoll(digits, NULL, 10);
}

static bool fail(const struct file_sink *f, const char *name, struct hr_error *err) {
    return hr_fail(err, HR_EFAIL, "file: %s/%s: %s", f->path, name, strerror(errno));
}

/* ---- the memory ---- */

/* Synced and renamed, so that there is always a whole one. */
static bool remember(struct file_sink *f, int64_t epoch, struct hr_error *err) {
    char text[sizeof f->owner + 32];
    int n = snprintf(text, sizeof text, "%s %lld\n", f->owner, (long long)epoch);
    int fd = openat(f->folder, MEMORY ".tmp", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && rows_write(fd, text, (size_t)n) && fsync(fd) == 0;
    if (fd >= 0) ok = close(fd) == 0 && ok;
    ok = ok && renameat(f->folder, MEMORY ".tmp", f->folder, MEMORY) == 0 && fsync(f->folder) == 0;
    return ok || fail(f, MEMORY, err);
}

static bool not_ours(const struct file_sink *f, struct hr_error *err) {
    return hr_fail(err, HR_EFAIL, "file: %s holds the parts of another job or sink, perhaps hidden ones that it has not published (without a "
                   "checkpoint each run is another job): another path, or an empty one", f->path);
}

/* *epoch: -1 where there is none, or only that of a run that never came to publish. */
static bool recall(struct file_sink *f, int64_t *epoch, struct hr_error *err) {
    char text[sizeof f->owner + 32] = "";
    *epoch = -1;
    int fd = openat(f->folder, MEMORY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || fail(f, MEMORY, err);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n < 0) return fail(f, MEMORY, err);
    char *number = strrchr(text, ' '), *end = text;
    int64_t at = number ? strtoll(number, &end, 10) : -1;
    bool whole = number && end > number + 1 && !strcmp(end, "\n") && at >= 0;
    size_t owner = number ? (size_t)(number - text) : 0;
    if (owner != strlen(f->owner) || strncmp(text, f->owner, owner)) return (whole && at == 0) || not_ours(f, err);
    *epoch = at;
    return whole || hr_fail(err, HR_EFAIL, "file: %s/" MEMORY " is damaged", f->path);
}

/* ---- the folder at the start ---- */

/* each(f, name, epoch, hidden) for all parts and pieces; false from it stops. */
static bool each_part(struct file_sink *f, bool (*each)(struct file_sink *, const char *, int64_t, bool, void *), void *ctx,
                      struct hr_error *err) {
    int fd = openat(f->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) return fail(f, "", err);
    bool ok = true, hidden;
    struct dirent *e;
    while (ok && (errno = 0, e = readdir(dir))) { /* NULL is the end, or with errno a failure */
        int64_t epoch = epoch_in(e->d_name, &hidden);
        if (epoch >= 0) ok = each(f, e->d_name, epoch, hidden, ctx) || fail(f, e->d_name, err);
    }
    if (ok && errno) ok = fail(f, "", err);
    closedir(dir);
    return ok;
}

static bool see(struct file_sink *f, const char *name, int64_t epoch, bool hidden, void *ctx) {
    (void)f, (void)name, (void)epoch, (void)hidden;
    return *(bool *)ctx = true;
}

/* Rule 5; hidden pieces of a later epoch are given up: it comes again. */
static bool settle(struct file_sink *f, const char *name, int64_t epoch, bool hidden, void *ctx) {
    char visible[NAME];
    size_t n = strlen(name);
    if (!hidden) return true;
    if (epoch > *(const int64_t *)ctx || n < 6 || n > NAME) return unlinkat(f->folder, name, 0) == 0;
    snprintf(visible, sizeof visible, "%.*s", (int)n - 5, name + 1); /* without the dot and .tmp */
    return renameat(f->folder, name, f->folder, visible) == 0;
}

/* The folder itself, as .headrace is another file with each epoch; a lock file could be taken for a stale one and removed. */
static bool lock(const struct file_sink *f, struct hr_error *err) {
    if (flock(f->folder, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return fail(f, "", err);
    return hr_fail(err, HR_EFAIL, "file: %s: another sink or process writes there: each needs a folder of its own", f->path);
}

static bool open_(void *self, const struct hr_sink_open *o) {
    struct file_sink *f = self;
    int64_t memory;
    bool parts = false;
    f->schema = *o->rows;
    snprintf(f->owner, sizeof f->owner, "%s %.200s", o->pipeline, o->id);
    if (!rows_json_init(&f->json, o->rows)) return hr_fail(o->err, HR_EFAIL, "file: out of memory");
    f->folder = hr_folder(o, f->path);
    if (f->folder < 0 || !lock(f, o->err) || !recall(f, &memory, o->err)) return false;
    if (memory >= 0) return true;
    if (!each_part(f, see, &parts, o->err)) return false;
    if (parts && faccessat(f->folder, MEMORY, F_OK, 0) == 0) return not_ours(f, o->err);
    if (parts) return hr_fail(o->err, HR_EFAIL, "file: %s holds parts and no " MEMORY ": whose are they? another path, or an empty one", f->path);
    return remember(f, 0, o->err);
}

static bool remembered(void *self, int64_t *epoch, struct hr_error *err) {
    struct file_sink *f = self;
    if (!recall(f, epoch, err) || !each_part(f, settle, epoch, err)) return false;
    return fsync(f->folder) == 0 || fail(f, "", err);
}

/* ---- an epoch ---- */

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool write_out(struct file_sink *f, struct hr_error *err) {
    char name[NAME];
    if (!f->out.n) return true;
    if (!rows_write(f->fd, f->out.p, f->out.n)) {
        name_of(f, f->epoch, f->pieces - 1, true, name);
        return fail(f, name, err);
    }
    f->bytes += (int64_t)f->out.n;
    hr_buffer_reset(&f->out);
    return true;
}

static bool begin_piece(struct file_sink *f, struct hr_error *err) {
    char name[NAME];
    name_of(f, f->epoch, f->pieces, true, name);
    f->fd = openat(f->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->fd < 0) return fail(f, name, err);
    f->pieces++;
    f->bytes = 0;
    f->begun_us = now_us();
    if (f->format == CSV) rows_csv_header(&f->out, &f->schema);
    return true;
}

static bool end_piece(struct file_sink *f, struct hr_error *err) {
    char name[NAME];
    if (f->fd < 0) return true;
    name_of(f, f->epoch, f->pieces - 1, true, name);
    if (!write_out(f, err)) return false;
    bool ok = fsync(f->fd) == 0;
    ok = close(f->fd) == 0 && ok;
    f->fd = -1;
    return ok || fail(f, name, err);
}

static bool is_long(const struct file_sink *f) {
    return (f->rotate_bytes.n && f->bytes + (int64_t)f->out.n >= f->rotate_bytes.n) ||
           (f->rotate_age.us && now_us() - f->begun_us >= f->rotate_age.us);
}

static bool begin(void *self, int64_t epoch, struct hr_error *err) {
    (void)err;
    struct file_sink *f = self;
    f->epoch = epoch;
    f->pieces = 0;
    return true;
}

static bool write_rows(void *self, const struct hr_batch *b, struct hr_error *err) {
    struct file_sink *f = self;
    HR_EACH(b->rows, i) {
        if (f->fd >= 0 && is_long(f) && !end_piece(f, err)) return false;
        if (f->fd < 0 && !begin_piece(f, err)) return false;
        if (f->format == CSV) rows_csv_put(&f->out, b, i);
        else rows_json_put(&f->json, &f->out, b, i);
        if (f->out.n > WRITE_AT && !write_out(f, err)) return false;
    }
    return true;
}

/* The hidden names too are on disk before the epoch can be remembered: rule 5 relies on it. */
static bool flush_(void *self, struct hr_error *err) {
    struct file_sink *f = self;
    if (!end_piece(f, err)) return false;
    return !f->pieces || fsync(f->folder) == 0 || fail(f, "", err);
}

static bool publish(void *self, int64_t epoch, struct hr_error *err) {
    struct file_sink *f = self;
    char hidden[NAME], visible[NAME];
    if (!remember(f, epoch, err)) return false;
    for (int i = 0; i < f->pieces; i++) {
        name_of(f, epoch, i, true, hidden);
        name_of(f, epoch, i, false, visible);
        if (renameat(f->folder, hidden, f->folder, visible)) return fail(f, visible, err);
    }
    return !f->pieces || fsync(f->folder) == 0 || fail(f, "", err);
}

static void close_(void *self) {
    struct file_sink *f = self;
    if (f->fd >= 0) close(f->fd);
    if (f->folder >= 0) close(f->folder);
    f->fd = f->folder = -1;
    rows_json_free(&f->json);
    hr_buffer_free(&f->out);
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct file_sink *f = self;
    if (s->mode != HR_APPEND) return hr_spark_refuse(s, NULL, "Spark's file sink knows mode append only");
    if (f->rotate_bytes.n || f->rotate_age.us) hr_spark_note(s, "Spark cuts files by its partitions, not by rotate_bytes or rotate_age");
    bool csv = f->format == CSV;
    hr_spark_put(s, "%s", s->input);
    bool links = csv && file_spark_plain_decimals(s);
    hr_spark_put(s, "%s.writeStream.format(\"%s\")\n.option(\"path\", %s)", links ? "\n" : "", csv ? "csv" : "json", hr_spark_option(s, &f->path));
    if (!csv) return hr_spark_put(s, "\n.option(\"ignoreNullFields\", False)");
    return hr_spark_put(s, "\n.option(\"header\", True)\n.option(\"escape\", '\"')\n"
                        ".option(\"ignoreLeadingWhiteSpace\", False)\n.option(\"ignoreTrailingWhiteSpace\", False)");
}

HR_PLUGIN(sink, file) = {
    .kind = HR_SINK,
    .name = "file",
    .about = "write rows to files in a folder, a part an epoch",
    .options = options,
    .self_size = sizeof(struct file_sink),
    .spark = spark,
    .sink = {.modes = HR_APPEND | HR_COMPLETE | HR_UPDATE, .elsewhere = true, .bind = bind_, .open = open_, .remembered = remembered,
             .begin = begin, .write = write_rows, .flush = flush_, .publish = publish, .close = close_},
};
