/*
 * headrace/plugin.h: all that a plug-in sees of headrace: what it is, here, and what it may call, in host.h.
 *
 * A plug-in is one C file with one record (struct hr_plugin) at its bottom; everything else in it
 * is static.  It links against nothing of headrace: every call goes through a table that the
 * host hands in when it accepts the record, so the same file works built in or as a module.
 *
 * Ownership, in one sentence: whatever the host hands out lives in an arena named by the call
 * (pipeline, lane or batch) and is never freed by a plug-in; a plug-in only closes in `close`
 * what it opened itself in `open`.
 *
 * Errors: a function that returns bool returns false for a fault of the job, after hr_fail() or
 * hr_fault() said why.  A bad row is data, not a fault: see hr_bad().
 */
#ifndef HEADRACE_PLUGIN_H
#define HEADRACE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HR_ABI 3u
#define HR_BATCH 2048 /* rows in a batch at most */

#define HR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* ---- types and columns --------------------------------------------------------------------- */

/* Names and meaning are Spark SQL's; the layouts are Arrow's but for BOOLEAN (a byte a row, so that
 * no kernel has to shift bits) and STRING (pointer and length: a view into the batch's memory). */
enum hr_type_id {
    HR_NONE,
    HR_BOOLEAN,   /* uint8_t, 0 or 1 */
    HR_INT,       /* int32_t */
    HR_BIGINT,    /* int64_t */
    HR_DOUBLE,    /* double */
    HR_STRING,    /* struct hr_text; bytes, perhaps not UTF-8 */
    HR_DATE,      /* int32_t, days since 1970-01-01, proleptic Gregorian */
    HR_TIMESTAMP, /* int64_t, microseconds since 1970-01-01T00:00:00Z */
    HR_DECIMAL,   /* __int128, value * 10^scale */
};

struct hr_type {
    uint8_t id;        /* enum hr_type_id */
    uint8_t precision; /* DECIMAL only: 1 to 38 */
    uint8_t scale;     /* DECIMAL only: 0 to precision */
};

typedef __int128 hr_int128;

struct hr_text {
    const char *p; /* not terminated; may hold NUL bytes */
    uint32_t n;    /* bytes */
    uint32_t reserved;
};

struct hr_field {
    const char *name;
    struct hr_type type;
};

struct hr_schema {
    int n;
    const struct hr_field *field;
};

/* `at` is NULL for a column that nobody reads (the plan was pruned): never build or read it.
 * Bit i of `valid` (LSB first) is 1 where row i is not null; NULL means no nulls at all. */
struct hr_column {
    void *at;
    uint64_t *valid;
    struct hr_type type;
};

static inline bool hr_is_null(const struct hr_column *c, uint32_t i) {
    return c->valid && !(c->valid[i >> 6] >> (i & 63) & 1);
}

/* The rows that count: n numbers, ascending, or 0..n-1 where `sel` is NULL. */
struct hr_rows {
    const uint16_t *sel;
    uint32_t n;
};

#define HR_EACH(rows, i)                                                                           \
    for (uint32_t i##_k = 0, i;                                                                    \
         i##_k < (rows).n && (i = (rows).sel ? (rows).sel[i##_k] : i##_k, true); i##_k++)

/* Where records come from: a Kafka partition, a file, ... */
struct hr_split {
    const char *name; /* as faults print it: "invoices[1]", "in.csv" */
    int index;
    const char *topic; /* Kafka: the topic, `index` being the partition; else NULL */
};

struct hr_batch {
    struct hr_rows rows;          /* the rows that count */
    uint32_t size;                /* rows that every column has room for */
    int columns;
    struct hr_column *column;
    const struct hr_split *split; /* NULL for the result of a group_by */
    const int64_t *position;      /* of each row: offset, byte, id; NULL for results */
};

/* ---- errors -------------------------------------------------------------------------------- */

/* The codes are headrace's exit codes where they end a run. */
enum hr_code {
    HR_OK = 0,
    HR_EFAIL = 1,       /* failed while running */
    HR_EUSAGE = 2,      /* command line */
    HR_ECONFIG = 3,     /* pipeline file */
    HR_ECHECKPOINT = 4, /* checkpoint */
    HR_EDATALOSS = 5,   /* records are gone */
    HR_EREPEAT = 6,     /* a sink lost rows it held back: the run starts over from its checkpoint; no exit code */
};

struct hr_error {
    int code; /* enum hr_code */
    char text[1024];
};

enum hr_level { HR_ERROR, HR_WARN, HR_INFO };

/* ---- options ------------------------------------------------------------------------------- */

/* What the C field of an option may be.  A zero-initialised field is "not given". */
struct hr_place {
    int line, column; /* 1-based, of the value's first character; 0: not from a file */
    const void *file; /* the host's */
};

struct hr_name { /* the name of a column */
    const char *s;
    struct hr_place place;
};

struct hr_sql { /* an expression, an aggregate call, or a schema: compiled in bind */
    const char *s;
    struct hr_place place;
};

struct hr_list { /* of scalars; a single scalar is a list of one */
    int n;
    const struct hr_sql *item;
};

struct hr_map_item {
    const char *name;
    struct hr_place place; /* of the name */
    struct hr_sql value;
};

struct hr_map {
    int n;
    const struct hr_map_item *item;
};

struct hr_duration { /* 5s, 100ms, 2m, 1h */
    int64_t us;
};

struct hr_bytes { /* 16MiB, 64KiB, 4096 */
    int64_t n;
};

enum hr_option_type {
    HR_OPT_END,
    HR_OPT_STRING,
    HR_OPT_BOOL,
    HR_OPT_INT, /* int64_t */
    HR_OPT_DOUBLE,
    HR_OPT_NAME,
    HR_OPT_SQL,
    HR_OPT_LIST,
    HR_OPT_MAP, /* or a scalar or a list, kept under the name "" */
    HR_OPT_DURATION,
    HR_OPT_BYTES,
    HR_OPT_ENUM, /* int: index into the choices */
};

#define HR_OPTION_TYPE(field)                                                                      \
    _Generic((field),                                                                              \
        const char *: HR_OPT_STRING,                                                               \
        bool: HR_OPT_BOOL,                                                                         \
        int64_t: HR_OPT_INT,                                                                       \
        double: HR_OPT_DOUBLE,                                                                     \
        struct hr_name: HR_OPT_NAME,                                                               \
        struct hr_sql: HR_OPT_SQL,                                                                 \
        struct hr_list: HR_OPT_LIST,                                                               \
        struct hr_map: HR_OPT_MAP,                                                                 \
        struct hr_duration: HR_OPT_DURATION,                                                       \
        struct hr_bytes: HR_OPT_BYTES,                                                             \
        int: HR_OPT_ENUM)

struct hr_option {
    const char *name;
    enum hr_option_type type;
    size_t offset;           /* of the field in the plug-in's struct */
    const char *fallback;    /* as it would be written in the file; NULL: not given */
    const char *help;        /* one line */
    const char *choices;     /* HR_OPT_ENUM: "table|json" */
    bool required, secret;   /* secret: its value is masked wherever it would be shown */
};

#define HR_ROW(S, f, ...)                                                                          \
    { .name = #f, .type = HR_OPTION_TYPE(((S *)0)->f), .offset = offsetof(S, f), __VA_ARGS__ }
#define HR_OPTION(S, f, fallback_, help_) HR_ROW(S, f, .fallback = fallback_, .help = help_)
#define HR_REQUIRED(S, f, help_) HR_ROW(S, f, .required = true, .help = help_)
#define HR_CHOICE(S, f, choices_, fallback_, help_)                                                \
    HR_ROW(S, f, .choices = choices_, .fallback = fallback_, .help = help_)
#define HR_SECRET(S, f, help_) HR_ROW(S, f, .secret = true, .help = help_)

/* One word for every operator that can meet a bad row. */
enum hr_on_error { HR_ON_ERROR_NULL, HR_ON_ERROR_DROP, HR_ON_ERROR_FAIL, HR_ON_ERROR_DEAD_LETTER };
#define HR_ON_ERROR(S)                                                                             \
    HR_CHOICE(S, on_error, "null|drop|fail|dead_letter", "null", "what becomes of a bad row; dead_letter: see errors")

/* ---- binding: once, when the pipeline is loaded ---------------------------------------------- */

struct hr_expr;      /* a compiled expression */
struct hr_json;      /* a compiled JSON reader */
struct hr_groups;    /* keyed state of one node */
struct hr_aggregate; /* below */

/* What a sink is given of an epoch: the rows that came through, the whole result, or what changed of it. */
enum hr_mode { HR_APPEND = 1, HR_COMPLETE = 2, HR_UPDATE = 4 };

/* The host's side of bind().  `out` starts empty; a node declares its columns with hr_output(). */
struct hr_bind {
    const struct hr_schema *in; /* NULL for a source */
    const char *id;             /* of the node */
    enum hr_mode mode;          /* of a sink */
    void *self;                 /* the node's option struct */
    void *host;
    int64_t record;             /* limits.record: bytes of one input record; a longer one is a bad row */
};

/* ---- lanes and batches ----------------------------------------------------------------------- */

/* One lane's view of one node: its scratch memory and its counters. */
struct hr_counts {
    uint64_t in, out, filtered, dropped, dead, bad; /* in = out + filtered + dropped + dead */
};

struct hr_lane {
    void *self;               /* lane_size bytes, zeroed when the lane starts */
    struct hr_counts *counts; /* a node counts what it filtered; the host the rest */
    struct hr_error *err;
    const uint8_t *wanted;    /* of each output column: 1 if somebody reads it */
    uint8_t *good;            /* hr_good_rows(): of each row of the batch; NULL: all are */
    void *host;
};

/* ---- aggregates ------------------------------------------------------------------------------ */

/* One use of an aggregate in a pipeline. */
struct hr_agg {
    const struct hr_aggregate *fn;
    int args;              /* 0: count(*) */
    struct hr_type arg;    /* type of the argument */
    struct hr_type result; /* set by type() */
    size_t size;           /* bytes of one state, set by type(); at most 256, alignment 16 */
};

/* Memory of the states of one table: resize(NULL) allocates, size 0 frees. Zeroes what it adds. */
struct hr_agg_memory {
    void *(*resize)(struct hr_agg_memory *, void *p, size_t old_size, size_t new_size);
};

/* Bytes being written; append with hr_put(). Whoever has it empties it with hr_buffer_free(). */
struct hr_buffer {
    char *p;
    size_t n, room;
};

/* How Spark goes on from a state: columns of values that are folded again. In `row` and `result` $x is the
 * argument, and $NAME the column of that part. */
struct hr_part {
    const char *name;   /* "sum"; NULL ends the table */
    const char *row;    /* SQL of what one row is worth: "$x", "IF($x IS NULL, 0, 1)" */
    const char *fold;   /* Spark's aggregate that folds such values: "sum" */
    struct hr_type (*type)(const struct hr_agg *); /* HR_NONE: of this argument Spark cannot go on */
    /* The state's own value, to row i of `out`, or hr_set_null(). */
    bool (*value)(const struct hr_agg *, const void *state, struct hr_column *out, uint32_t i, struct hr_error *);
};

/* A state starts as `size` zero bytes.  merge must be associative and commutative, and so must
 * step be with it: neither lanes nor partitions nor epochs may show in a result. */
struct hr_aggregate {
    const char *name;
    const char *help;
    int version; /* of what save() writes */
    /* Sets result and size; changes arg where the host shall cast to another type. */
    bool (*type)(struct hr_agg *, struct hr_error *);
    /* Fold row i of `arg` (never null; NULL for count(*)) into the state at states + group[i] * stride. */
    bool (*step)(const struct hr_agg *, struct hr_agg_memory *, char *states, size_t stride,
                 const uint32_t *group, const struct hr_column *arg, struct hr_rows, struct hr_error *);
    bool (*merge)(const struct hr_agg *, struct hr_agg_memory *, void *into, const void *from,
                  struct hr_error *);
    bool (*save)(const struct hr_agg *, const void *state, struct hr_buffer *);
    bool (*load)(const struct hr_agg *, struct hr_agg_memory *, void *state, int version,
                 const char *p, size_t n, struct hr_error *);
    /* Write the value to row i of `out`, or clear its bit in out->valid (which is there). Strings
     * may point into the state. */
    bool (*final)(const struct hr_agg *, const void *state, struct hr_column *out, uint32_t i,
                  struct hr_error *);
    /* For `headrace export`; optional. */
    const struct hr_part *parts;
    const char *result;                           /* SQL over the folded parts: "$sum / $count" */
    const char *(*differs)(const struct hr_agg *); /* what Spark does differently, or NULL */
    /* Optional: is there a value in the state? Where there is one and final() gives null, the result did not fit its
     * type: it is counted as bad. */
    bool (*some)(const struct hr_agg *, const void *state);
};

/* ---- scalar functions -------------------------------------------------------------------------- */

#define HR_ARGS 16

struct hr_call {
    int args;
    const struct hr_column *arg[HR_ARGS];
    struct hr_column *out; /* `at` has room for every row, `valid` is there */
    struct hr_rows rows;   /* the rows to compute: none has a null argument, unless nulls is set */
    struct hr_lane *lane;
};

/* `takes` lists the argument types ("any" where type() decides); the host casts where Spark would. */
struct hr_function {
    const char *name;
    const char *help;   /* "to_date(text, format): text to calendar day" */
    int min_args, max_args;
    struct hr_type takes[HR_ARGS]; /* HR_NONE: any type; beyond min_args optional */
    struct hr_type gives;          /* HR_NONE: type() says */
    /* Optional: check types and constants, and say what comes out. constant[k] is NULL unless
     * argument k is a literal. Casts of arguments: change arg[k] and the host casts to it. */
    bool (*type)(int args, struct hr_type *arg, const struct hr_text *const *constant,
                 struct hr_type *gives, struct hr_error *);
    bool nulls; /* eval sees rows with null arguments too (coalesce) */
    /* A row without a result is made null with hr_set_null(call->out, i). */
    bool (*eval)(const struct hr_call *);
};

/* ---- operators --------------------------------------------------------------------------------- */

/* bind, need and process are there. */
struct hr_operator {
    /* Resolve columns and expressions, declare the output. */
    bool (*bind)(void *self, struct hr_bind *);
    /* Given which outputs are wanted, mark the inputs that are needed (in[] starts all 0). */
    void (*need)(const void *self, const uint8_t *out, uint8_t *in);
    size_t lane_size;
    /* out has its column array ready, with types set and at = NULL, and in's rows, split, position. */
    bool (*process)(const void *self, struct hr_lane *, const struct hr_batch *in, struct hr_batch *out);
    bool stateful; /* folds into hr_groups; gives no batches itself */
};

/* ---- sources ------------------------------------------------------------------------------------ */

struct hr_position {
    const char *split;  /* "0" for Kafka's partition 0; a path */
    int64_t at;         /* the next offset, byte or id */
    const char *detail; /* text of the source's own, or NULL */
};

struct hr_positions {
    int n;
    const struct hr_position *item;
};

struct hr_open {
    struct hr_positions from; /* n = 0: there is no checkpoint yet */
    struct hr_positions until; /* n > 0: read again, from `from` to these and no further; a split not named here is
                                  left out, one that only `from` does not name is read from its beginning. What is not
                                  the same any more is HR_EDATALOSS, best in open(); at the end positions() is these */
    bool bounded;             /* available_now: end at what is there now */
    const char *job;          /* name of the pipeline */
    struct hr_error *err;
    void *host;               /* for hr_wake() */
};

enum hr_poll {
    HR_CHUNK,  /* a chunk was handed out */
    HR_IDLE,   /* nothing now; hr_wake() or chunk->retry_us says when to ask again */
    HR_END,    /* never anything again */
    HR_FAILED, /* err says why */
};

/* Consecutive records of one split. */
struct hr_chunk {
    const struct hr_split *split;
    void *data;       /* the source's */
    uint32_t records; /* 0 where only fill() can tell */
    uint64_t cursor;  /* fill()'s own, 0 at first */
    uint64_t bytes;   /* of input */
    int64_t retry_us; /* with HR_IDLE: ask again after this long; 0: only after hr_wake() */
};

/* bind, poll, fill and positions are there; the others may be NULL. */
struct hr_source {
    bool (*bind)(void *self, struct hr_bind *);
    bool (*open)(void *self, const struct hr_open *);
    /* Never blocks. Called by one thread at a time, as are positions, caught_up and lag. */
    enum hr_poll (*poll)(void *self, struct hr_chunk *, struct hr_error *);
    /* In a lane, without a lock: the next rows of the chunk as columns; out->rows.n = 0 at its end.
     * out is as for process(); set rows, size, position. Strings may point into the chunk. */
    bool (*fill)(const void *self, struct hr_lane *, struct hr_chunk *, struct hr_batch *out);
    void (*release)(void *self, struct hr_chunk *); /* from any thread */
    /* Where to go on after all chunks handed out so far; lives until the next call. */
    struct hr_positions (*positions)(void *self);
    bool (*caught_up)(void *self); /* all that was there at open has been handed out */
    void (*committed)(void *self, struct hr_positions); /* mirror, never fails */
    bool (*lag)(void *self, int64_t *records);
    void (*close)(void *self); /* after a failed open too */
};

/* ---- sinks -------------------------------------------------------------------------------------- */

struct hr_sink_open {
    const struct hr_schema *rows; /* what write() gets */
    enum hr_mode mode;
    const char *pipeline;         /* made once for each checkpoint, and kept in it: letters, digits and - */
    const char *id;               /* of the node: with `pipeline` it names this sink among all */
    bool restarts;                /* there is a checkpoint: remembered() will be asked */
    int64_t interval_us;          /* how long an epoch is held back: the trigger */
    struct hr_error *err;
    void *host;                   /* for hr_folder() and hr_stopping() */
};

/* An epoch is begin, write*, flush, publish, one after the other. Rows in append mode come while the epoch
 * is read, and the checkpoint commits between flush and publish; the other modes are given the committed
 * result, so all four follow the commit. Each epoch comes, be it without rows.
 *
 * What a sink says of itself is `remembered`. With it, the sink promises:
 *   - what was written since begin shows in publish, whole, or never;
 *   - publish stores the epoch's number so that rows and number become visible together, or so that
 *     remembered() can tell whether they did;
 *   - an epoch that was begun and not published leaves nothing behind: begin comes again with the same number.
 * Without it (NULL) rows may show when they are written, and an epoch may show twice after a crash. The engine
 * decides what is published again (core/engine/publish.h); a sink never does. All calls but write may be NULL. */
struct hr_sink {
    int modes;        /* that it can do: HR_APPEND | ... */
    bool elsewhere;   /* publishes outside this machine's console: commits are synced first */
    bool (*bind)(void *self, struct hr_bind *);
    void (*need)(const void *self, uint8_t *in); /* NULL: every column */
    /* self is as bind() left it. */
    bool (*open)(void *self, const struct hr_sink_open *);
    /* The newest epoch published under this pipeline and id; 0: none. Asked once, after open, and only where
     * the run has a checkpoint. Ends what another process of the same name had begun. */
    bool (*remembered)(void *self, int64_t *epoch, struct hr_error *);
    bool (*begin)(void *self, int64_t epoch, struct hr_error *);
    bool (*write)(void *self, const struct hr_batch *, struct hr_error *);
    bool (*flush)(void *self, struct hr_error *);   /* all rows are where no failure of this process loses them, or fail */
    bool (*publish)(void *self, int64_t epoch, struct hr_error *);
    void (*close)(void *self);                      /* after a failed open too; rows not published are given up */
};

/* ---- export to Spark ------------------------------------------------------------------------------- */

/* One node on its way into a PySpark program. The calls that return text return Python, which lives as
 * long as the export. */
struct hr_spark {
    const char *input;          /* variable with the DataFrame that is read; NULL for a source */
    const struct hr_schema *in;
    enum hr_mode mode;          /* of a sink */
    struct hr_positions from;   /* a source: where to start instead of its own option; n = 0: nowhere */
    const struct hr_spark_calls *call;
    void *host;
};

struct hr_spark_calls {
    bool (*put)(struct hr_spark *, const char *format, ...) HR_PRINTF(2, 3);
    const char *(*string)(struct hr_spark *, const char *text);
    const char *(*column)(struct hr_spark *, const char *name);
    const char *(*schema)(struct hr_spark *, const struct hr_sql *field, const char *more);
    const char *(*option)(struct hr_spark *, const void *field);
    const char *(*sql)(struct hr_spark *, const struct hr_sql *);
    bool (*groups)(struct hr_spark *, const struct hr_map *keys, const struct hr_map *aggregates);
    void (*note)(struct hr_spark *, const char *format, ...) HR_PRINTF(2, 3);
    bool (*refuse)(struct hr_spark *, const void *field, const char *format, ...) HR_PRINTF(3, 4);
};

/* Append the node's expression; a link of a chain behind each newline. Returns true. */
#define hr_spark_put(s, ...) (s)->call->put((s), __VA_ARGS__)
/* A Python string. */
#define hr_spark_string(s, text) (s)->call->string((s), (text))
/* A column's name as a Python string, in backquotes where Spark wants them. */
#define hr_spark_column(s, name) (s)->call->column((s), (name))
/* The schema of an option given by its address (or NULL), with more columns behind it: a Python string, or where it is long
 * a variable of its own. ${NAME} of the file stays a variable. */
#define hr_spark_schema(s, field, more) (s)->call->schema((s), (field), (more))
/* The value of a text option, or of a map's item, given by its address: ${NAME} of the file stays a variable. */
#define hr_spark_option(s, field) (s)->call->option((s), (field))
/* An expression in Spark's SQL, as a Python string. */
#define hr_spark_sql(s, e) (s)->call->sql((s), (e))
/* Keyed totals over the input, going on from those of the checkpoint where the user asked for that. */
#define hr_spark_groups(s, keys, aggregates) (s)->call->groups((s), (keys), (aggregates))
/* Say what Spark does differently, in a comment and on stderr. */
#define hr_spark_note(s, ...) (s)->call->note((s), __VA_ARGS__)
/* This cannot be written for Spark, because ...: a fault at the option's value. Returns false. */
#define hr_spark_refuse(s, field, ...) (s)->call->refuse((s), (field), __VA_ARGS__)

/* ---- commands ------------------------------------------------------------------------------------ */

struct hr_command {
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
};

/* ---- the record and the module ------------------------------------------------------------------- */

enum hr_kind { HR_SOURCE = 1, HR_OPERATOR, HR_SINK, HR_FUNCTIONS, HR_AGGREGATES, HR_COMMAND };

struct hr_plugin {
    enum hr_kind kind;
    const char *name;
    const char *about; /* one line */
    const struct hr_option *options; /* ends with a zero row */
    size_t self_size;  /* of the struct the options fill; zeroed first */
    bool (*spark)(const void *self, struct hr_spark *); /* write it for Spark; NULL: it cannot be */
    union {
        struct hr_source source;
        struct hr_operator op;
        struct hr_sink sink;
        struct hr_command command;
        const struct hr_function *functions;   /* table, ends with a NULL name */
        const struct hr_aggregate *aggregates; /* likewise */
    };
};

struct hr_host;

/* What a module exports under the name headrace_module. abi and size come first in every version,
 * and are checked before anything else is looked at. */
struct hr_module {
    uint32_t abi;
    uint32_t size; /* of struct hr_plugin */
    const struct hr_host **host;
    const struct hr_plugin *const *plugins; /* ends with NULL */
};

/* Weak and hidden: one pointer for each program or module, however many files it has. */
__attribute__((weak, visibility("hidden"))) const struct hr_host *hr_host;

#define HR_PLUGIN(kind_, name_)                                                                    \
    extern const struct hr_plugin hr_##kind_##_##name_;                                            \
    const struct hr_plugin hr_##kind_##_##name_
#define HR_RECORD(kind_, name_) &hr_##kind_##_##name_

/* Last line of a plug-in: the records of its module. Weak, so that the same objects can also be
 * linked into the program, which has a table of its own. */
#define HR_MODULE(...)                                                                             \
    static const struct hr_plugin *const hr_module_plugins[] = {__VA_ARGS__, NULL};                \
    extern const struct hr_module headrace_module;                                                 \
    __attribute__((weak, visibility("default"))) const struct hr_module headrace_module = {        \
        HR_ABI, sizeof(struct hr_plugin), &hr_host, hr_module_plugins}

/* What it may call. */
#include <headrace/host.h>

#endif
