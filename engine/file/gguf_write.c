// GGUF writer: see gguf_write.h.
//
// Metadata is held in the file's own encoding (a gw_gguf_value as the reader makes it), so that
// copied and set values are one thing from there on.
#include "file/gguf_write.h"

#include "base/save.h"
#include "base/status.h"
#include "file/gguf_internal.h"

#include <inttypes.h>

typedef struct out_tensor {
    gw_gguf_tensor shape; // offset: in the data section, set when the file is laid out
    gw_gguf_data_fn data;
    void *user;
} out_tensor;

struct gw_gguf_writer {
    const gw_host *host;
    gw_arena arena;
    gw_vec(gw_gguf_value) values;
    gw_vec(out_tensor) tensors;
};

struct gw_gguf_sink {
    gw_gguf_out_fn out;
    void *user;
    uint64_t n_written, end; // a write past end is refused
};

godwit_status gw_gguf_writer_create(const gw_host *host, gw_gguf_writer **out_writer,
                                    godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_writer *writer = gw_alloc(host, 1, sizeof *writer);
    *out_writer = NULL;
    GW_CHECK_ALLOC(writer, err, "GGUF writer");
    writer->host = host;
    gw_arena_init(&writer->arena, host);
    *out_writer = writer;
done:
    return status;
}

void gw_gguf_writer_destroy(gw_gguf_writer **writer) {
    if (!writer || !*writer) return;
    const gw_host *host = (*writer)->host;
    gw_vec_deinit(&(*writer)->values, host);
    gw_vec_deinit(&(*writer)->tensors, host);
    gw_arena_deinit(&(*writer)->arena);
    gw_free(host, *writer, sizeof **writer);
    *writer = NULL;
}

// --- metadata ------------------------------------------------------------------------------------

static void store_le(uint8_t *p, uint64_t bits, uint32_t n_bytes) {
    for (uint32_t i = 0; i < n_bytes; i++) p[i] = (uint8_t)(bits >> 8 * i);
}

// A C number of n_bytes as bits.
static uint64_t load_host(const uint8_t *p, uint32_t n_bytes) {
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (n_bytes) {
    case 2:
        return memcpy(&u16, p, sizeof u16), u16;
    case 4:
        return memcpy(&u32, p, sizeof u32), u32;
    case 8:
        return memcpy(&u64, p, sizeof u64), u64;
    default:
        return p[0];
    }
}

static gw_gguf_value *find_value(gw_gguf_writer *writer, gw_str key) {
    for (size_t i = 0; i < writer->values.n; i++) {
        if (gw_str_eq(writer->values.items[i].key, key)) return &writer->values.items[i];
    }
    return NULL;
}

// Puts a value, whose key and data live long enough, under its key.
static godwit_status put_value(gw_gguf_writer *writer, const gw_gguf_value *value,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_value *slot = find_value(writer, value->key);
    if (!slot) {
        if (writer->values.n >= GW_GGUF_MAX_METADATA) {
            GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "%.*s: over %d metadata pairs",
                    GW_STR_ARG(value->key), GW_GGUF_MAX_METADATA);
        }
        slot = gw_vec_push(&writer->values, writer->host);
        GW_CHECK_ALLOC(slot, err, "metadata");
    }
    *slot = *value;
done:
    return status;
}

godwit_status gw_gguf_writer_copy(gw_gguf_writer *writer, const gw_gguf_value *value,
                                  godwit_error *err) {
    return put_value(writer, value, err);
}

// Checks key and counts, and gives the value with its key copied and n_bytes for its items.
static godwit_status begin_value(gw_gguf_writer *writer, const char *key, gw_gguf_type type,
                                 gw_gguf_type item_type, uint64_t n_items, uint64_t n_bytes,
                                 gw_gguf_value *out, uint8_t **out_data, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str name = gw_str_of(key);
    if (!gw_reader_name_ok(name) || name.n > GW_GGUF_MAX_KEY_BYTES) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "metadata key of %zu bytes is not 1 to %d of text",
                name.n, GW_GGUF_MAX_KEY_BYTES);
    }
    if (n_items > GW_GGUF_MAX_ARRAY_ITEMS || n_bytes > SIZE_MAX / 2) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "%s: %" PRIu64 " items, the most is %d", key, n_items,
                GW_GGUF_MAX_ARRAY_ITEMS);
    }
    char *copy = gw_arena_strndup(&writer->arena, key, name.n);
    *out_data = gw_arena_alloc(&writer->arena, (size_t)n_bytes, 1);
    GW_CHECK_ALLOC(copy && *out_data, err, "metadata");
    *out = (gw_gguf_value){.key = {copy, name.n},
                           .type = type,
                           .item_type = item_type,
                           .n_items = n_items,
                           .data = *out_data};
done:
    return status;
}

static godwit_status set_numbers(gw_gguf_writer *writer, const char *key, gw_gguf_type type,
                                 gw_gguf_type item_type, const void *numbers, uint64_t n_items,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_value value;
    uint8_t *data = NULL;
    uint32_t item_bytes = gw_gguf_item_bytes(item_type);
    if (item_bytes == 0) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "%s: type %d is no number", key, (int)item_type);
    }
    // begin_value refuses counts whose product could overflow, before it looks at the bytes.
    uint64_t n = n_items > GW_GGUF_MAX_ARRAY_ITEMS ? 0 : n_items;
    GW_TRY(begin_value(writer, key, type, item_type, n_items, n * item_bytes, &value, &data, err));
    for (uint64_t i = 0; i < n_items; i++) {
        uint64_t bits = load_host((const uint8_t *)numbers + i * item_bytes, item_bytes);
        if (item_type == GW_GGUF_BOOL) bits = bits != 0;
        store_le(data + i * item_bytes, bits, item_bytes);
    }
    GW_TRY(put_value(writer, &value, err));
done:
    return status;
}

static godwit_status set_texts(gw_gguf_writer *writer, const char *key, gw_gguf_type type,
                               const gw_str *texts, uint64_t n_items, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_value value;
    uint8_t *data = NULL;
    uint64_t n_bytes = 0;
    for (uint64_t i = 0; i < n_items; i++) {
        if (texts[i].n > GW_GGUF_MAX_STRING_BYTES) {
            GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "%s: string of %zu bytes, the most is %d", key,
                    texts[i].n, GW_GGUF_MAX_STRING_BYTES);
        }
        n_bytes += 8 + texts[i].n;
    }
    GW_TRY(begin_value(writer, key, type, GW_GGUF_STRING, n_items, n_bytes, &value, &data, err));
    for (uint64_t i = 0; i < n_items; i++) {
        store_le(data, texts[i].n, 8);
        if (texts[i].n > 0) memcpy(data + 8, texts[i].text, texts[i].n);
        data += 8 + texts[i].n;
    }
    GW_TRY(put_value(writer, &value, err));
done:
    return status;
}

godwit_status gw_gguf_writer_set_number(gw_gguf_writer *writer, const char *key, gw_gguf_type type,
                                        const void *number, godwit_error *err) {
    return set_numbers(writer, key, type, type, number, 1, err);
}

godwit_status gw_gguf_writer_set_u32(gw_gguf_writer *writer, const char *key, uint32_t number,
                                     godwit_error *err) {
    return set_numbers(writer, key, GW_GGUF_U32, GW_GGUF_U32, &number, 1, err);
}

godwit_status gw_gguf_writer_set_array(gw_gguf_writer *writer, const char *key,
                                       gw_gguf_type item_type, const void *numbers,
                                       uint64_t n_items, godwit_error *err) {
    return set_numbers(writer, key, GW_GGUF_ARRAY, item_type, numbers, n_items, err);
}

godwit_status gw_gguf_writer_set_str(gw_gguf_writer *writer, const char *key, gw_str text,
                                     godwit_error *err) {
    return set_texts(writer, key, GW_GGUF_STRING, &text, 1, err);
}

godwit_status gw_gguf_writer_set_strs(gw_gguf_writer *writer, const char *key, const gw_str *texts,
                                      uint64_t n_items, godwit_error *err) {
    return set_texts(writer, key, GW_GGUF_ARRAY, texts, n_items, err);
}

// --- tensors -------------------------------------------------------------------------------------

godwit_status gw_gguf_writer_add_tensor(gw_gguf_writer *writer, const char *name, uint32_t type,
                                        uint32_t n_dims, const uint64_t *dims, gw_gguf_data_fn data,
                                        void *user, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str text = gw_str_of(name);
    gw_gguf_tensor shape = {.type = type, .n_dims = n_dims};
    if (!gw_reader_name_ok(text) || text.n > GW_GGUF_MAX_NAME_BYTES) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "tensor name of %zu bytes is not 1 to %d of text",
                text.n, GW_GGUF_MAX_NAME_BYTES);
    }
    if (writer->tensors.n >= GW_GGUF_MAX_TENSORS) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "tensor %s: over %d tensors", name,
                GW_GGUF_MAX_TENSORS);
    }
    for (uint32_t i = 0; i < 4; i++) shape.dims[i] = i < n_dims ? dims[i] : 1;
    GW_TRY(gw_note(err, gw_gguf_measure_tensor(&shape, err), "tensor %s", name));
    shape.name = gw_arena_strndup(&writer->arena, name, text.n);
    GW_CHECK_ALLOC(shape.name, err, "tensor name");
    out_tensor *tensor = gw_vec_push(&writer->tensors, writer->host);
    GW_CHECK_ALLOC(tensor, err, "tensor descriptor");
    *tensor = (out_tensor){.shape = shape, .data = data, .user = user};
done:
    return status;
}

static godwit_status write_whole(void *user, const gw_gguf_tensor *tensor, gw_gguf_sink *sink,
                                 godwit_error *err) {
    (void)user;
    return gw_gguf_sink_write(sink, tensor->source.bytes, (size_t)tensor->bytes, err);
}

godwit_status gw_gguf_writer_add_bytes(gw_gguf_writer *writer, const char *name, uint32_t type,
                                       uint32_t n_dims, const uint64_t *dims, const void *data,
                                       godwit_error *err) {
    godwit_status status =
        gw_gguf_writer_add_tensor(writer, name, type, n_dims, dims, write_whole, NULL, err);
    if (status == GODWIT_OK) writer->tensors.items[writer->tensors.n - 1].shape.source.bytes = data;
    return status;
}

// --- writing -------------------------------------------------------------------------------------

godwit_status gw_gguf_sink_write(gw_gguf_sink *sink, const void *bytes, size_t n_bytes,
                                 godwit_error *err) {
    if (n_bytes == 0) return GODWIT_OK;
    if (n_bytes > sink->end - sink->n_written) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "%zu bytes written where only %" PRIu64 " are left", n_bytes,
                       sink->end - sink->n_written);
    }
    godwit_status status = sink->out(sink->user, bytes, n_bytes, err);
    if (status == GODWIT_OK) sink->n_written += n_bytes;
    return status;
}

static godwit_status write_le(gw_gguf_sink *sink, uint64_t number, uint32_t n_bytes,
                              godwit_error *err) {
    uint8_t bytes[8];
    store_le(bytes, number, n_bytes);
    return gw_gguf_sink_write(sink, bytes, n_bytes, err);
}

static godwit_status write_str(gw_gguf_sink *sink, gw_str text, godwit_error *err) {
    godwit_status status = write_le(sink, text.n, 8, err);
    return status == GODWIT_OK ? gw_gguf_sink_write(sink, text.text, text.n, err) : status;
}

static godwit_status pad_to(gw_gguf_sink *sink, uint32_t alignment, godwit_error *err) {
    static const uint8_t zeros[256];
    uint64_t left = (alignment - sink->n_written % alignment) % alignment;
    godwit_status status = GODWIT_OK;
    while (left > 0) {
        size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;
        GW_TRY(gw_gguf_sink_write(sink, zeros, n, err));
        left -= n;
    }
done:
    return status;
}

// Bytes that a value's items take in the file.
static uint64_t value_bytes(const gw_gguf_value *value) {
    if (value->item_type != GW_GGUF_STRING) {
        return value->n_items * gw_gguf_item_bytes(value->item_type);
    }
    uint64_t n = 0;
    for (uint64_t i = 0; i < value->n_items; i++) n += 8 + gw_le64(value->data + n);
    return n;
}

static godwit_status write_value(gw_gguf_sink *sink, const gw_gguf_value *value,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(write_str(sink, value->key, err));
    GW_TRY(write_le(sink, value->type, 4, err));
    if (value->type == GW_GGUF_ARRAY) {
        GW_TRY(write_le(sink, value->item_type, 4, err));
        GW_TRY(write_le(sink, value->n_items, 8, err));
    }
    GW_TRY(gw_gguf_sink_write(sink, value->data, (size_t)value_bytes(value), err));
done:
    return status;
}

static godwit_status write_descriptor(gw_gguf_sink *sink, const gw_gguf_tensor *shape,
                                      godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(write_str(sink, gw_str_of(shape->name), err));
    GW_TRY(write_le(sink, shape->n_dims, 4, err));
    for (uint32_t i = shape->n_dims; i-- > 0;) GW_TRY(write_le(sink, shape->dims[i], 8, err));
    GW_TRY(write_le(sink, shape->type, 4, err));
    GW_TRY(write_le(sink, shape->offset, 8, err));
done:
    return status;
}

static godwit_status write_data(gw_gguf_sink *sink, const out_tensor *tensor, godwit_error *err) {
    const gw_gguf_tensor *shape = &tensor->shape;
    sink->end = sink->n_written + shape->bytes;
    godwit_status status = tensor->data(tensor->user, shape, sink, err);
    if (status == GODWIT_OK && sink->n_written != sink->end) {
        status = gw_fail(err, GODWIT_INVALID_ARGUMENT,
                         "%" PRIu64 " of its %" PRIu64 " bytes were not written",
                         sink->end - sink->n_written, shape->bytes);
    }
    sink->end = UINT64_MAX;
    return gw_note(err, status, "tensor %s", shape->name);
}

// The alignment, and each tensor's offset under it; refuses names that come twice.
static godwit_status lay_out(gw_gguf_writer *writer, uint32_t *out_alignment, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_arena arena;
    gw_name_index index;
    gw_arena_init(&arena, writer->host);
    uint64_t alignment = GW_GGUF_DEFAULT_ALIGN, end = 0;
    const gw_gguf_value *value = find_value(writer, GW_STR("general.alignment"));
    if (value && value->type == GW_GGUF_ARRAY) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "general.alignment: is an array");
    }
    if (value) GW_TRY(gw_gguf_item_u64(value, 0, &alignment, err));
    if (alignment < GW_GGUF_MIN_ALIGN || alignment > GW_GGUF_MAX_ALIGN ||
        (alignment & (alignment - 1)) != 0) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "general.alignment: %" PRIu64 " is no power of two from %d to %d", alignment,
                GW_GGUF_MIN_ALIGN, GW_GGUF_MAX_ALIGN);
    }
    GW_TRY(gw_name_index_init(&index, &arena, writer->tensors.n, err));
    for (size_t i = 0; i < writer->tensors.n; i++) {
        gw_gguf_tensor *shape = &writer->tensors.items[i].shape;
        GW_TRY(gw_name_index_add(&index, gw_str_of(shape->name), (uint32_t)i, err));
        shape->offset = end;
        // A multiple of every alignment, so that rounding up stays at or below it.
        if (shape->bytes > ((uint64_t)1 << 62) - end) {
            GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "tensor %s: the file passes 2^62 bytes",
                    shape->name);
        }
        end = (end + shape->bytes + alignment - 1) / alignment * alignment;
    }
    *out_alignment = (uint32_t)alignment;
done:
    gw_arena_deinit(&arena);
    return status;
}

godwit_status gw_gguf_writer_emit(gw_gguf_writer *writer, gw_gguf_out_fn out, void *user,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_sink sink = {.out = out, .user = user, .end = UINT64_MAX};
    uint32_t alignment = 0;
    GW_TRY(lay_out(writer, &alignment, err));
    GW_TRY(gw_gguf_sink_write(&sink, "GGUF", 4, err));
    GW_TRY(write_le(&sink, 3, 4, err));
    GW_TRY(write_le(&sink, writer->tensors.n, 8, err));
    GW_TRY(write_le(&sink, writer->values.n, 8, err));
    for (size_t i = 0; i < writer->values.n; i++) {
        GW_TRY(write_value(&sink, &writer->values.items[i], err));
    }
    for (size_t i = 0; i < writer->tensors.n; i++) {
        GW_TRY(write_descriptor(&sink, &writer->tensors.items[i].shape, err));
    }
    for (size_t i = 0; i < writer->tensors.n; i++) {
        GW_TRY(pad_to(&sink, alignment, err));
        GW_TRY(write_data(&sink, &writer->tensors.items[i], err));
    }
    GW_TRY(pad_to(&sink, alignment, err));
done:
    return status;
}

static godwit_status write_to_save(void *user, const void *bytes, size_t n_bytes,
                                   godwit_error *err) {
    return gw_save_write(user, bytes, n_bytes, err);
}

godwit_status gw_gguf_writer_save(gw_gguf_writer *writer, const char *path, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_save *save = NULL;
    GW_TRY(gw_save_open(writer->host, path, &save, err));
    status = gw_gguf_writer_emit(writer, write_to_save, save, err);
    // A failed write names the path itself.
    if (status != GODWIT_IO) gw_note(err, status, "%s", path);
    if (status == GODWIT_OK) status = gw_save_commit(save, err);
done:
    gw_save_destroy(&save);
    return status;
}
