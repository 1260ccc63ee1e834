/* The files of a source: paths and globs, the place each was read to, and whether they are still the same. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "file_set.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the set ---- */

/* Index in by_path of the path, or where it would be inserted. */
static int place_of(const struct file_set *set, const char *path, bool *found) {
    int low = 0, high = set->n;
    *found = false;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(set->by_path[middle]->split.name, path);
        if (!order) {
            *found = true;
            return middle;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static struct file_input *find(const struct file_set *set, const char *path) {
    bool found;
    int at = place_of(set, path, &found);
    return found ? set->by_path[at] : NULL;
}

static bool grow(struct file_set *set) {
    if (set->n < set->room) return true;
    int room = set->room ? 2 * set->room : 16;
    struct file_input **item = realloc(set->item, (size_t)room * sizeof *item);
    if (item) set->item = item;
    struct file_input **by_path = realloc(set->by_path, (size_t)room * sizeof *by_path);
    if (by_path) set->by_path = by_path;
    if (!item || !by_path) return false;
    set->room = room;
    return true;
}

static struct file_input *add(struct file_set *set, const char *path, struct hr_error *err) {
    bool found;
    int at = place_of(set, path, &found);
    struct file_input *f = grow(set) ? calloc(1, sizeof *f) : NULL;
    char *name = f ? strdup(path) : NULL;
    if (!name) {
        free(f);
        hr_fail(err, HR_EFAIL, "file: no memory for %s", path);
        return NULL;
    }
    f->split = (struct hr_split){.name = name, .index = set->n};
    f->end = INT64_MAX;
    memmove(&set->by_path[at + 1], &set->by_path[at], (size_t)(set->n - at) * sizeof *set->by_path);
    set->by_path[at] = set->item[set->n] = f;
    set->n++;
    return f;
}

void file_set_free(struct file_set *set) {
    for (int i = 0; i < set->n; i++) {
        free((char *)set->item[i]->split.name);
        free(set->item[i]->field_of);
        free(set->item[i]);
    }
    free(set->item);
    free(set->by_path);
    free(set->position);
    *set = (struct file_set){0};
}

/* ---- one file ---- */

static bool lost(const struct file_input *f, int64_t size, struct hr_error *err) {
    return hr_fail(err, HR_EDATALOSS, "file: %s was read up to byte %lld, but now has %lld bytes", f->split.name,
                   (long long)f->at, (long long)size);
}

static bool gone(struct file_input *f, struct hr_error *err) {
    if (f->at < f->size)
        return hr_fail(err, HR_EDATALOSS, "file: %s is gone; it had %lld bytes and was read up to byte %lld",
                       f->split.name, (long long)f->size, (long long)f->at);
    return true;
}

static bool is_plain_file(const char *path, const struct stat *st, struct hr_error *err) {
    if (S_ISREG(st->st_mode)) return true;
    return hr_fail(err, HR_EFAIL, "file: %s is %s", path,
                   S_ISDIR(st->st_mode) ? "a directory" : "no regular file (a pipe is read as '-', stdin)");
}

static bool check_same(struct file_input *f, const struct stat *st, struct hr_error *err) {
    if (st->st_size < f->at) return lost(f, st->st_size, err);
    if (f->inode && f->inode != (uint64_t)st->st_ino && f->at)
        hr_log(HR_WARN, "file: %s was replaced; going on at byte %lld of the new one", f->split.name,
               (long long)f->at);
    f->inode = (uint64_t)st->st_ino;
    f->size = st->st_size;
    return true;
}

/* A last line without a newline was read as a record. When only its newline came since, go on after
 * that; when the line itself grew, what was read of it was wrong. */
static bool check_last_line(struct file_input *f, int fd, struct hr_error *err) {
    char b[3];
    if (f->at <= 0) return true;
    ssize_t n = pread(fd, b, sizeof b, f->at - 1);
    if (n < 0) return hr_fail(err, HR_EFAIL, "file: cannot read %s: %s", f->split.name, strerror(errno));
    if (n < 2 || b[0] == '\n') return true;
    if (b[1] == '\n') {
        f->at += 1;
    } else if (n == 3 && b[1] == '\r' && b[2] == '\n') {
        f->at += 2;
    } else {
        return hr_fail(err, HR_EDATALOSS,
                       "file: %s: the line before byte %lld was its last and has grown since it was read",
                       f->split.name, (long long)f->at);
    }
    return true;
}

bool file_set_file(struct file_input *f, int *fd, struct hr_error *err) {
    struct stat st;
    *fd = open(f->split.name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 && errno == ENOENT && (f->inode || f->found)) return gone(f, err);
    if (*fd < 0 || fstat(*fd, &st) != 0) {
        hr_fail(err, HR_EFAIL, "file: cannot open %s: %s", f->split.name, strerror(errno));
    } else if (is_plain_file(f->split.name, &st, err) && check_same(f, &st, err) && check_last_line(f, *fd, err)) {
        return true;
    }
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return false;
}

bool file_set_unchanged(const struct file_input *f) {
    struct stat st;
    if (stat(f->split.name, &st) != 0) return errno == ENOENT && f->seen == f->size && f->at == f->size;
    return (uint64_t)st.st_ino == f->inode && st.st_size == f->seen;
}

/* ---- paths ---- */

static bool is_glob(const char *path) { return strpbrk(path, "*?[") != NULL; }

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Directories that a glob matches, and files that went away meanwhile, are passed over. */
static bool add_matches(struct file_set *set, const glob_t *found, struct hr_error *err) {
    qsort(found->gl_pathv, found->gl_pathc, sizeof *found->gl_pathv, by_name);
    for (size_t i = 0; i < found->gl_pathc; i++) {
        const char *path = found->gl_pathv[i];
        struct stat st;
        if (find(set, path) || (stat(path, &st) == 0 ? S_ISDIR(st.st_mode) : errno == ENOENT)) continue;
        struct file_input *f = add(set, path, err);
        if (!f) return false;
        f->found = true;
    }
    return true;
}

static bool add_glob(struct file_set *set, const char *pattern, bool may_be_none, struct hr_error *err) {
    glob_t found = {0};
    int result = glob(pattern, GLOB_ERR | GLOB_NOSORT, NULL, &found);
    bool ok = true;
    if (result == 0) ok = add_matches(set, &found, err);
    else if (result != GLOB_NOMATCH)
        ok = hr_fail(err, HR_EFAIL, "file: cannot look for %s: %s", pattern, strerror(errno));
    else if (!may_be_none)
        ok = hr_fail(err, HR_EFAIL, "file: no file matches %s", pattern);
    globfree(&found);
    return ok;
}

bool file_set_expand(struct file_set *set, const struct file_set_options *o, struct hr_error *err) {
    for (int i = 0; i < o->paths->n; i++) {
        const char *path = o->paths->item[i].s;
        if (is_glob(path)) {
            if (!add_glob(set, path, o->follow, err)) return false;
            continue;
        }
        struct file_input *f = find(set, path);
        if (!f && !(f = add(set, path, err))) return false;
        f->stream = !strcmp(path, "-");
    }
    return true;
}

/* ---- positions ---- */

static bool is_wanted(const struct file_set_options *o, const char *path) {
    for (int i = 0; i < o->paths->n; i++)
        if (fnmatch(o->paths->item[i].s, path, FNM_PATHNAME | FNM_PERIOD) == 0) return true;
    return false;
}

/* What a position's detail says: see file_set_positions(). */
static void take_detail(struct file_input *f, const struct hr_position *p) {
    unsigned long long inode = 0;
    long long size = p->at;
    if (p->detail && sscanf(p->detail, "%llu:%lld", &inode, &size) != 2) size = p->at;
    f->inode = inode;
    f->size = size;
}

/* A file that is no longer there stays known, so that it is not read twice when it comes back. */
static bool take_position(struct file_set *set, const struct file_set_options *o, const struct hr_position *p,
                          struct hr_error *err) {
    if (!strcmp(p->split, "-")) return true; /* stdin is another stream now */
    struct file_input *f = find(set, p->split);
    if (!f) {
        f = add(set, p->split, err);
        if (!f) return false;
        f->found = true;
        f->ended = !is_wanted(o, p->split);
    }
    f->at = p->at;
    take_detail(f, p);
    return true;
}

/* ---- an epoch that is read again ---- */

/* Up to where each file was read then, and nothing that came later. A file that is gone is in the set, too, to be missed. */
static bool set_ends(struct file_set *set, struct hr_positions until, struct hr_error *err) {
    for (int i = 0; i < set->n; i++) set->item[i]->end = 0;
    for (int i = 0; i < until.n; i++) {
        struct file_input *f = find(set, until.item[i].split);
        if (!f && !(f = add(set, until.item[i].split, err))) return false;
        f->end = until.item[i].at;
        take_detail(f, &until.item[i]);
    }
    for (int i = 0; i < set->n; i++) set->item[i]->ended = set->item[i]->at >= set->item[i]->end;
    return true;
}

/* Said before the first row is handed out: half an epoch is none. */
static bool is_still_there(struct file_input *f, struct hr_error *err) {
    struct stat st;
    bool there = stat(f->split.name, &st) == 0;
    if (!there && errno != ENOENT) return hr_fail(err, HR_EFAIL, "file: cannot open %s: %s", f->split.name, strerror(errno));
    if (!there || st.st_size < f->end) {
        char now[40] = "is gone";
        if (there) snprintf(now, sizeof now, "has %lld bytes now", (long long)st.st_size);
        return hr_fail(err, HR_EDATALOSS, "file: %s %s: its bytes %lld to %lld were to be read again", f->split.name, now,
                       (long long)f->at, (long long)f->end - 1);
    }
    if (f->inode && f->inode != (uint64_t)st.st_ino)
        hr_log(HR_WARN, "file: %s was replaced; reading bytes %lld to %lld of the new one again", f->split.name, (long long)f->at,
               (long long)f->end - 1);
    f->inode = (uint64_t)st.st_ino;
    return true;
}

/* ---- opening ---- */

static bool open_input(struct file_input *f, const struct file_set_options *o, bool again, struct hr_error *err) {
    int fd;
    if (f->ended || f->stream) return true;
    if (again && !is_still_there(f, err)) return false;
    if (!file_set_file(f, &fd, err)) return false;
    if (fd < 0 && !f->found)
        return hr_fail(err, HR_EFAIL, "file: cannot open %s: %s", f->split.name, strerror(ENOENT));
    if (fd < 0) f->ended = !o->follow;
    else close(fd);
    f->there = f->size;
    if (o->bounded && f->end > f->size) f->end = f->size;
    return true;
}

bool file_set_open(struct file_set *set, const struct file_set_options *o, struct hr_positions from,
                   struct hr_positions until, struct hr_error *err) {
    /* A glob whose files were all moved away after they were read is no fault. */
    struct file_set_options first = *o;
    bool again = until.n > 0;
    first.follow = o->follow || from.n > 0 || again;
    if (!file_set_expand(set, &first, err)) return false;
    for (int i = 0; i < from.n; i++)
        if (!take_position(set, o, &from.item[i], err)) return false;
    if (again && !set_ends(set, until, err)) return false;
    for (int i = 0; i < set->n; i++)
        if (!open_input(set->item[i], o, again, err)) return false;
    return true;
}

struct hr_positions file_set_positions(struct file_set *set) {
    if (set->positions < set->n) {
        set->position = hr_resize(set->position, (size_t)set->n * sizeof *set->position);
        set->positions = set->n;
    }
    for (int i = 0; i < set->n; i++) {
        struct file_input *f = set->item[i];
        snprintf(f->detail, sizeof f->detail, "%llu:%lld", (unsigned long long)f->inode, (long long)f->size);
        set->position[i] = (struct hr_position){f->split.name, f->at, f->stream ? NULL : f->detail};
    }
    return (struct hr_positions){set->n, set->position};
}
