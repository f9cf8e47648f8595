// Split models: the first file opens all; what does not fit together is refused, by name.
#include "base/status.h"
#include "file/file_support.h"
#include "file/gguf_walk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { N_FILES = 3, N_TENSORS = 5 };

static char dir[256], paths[N_FILES + 1][320];
static uint8_t data[N_TENSORS][64];
static const char *const names[] = {"a", "b", "c", "d", "e"};
static gw_host host;
static godwit_error err;

// What a part says; each test changes some.
typedef struct part {
    const char *arch;
    uint32_t no, count, n_tensors;
    int first, end; // its tensors
    const char *rename;
} part;
static part parts[N_FILES];

static void setup(void) {
    gw_host_init(&host, NULL, NULL, NULL);
    files_make(dir, sizeof dir);
    for (int i = 0; i < N_TENSORS; i++) memset(data[i], i + 1, sizeof data[i]);
    for (uint32_t i = 0; i < N_FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/m-%05u-of-%05u.gguf", dir, i + 1, N_FILES);
        // The first has none, as --no-tensor-first-split makes it.
        parts[i] = (part){.no = i, .count = N_FILES, .n_tensors = N_TENSORS};
    }
    parts[0].arch = "llama";
    parts[1].end = 2;
    parts[2].first = 2;
    parts[2].end = N_TENSORS;
}

static void teardown(void) {
    files_remove(dir);
}

TestSuite(gguf_split, .init = setup, .fini = teardown);

static void number(gw_gguf_writer *writer, const char *key, uint32_t n) {
    uint16_t u = (uint16_t)n;
    cr_assert_eq(gw_gguf_writer_set_number(writer, key, GW_GGUF_U16, &u, &err), GODWIT_OK);
}

static void write_part(const char *path, const part *p) {
    gw_gguf_writer *writer = NULL;
    int32_t n_tensors = (int32_t)p->n_tensors;
    cr_assert_eq(gw_gguf_writer_create(&host, &writer, &err), GODWIT_OK);
    if (p->arch) {
        gw_str arch = gw_str_of(p->arch);
        cr_assert_eq(gw_gguf_writer_set_str(writer, "general.architecture", arch, &err), GODWIT_OK);
    }
    number(writer, "split.no", p->no);
    number(writer, "split.count", p->count);
    cr_assert_eq(
        gw_gguf_writer_set_number(writer, "split.tensors.count", GW_GGUF_I32, &n_tensors, &err),
        GODWIT_OK);
    for (int i = p->first; i < p->end; i++) {
        const char *name = p->rename && i == p->first ? p->rename : names[i];
        cr_assert_eq(gw_gguf_writer_add_bytes(writer, name, 0, 1, (uint64_t[]){16}, data[i], &err),
                     GODWIT_OK);
    }
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
}

static void write_all(void) {
    for (int i = 0; i < N_FILES; i++) write_part(paths[i], &parts[i]);
}

Test(gguf_split, first_opens_all) {
    gw_gguf *gguf = NULL;
    write_all();
    cr_assert_eq(gw_gguf_open(&host, paths[0], &gguf, &err), GODWIT_OK, "%s", err.message);
    cr_assert_null(gguf_walk(gguf, NULL, 1 << 20));
    cr_assert_eq(gw_gguf_n_tensors(gguf), N_TENSORS);
    for (int i = 0; i < N_TENSORS; i++) {
        uint8_t scratch[64];
        const uint8_t *bytes = NULL;
        const gw_gguf_tensor *t = gw_gguf_find_tensor(gguf, names[i]);
        cr_assert(t && t == gw_gguf_tensor_at(gguf, (uint64_t)i));
        cr_assert_eq(gw_source_view(&t->source, 0, 64, scratch, &bytes, &err), GODWIT_OK);
        cr_assert_eq(memcmp(bytes, data[i], 64), 0, "%s", names[i]);
    }
    for (uint32_t i = 0; i < N_FILES; i++) cr_assert_str_eq(gw_gguf_file(gguf, i), paths[i]);
    cr_assert_null(gw_gguf_file(gguf, N_FILES));
    // A part that is cut short later is the one that is named.
    uint8_t scratch[64];
    const uint8_t *bytes = NULL;
    cr_assert_eq(truncate(paths[2], 100), 0);
    cr_assert_eq(
        gw_source_view(&gw_gguf_find_tensor(gguf, "e")->source, 0, 64, scratch, &bytes, &err),
        GODWIT_IO);
    cr_assert(strstr(err.message, paths[2]), "%s", err.message);
    gw_gguf_destroy(&gguf);
}

Test(gguf_split, other_parts_name_the_first) {
    gw_gguf *gguf = NULL;
    write_all();
    for (int i = 1; i < N_FILES; i++) {
        cr_assert_eq(gw_gguf_open(&host, paths[i], &gguf, &err), GODWIT_UNSUPPORTED);
        cr_assert(strstr(err.message, paths[i]) && strstr(err.message, paths[0]), "%s",
                  err.message);
    }
    // Under names of their own nothing is found.
    snprintf(paths[N_FILES], sizeof paths[N_FILES], "%s/m.gguf", dir);
    for (int i = 0; i < 2; i++) {
        write_part(paths[N_FILES], &parts[i]);
        cr_assert_eq(gw_gguf_open(&host, paths[N_FILES], &gguf, &err), GODWIT_UNSUPPORTED);
        cr_assert(strstr(err.message, "-00001-of-00003.gguf"), "%s", err.message);
    }
}

static void is_refused(godwit_status want, const char *says, const char *path) {
    gw_gguf *gguf = NULL;
    cr_expect_eq(gw_gguf_open(&host, paths[0], &gguf, &err), want, "%s: %s", says, err.message);
    cr_expect_null(gguf);
    cr_expect(strstr(err.message, says) && strstr(err.message, path), "%s, not %s of %s",
              err.message, says, path);
}

Test(gguf_split, what_does_not_fit) {
    static const struct {
        int at;
        part change; // what is not zero or NULL replaces
        const char *says;
    } rows[] = {
        {1, {.no = 2}, "it says that it is file 3 of 3, its name says 2 of 3"},
        {2, {.count = 4}, "file 3 of 4, its name says 3 of 3"},
        {2, {.count = 1}, "of 1, its name"},
        {1, {.arch = "gemma"}, "another model's"},
        {1, {.rename = "e"}, "have the same name"},
        {0, {.n_tensors = 6}, "split.tensors.count is 6, the 3 files have 5"},
        {0, {.n_tensors = UINT32_MAX}, "negative"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        part changed = parts[rows[i].at];
        const part *c = &rows[i].change;
        if (c->no) changed.no = c->no;
        if (c->count) changed.count = c->count;
        if (c->n_tensors) changed.n_tensors = c->n_tensors;
        if (c->arch) changed.arch = c->arch;
        if (c->rename) changed.rename = c->rename;
        write_all();
        write_part(paths[rows[i].at], &changed);
        // Of two tensors of one name the later file is told.
        is_refused(GODWIT_MALFORMED, rows[i].says, paths[c->rename ? 2 : rows[i].at]);
    }
}

Test(gguf_split, a_missing_or_cut_part) {
    write_all();
    cr_assert_eq(truncate(paths[2], 200), 0);
    is_refused(GODWIT_MALFORMED, "truncated", paths[2]);
    cr_assert_eq(unlink(paths[1]), 0);
    is_refused(GODWIT_IO, "No such file", paths[1]);
    // The first says that there are far more than there are names for here.
    parts[0].count = UINT16_MAX;
    snprintf(paths[0], sizeof paths[0], "%s/m-00001-of-65535.gguf", dir);
    write_part(paths[0], &parts[0]);
    is_refused(GODWIT_UNSUPPORTED, "65535 files, the most is", paths[0]);
    parts[0].no = UINT16_MAX;
    write_part(paths[0], &parts[0]);
    is_refused(GODWIT_MALFORMED, "split.no", paths[0]);
}

// Every allocation of it may fail.
Test(gguf_split, memory) {
    write_all();
    for (int64_t n = 1; n < 1000; n++) {
        counting c;
        gw_gguf *gguf = NULL;
        counting_init(&c, n);
        godwit_status status = gw_gguf_open(&c.host, paths[0], &gguf, &err);
        gw_gguf_destroy(&gguf);
        cr_assert(c.n_live == 0 && c.n_bad == 0, "allocation %d", (int)n);
        if (status == GODWIT_OK) {
            cr_assert_gt(n, 10);
            return;
        }
        cr_assert_eq(status, GODWIT_OUT_OF_MEMORY, "%s", err.message);
    }
    cr_assert(false, "it never opens");
}
