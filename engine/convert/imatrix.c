// Imatrix: see imatrix.h.
#include "convert/imatrix.h"

#include "base/file.h"
#include "base/status.h"
#include "file/gguf.h"
#include "file/name_index.h"
#include "file/reader.h"

#include <stdio.h>

enum { MAX_ENTRIES = 1 << 16 };
// Of the older container, which is read whole; the largest seen has 1 GB.
static const uint64_t MAX_BYTES = UINT64_C(1) << 32;

typedef struct entry {
    gw_str name;
    float *values; // [n]
    uint64_t n;
    bool any; // some value is not 0: all of them 0 says nothing
} entry;

struct gw_imatrix {
    const gw_host *host;
    gw_arena arena;
    gw_name_index index;
    gw_vec(entry) entries;
};

// Only the ratios of importances count, and searches multiply several: beyond this they are brought
// down by a power of two, which changes no bit of what comes out.
static const float ENOUGH = 65536.0f;

static void bring_down(float *values, uint64_t n) {
    float largest = 0.0f, factor = 1.0f;
    for (uint64_t i = 0; i < n; i++) largest = values[i] > largest ? values[i] : largest;
    for (; largest > ENOUGH; largest *= 0.5f) factor *= 0.5f;
    for (uint64_t i = 0; i < n && factor < 1.0f; i++) values[i] *= factor;
}

// Adds values / divisor[i / group].
static godwit_status add_entry(gw_imatrix *m, gw_str name, const uint8_t *values, uint64_t n,
                               const float *divisors, uint64_t group, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    entry *e = gw_vec_push(&m->entries, m->host);
    char *copy = gw_arena_strndup(&m->arena, name.text, name.n);
    GW_CHECK_ALLOC(e && copy, err, "importance matrix");
    *e = (entry){.name = {copy, name.n}, .n = n};
    e->values = gw_arena_alloc(&m->arena, (size_t)n, sizeof(float));
    GW_CHECK_ALLOC(e->values, err, "importance matrix");
    for (uint64_t i = 0; i < n; i++) {
        uint32_t bits = gw_le32(values + 4 * i);
        float value, divisor = divisors[i / group];
        memcpy(&value, &bits, sizeof value);
        // What no calibration text has met says as much as if all of it were equal.
        value = divisor > 0.0f ? value / divisor : 1.0f;
        if (!(value >= 0.0f && value - value == 0.0f)) {
            GW_FAIL(err, GODWIT_MALFORMED, "%.*s: importance %llu is no finite number from 0",
                    GW_STR_ARG(name), (unsigned long long)i);
        }
        e->values[i] = value;
        e->any |= value != 0.0f;
    }
    for (uint64_t i = 0; i < n; i += group) bring_down(e->values + i, group);
done:
    return status;
}

// --- the older container -------------------------------------------------------------------------

static godwit_status read_entry(gw_imatrix *m, gw_reader *reader, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t n_name = 0, n_calls = 0, n_values = 0;
    const uint8_t *name = NULL, *values = NULL;
    GW_TRY(gw_reader_u32(reader, "length of an entry's name", &n_name, err));
    GW_TRY(gw_reader_take(reader, n_name, "name of an entry", &name, err));
    gw_str text = {(const char *)name, n_name};
    if (n_name > GW_GGUF_MAX_NAME_BYTES || !gw_reader_name_ok(text)) {
        GW_FAIL(err, GODWIT_MALFORMED, "an entry's name of %u bytes is not 1 to %d of text", n_name,
                GW_GGUF_MAX_NAME_BYTES);
    }
    GW_TRY(gw_reader_u32(reader, "calls of an entry", &n_calls, err));
    GW_TRY(gw_reader_u32(reader, "number of values", &n_values, err));
    GW_TRY(gw_reader_take(reader, (uint64_t)n_values * 4, "values of an entry", &values, err));
    if (n_values == 0 || n_calls > INT32_MAX) {
        GW_FAIL(err, GODWIT_MALFORMED, "%.*s: %u values of %u calls", GW_STR_ARG(text), n_values,
                n_calls);
    }
    // Without a count of calls the values are means already.
    float calls = n_calls ? (float)n_calls : 1.0f;
    GW_TRY(add_entry(m, text, values, n_values, &calls, n_values, err));
done:
    return status;
}

static godwit_status parse_binary(gw_imatrix *m, const uint8_t *bytes, uint64_t n_bytes,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_reader reader = {.bytes = bytes, .n_bytes = n_bytes};
    uint32_t n = 0;
    GW_TRY(gw_reader_u32(&reader, "number of entries", &n, err));
    if (n == 0 || n > MAX_ENTRIES) {
        GW_FAIL(err, GODWIT_MALFORMED, "%u entries, not 1 to %d: no importance matrix", n,
                MAX_ENTRIES);
    }
    for (uint32_t i = 0; i < n; i++) GW_TRY(read_entry(m, &reader, err));
done:
    return status;
}

// --- GGUF ----------------------------------------------------------------------------------------

static godwit_status read_sums(gw_imatrix *m, const gw_gguf *gguf, const gw_gguf_tensor *sums,
                               gw_str base, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char name[GW_GGUF_MAX_NAME_BYTES + 16];
    snprintf(name, sizeof name, "%.*s.counts", GW_STR_ARG(base));
    const gw_gguf_tensor *counts = gw_gguf_find_tensor(gguf, name);
    uint64_t n_cols = sums->dims[sums->n_dims - 1], n_matrices = sums->n_elements / n_cols;
    float *divisors = NULL;
    uint8_t *scratch = NULL;
    const uint8_t *bytes = NULL;
    if (!counts || counts->type != GODWIT_F32 || sums->type != GODWIT_F32 ||
        counts->n_elements != n_matrices) {
        GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: not F32 with %llu F32 counts in %s", sums->name,
                (unsigned long long)n_matrices, name);
    }
    divisors = gw_alloc(m->host, (size_t)n_matrices, sizeof *divisors);
    scratch = gw_alloc(m->host, (size_t)sums->bytes, 1); // there are no more counts than sums
    GW_CHECK_ALLOC(divisors && scratch, err, "importance matrix");
    GW_TRY(gw_source_view(&counts->source, 0, counts->bytes, scratch, &bytes, err));
    for (uint64_t i = 0; i < n_matrices; i++) {
        uint32_t bits = gw_le32(bytes + 4 * i);
        memcpy(&divisors[i], &bits, sizeof bits);
        if (!(divisors[i] >= 0.0f && divisors[i] - divisors[i] == 0.0f)) {
            GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: count %llu is %g, no finite number from 0",
                    name, (unsigned long long)i, (double)divisors[i]);
        }
    }
    GW_TRY(gw_source_view(&sums->source, 0, sums->bytes, scratch, &bytes, err));
    GW_TRY(add_entry(m, base, bytes, sums->n_elements, divisors, n_cols, err));
done:
    gw_free(m->host, scratch, (size_t)sums->bytes);
    gw_free(m->host, divisors, (size_t)n_matrices * sizeof *divisors);
    return status;
}

static godwit_status read_gguf(gw_imatrix *m, const gw_gguf *gguf, godwit_error *err) {
    static const char suffix[] = ".in_sum2";
    godwit_status status = GODWIT_OK;
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf) && i < 2 * (uint64_t)MAX_ENTRIES; i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(gguf, i);
        size_t n = strlen(t->name), n_suffix = sizeof suffix - 1;
        if (n <= n_suffix || strcmp(t->name + n - n_suffix, suffix) != 0) continue;
        GW_TRY(read_sums(m, gguf, t, (gw_str){t->name, n - n_suffix}, err));
    }
    if (m->entries.n == 0) {
        GW_FAIL(err, GODWIT_MALFORMED, "no tensor is called <name>.in_sum2: no importance matrix");
    }
done:
    return status;
}

// --- both ----------------------------------------------------------------------------------------

// gguf: the bytes, where they are one.
static godwit_status parse(gw_imatrix *m, const gw_gguf *gguf, const uint8_t *bytes,
                           uint64_t n_bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gguf ? read_gguf(m, gguf, err) : parse_binary(m, bytes, n_bytes, err));
    GW_TRY(gw_name_index_init(&m->index, &m->arena, m->entries.n, err));
    for (size_t i = 0; i < m->entries.n; i++) {
        GW_TRY(gw_name_index_add(&m->index, m->entries.items[i].name, (uint32_t)i, err));
    }
done:
    return status;
}

static godwit_status create(const gw_host *host, const gw_gguf *gguf, const uint8_t *bytes,
                            uint64_t n_bytes, const char *name, gw_imatrix **out_matrix,
                            godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_imatrix *m = gw_alloc(host, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "importance matrix");
    m->host = host;
    gw_arena_init(&m->arena, host);
    GW_TRY(gw_note(err, parse(m, gguf, bytes, n_bytes, err), "%s", name));
    *out_matrix = m;
    m = NULL;
done:
    gw_imatrix_destroy(&m);
    return status;
}

godwit_status gw_imatrix_parse(const gw_host *host, const uint8_t *bytes, uint64_t n_bytes,
                               const char *name, gw_imatrix **out_matrix, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf *gguf = NULL;
    *out_matrix = NULL;
    if (n_bytes >= 4 && memcmp(bytes, "GGUF", 4) == 0) {
        GW_TRY(gw_gguf_parse(host, bytes, n_bytes, name, &gguf, err)); // names the file itself
    }
    GW_TRY(create(host, gguf, bytes, n_bytes, name, out_matrix, err));
done:
    gw_gguf_destroy(&gguf);
    return status;
}

static godwit_status is_gguf(const char *path, bool *out_is, godwit_error *err) {
    gw_file file;
    char magic[4] = "";
    godwit_status status = gw_file_open(path, &file, err);
    if (status != GODWIT_OK) return status;
    if (file.n_bytes >= 4) status = gw_file_read(&file, 0, magic, 4, err);
    *out_is = memcmp(magic, "GGUF", 4) == 0;
    gw_file_close(&file);
    return status;
}

godwit_status gw_imatrix_open(const gw_host *host, const char *path, gw_imatrix **out_matrix,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf *gguf = NULL;
    uint8_t *bytes = NULL;
    uint64_t n_bytes = 0;
    bool gguf_file = false;
    *out_matrix = NULL;
    GW_TRY(is_gguf(path, &gguf_file, err));
    if (gguf_file) {
        GW_TRY(gw_gguf_open(host, path, &gguf, err));
    } else {
        GW_TRY(gw_file_load(host, path, MAX_BYTES, &bytes, &n_bytes, err));
    }
    GW_TRY(create(host, gguf, bytes, n_bytes, path, out_matrix, err));
done:
    gw_gguf_destroy(&gguf);
    gw_free(host, bytes, (size_t)n_bytes);
    return status;
}

void gw_imatrix_destroy(gw_imatrix **matrix) {
    if (!matrix || !*matrix) return;
    const gw_host *host = (*matrix)->host;
    gw_vec_deinit(&(*matrix)->entries, host);
    gw_arena_deinit(&(*matrix)->arena);
    gw_free(host, *matrix, sizeof **matrix);
    *matrix = NULL;
}

uint64_t gw_imatrix_n(const gw_imatrix *matrix) {
    return matrix->entries.n;
}

gw_str gw_imatrix_name(const gw_imatrix *matrix, uint64_t index) {
    return index < matrix->entries.n ? matrix->entries.items[index].name : (gw_str){0};
}

godwit_status gw_imatrix_find(const gw_imatrix *matrix, const char *tensor, uint64_t n_cols,
                              uint64_t n_matrices, const float **out_weights, uint64_t *out_n,
                              godwit_error *err) {
    uint32_t number = gw_name_index_find(&matrix->index, gw_str_of(tensor));
    *out_weights = NULL;
    *out_n = 0;
    if (number == GW_NAME_NONE) return GODWIT_OK;
    const entry *e = &matrix->entries.items[number];
    if (e->n != n_cols && e->n != n_cols * n_matrices) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "tensor %s: the importance matrix has %llu values, the tensor %llu columns "
                       "in each of %llu matrices; it belongs to another model",
                       tensor, (unsigned long long)e->n, (unsigned long long)n_cols,
                       (unsigned long long)n_matrices);
    }
    if (!e->any) return GODWIT_OK;
    *out_weights = e->values;
    *out_n = e->n;
    return GODWIT_OK;
}
