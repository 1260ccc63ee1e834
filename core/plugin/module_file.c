/*
 * What a module's file says of itself, read from its bytes: opening it with dlopen() would already run its
 * constructors, and those of the libraries it names.
 *
 * 1. Nothing in the file is trusted: every offset is checked before it is followed.
 * 2. It is a shared object with sections; among its dynamic symbols is headrace_module, and ABI number and size
 *    stand in the file where that symbol points to.
 */
#include "core/plugin/loader.h"

#include <link.h>
#include <string.h>

struct image {
    const char *bytes;
    size_t n;
    ElfW(Ehdr) head;
};

/* Copy `size` bytes at `at` to *to. False: they lie outside. */
static bool take(const struct image *m, uint64_t at, void *to, size_t size) {
    if (at > m->n || size > m->n - at) return false;
    memcpy(to, m->bytes + at, size);
    return true;
}

static bool section(const struct image *m, uint64_t number, ElfW(Shdr) *out) {
    return number < m->head.e_shnum && take(m, m->head.e_shoff + number * sizeof *out, out, sizeof *out);
}

/* Where in the file lies what is at that address once it is loaded? */
static bool offset_of(const struct image *m, uint64_t address, uint64_t *out) {
    for (uint64_t i = 0; i < m->head.e_phnum; i++) {
        ElfW(Phdr) p;
        if (!take(m, m->head.e_phoff + i * sizeof p, &p, sizeof p)) return false;
        if (p.p_type != PT_LOAD || address < p.p_vaddr || address - p.p_vaddr >= p.p_filesz) continue;
        *out = p.p_offset + (address - p.p_vaddr);
        return true;
    }
    return false;
}

static bool is_record(const struct image *m, const ElfW(Shdr) *names, const ElfW(Sym) *s) {
    static const char name[] = "headrace_module"; /* with its NUL */
    char here[sizeof name];
    if (s->st_shndx == SHN_UNDEF || s->st_name >= names->sh_size || names->sh_size - s->st_name < sizeof name) return false;
    return names->sh_offset <= m->n && take(m, names->sh_offset + s->st_name, here, sizeof here) && !memcmp(here, name, sizeof name);
}

static bool find_record(const struct image *m, uint64_t *at) {
    for (uint64_t i = 0; i < m->head.e_shnum; i++) {
        ElfW(Shdr) table, names;
        ElfW(Sym) symbol;
        if (!section(m, i, &table)) return false;
        if (table.sh_type != SHT_DYNSYM) continue;
        if (!section(m, table.sh_link, &names) || table.sh_offset > m->n) return false;
        for (uint64_t k = 0; k < table.sh_size / sizeof symbol && take(m, table.sh_offset + k * sizeof symbol, &symbol, sizeof symbol); k++)
            if (is_record(m, &names, &symbol)) return offset_of(m, symbol.st_value, at);
        return false; /* there is one table of them */
    }
    return false;
}

static bool is_shared_object(const struct image *m) {
    return !memcmp(m->head.e_ident, ELFMAG, SELFMAG) && m->head.e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
           m->head.e_type == ET_DYN && m->head.e_shentsize == sizeof(ElfW(Shdr)) && m->head.e_phentsize == sizeof(ElfW(Phdr)) &&
           m->head.e_shoff <= m->n && m->head.e_phoff <= m->n;
}

const char *module_examine(struct arena *a, const char *bytes, size_t n) {
    struct image m = {.bytes = bytes, .n = n};
    uint64_t at;
    uint32_t abi, size;
    if (!take(&m, 0, &m.head, sizeof m.head) || !is_shared_object(&m)) return "not a module: not a shared object of this machine";
    if (!find_record(&m, &at) || !take(&m, at, &abi, sizeof abi)) return "not a module: it does not export headrace_module";
    if (abi != HR_ABI) return arena_printf(a, "built for ABI %u, this is ABI %u", abi, HR_ABI);
    if (!take(&m, at + sizeof abi, &size, sizeof size)) return "not a module: it ends too early";
    if (size == sizeof(struct hr_plugin)) return NULL;
    return arena_printf(a, "its records have %u bytes, ours %zu", size, sizeof(struct hr_plugin));
}
