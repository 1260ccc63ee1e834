/*
 * json.h: JSON objects to columns, by Spark's from_json rules; docs/differences.md has what differs.
 * A reader is immutable after json_reader_new and shared by all lanes.
 */
#ifndef HR_JSON_H
#define HR_JSON_H

#include "core/data/value.h"

struct hr_json;
struct hr_json *json_reader_new(struct arena *, const struct hr_schema *, const struct hr_json_options *);
/* See hr_json_read(). `out` has one column per schema field; those with at == NULL are pruned (but
 * checked with check_all). All of the others have a bitmap. Text that is null is all nulls and no
 * bad row: reason NULL; empty or blank text likewise. */
void json_reader_read(const struct hr_json *, struct arena *, const struct hr_column *text, struct hr_rows,
                      struct hr_column *out, const char **reason);

#endif
