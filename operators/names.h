/* names.h: what an expression is called that was given no name: Spark's rule, its own text. */
#ifndef HR_OPERATORS_NAMES_H
#define HR_OPERATORS_NAMES_H

#include <headrace/plugin.h>
#include <string.h>

/* `a` and a are both called a; sum(a) is called sum(a). Lives as long as the pipeline. */
static inline const char *expression_name(struct hr_bind *b, const struct hr_map_item *item) {
    const char *s = item->value.s;
    size_t n = strlen(s);
    if (*item->name) return item->name;
    if (n < 3 || s[0] != '`' || strchr(s + 1, '`') != s + n - 1) return s;
    char *name = hr_pipeline_alloc(b, n - 1);
    memcpy(name, s + 1, n - 2);
    return name;
}

#endif
