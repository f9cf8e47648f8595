// See file_support.h.
#include "file/file_support.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// --- bytes ---------------------------------------------------------------------------------------

void bytes_add(bytes *b, const void *data, size_t n) {
    if (n == 0) return;
    if (b->cap - b->n < n) {
        b->cap = 2 * b->cap + n;
        b->data = realloc(b->data, b->cap);
        cr_assert_not_null(b->data);
    }
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

static void add_le(bytes *b, uint64_t number, int n) {
    for (int i = 0; i < n; i++) bytes_add(b, &(uint8_t){(uint8_t)(number >> 8 * i)}, 1);
}

void bytes_u32(bytes *b, uint32_t number) {
    add_le(b, number, 4);
}

void bytes_u64(bytes *b, uint64_t number) {
    add_le(b, number, 8);
}

void bytes_str(bytes *b, const char *text) {
    bytes_u64(b, strlen(text));
    bytes_add(b, text, strlen(text));
}

void bytes_free(bytes *b) {
    free(b->data);
    *b = (bytes){0};
}

godwit_status bytes_out(void *user, const void *data, size_t n, godwit_error *err) {
    (void)err;
    bytes_add(user, data, n);
    return GODWIT_OK;
}

bytes bytes_of_file(const char *path) {
    bytes b = {0};
    uint8_t chunk[4096];
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "cannot open %s", path);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;) bytes_add(&b, chunk, n);
    fclose(file);
    return b;
}

guarded guarded_make(size_t n_max) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded g = {.page_bytes = (n_max + page - 1) / page * page};
    g.pages = mmap(NULL, g.page_bytes + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(g.pages != MAP_FAILED);
    cr_assert_eq(mprotect(g.pages, g.page_bytes, PROT_READ | PROT_WRITE), 0);
    return g;
}

const uint8_t *guarded_copy(const guarded *g, const uint8_t *data, size_t n) {
    cr_assert_leq(n, g->page_bytes);
    uint8_t *copy = g->pages + g->page_bytes - n;
    if (n > 0) memcpy(copy, data, n);
    return copy;
}

void guarded_free(guarded *g) {
    munmap(g->pages, g->page_bytes + (size_t)sysconf(_SC_PAGESIZE));
}

// --- memory --------------------------------------------------------------------------------------

// In front of each allocation, to check what the library says of it later.
typedef union head {
    size_t bytes;
    max_align_t align;
} head;

static void *counting_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    counting *c = user;
    head *old = ptr ? (head *)ptr - 1 : NULL;
    if ((old ? old->bytes : 0) != old_bytes) c->n_bad++;
    if (new_bytes == 0) {
        if (old) c->n_live--;
        free(old);
        return NULL;
    }
    c->n_total++;
    if (c->n_until_failure > 0 && --c->n_until_failure == 0) return NULL;
    head *grown = realloc(old, sizeof *grown + new_bytes);
    if (!grown) return NULL;
    grown->bytes = new_bytes;
    if (!old) c->n_live++;
    return grown + 1;
}

void counting_init(counting *c, int64_t n_until_failure) {
    *c = (counting){.n_until_failure = n_until_failure};
    godwit_allocator allocator = {.user = c, .realloc = counting_realloc};
    gw_host_init(&c->host, &allocator, NULL, NULL);
}

// --- files ---------------------------------------------------------------------------------------

const char *data_path(char *buffer, size_t buffer_bytes, const char *name) {
    const char *root = getenv("GODWIT_DATA");
    snprintf(buffer, buffer_bytes, "%s/%s", root ? root : GODWIT_TEST_ROOT "/../shared/data", name);
    if (access(buffer, R_OK) == 0) return buffer;
    fprintf(stderr, "SKIP: no test data: %s: set GODWIT_DATA to the folder that has it\n", buffer);
    return NULL;
}

const char *golden_path(char *buffer, size_t buffer_bytes, const char *name) {
    snprintf(buffer, buffer_bytes, "%s/tests/golden/gguf/%s", GODWIT_TEST_ROOT, name);
    return buffer;
}

void files_make(char *dir, size_t dir_bytes) {
    const char *root = getenv("TMPDIR");
    snprintf(dir, dir_bytes, "%s/godwit-file-XXXXXX", root ? root : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
}

// Calls each name with its path; returns how many there are.
static int each_file(const char *dir, void (*call)(const char *path)) {
    int n = 0;
    char path[1024];
    DIR *d = opendir(dir);
    cr_assert_not_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (call) call(path);
        n++;
    }
    closedir(d);
    return n;
}

static void remove_path(const char *path) {
    remove(path);
}

void files_remove(const char *dir) {
    each_file(dir, remove_path);
    cr_assert_eq(rmdir(dir), 0);
}

int files_count(const char *dir) {
    return each_file(dir, NULL);
}

godwit_status small_fill(gw_gguf_writer *w, godwit_error *err) {
    static const gw_str words[] = {{"a", 1}, {"", 0}, {"godwit", 6}};
    static const float scores[] = {0.5f, -1, 2};
    static const bool flags[] = {true, false, true};
    static const int64_t big = -((int64_t)1 << 40);
    static const double pi = 3.14159;
    static uint8_t data[512];
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 37 + 1);
    GW_TRY(gw_gguf_writer_set_str(w, "general.architecture", GW_STR("llama"), err));
    GW_TRY(gw_gguf_writer_set_u32(w, "general.alignment", 64, err));
    GW_TRY(gw_gguf_writer_set_u32(w, "split.count", 1, err));
    GW_TRY(gw_gguf_writer_set_strs(w, "words", words, 3, err));
    GW_TRY(gw_gguf_writer_set_array(w, "scores", GW_GGUF_F32, scores, 3, err));
    GW_TRY(gw_gguf_writer_set_array(w, "flags", GW_GGUF_BOOL, flags, 3, err));
    GW_TRY(gw_gguf_writer_set_number(w, "big", GW_GGUF_I64, &big, err));
    GW_TRY(gw_gguf_writer_set_number(w, "pi", GW_GGUF_F64, &pi, err));
    GW_TRY(gw_gguf_writer_set_number(w, "flag", GW_GGUF_BOOL, &flags[0], err));
    GW_TRY(gw_gguf_writer_add_bytes(w, "embd", 0, 2, (uint64_t[]){3, 8}, data, err));
    GW_TRY(gw_gguf_writer_add_bytes(w, "up", 8, 2, (uint64_t[]){2, 64}, data + 1, err));
    GW_TRY(gw_gguf_writer_add_bytes(w, "four", 24, 4, (uint64_t[]){2, 3, 1, 5}, data + 2, err));
    GW_TRY(gw_gguf_writer_add_bytes(w, "norm", 0, 1, (uint64_t[]){8}, data + 3, err));
done:
    return status;
}

bytes small_file(void) {
    bytes b = {0};
    gw_host host;
    godwit_error err = {0};
    gw_gguf_writer *writer = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert_eq(gw_gguf_writer_create(&host, &writer, &err), GODWIT_OK);
    cr_assert_eq(small_fill(writer, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_gguf_writer_emit(writer, bytes_out, &b, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
    return b;
}
