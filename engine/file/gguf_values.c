// GGUF metadata: parses one key-value pair in place, and gives items as numbers and text.
//
// Nothing is converted at parse time: a value points at its items in the header. What is checked
// there once (ends, string lengths, bools) is not checked again when an item is read.
// Source: the GGUF specification, "gguf_metadata_kv_t".
#include "base/status.h"
#include "file/gguf_internal.h"

#include <inttypes.h>
#include <math.h>

#define TYPE(name, bytes)                                                                          \
    { name, "array of " name, bytes }
static const struct {
    const char *name, *array;
    uint32_t bytes;
} value_types[] = {
    [GW_GGUF_U8] = TYPE("u8", 1),         [GW_GGUF_I8] = TYPE("i8", 1),
    [GW_GGUF_U16] = TYPE("u16", 2),       [GW_GGUF_I16] = TYPE("i16", 2),
    [GW_GGUF_U32] = TYPE("u32", 4),       [GW_GGUF_I32] = TYPE("i32", 4),
    [GW_GGUF_F32] = TYPE("f32", 4),       [GW_GGUF_BOOL] = TYPE("bool", 1),
    [GW_GGUF_STRING] = TYPE("string", 0), [GW_GGUF_ARRAY] = TYPE("array", 0),
    [GW_GGUF_U64] = TYPE("u64", 8),       [GW_GGUF_I64] = TYPE("i64", 8),
    [GW_GGUF_F64] = TYPE("f64", 8),
};
#undef TYPE
enum { N_VALUE_TYPES = sizeof value_types / sizeof *value_types };

const char *gw_gguf_value_type_name(gw_gguf_type type) {
    return (uint32_t)type < N_VALUE_TYPES ? value_types[type].name : "unknown";
}

const char *gw_gguf_value_type_text(const gw_gguf_value *value) {
    if (value->type != GW_GGUF_ARRAY) return gw_gguf_value_type_name(value->type);
    return (uint32_t)value->item_type < N_VALUE_TYPES ? value_types[value->item_type].array
                                                      : "array";
}

uint32_t gw_gguf_item_bytes(gw_gguf_type type) {
    return (uint32_t)type < N_VALUE_TYPES ? value_types[type].bytes : 0;
}

// --- parsing -------------------------------------------------------------------------------------

// Steps over n_items strings; for an array, notes where each begins.
static godwit_status read_strings(gw_reader *reader, gw_arena *arena, gw_gguf_value *value,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t *offsets = NULL, start = reader->pos;
    if (value->type == GW_GGUF_ARRAY && value->n_items > 0) {
        // Each string has at least its length, so the index is never larger than what is left.
        if (value->n_items > gw_reader_left(reader) / 8) {
            GW_FAIL(err, GODWIT_MALFORMED,
                    "array of %" PRIu64 " strings at offset %" PRIu64
                    " passes the file's end (%" PRIu64 "); file truncated?",
                    value->n_items, start, reader->n_bytes);
        }
        GW_TRY(gw_reader_hold(reader, value->n_items * 8, err));
        offsets = gw_arena_alloc(arena, (size_t)value->n_items, sizeof *offsets);
        GW_CHECK_ALLOC(offsets, err, "index of a string array");
    }
    for (uint64_t i = 0; i < value->n_items; i++) {
        gw_str text;
        if (offsets) offsets[i] = reader->pos - start;
        GW_TRY(gw_reader_str(reader, "string", GW_GGUF_MAX_STRING_BYTES, &text, err));
    }
    value->data = reader->bytes + start;
    value->string_offsets = offsets;
done:
    return status;
}

// Steps over n_items numbers.
static godwit_status read_numbers(gw_reader *reader, gw_gguf_value *value, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    // No overflow: n_items <= 2^26, items are at most 8 bytes.
    uint64_t at = reader->pos, n_bytes = value->n_items * value_types[value->item_type].bytes;
    GW_TRY(gw_reader_take(reader, n_bytes, "value", &value->data, err));
    if (value->item_type == GW_GGUF_BOOL) {
        for (uint64_t i = 0; i < value->n_items; i++) {
            if (value->data[i] > 1) {
                GW_FAIL(err, GODWIT_MALFORMED, "bool at offset %" PRIu64 " is %u, not 0 or 1",
                        at + i, value->data[i]);
            }
        }
    }
done:
    return status;
}

// Type and count, of an array those of its items.
static godwit_status read_value_head(gw_reader *reader, gw_gguf_value *value, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t type = 0, item_type = 0;
    uint64_t n_items = 1;
    GW_TRY(gw_reader_u32(reader, "value type", &type, err));
    item_type = type;
    if (type == GW_GGUF_ARRAY) {
        GW_TRY(gw_reader_u32(reader, "array item type", &item_type, err));
        GW_TRY(gw_reader_u64(reader, "array length", &n_items, err));
        if (item_type == GW_GGUF_ARRAY) {
            GW_FAIL(err, GODWIT_UNSUPPORTED, "arrays of arrays are not read");
        }
        if (n_items > GW_GGUF_MAX_ARRAY_ITEMS) {
            GW_FAIL(err, GODWIT_MALFORMED, "array of %" PRIu64 " items, the most is %d", n_items,
                    GW_GGUF_MAX_ARRAY_ITEMS);
        }
    }
    if (item_type >= N_VALUE_TYPES) {
        GW_FAIL(err, GODWIT_MALFORMED, "value type %" PRIu32 " does not exist (0 to %d do)",
                item_type, N_VALUE_TYPES - 1);
    }
    value->type = (gw_gguf_type)type;
    value->item_type = (gw_gguf_type)item_type;
    value->n_items = n_items;
done:
    return status;
}

godwit_status gw_gguf_read_value(gw_reader *reader, gw_arena *arena, gw_gguf_value *out,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    *out = (gw_gguf_value){0};
    GW_TRY(gw_reader_name(reader, "key", GW_GGUF_MAX_KEY_BYTES, &out->key, err));
    // A terminated copy, for callers who want a C string.
    out->key.text = gw_arena_strndup(arena, out->key.text, out->key.n);
    GW_CHECK_ALLOC(out->key.text, err, "metadata key");
    status = read_value_head(reader, out, err);
    if (status == GODWIT_OK) {
        status = out->item_type == GW_GGUF_STRING ? read_strings(reader, arena, out, err)
                                                  : read_numbers(reader, out, err);
    }
    gw_note(err, status, "%.*s", GW_STR_ARG(out->key));
done:
    return status;
}

// --- items ---------------------------------------------------------------------------------------

// An item as the widest number of its kind.
typedef struct number {
    enum { NUMBER_U, NUMBER_I, NUMBER_F } kind;
    uint64_t u;
    int64_t i; // negative where kind is NUMBER_I
    double f;
} number;

static double load_f32(const uint8_t *p) {
    uint32_t bits = gw_le32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double load_f64(const uint8_t *p) {
    uint64_t bits = gw_le64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static number of_signed(int64_t i) {
    if (i < 0) return (number){.kind = NUMBER_I, .i = i};
    return (number){.kind = NUMBER_U, .u = (uint64_t)i};
}

static godwit_status check_item(const gw_gguf_value *value, uint64_t i, godwit_error *err) {
    if (i < value->n_items) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "%.*s: item %" PRIu64 " of %" PRIu64 " does not exist",
                   GW_STR_ARG(value->key), i, value->n_items);
}

static godwit_status load_number(const gw_gguf_value *value, uint64_t i, number *out,
                                 godwit_error *err) {
    godwit_status status = check_item(value, i, err);
    if (status != GODWIT_OK) return status;
    const uint8_t *p = value->data + i * gw_gguf_item_bytes(value->item_type);
    switch (value->item_type) {
    case GW_GGUF_BOOL:
    case GW_GGUF_U8:
        *out = (number){.kind = NUMBER_U, .u = p[0]};
        break;
    case GW_GGUF_U16:
        *out = (number){.kind = NUMBER_U, .u = gw_le16(p)};
        break;
    case GW_GGUF_U32:
        *out = (number){.kind = NUMBER_U, .u = gw_le32(p)};
        break;
    case GW_GGUF_U64:
        *out = (number){.kind = NUMBER_U, .u = gw_le64(p)};
        break;
    case GW_GGUF_I8:
        *out = of_signed((int8_t)p[0]);
        break;
    case GW_GGUF_I16:
        *out = of_signed((int16_t)gw_le16(p));
        break;
    case GW_GGUF_I32:
        *out = of_signed((int32_t)gw_le32(p));
        break;
    case GW_GGUF_I64:
        *out = of_signed((int64_t)gw_le64(p));
        break;
    case GW_GGUF_F32:
        *out = (number){.kind = NUMBER_F, .f = load_f32(p)};
        break;
    case GW_GGUF_F64:
        *out = (number){.kind = NUMBER_F, .f = load_f64(p)};
        break;
    case GW_GGUF_STRING:
    case GW_GGUF_ARRAY:
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: is a string where a number is needed",
                       GW_STR_ARG(value->key));
    }
    return GODWIT_OK;
}

// A float stands for an integer only where it is one. The range comes first: converting a float out
// of it is undefined.
static bool is_u64(double f) {
    return f >= 0 && f < 0x1p64 && (double)(uint64_t)f == f;
}

static bool is_i64(double f) {
    return f >= -0x1p63 && f < 0x1p63 && (double)(int64_t)f == f;
}

godwit_status gw_gguf_item_u64(const gw_gguf_value *value, uint64_t i, uint64_t *out,
                               godwit_error *err) {
    number n = {0};
    godwit_status status = load_number(value, i, &n, err);
    if (status != GODWIT_OK) return status;
    if (n.kind == NUMBER_I) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: %" PRId64 " is negative",
                       GW_STR_ARG(value->key), n.i);
    }
    if (n.kind == NUMBER_F && !is_u64(n.f)) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: %g is no integer of 64 bits",
                       GW_STR_ARG(value->key), n.f);
    }
    *out = n.kind == NUMBER_F ? (uint64_t)n.f : n.u;
    return GODWIT_OK;
}

godwit_status gw_gguf_item_i64(const gw_gguf_value *value, uint64_t i, int64_t *out,
                               godwit_error *err) {
    number n = {0};
    godwit_status status = load_number(value, i, &n, err);
    if (status != GODWIT_OK) return status;
    if (n.kind == NUMBER_U && n.u > INT64_MAX) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: %" PRIu64 " passes %" PRId64,
                       GW_STR_ARG(value->key), n.u, INT64_MAX);
    }
    if (n.kind == NUMBER_F && !is_i64(n.f)) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: %g is no integer of 64 bits",
                       GW_STR_ARG(value->key), n.f);
    }
    *out = n.kind == NUMBER_F ? (int64_t)n.f : n.kind == NUMBER_I ? n.i : (int64_t)n.u;
    return GODWIT_OK;
}

godwit_status gw_gguf_item_f64(const gw_gguf_value *value, uint64_t i, double *out,
                               godwit_error *err) {
    number n = {0};
    godwit_status status = load_number(value, i, &n, err);
    if (status != GODWIT_OK) return status;
    double f = n.kind == NUMBER_F ? n.f : n.kind == NUMBER_I ? (double)n.i : (double)n.u;
    if (!isfinite(f)) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: %s where a finite number is needed",
                       GW_STR_ARG(value->key), isnan(f) ? "NaN" : "infinity");
    }
    *out = f;
    return GODWIT_OK;
}

godwit_status gw_gguf_item_str(const gw_gguf_value *value, uint64_t i, gw_str *out,
                               godwit_error *err) {
    godwit_status status = check_item(value, i, err);
    if (status != GODWIT_OK) return status;
    if (value->item_type != GW_GGUF_STRING) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: is %s where a string is needed",
                       GW_STR_ARG(value->key), gw_gguf_value_type_name(value->item_type));
    }
    const uint8_t *p = value->data + (value->string_offsets ? value->string_offsets[i] : 0);
    *out = (gw_str){(const char *)p + 8, (size_t)gw_le64(p)};
    return GODWIT_OK;
}

// --- scalars by key ------------------------------------------------------------------------------

// The value of key, NULL where it is missing; an array is an error.
static godwit_status find_scalar(const gw_gguf *gguf, const char *key,
                                 const gw_gguf_value **out_value, godwit_error *err) {
    const gw_gguf_value *value = gw_gguf_find(gguf, key);
    *out_value = value;
    if (!value || value->type != GW_GGUF_ARRAY) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED,
                   "%s: is an array of %" PRIu64 " %s where one value is needed", key,
                   value->n_items, gw_gguf_value_type_name(value->item_type));
}

godwit_status gw_gguf_get_u32(const gw_gguf *gguf, const char *key, uint32_t min, uint32_t max,
                              uint32_t fallback, uint32_t *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = NULL;
    uint64_t u = fallback;
    GW_TRY(find_scalar(gguf, key, &value, err));
    if (value) {
        GW_TRY(gw_gguf_item_u64(value, 0, &u, err));
        if (u < min || u > max) {
            GW_FAIL(err, GODWIT_MALFORMED, "%s: is %" PRIu64 ", must be %" PRIu32 " to %" PRIu32,
                    key, u, min, max);
        }
    }
    *out = (uint32_t)u;
done:
    return status;
}

godwit_status gw_gguf_require_u32(const gw_gguf *gguf, const char *key, uint32_t min, uint32_t max,
                                  uint32_t *out, godwit_error *err) {
    if (!gw_gguf_find(gguf, key)) {
        return gw_fail(err, GODWIT_MALFORMED, "%s: the key is missing", key);
    }
    return gw_gguf_get_u32(gguf, key, min, max, 0, out, err);
}

godwit_status gw_gguf_get_f32(const gw_gguf *gguf, const char *key, float min, float max,
                              float fallback, float *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = NULL;
    double f = (double)fallback;
    GW_TRY(find_scalar(gguf, key, &value, err));
    if (value) {
        GW_TRY(gw_gguf_item_f64(value, 0, &f, err));
        if (f < (double)min || f > (double)max) {
            GW_FAIL(err, GODWIT_MALFORMED, "%s: is %g, must be %g to %g", key, f, (double)min,
                    (double)max);
        }
    }
    *out = (float)f;
done:
    return status;
}

godwit_status gw_gguf_get_bool(const gw_gguf *gguf, const char *key, bool fallback, bool *out,
                               godwit_error *err) {
    uint32_t u = 0;
    godwit_status status = gw_gguf_get_u32(gguf, key, 0, 1, fallback, &u, err);
    if (status == GODWIT_OK) *out = u != 0;
    return status;
}

godwit_status gw_gguf_get_str(const gw_gguf *gguf, const char *key, gw_str *out,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = NULL;
    gw_str text = {NULL, 0};
    GW_TRY(find_scalar(gguf, key, &value, err));
    if (value) {
        GW_TRY(gw_gguf_item_str(value, 0, &text, err));
    }
    *out = text;
done:
    return status;
}
