/* The file source without headrace: a host of its own, and what drives the source as the engine does. */
#include "tests/file_unit.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- a small host ---- */

struct memory { struct memory *next; _Alignas(16) char bytes[]; };
static struct memory *memories;
struct hr_field schema_field[8];
static struct hr_field out_field[8];
int schema_fields, bads;
static int out_fields, faults;
bool not_rereadable;
char said[1024];

void *memory_new(size_t n) {
    struct memory *m = calloc(1, sizeof *m + n);
    m->next = memories;
    memories = m;
    return m->bytes;
}

static bool HR_PRINTF(3, 4) host_fail(struct hr_error *e, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    e->code = code;
    return false;
}

static void host_log(enum hr_level level, const char *format, ...) { (void)level; (void)format; }

static bool HR_PRINTF(3, 4) host_fault(struct hr_bind *b, const void *field, const char *format, ...) {
    (void)b;
    (void)field;
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    faults++;
    return false;
}

static int host_output(struct hr_bind *b, const char *name, struct hr_type type) {
    (void)b;
    out_field[out_fields] = (struct hr_field){name, type};
    return out_fields++;
}

static void *host_pipeline_alloc(struct hr_bind *b, size_t n) { (void)b; return memory_new(n); }

static bool host_schema(struct hr_bind *b, const struct hr_sql *sql, struct hr_schema *schema) {
    (void)b;
    (void)sql;
    *schema = (struct hr_schema){schema_fields, schema_field};
    return true;
}

static struct hr_json *host_json(struct hr_bind *b, const struct hr_schema *s, const struct hr_json_options *o) {
    (void)b;
    (void)s;
    (void)o;
    return memory_new(1);
}

static void host_not_rereadable(struct hr_bind *b, const char *why) { (void)b; (void)why; not_rereadable = true; }
static void *host_batch_alloc(struct hr_lane *lane, size_t n) { (void)lane; return memory_new(n); }

/* An object is its own text in the first column; anything else is bad. */
static bool host_json_read(struct hr_lane *lane, const struct hr_json *j, const struct hr_column *text,
                           struct hr_rows all, struct hr_column *out, const char **reason) {
    (void)lane;
    (void)j;
    HR_EACH(all, i) {
        struct hr_text t = ((struct hr_text *)text->at)[i];
        ((struct hr_text *)out->at)[i] = t;
        if (t.p[0] == '{') continue;
        hr_set_null(out, i);
        reason[i] = "no object";
    }
    return true;
}

static bool host_bad(struct hr_lane *lane, const struct hr_batch *b, uint32_t row, enum hr_on_error policy,
                     struct hr_text value, const char *reason) {
    (void)value;
    if (lane->good && !lane->good[row]) return true;
    bads++;
    snprintf(said, sizeof said, "%s", reason);
    if (policy == HR_ON_ERROR_NULL) return true;
    if (policy == HR_ON_ERROR_DROP) {
        if (!lane->good) lane->good = memset(memory_new(HR_BATCH), 1, HR_BATCH);
        lane->good[row] = 0;
        lane->counts->dropped++;
        return true;
    }
    return host_fail(lane->err, HR_EFAIL, "%s@%lld: %s", b->split->name, (long long)b->position[row], reason);
}

static bool host_parse(struct hr_type type, struct hr_text text, void *value, struct hr_lane *lane) {
    (void)lane;
    ck_assert_int_eq(type.id, HR_INT);
    char copy[16], *end;
    if (!text.n || text.n >= sizeof copy) return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *(int32_t *)value = (int32_t)strtol(copy, &end, 10);
    return !*end;
}

static const struct hr_host host = {
    .abi = HR_ABI, .fail = host_fail, .log = host_log, .fault = host_fault, .output = host_output,
    .pipeline_alloc = host_pipeline_alloc, .schema = host_schema, .json = host_json,
    .not_rereadable = host_not_rereadable, .batch_alloc = host_batch_alloc, .json_read = host_json_read,
    .bad = host_bad, .parse = host_parse, .resize = realloc,
};

/* ---- a source under test ---- */

char folder[] = "/tmp/test_file.XXXXXX", *path;
void *self;
struct hr_error err;
char rows[FILE_ROWS];
uint64_t dropped;
uint8_t wanted[8];
int64_t record;

void write_file(const char *name, const char *bytes, size_t n, const char *mode) {
    FILE *f = fopen(name, mode);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

char *in_folder(const char *name) {
    char *p = memory_new(128);
    snprintf(p, 128, "%s/%s", folder, name);
    return p;
}

static void set(const struct hr_option *o, const char *value) {
    char *at = (char *)self + o->offset;
    if (o->type == HR_OPT_STRING) *(const char **)at = value;
    if (o->type == HR_OPT_BOOL) *(bool *)at = !strcmp(value, "true");
    if (o->type == HR_OPT_SQL) ((struct hr_sql *)at)->s = value;
    if (o->type == HR_OPT_LIST) {
        struct hr_list *list = (struct hr_list *)at;
        struct hr_sql *item = memory_new(8 * sizeof *item);
        if (list->n) memcpy(item, list->item, (size_t)list->n * sizeof *item);
        item[list->n] = (struct hr_sql){.s = value};
        *list = (struct hr_list){list->n + 1, item};
    }
    if (o->type != HR_OPT_ENUM) return;
    int index = 0;
    for (const char *c = o->choices; strncmp(c, value, strlen(value)); index++) {
        c = strchr(c, '|');
        ck_assert_ptr_nonnull(c++);
    }
    *(int *)at = index;
}

bool make(const char *name, ...) {
    self = memory_new(hr_source_file.self_size);
    out_fields = faults = bads = 0;
    not_rereadable = false;
    dropped = 0;
    err = (struct hr_error){0};
    for (const struct hr_option *o = hr_source_file.options; o->name; o++)
        if (o->fallback) set(o, o->fallback);
    va_list args;
    va_start(args, name);
    for (; name; name = va_arg(args, const char *)) {
        const struct hr_option *o = hr_source_file.options;
        while (strcmp(o->name, name)) o++;
        set(o, va_arg(args, const char *));
    }
    va_end(args);
    struct hr_bind b = {.self = self, .record = record};
    bool ok = SOURCE.bind(self, &b);
    ck_assert_int_eq(ok, faults == 0);
    return ok;
}

bool open_from(struct hr_positions from, bool bounded) {
    struct hr_open o = {.from = from, .bounded = bounded, .err = &err};
    return SOURCE.open(self, &o);
}

bool open_again(struct hr_positions from, struct hr_positions until) {
    struct hr_open o = {.from = from, .until = until, .bounded = true, .err = &err};
    return SOURCE.open(self, &o);
}

static void put_row(const struct hr_batch *b, uint32_t i) {
    size_t n = strlen(rows);
    n += (size_t)snprintf(rows + n, sizeof rows - n, "%lld:", (long long)b->position[i]);
    for (int c = 0; c < b->columns; c++) {
        const struct hr_column *column = &b->column[c];
        const struct hr_text *t = column->at;
        const char *bar = c ? "|" : "";
        if (!column->at) n += (size_t)snprintf(rows + n, sizeof rows - n, "%s#", bar);
        else if (hr_is_null(column, i)) n += (size_t)snprintf(rows + n, sizeof rows - n, "%sNULL", bar);
        else if (column->type.id == HR_INT)
            n += (size_t)snprintf(rows + n, sizeof rows - n, "%s%d", bar, ((int32_t *)column->at)[i]);
        else n += (size_t)snprintf(rows + n, sizeof rows - n, "%s%.*s", bar, (int)t[i].n, t[i].p);
    }
    snprintf(rows + n, sizeof rows - n, "\n");
}

bool take(struct hr_chunk *chunk) {
    struct hr_counts counts = {0};
    struct hr_lane lane = {.counts = &counts, .err = &err, .wanted = wanted};
    bool ok = true;
    for (;;) {
        struct hr_column column[8] = {{0}};
        struct hr_batch b = {.columns = out_fields, .column = column};
        for (int i = 0; i < out_fields; i++) column[i].type = out_field[i].type;
        lane.good = NULL;
        ok = SOURCE.fill(self, &lane, chunk, &b);
        if (!ok || !b.size) break;
        ck_assert_uint_le(b.size, HR_BATCH);
        HR_EACH(b.rows, i) put_row(&b, i);
    }
    dropped += counts.dropped;
    SOURCE.release(self, chunk);
    return ok;
}

enum hr_poll step(void) {
    struct hr_chunk chunk = {0};
    enum hr_poll result = SOURCE.poll(self, &chunk, &err);
    if (result == HR_IDLE) ck_assert_int_gt(chunk.retry_us, 0);
    return result == HR_CHUNK && !take(&chunk) ? HR_FAILED : result;
}

enum hr_poll drain(void) {
    enum hr_poll result;
    while ((result = step()) == HR_CHUNK) {}
    return result;
}

struct hr_positions positions_now(void) {
    struct hr_positions p = SOURCE.positions(self);
    struct hr_position *item = memory_new(((size_t)p.n + 1) * sizeof *item);
    for (int i = 0; i < p.n; i++) {
        item[i] = p.item[i];
        item[i].split = strcpy(memory_new(strlen(p.item[i].split) + 1), p.item[i].split);
        if (p.item[i].detail) item[i].detail = strcpy(memory_new(strlen(p.item[i].detail) + 1), p.item[i].detail);
    }
    return (struct hr_positions){p.n, item};
}

void reads(const char *expected) {
    rows[0] = '\0';
    ck_assert_msg(open_from(NOWHERE, false), "%s", err.text);
    ck_assert_int_eq(drain(), HR_END);
    ck_assert(SOURCE.caught_up(self));
    ck_assert_int_eq(step(), HR_END);
    SOURCE.close(self);
    ck_assert_str_eq(rows, expected);
}

void refuses(int code, const char *why, struct hr_positions from) {
    enum hr_poll result = open_from(from, false) ? drain() : HR_FAILED;
    ck_assert_int_eq(result, HR_FAILED);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s' does not say '%s'", err.text, why);
    SOURCE.close(self);
}

void set_up(void) {
    hr_host = &host;
    snprintf(folder, sizeof folder, "/tmp/test_file.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = memory_new(64);
    snprintf(path, 64, "%s/in", folder);
    schema_field[0] = (struct hr_field){"a", {.id = HR_INT}};
    schema_field[1] = (struct hr_field){"b", {.id = HR_STRING}};
    schema_fields = 2;
    memset(wanted, 1, sizeof wanted);
    rows[0] = '\0';
    file_chunk_bytes = 256 * 1024;
    record = 16 * 1024 * 1024;
}

void tear_down(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    for (struct memory *m; (m = memories); free(m)) memories = m->next;
}
