/* A pipeline file of any bytes: it is refused with places that lie in it, or bound; both leave nothing behind. */
#include "tests/fuzz/fuzz.h"

static void check_faults(const struct document *d) {
    int lines = 1;
    for (size_t i = 0; i < d->size; i++) lines += d->source[i] == '\n';
    for (int i = 0; i < d->faults; i++) {
        CHECK(d->fault[i].place.line >= 0 && d->fault[i].place.line <= lines + 1, "line %d of %d: %s", d->fault[i].place.line,
              lines, d->fault[i].text);
        CHECK(*d->fault[i].text, "a fault without a word");
    }
}

void fuzz_one(const uint8_t *data, size_t n) {
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "we");
    fuzz_host();
    struct plan plan;
    bool ok = plan_load(&plan, fuzz_file(data, n), NULL, 0);
    CHECK(ok == !plan.document.faults, "%d faults", plan.document.faults);
    check_faults(&plan.document);
    document_print(&plan.document, nowhere);
    plan_free(&plan);
}
