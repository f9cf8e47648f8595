// GGUF tensors: the block geometry of each type, a tensor's size, and where tensors lie.
//
// Every tensor's bytes are inside the file, aligned, and shared with no other tensor. Types that
// were taken out of the format again are known by name to tell their owner what to do.
// Source: the GGUF specification, "gguf_tensor_info_t"; block sizes as in the gguf Python package
// 0.19 (GGML_QUANT_SIZES), held against it by tests/golden/gguf_types.txt.
#include "base/sort.h"
#include "base/status.h"
#include "file/gguf_internal.h"

#include <inttypes.h>

// --- types ---------------------------------------------------------------------------------------

static const gw_gguf_type_row type_rows[] = {
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},
    {3, "Q4_1", 32, 20},      {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},
    {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 40},      {10, "Q2_K", 256, 84},
    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66},
    {17, "IQ2_XS", 256, 74},  {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
    {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},  {22, "IQ2_S", 256, 82},
    {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},
    {29, "IQ1_M", 256, 56},   {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},
    {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},    {40, "NVFP4", 64, 36},
    {41, "Q1_0", 128, 18},    {42, "Q2_0", 64, 18},
};

const gw_gguf_type_row *gw_gguf_tensor_type(uint32_t type) {
    for (size_t i = 0; i < sizeof type_rows / sizeof *type_rows; i++) {
        if (type_rows[i].type == type) return &type_rows[i];
    }
    return NULL;
}

static godwit_status fail_unknown_type(uint32_t type, godwit_error *err) {
    // 4, 5: Q4_2, Q4_3. 31 to 33, 36 to 38: Q4_0 and IQ4_NL interleaved for one processor family.
    bool withdrawn = type == 4 || type == 5 || (type >= 31 && type <= 38);
    return gw_fail(err, GODWIT_UNSUPPORTED, "tensor type %" PRIu32 " %s", type,
                   withdrawn ? "was withdrawn from GGUF; convert the model again"
                             : "is not known; the file is damaged or newer than this build");
}

godwit_status gw_gguf_measure_tensor(gw_gguf_tensor *tensor, godwit_error *err) {
    const gw_gguf_type_row *row = gw_gguf_tensor_type(tensor->type);
    if (!row) return fail_unknown_type(tensor->type, err);
    if (tensor->n_dims < 1 || tensor->n_dims > 4) {
        return gw_fail(err, GODWIT_MALFORMED, "%" PRIu32 " dimensions, must be 1 to 4",
                       tensor->n_dims);
    }
    uint64_t n_elements = 1;
    for (uint32_t i = 0; i < tensor->n_dims; i++) {
        if (tensor->dims[i] == 0) return gw_fail(err, GODWIT_MALFORMED, "dimension %u is 0", i);
        if (__builtin_mul_overflow(n_elements, tensor->dims[i], &n_elements)) {
            return gw_fail(err, GODWIT_MALFORMED, "its dimensions' product passes 2^64");
        }
    }
    uint64_t row_elements = tensor->dims[tensor->n_dims - 1], bytes = 0;
    if (row_elements % row->block_elements != 0) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "rows of %" PRIu64 " elements are no multiple of %s's block of %" PRIu32,
                       row_elements, row->name, row->block_elements);
    }
    if (__builtin_mul_overflow(n_elements / row->block_elements, row->block_bytes, &bytes)) {
        return gw_fail(err, GODWIT_MALFORMED, "its size passes 2^64 bytes");
    }
    tensor->n_elements = n_elements;
    tensor->bytes = bytes;
    return GODWIT_OK;
}

// --- descriptors ---------------------------------------------------------------------------------

// Name, shape, type and offset; offset is still that in the data section.
static godwit_status read_tensor(gw_gguf *gguf, gw_reader *reader, gw_gguf_tensor *out,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str name;
    uint64_t dims[4] = {0};
    GW_TRY(gw_reader_name(reader, "name", GW_GGUF_MAX_NAME_BYTES, &name, err));
    out->name = gw_arena_strndup(&gguf->arena, name.text, name.n);
    GW_CHECK_ALLOC(out->name, err, "tensor name");
    GW_TRY(gw_reader_u32(reader, "number of dimensions", &out->n_dims, err));
    if (out->n_dims < 1 || out->n_dims > 4) {
        GW_FAIL(err, GODWIT_MALFORMED, "%" PRIu32 " dimensions, must be 1 to 4", out->n_dims);
    }
    for (uint32_t i = 0; i < out->n_dims; i++) {
        GW_TRY(gw_reader_u64(reader, "dimension", &dims[i], err));
    }
    for (uint32_t i = 0; i < 4; i++) {
        out->dims[i] = i < out->n_dims ? dims[out->n_dims - 1 - i] : 1;
    }
    GW_TRY(gw_reader_u32(reader, "tensor type", &out->type, err));
    GW_TRY(gw_reader_u64(reader, "tensor offset", &out->offset, err));
    GW_TRY(gw_gguf_measure_tensor(out, err));
    name.text = out->name; // the index outlives the bytes that are read
    GW_TRY(gw_name_index_add(&gguf->tensor_index, name, (uint32_t)(out - gguf->tensors), err));
done:
    if (out->name) gw_note(err, status, "tensor %s", out->name);
    return status;
}

// --- places --------------------------------------------------------------------------------------

// What its number has meant elsewhere.
static const char *other_layout(const gw_gguf_tensor *tensor) {
    return tensor->type != GODWIT_Q2_0
               ? ""
               : "; Q2_0 in blocks of 128 weights, as a fork of llama.cpp writes it, is not read: "
                 "GGUF's has 64";
}

// Makes the offset absolute. The reader stands where the data section begins.
static godwit_status place_tensor(const gw_gguf *gguf, gw_gguf_tensor *tensor,
                                  const gw_reader *file, godwit_error *err) {
    uint64_t data_start = file->pos;
    uint32_t alignment = gguf->alignment;
    if (tensor->offset % alignment != 0) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "tensor %s: offset %" PRIu64 " is no multiple of the alignment %" PRIu32,
                       tensor->name, tensor->offset, alignment);
    }
    uint64_t room = file->n_bytes - data_start;
    if (tensor->offset > room || tensor->bytes > room - tensor->offset) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "tensor %s: offset %" PRIu64 " + %" PRIu64
                       " bytes in the data section at %" PRIu64 " passes the file's end (%" PRIu64
                       "); file truncated?%s",
                       tensor->name, tensor->offset, tensor->bytes, data_start, file->n_bytes,
                       other_layout(tensor));
    }
    tensor->offset += data_start;
    tensor->source = (gw_source){.file = &gguf->file, .offset = tensor->offset};
    if (!gguf->file.path) tensor->source = (gw_source){.bytes = file->bytes + tensor->offset};
    return GODWIT_OK;
}

static int by_offset(const void *a, const void *b, const void *tensors) {
    const gw_gguf_tensor *s = (const gw_gguf_tensor *)tensors + *(const uint32_t *)a;
    const gw_gguf_tensor *t = (const gw_gguf_tensor *)tensors + *(const uint32_t *)b;
    return s->offset < t->offset ? -1 : s->offset > t->offset;
}

static godwit_status check_overlaps(const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t n = (uint32_t)gguf->n_tensors;
    uint32_t *order = gw_alloc(gguf->host, n, sizeof *order);
    GW_CHECK_ALLOC(order, err, "tensor order");
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    gw_sort(order, n, sizeof *order, by_offset, gguf->tensors);
    for (uint32_t i = 1; i < n; i++) {
        const gw_gguf_tensor *a = &gguf->tensors[order[i - 1]], *b = &gguf->tensors[order[i]];
        if (a->bytes > b->offset - a->offset) {
            GW_FAIL(err, GODWIT_MALFORMED,
                    "tensor %s: its bytes from %" PRIu64 " lie in tensor %s's (%" PRIu64
                    " + %" PRIu64 ")%s",
                    b->name, b->offset, a->name, a->offset, a->bytes, other_layout(a));
        }
    }
done:
    gw_free(gguf->host, order, n * sizeof *order);
    return status;
}

godwit_status gw_gguf_read_tensors(gw_gguf *gguf, gw_reader *reader, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t alignment = gguf->alignment;
    if (gguf->n_tensors == 0) goto done;
    gguf->tensors = gw_arena_alloc(&gguf->arena, (size_t)gguf->n_tensors, sizeof *gguf->tensors);
    GW_CHECK_ALLOC(gguf->tensors, err, "tensor descriptors");
    GW_TRY(gw_name_index_init(&gguf->tensor_index, &gguf->arena, gguf->n_tensors, err));
    for (uint64_t i = 0; i < gguf->n_tensors; i++) {
        GW_TRY(gw_note(err, read_tensor(gguf, reader, &gguf->tensors[i], err),
                       "tensor %" PRIu64 " of %" PRIu64, i, gguf->n_tensors));
    }
    uint64_t padding = (alignment - reader->pos % alignment) % alignment;
    const uint8_t *skipped = NULL;
    GW_TRY(gw_reader_take(reader, padding, "padding before the tensors", &skipped, err));
    for (uint64_t i = 0; i < gguf->n_tensors; i++) {
        GW_TRY(place_tensor(gguf, &gguf->tensors[i], reader, err));
    }
    GW_TRY(check_overlaps(gguf, err));
done:
    return status;
}
