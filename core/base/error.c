/* Errors and the lines of the log. */
#include "core/base/base.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

bool error_vset(struct hr_error *err, int code, const char *format, va_list args) {
    if (err->code) return false;
    err->code = code;
    secret_format(err->text, sizeof err->text, format, args);
    return false;
}

bool error_set(struct hr_error *err, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_vset(err, code, format, args);
    va_end(args);
    return false;
}

static atomic_bool over_line;
void log_over_line(bool over) { atomic_store(&over_line, over); }

/* One write, so that lines of several threads do not mix; what is in data cannot steer a terminal. */
void log_line(enum hr_level level, const char *format, ...) {
    static const char *const prefix[] = {"headrace: error: ", "headrace: warning: ", "headrace: "};
    char text[2048];
    va_list args;
    va_start(args, format);
    secret_format(text, sizeof text, format, args);
    va_end(args);
    struct hr_buffer line = {0};
    if (atomic_load(&over_line)) buffer_puts(&line, "\r\033[K");
    buffer_puts(&line, prefix[level]);
    buffer_shown(&line, text, strlen(text), false);
    buffer_putc(&line, '\n');
    for (size_t at = 0; at < line.n;) {
        ssize_t n = write(2, line.p + at, line.n - at);
        if (n <= 0) break;
        at += (size_t)n;
    }
    buffer_free(&line);
}
