/* The program as a whole: head, session, one statement a node, the query. */
#include "core/export/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a plug-in calls ---- */

static struct program *of(struct hr_spark *s) { return s->host; }

bool program_refuse(struct program *p, struct hr_place place, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    secret_format(text, sizeof text, format, args);
    va_end(args);
    document_fault(&p->plan->document, place.line ? place : p->node->config->place, 1, "%s cannot be exported: %s", p->node->plugin->name, text);
    return false;
}

void program_note(struct program *p, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    secret_format(text, sizeof text, format, args);
    va_end(args);
    const char *line = arena_printf(program_arena(p), "# Differs from headrace: %s.\n", text);
    if (p->notes.n && memmem(p->notes.p, p->notes.n, line, strlen(line))) return; /* said once a node */
    buffer_puts(&p->notes, line);
    log_line(HR_INFO, "%s:%d: %s: %s", p->plan->document.path, p->node->config->place.line, p->node->id, text);
}

static bool HR_PRINTF(2, 3) put(struct hr_spark *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) out_of_memory();
    bool tells = secret_touches(text, 0, (size_t)n); /* of an option such as `format` */
    if (!tells) buffer_put(&of(s)->body, text, (size_t)n);
    free(text);
    return !tells || program_refuse(of(s), (struct hr_place){0}, "a secret would stand in the program");
}

static const char *string(struct hr_spark *s, const char *text) { return python_string(of(s), text); }

static const char *column(struct hr_spark *s, const char *name) {
    return python_string(of(s), python_sql_name(program_arena(of(s)), name));
}

/* The row of the option table whose field this is, or NULL: then it is an item of a list or map. */
static const struct hr_option *option_at(const struct node *node, const void *field) {
    size_t offset = (size_t)((const char *)field - (const char *)node->self);
    for (const struct hr_option *o = node->plugin->options; o && o->name; o++)
        if (o->offset == offset && offset < node->plugin->self_size) return o;
    return NULL;
}

static const struct yaml *value_at(const struct program *p, const void *field) {
    const struct hr_option *o = option_at(p->node, field);
    if (o) return p->node->config->options ? yaml_get(p->node->config->options, o->name) : NULL;
    return program_scalar(p, ((const struct hr_sql *)field)->place);
}

const char *program_schema(struct program *p, const char *text) {
    enum { LINE = 90 };
    size_t n = strlen(text);
    if (n <= LINE / 2) return python_string(p, text);
    const char *name = name_new(p, arena_printf(program_arena(p), "%s_schema", p->node->id));
    buffer_printf(&p->before, "%s = (\n", name);
    for (bool first = true; n; first = false) { /* a line ends behind a comma */
        size_t take = n < LINE ? n : LINE;
        while (take < n && take > 1 && strncmp(text + take - 2, ", ", 2)) take--;
        if (take <= 1) take = n;
        const char *line = python_string(p, arena_strndup(program_arena(p), text, take));
        buffer_printf(&p->before, "    %s%s\n", first || *line == '"' ? "" : "+ ", line);
        text += take;
        n -= take;
    }
    buffer_puts(&p->before, ")\n\n");
    return name;
}

static const char *schema(struct hr_spark *s, const struct hr_sql *field, const char *more) {
    const struct yaml *y = field ? value_at(of(s), field) : NULL;
    if (y) program_asked(of(s), y);
    const char *text = y && y->raw ? variables_marked(of(s), y->raw) : "";
    return program_schema(of(s), arena_printf(program_arena(of(s)), "%s%s", text, more));
}

static const char *option(struct hr_spark *s, const void *field) {
    const struct hr_option *o = option_at(of(s)->node, field);
    const struct yaml *y = value_at(of(s), field);
    if (!y || !y->raw) return python_string(of(s), o && o->fallback ? o->fallback : "");
    program_asked(of(s), y);
    return python_value(of(s), y->raw);
}

static const char *sql(struct hr_spark *s, const struct hr_sql *text) {
    const char *sql = program_sql(of(s), text);
    return sql ? python_string(of(s), sql) : "\"\"";
}

static bool groups(struct hr_spark *s, const struct hr_map *keys, const struct hr_map *aggregates) {
    return totals_put(of(s), keys, aggregates);
}

static void HR_PRINTF(2, 3) note(struct hr_spark *s, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    secret_format(text, sizeof text, format, args);
    va_end(args);
    program_note(of(s), "%s", text);
}

static bool HR_PRINTF(3, 4) refuse(struct hr_spark *s, const void *field, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    secret_format(text, sizeof text, format, args);
    va_end(args);
    const struct yaml *y = field ? value_at(of(s), field) : NULL;
    return program_refuse(of(s), y ? y->place : of(s)->node->config->place, "%s", text);
}

static const struct hr_spark_calls calls = {put, string, column, schema, option, sql, groups, note, refuse};

/* ---- the nodes ---- */

static void put_trigger(const struct plan *plan, struct hr_buffer *b) {
    int64_t us = plan->config.trigger_us;
    if (plan->config.available_now) buffer_puts(b, "\n.trigger(availableNow=True)");
    else if (us % 1000000 == 0) buffer_printf(b, "\n.trigger(processingTime=\"%lld seconds\")", (long long)us / 1000000);
    else buffer_printf(b, "\n.trigger(processingTime=\"%lld milliseconds\")", us < 1000 ? 1ll : (long long)us / 1000);
}

static void say_trigger(struct program *p) {
    const struct yaml *y = yaml_get(p->plan->document.root, "trigger");
    const char *name;
    if (y && y->raw && variables_in(p, y->raw, &name)) program_note(p, "${%s}: the trigger is the one of the export", name);
}

static void put_query(struct program *p) {
    static const char *const mode[] = {[HR_APPEND] = "append", [HR_COMPLETE] = "complete", [HR_UPDATE] = "update"};
    buffer_printf(&p->body, "\n.outputMode(\"%s\")", mode[p->node->mode]);
    put_trigger(p->plan, &p->body);
    buffer_puts(&p->body, "\n.option(\"checkpointLocation\", args.checkpoint");
    if (p->plan->sinks > 1) buffer_printf(&p->body, " + \"/%s\"", p->node->id);
    buffer_puts(&p->body, ")\n.start()");
}

/* Bad rows to a sink of their own: Spark drops a row, or stops. */
static bool has_letters(struct program *p) {
    const struct node_config *c = p->node->config;
    return (c->letters >= 0 || c->reads >= 0) && !program_refuse(p, c->place, "Spark has no dead letters: use on_error: null or drop");
}

static void put_node(struct program *p, int i, struct hr_buffer *out) {
    struct plan *plan = p->plan;
    p->node = &plan->node[i];
    p->before.n = p->body.n = p->notes.n = 0;
    p->asks = 0;
    if (has_letters(p)) return;
    if (!p->node->plugin->spark) {
        program_refuse(p, p->node->config->place, "Spark has nothing like it");
        return;
    }
    p->spark = (struct hr_spark){.mode = p->node->mode, .call = &calls, .host = p};
    if (i) p->spark.input = p->variable[p->node->config->input];
    if (i) p->spark.in = plan_input(plan, i);
    if (!i && p->store) p->spark.from = store_positions(p->store);
    if (!p->node->plugin->spark(p->node->self, &p->spark)) return;
    program_say_fixed(p);
    bool sink = i >= plan_first_sink(plan);
    if (i == plan_first_sink(plan)) say_trigger(p);
    if (sink) put_query(p);
    buffer_putc(&p->body, '\0');
    buffer_putc(out, '\n');
    comments_put(plan, i, out);
    if (i == plan_first_sink(plan)) comments_put(plan, COMMENTS_RUN, out);
    buffer_put(out, p->before.p, p->before.n);
    buffer_put(out, p->notes.p, p->notes.n);
    python_statement(out, sink && plan->sinks == 1 ? "query" : p->variable[i], p->body.p);
}

/* Until one query fails, or all have ended. */
static void put_end(const struct program *p, struct hr_buffer *out) {
    if (p->plan->sinks == 1) {
        buffer_puts(out, "\nquery.awaitTermination()\n");
        return;
    }
    buffer_puts(out, "\nrunning = [");
    for (int i = plan_first_sink(p->plan); i < p->plan->nodes; i++)
        buffer_printf(out, "%s%s", i > plan_first_sink(p->plan) ? ", " : "", p->variable[i]);
    buffer_puts(out, "]\n"
                     "while running:\n"
                     "    spark.streams.awaitAnyTermination()\n"
                     "    spark.streams.resetTerminated()\n"
                     "    for query in running:\n"
                     "        if not query.isActive:\n"
                     "            query.awaitTermination()  # raises what it failed with\n"
                     "    running = [query for query in running if query.isActive]\n");
}

/* ---- the head ---- */

static void put_head(struct program *p, const char *body, struct hr_buffer *out) {
    struct arena *a = program_arena(p);
    const char *name = p->plan->config.name, *slash = strrchr(p->plan->document.path, '/');
    const struct yaml *named = yaml_get(p->plan->document.root, "name");
    const char *title = arena_printf(a, "%s: written by `headrace export --to spark` from %s.", name, slash ? slash + 1 : p->plan->document.path);
    buffer_printf(out, "\"\"%s\"\"\n\n", python_string(p, title));
    size_t before = out->n;
    comments_put(p->plan, COMMENTS_TOP, out);
    if (out->n > before) buffer_putc(out, '\n');
    buffer_puts(out, "import argparse\n");
    if (strstr(body, "json.dumps")) buffer_puts(out, "import json\n");
    if (strstr(body, "os.environ") || strstr(body, "os.path")) buffer_puts(out, "import os\n");
    buffer_printf(out, "\nfrom pyspark.sql import SparkSession%s\n\n", strstr(body, "F.") ? "\nfrom pyspark.sql import functions as F" : "");
    buffer_puts(out, "parser = argparse.ArgumentParser()\n"
                     "parser.add_argument(\"--checkpoint\", required=True, help=\"folder of the query's checkpoint\")\n");
    if (p->groups)
        buffer_printf(out, "parser.add_argument(\"--totals\", default=%s, help=\"folder with the totals to go on from\")\n", python_string(p, p->options->state));
    buffer_puts(out, "args = parser.parse_args()\n\n");
    /* The settings by which headrace's SQL is Spark's: no ANSI mode (Spark 4 has it on), UTC, null for text that is no date. */
    if (strstr(body, "read_secret("))
        buffer_puts(out, "\ndef read_secret(path):\n"
                         "    \"\"\"The file without the newline at its end.\"\"\"\n"
                         "    with open(path) as f:\n"
                         "        text = f.read()\n"
                         "    return text[:-1] if text.endswith(\"\\n\") else text\n\n\n");
    python_statement(out, "spark", arena_printf(a, "SparkSession.builder.appName(%s)\n.config(\"spark.sql.session.timeZone\", \"UTC\")\n"
                     ".config(\"spark.sql.ansi.enabled\", \"false\")\n.config(\"spark.sql.legacy.timeParserPolicy\", \"CORRECTED\")\n.getOrCreate()",
                     named ? python_value(p, named->raw) : python_string(p, name)));
}

/* ---- going on from a checkpoint ---- */

static bool open_checkpoint(struct program *p) {
    const char *path = p->plan->config.checkpoint;
    if (!store_there(path, p->err)) return false;
    struct store_job job = job_of(p->plan, program_arena(p));
    job.memory = 0; /* every group is wanted, and wanted once */
    p->store = store_open(path, &job, p->err); /* not for reading only: a job that still runs would go on counting */
    if (!p->store) return false;
    if (job.nodes) p->groups = job.node->groups;
    if (!store_positions(p->store).n) return error_set(p->err, HR_ECHECKPOINT, "export: checkpoint %s: nothing was read so far", path);
    if (store_published(p->store) < store_epoch(p->store))
        return error_set(p->err, HR_ECHECKPOINT, "export: checkpoint %s: its last epoch was not published: run the job once more, and stop it with SIGTERM", path);
    return true;
}

bool export_spark(struct plan *plan, const struct export_options *options, struct hr_buffer *out, struct hr_error *err) {
    struct program p = {.plan = plan, .options = options, .err = err};
    struct hr_buffer nodes = {0};
    bool ok = !options->state || open_checkpoint(&p);
    names_of_nodes(&p);
    for (int i = 0; ok && i < plan->nodes; i++) put_node(&p, i, &nodes);
    ok = ok && !plan->document.faults && !err->code;
    if (ok) {
        put_end(&p, &nodes);
        buffer_putc(&nodes, '\0');
        put_head(&p, nodes.p, out);
        buffer_put(out, nodes.p, nodes.n - 1);
    }
    ok = ok && (!p.groups || totals_write(&p));
    if (p.store) ok = store_close(p.store, err) && ok;
    buffer_free(&nodes);
    buffer_free(&p.before);
    buffer_free(&p.body);
    buffer_free(&p.notes);
    return ok;
}
