/* Whole records out of one file: read until there is a border, cut there, keep the rest for the next piece. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memrchr */
#endif
#include "file_read.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t file_chunk_bytes = 256 * 1024;

size_t file_mark(const char *p, size_t n) { return n >= 3 && !memcmp(p, "\xEF\xBB\xBF", 3) ? 3 : 0; }

/* Room for the longest record and its CRLF, behind a byte order mark. */
static size_t most(const struct file_reader *r) { return r->record + 5; }

/* NULL: no memory for it, and the error is set. */
static struct file_piece *piece_grow(struct file_reader *r, struct file_piece *p, size_t room, struct hr_error *err) {
    const char *name = r->input->split.name;
    int64_t at = p ? p->at : r->input->at;
    struct file_piece *more = realloc(p, sizeof *more + room);
    if (!more) {
        hr_fail(err, HR_EFAIL, "file: %s@%lld: no memory for %zu bytes", name, (long long)at, room);
        return NULL;
    }
    if (!p) *more = (struct file_piece){.at = at};
    more->room = room;
    return more;
}

static bool make_room(struct file_reader *r, struct hr_error *err) {
    struct file_piece *p = r->piece;
    if (p && p->n < p->room) return true;
    size_t room = p ? 2 * p->room : file_chunk_bytes;
    if (p && room > most(r)) room = most(r);
    struct file_piece *more = piece_grow(r, p, room, err);
    if (more) r->piece = more;
    return more != NULL;
}

static bool stream_ready(int fd) {
    struct pollfd ask = {.fd = fd, .events = POLLIN};
    return poll(&ask, 1, 0) > 0;
}

/* Like read(2), at most to the file's end for this run. */
static ssize_t read_more(struct file_reader *r) {
    struct file_piece *p = r->piece;
    size_t want = p->room - p->n;
    if (r->input->stream) return read(r->fd, p->bytes + p->n, want);
    int64_t from = p->at + (int64_t)p->n, left = r->input->end - from;
    if (left <= 0) return 0;
    return pread(r->fd, p->bytes + p->n, (int64_t)want < left ? want : (size_t)left, from);
}

/* Where a newline ends a record, only the end of a chunk has to be looked at: the rest is left to the lane that gets it,
 * so that the feed's lock is not held for it. What is not surely there, or has no newline, is read as usual. */
static bool leave_hole(struct file_reader *r) {
    struct file_piece *p = r->piece;
    size_t tail = file_chunk_bytes / 16, room = p->room - p->n, hole = room - tail;
    int64_t from = p->at + (int64_t)p->n, there = r->input->end < r->input->size ? r->input->end : r->input->size;
    if (r->scan.csv || r->input->stream || r->over || !tail || room < 2 * tail) return false;
    if (from == 0 /* a mark may come */ || there - from < (int64_t)room) return false;
    char *at = p->bytes + p->n + hole;
    if (pread(r->fd, at, tail, from + (int64_t)hole) != (ssize_t)tail) return false;
    const char *newline = memrchr(at, '\n', tail);
    p->fd = newline ? dup(r->fd) : -1;
    if (p->fd < 0) return false;
    p->hole = p->n;
    p->hole_end = p->n + hole;
    p->n = r->scan.done = p->room;
    r->scan.border = (size_t)(newline + 1 - p->bytes);
    return true;
}

bool file_piece_fill(struct file_piece *p, const char *path, struct hr_error *err) {
    while (p->hole < p->hole_end) {
        ssize_t n = pread(p->fd, p->bytes + p->hole, p->hole_end - p->hole, p->at + (int64_t)p->hole);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return hr_fail(err, HR_EFAIL, "file: cannot read %s: %s", path, strerror(errno));
        if (n == 0)
            return hr_fail(err, HR_EDATALOSS, "file: %s became shorter than %lld bytes while it was read", path,
                           (long long)(p->at + (int64_t)p->hole_end));
        p->hole += (size_t)n;
    }
    if (p->hole_end) close(p->fd);
    p->hole = p->hole_end = 0;
    return true;
}

void file_piece_free(struct file_piece *p) {
    if (p && p->hole_end) close(p->fd);
    free(p);
}

/* Hand out bytes[0..cut); what follows them starts the next piece. */
static enum file_got cut(struct file_reader *r, size_t n, struct file_piece **out, struct hr_error *err) {
    struct file_piece *p = r->piece;
    size_t rest = p->n - n;
    r->piece = NULL;
    if (rest) {
        size_t room = rest < file_chunk_bytes ? file_chunk_bytes : rest + file_chunk_bytes;
        if (room > most(r) && rest <= most(r)) room = most(r);
        r->piece = piece_grow(r, NULL, room, err);
        if (!r->piece) {
            r->piece = p;
            return FILE_GOT_FAILED;
        }
        r->piece->at = p->at + (int64_t)n;
        r->piece->n = rest;
        memcpy(r->piece->bytes, p->bytes + n, rest);
    }
    p->n = n;
    file_scan_cut(&r->scan, n);
    r->input->at = p->at + (int64_t)n;
    *out = p;
    return FILE_GOT_PIECE;
}

/* ---- a record that is too long: passed over in pieces, and only its place and size are handed out ---- */

/* The buffer is full of it, and it still has no end. */
static bool is_too_long(const struct file_reader *r) {
    const struct file_piece *p = r->piece;
    return p && !r->scan.border && p->n >= p->room && p->room >= most(r);
}

/* A carriage return at its end stays: it may be the record's end that begins there. */
static void pass_over(struct file_reader *r) {
    struct file_piece *p = r->piece;
    size_t mark = p->at == 0 ? file_mark(p->bytes, p->n) : 0;
    size_t kept = p->bytes[p->n - 1] == '\r', n = p->n - kept;
    if (!r->over) r->over_at = p->at + (int64_t)mark;
    r->over += (int64_t)(n - mark);
    p->at += (int64_t)n;
    file_scan_cut(&r->scan, n);
    memmove(p->bytes, p->bytes + n, kept);
    p->n = kept;
}

/* It ends within the buffer, before byte n. */
static enum file_got end_over(struct file_reader *r, size_t n, struct file_piece **out, struct hr_error *err) {
    struct file_piece *p = r->piece, *over = malloc(sizeof *over);
    if (!over) {
        hr_fail(err, HR_EFAIL, "file: %s@%lld: no memory", r->input->split.name, (long long)r->input->at);
        return FILE_GOT_FAILED;
    }
    size_t end = n && p->bytes[n - 1] == '\n' ? n - 1 : n;
    end -= end && p->bytes[end - 1] == '\r';
    *over = (struct file_piece){.at = r->over_at, .over = r->over + (int64_t)end};
    p->at += (int64_t)n;
    p->n -= n;
    memmove(p->bytes, p->bytes + n, p->n);
    file_scan_cut(&r->scan, n);
    r->over = 0;
    r->input->at = p->at;
    *out = over;
    return FILE_GOT_PIECE;
}

/* Nothing more to read. A last record without a newline counts, but for a follower: it may grow. */
static enum file_got at_end(struct file_reader *r, struct file_piece **out, struct hr_error *err) {
    struct file_piece *p = r->piece;
    int64_t seen = p ? p->at + (int64_t)p->n : r->input->at;
    if (!r->input->stream && seen < r->input->size && seen < r->input->end) {
        hr_fail(err, HR_EDATALOSS, "file: %s became shorter than %lld bytes while it was read", r->input->split.name,
                (long long)r->input->size);
        return FILE_GOT_FAILED;
    }
    if (r->scan.border) return cut(r, r->scan.border, out, err);
    bool whole = !r->follow || r->input->stream;
    if (r->over && whole) return end_over(r, p->n, out, err);
    if (p && p->n && whole) return cut(r, p->n, out, err);
    r->input->seen = seen;
    return FILE_GOT_END;
}

/* A byte order mark is not looked at: a quote after it opens a field. */
static void scan(struct file_reader *r) {
    struct file_piece *p = r->piece;
    if (!p || !p->n) return;
    if (p->at == 0 && r->scan.done == 0 && !r->over) {
        if (p->n < 3 && p->bytes[0] == '\xEF') return; /* it may become one */
        r->scan.done = file_mark(p->bytes, p->n);
    }
    /* behind a record that is too long the first border counts, else the last one */
    do {
        const char *newline = r->over ? memchr(p->bytes + r->scan.done, '\n', p->n - r->scan.done) : NULL;
        file_scan_feed(&r->scan, p->bytes, newline ? (size_t)(newline - p->bytes) + 1 : p->n);
    } while (!r->scan.border && r->scan.done < p->n);
}

enum file_got file_reader_next(struct file_reader *r, struct file_piece **out, struct hr_error *err) {
    for (;;) {
        scan(r);
        bool full = r->piece && r->piece->n >= r->piece->room;
        if (r->scan.border && r->over) return end_over(r, r->scan.border, out, err);
        if (r->scan.border && (full || r->input->stream)) return cut(r, r->scan.border, out, err);
        if (is_too_long(r)) pass_over(r);
        if (!make_room(r, err)) return FILE_GOT_FAILED;
        if (!r->scan.border && leave_hole(r)) continue;
        if (r->input->stream && !stream_ready(r->fd)) return FILE_GOT_NOTHING;
        ssize_t n = read_more(r);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return FILE_GOT_NOTHING;
        if (n < 0) {
            hr_fail(err, HR_EFAIL, "file: cannot read %s: %s", r->input->split.name, strerror(errno));
            return FILE_GOT_FAILED;
        }
        if (n == 0) return at_end(r, out, err);
        r->piece->n += (size_t)n;
    }
}

void file_reader_begin(struct file_reader *r, struct file_input *input, int fd) {
    r->input = input;
    r->fd = fd;
    r->scan.state = FILE_SCAN_START;
    r->scan.done = r->scan.border = 0;
    r->over = 0;
}

void file_reader_end(struct file_reader *r) {
    if (r->input && !r->input->stream) close(r->fd);
    file_piece_free(r->piece);
    r->input = NULL;
    r->piece = NULL;
}
