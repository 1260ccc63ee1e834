/*
 * base.h: memory, bytes, errors and lines for the log.  Knows nothing of headrace.
 * An arena owns everything allocated from it; a buffer owns its bytes until buffer_free().
 */
#ifndef HR_BASE_H
#define HR_BASE_H

#include <headrace/plugin.h>
#include <stdarg.h>
#include <stdio.h>

struct arena_block;
struct arena {
    struct arena_block *block; /* newest first */
    char *p, *end;             /* free part of the newest */
    size_t bytes;              /* held from malloc */
};

/* Zero-initialise. Memory is 16-byte aligned and never NULL (out of memory ends the program with
 * one line, as nothing committed is lost by it). */
void *arena_alloc(struct arena *, size_t n);
void *arena_zalloc(struct arena *, size_t n);
char *arena_strndup(struct arena *, const char *s, size_t n); /* terminated */
char *arena_strdup(struct arena *, const char *s);
char *arena_printf(struct arena *, const char *format, ...) HR_PRINTF(2, 3);
void arena_reset(struct arena *); /* forget everything, keep the largest block */
void arena_free(struct arena *);

/* One line, and exit 1: nothing committed is lost by it. */
_Noreturn void out_of_memory(void);
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);

void buffer_put(struct hr_buffer *, const void *p, size_t n);
void buffer_puts(struct hr_buffer *, const char *s);
void buffer_putc(struct hr_buffer *, char c);
void buffer_printf(struct hr_buffer *, const char *format, ...) HR_PRINTF(2, 3);
void buffer_vprintf(struct hr_buffer *, const char *format, va_list) HR_PRINTF(2, 0);
void buffer_shown(struct hr_buffer *, const void *p, size_t n, bool json); /* hr_put_shown() */
void buffer_free(struct hr_buffer *);

/* Set code and text; the first error stays. Returns false. */
bool error_set(struct hr_error *, int code, const char *format, ...) HR_PRINTF(3, 4);
bool error_vset(struct hr_error *, int code, const char *format, va_list) HR_PRINTF(3, 0);

/* ---- secret.c: values that no line may show ---- */

/* From now on no log line, error or fault shows this value. Before threads start. */
void secret_add(const char *value);
/* Is p the beginning of one? Its bytes, or 0. */
size_t secret_at(const char *p, size_t n);
/* Do the n bytes from `at` of the text share any with one? So a piece of a secret is known, where its whole is looked at. */
bool secret_touches(const char *text, size_t at, size_t n);
/* Put stars in place of each; the text never becomes longer. */
void secret_mask(char *text);
/* vsnprintf() and secret_mask(); where the text is cut off, so is a value begun there. */
void secret_format(char *text, size_t size, const char *format, va_list) HR_PRINTF(3, 0);
/* The text with stars and 16 bits of a hash in place of each: what tells two apart in a checkpoint. */
const char *secret_identity(struct arena *, const char *text);
/* Does the name say that its value is one? Words are parted by . _ and -: sasl.password, api_key. */
bool secret_name(const char *name, size_t n);

/* "headrace: ..." on stderr, control characters escaped. */
void log_line(enum hr_level, const char *format, ...) HR_PRINTF(2, 3);
/* From now on a line of progress may stand on the terminal, without its end: log_line() takes its place. */
void log_over_line(bool);

/* The folder `path` beneath the open folder `base`, made where it is not there, with its parents. No link is followed,
 * and no path leads out. A descriptor to close, or -1 and the error is set. */
int folder_beneath(int base, const char *path, struct hr_error *);

/* 64-bit hash of bytes (wyhash-like mixing); stable over versions: it is stored in checkpoints. */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
/* Multiply to 128 bits and fold (Wang Yi, wyhash). */
static inline uint64_t hash_mix(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline void counts_add(struct hr_counts *sum, const struct hr_counts *c) {
    sum->in += c->in;
    sum->out += c->out;
    sum->filtered += c->filtered;
    sum->dropped += c->dropped;
    sum->dead += c->dead;
    sum->bad += c->bad;
}

/* The candidate that differs from `name` in case only, or the closest one (optimal string alignment distance, at most a
 * third of its length and at least 1), or NULL. candidates ends with NULL. */
const char *closest(const char *name, const char *const *candidates);

/* Monotonic and wall clock in microseconds. */
int64_t clock_monotonic_us(void);
int64_t clock_wall_us(void);

#endif
