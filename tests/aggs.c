#include "tests/aggs.h"

extern const struct hr_plugin hr_aggregates_sum, hr_aggregates_min_max, hr_aggregates_count;

static const struct hr_host host = {
    .abi = HR_ABI, .fail = error_set, .put = buffer_put, .buffer_free = buffer_free, .put_value = value_text, .put_json = value_json,
};

void aggs_init(void) { hr_host = &host; }

bool agg_bind(const char *name, int args, struct hr_type arg, struct hr_agg *out, struct hr_error *err) {
    static const struct hr_plugin *const plugins[] = {&hr_aggregates_sum, &hr_aggregates_min_max, &hr_aggregates_count};
    *out = (struct hr_agg){.args = args, .arg = arg};
    for (size_t i = 0; i < COUNT(plugins); i++)
        for (const struct hr_aggregate *a = plugins[i]->aggregates; a->name; a++)
            if (!strcmp(a->name, name)) out->fn = a;
    ck_assert_msg(out->fn != NULL, "no aggregate '%s'", name);
    return out->fn->type(out, err);
}

struct hr_agg agg_of(const char *name, int args, struct hr_type arg) {
    struct hr_agg agg;
    struct hr_error err = {0};
    ck_assert_msg(agg_bind(name, args, arg, &agg, &err), "%s", err.text);
    ck_assert(agg.size > 0 && agg.size <= 256);
    return agg;
}
