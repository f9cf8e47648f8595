// GGUF: the header, and what is asked of a whole file. See gguf.h; gguf_internal.h names the parts.
#include "base/status.h"
#include "file/gguf_internal.h"
#include "file/recognize.h"

#include <inttypes.h>

// Least bytes that a metadata pair (key of one byte, type, one byte) and a tensor descriptor (name
// of one byte, one dimension) take: what a count claims is held against what is left of the file.
enum { MIN_VALUE_BYTES = 8 + 1 + 4 + 1, MIN_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8 };

static godwit_status read_version(gw_reader *reader, uint32_t *out_version, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint8_t *magic = NULL;
    uint32_t version = 0;
    GW_TRY(gw_reader_take(reader, 4, "magic", &magic, err));
    if (memcmp(magic, "GGUF", 4) != 0) {
        uint64_t n = reader->n_bytes - reader->n_absent;
        const char *what = gw_recognize(reader->bytes, n, reader->n_bytes);
        if (what) GW_FAIL(err, GODWIT_MALFORMED, "%s", what);
        GW_FAIL(err, GODWIT_MALFORMED,
                "not a GGUF file: it begins with bytes %02x %02x %02x %02x, not 47 47 55 46",
                magic[0], magic[1], magic[2], magic[3]);
    }
    GW_TRY(gw_reader_u32(reader, "version", &version, err));
    if ((version & 0xffff) == 0 && version != 0) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "big-endian GGUF (version %" PRIu32
                "); only little-endian files are read, convert it",
                version >> 24);
    }
    if (version == 1) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "GGUF version 1; versions 2 and 3 are read, convert it");
    }
    if (version != 2 && version != 3) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "GGUF version %" PRIu32 "; versions 2 and 3 are read",
                version);
    }
    *out_version = version;
done:
    return status;
}

static godwit_status check_count(gw_reader *reader, const char *what, uint64_t n, uint64_t n_max,
                                 uint64_t min_bytes, godwit_error *err) {
    if (n > n_max) {
        return gw_fail(err, GODWIT_MALFORMED, "%" PRIu64 " %s, the most is %" PRIu64, n, what,
                       n_max);
    }
    if (n > gw_reader_left(reader) / min_bytes) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "%" PRIu64 " %s do not fit the file's %" PRIu64 " bytes; file truncated?", n,
                       what, reader->n_bytes);
    }
    return gw_reader_hold(reader, n * min_bytes, err);
}

static godwit_status read_header(gw_gguf *gguf, gw_reader *reader, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(read_version(reader, &gguf->version, err));
    GW_TRY(gw_reader_u64(reader, "number of tensors", &gguf->n_tensors, err));
    GW_TRY(gw_reader_u64(reader, "number of metadata pairs", &gguf->n_values, err));
    GW_TRY(check_count(reader, "tensors", gguf->n_tensors, GW_GGUF_MAX_TENSORS, MIN_TENSOR_BYTES,
                       err));
    GW_TRY(check_count(reader, "metadata pairs", gguf->n_values, GW_GGUF_MAX_METADATA,
                       MIN_VALUE_BYTES, err));
done:
    return status;
}

static godwit_status read_values(gw_gguf *gguf, gw_reader *reader, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (gguf->n_values == 0) goto done;
    gguf->values = gw_arena_alloc(&gguf->arena, (size_t)gguf->n_values, sizeof *gguf->values);
    GW_CHECK_ALLOC(gguf->values, err, "metadata");
    GW_TRY(gw_name_index_init(&gguf->value_index, &gguf->arena, gguf->n_values, err));
    for (uint32_t i = 0; i < gguf->n_values; i++) {
        gw_gguf_value *value = &gguf->values[i];
        status = gw_gguf_read_value(reader, &gguf->arena, value, err);
        if (status == GODWIT_OK) {
            status = gw_name_index_add(&gguf->value_index, value->key, i, err);
        }
        GW_TRY(gw_note(err, status, "metadata pair %" PRIu32 " of %" PRIu64, i, gguf->n_values));
    }
done:
    return status;
}

// One of several files of a model has only a part of its tensors, which would be found missing one
// by one with messages that hide the cause.
static godwit_status check_not_split(const gw_gguf *gguf, godwit_error *err) {
    uint32_t n_files = 1, number = 0;
    godwit_status status = gw_gguf_split_of(gguf, &n_files, &number, err);
    if (status != GODWIT_OK || n_files <= 1) return status;
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "split.count: one of %" PRIu32
                   " files of a split model, of which only bytes are at hand",
                   n_files);
}

static godwit_status read_alignment(const gw_gguf *gguf, uint32_t *out, godwit_error *err) {
    static const char key[] = "general.alignment";
    uint32_t alignment = 0;
    godwit_status status = gw_gguf_get_u32(gguf, key, GW_GGUF_MIN_ALIGN, GW_GGUF_MAX_ALIGN,
                                           GW_GGUF_DEFAULT_ALIGN, &alignment, err);
    if (status != GODWIT_OK) return status;
    if ((alignment & (alignment - 1)) != 0) {
        return gw_fail(err, GODWIT_MALFORMED, "%s: %" PRIu32 " is no power of two", key, alignment);
    }
    *out = alignment;
    return GODWIT_OK;
}

godwit_status gw_gguf_parse_header(gw_gguf *gguf, gw_reader *reader, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(read_header(gguf, reader, err));
    GW_TRY(read_values(gguf, reader, err));
    if (!gguf->file.path) GW_TRY(check_not_split(gguf, err));
    GW_TRY(read_alignment(gguf, &gguf->alignment, err));
    GW_TRY(gw_gguf_read_tensors(gguf, reader, err));
done:
    return status;
}

godwit_status gw_gguf_create(const gw_host *host, const char *name, gw_gguf **out_gguf,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    *out_gguf = NULL;
    gw_gguf *gguf = gw_alloc(host, 1, sizeof *gguf);
    GW_CHECK_ALLOC(gguf, err, "GGUF header");
    gguf->host = host;
    gw_arena_init(&gguf->arena, host);
    gguf->name = gw_alloc(host, strlen(name) + 1, 1);
    GW_CHECK_ALLOC(gguf->name, err, "file name");
    memcpy(gguf->name, name, strlen(name) + 1);
    *out_gguf = gguf;
    gguf = NULL;
done:
    gw_gguf_destroy(&gguf);
    return status;
}

godwit_status gw_gguf_parse(const gw_host *host, const uint8_t *bytes, uint64_t n_bytes,
                            const char *name, gw_gguf **out_gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf *gguf = NULL;
    gw_reader reader = {.bytes = bytes, .n_bytes = n_bytes};
    *out_gguf = NULL;
    if (!name) name = "(memory)";
    GW_TRY(gw_gguf_create(host, name, &gguf, err));
    GW_TRY(gw_note(err, gw_gguf_parse_header(gguf, &reader, err), "%s", name));
    *out_gguf = gguf;
    gguf = NULL;
done:
    gw_gguf_destroy(&gguf);
    return status;
}

void gw_gguf_destroy(gw_gguf **gguf) {
    if (!gguf || !*gguf) return;
    gw_gguf *g = *gguf;
    const gw_host *host = g->host;
    for (uint32_t i = 0; i < g->n_parts; i++) gw_gguf_destroy(&g->parts[i]);
    gw_arena_deinit(&g->arena);
    gw_free(host, g->head, g->n_head);
    gw_file_close(&g->file);
    if (g->name) gw_free(host, g->name, strlen(g->name) + 1);
    gw_free(host, g, sizeof *g);
    *gguf = NULL;
}

const char *gw_gguf_file(const gw_gguf *gguf, uint32_t index) {
    if (index == 0) return gguf->name;
    return index <= gguf->n_parts ? gguf->parts[index - 1]->name : NULL;
}

const char *gw_gguf_name(const gw_gguf *gguf) {
    return gguf->name;
}

uint32_t gw_gguf_version(const gw_gguf *gguf) {
    return gguf->version;
}

uint64_t gw_gguf_n_tensors(const gw_gguf *gguf) {
    return gguf->n_tensors;
}

const gw_gguf_tensor *gw_gguf_tensor_at(const gw_gguf *gguf, uint64_t index) {
    return index < gguf->n_tensors ? &gguf->tensors[index] : NULL;
}

const gw_gguf_tensor *gw_gguf_find_tensor(const gw_gguf *gguf, const char *name) {
    uint32_t number = gw_name_index_find(&gguf->tensor_index, gw_str_of(name));
    return number == GW_NAME_NONE ? NULL : &gguf->tensors[number];
}

uint64_t gw_gguf_n_values(const gw_gguf *gguf) {
    return gguf->n_values;
}

const gw_gguf_value *gw_gguf_value_at(const gw_gguf *gguf, uint64_t index) {
    return index < gguf->n_values ? &gguf->values[index] : NULL;
}

const gw_gguf_value *gw_gguf_find(const gw_gguf *gguf, const char *key) {
    uint32_t number = gw_name_index_find(&gguf->value_index, gw_str_of(key));
    return number == GW_NAME_NONE ? NULL : &gguf->values[number];
}
