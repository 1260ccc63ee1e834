/*
 * file_unit.h: one file source under test. Everything is made anew for each test, by set_up().
 */
#ifndef TESTS_FILE_UNIT_H
#define TESTS_FILE_UNIT_H

#include "sources/file_read.h"
#include "tests/unit.h"

extern const struct hr_plugin hr_source_file;
#define SOURCE hr_source_file.source
#define NOWHERE ((struct hr_positions){0})
enum { FILE_ROWS = 1 << 16 };

/* ---- what it is given ---- */
extern char folder[], *path;             /* an empty folder, and a file in it that is not there yet */
extern struct hr_field schema_field[8]; /* what any `schema` means: a INT, b STRING */
extern int schema_fields;
extern uint8_t wanted[8];
extern int64_t record; /* limits.record */

/* ---- what comes of it ---- */
extern void *self;
extern struct hr_error err;
extern char rows[FILE_ROWS]; /* "byte:a|b|c\n" for each row; # where nobody wants the column */
extern int bads;             /* rows, and the last fault or reason */
extern char said[1024];
extern uint64_t dropped;
extern bool not_rereadable;

void set_up(void);
void tear_down(void);
/* Memory until tear_down(). */
void *memory_new(size_t n);
void write_file(const char *name, const char *bytes, size_t n, const char *mode);
/* A path in the folder, until tear_down(). */
char *in_folder(const char *name);
#define WRITE(name, text) write_file(name, text, strlen(text), "w")
#define APPEND(name, text) write_file(name, text, strlen(text), "a")

/* Fill the options, "name", "value", ..., NULL, and bind; a path may come more than once. */
bool make(const char *name, ...);
bool open_from(struct hr_positions from, bool bounded);
/* To read again what was read between the two. */
bool open_again(struct hr_positions from, struct hr_positions until);
/* Add the chunk's rows. */
bool take(struct hr_chunk *);
/* One poll, and what it gave; and until there is nothing more: what stopped it. */
enum hr_poll step(void);
enum hr_poll drain(void);
/* A copy that stays. */
struct hr_positions positions_now(void);

/* Opened at the beginning the source gives these rows, and ends. */
void reads(const char *expected);
/* It fails, at once or later, with that code and text. */
void refuses(int code, const char *why, struct hr_positions from);

#endif
