// Quant: the number formats of weights.
//
// Owns, a file a format: the block as GGUF stores it, dequantize, quantize, and the lossless repack
// into what shaders read: quants in 32-bit words, row after row, each row a whole number of units
// (padded with zeros), and apart from them one f16 scale a unit, two in a word. No 8/16-bit storage
// is needed to read either, and neighbouring lanes read neighbouring words. Repack is where the
// contract's rule for loads is applied: |w| < 2^-40 is 0 (F32, BF16), and where NaN and infinity
// are refused.
#ifndef GW_QUANT_QUANT_H
#define GW_QUANT_QUANT_H

#include "base/mem.h"

enum gw_format_id {
#define X(id, name) GW_FMT_##name = id,
#include "quant/quant.def"
#undef X
    GW_FMT_COUNT
};

typedef struct gw_format {
    uint32_t id;          // GW_FMT_*
    uint32_t type;        // GGUF's number, godwit_dtype
    const char *name;     // "q8_0"
    uint32_t block;       // elements of a block in the file
    uint32_t block_bytes; // bytes of a block in the file
    uint32_t unit;        // elements that one step of a product reads
    uint32_t words;       // 32-bit words of quants of a unit
    bool is_float;        // fp32 products; else int8 dots with a scale a unit
    // n elements (a multiple of block) to fp32, as the gguf package does: no flush.
    void (*dequantize)(const uint8_t *src, uint64_t n, float *out);
    // fp32 to blocks, ggml's reference algorithm. n: a multiple of block.
    void (*quantize)(const float *src, uint64_t n, uint8_t *out);
    // One row of n elements to its units: words [ceil(n / unit) * words]; scales: one half a unit
    // (NULL for float formats). Returns false when the row holds NaN or infinity.
    bool (*repack)(const uint8_t *row, uint64_t n, uint32_t *words, uint16_t *scales);
    // What a kernel sees of unit `at` of repacked quants, for the reference: float formats give
    // unit floats (float *out), integer formats unit signed bytes (int8_t *out) to be scaled.
    void (*unpack)(const uint32_t *quants, uint64_t at, void *out);
} gw_format;

extern const gw_format gw_format_f32, gw_format_f16, gw_format_bf16, gw_format_q8_0, gw_format_q4_0;

// By GGUF type; NULL when no kernel reads it.
const gw_format *gw_format_find(uint32_t type);
const gw_format *gw_format_at(uint32_t id);

static inline uint64_t gw_format_units(const gw_format *format, uint64_t n_cols) {
    return (n_cols + format->unit - 1) / format->unit;
}
// The scale of unit `at` from repacked scales, two halves a word.
float gw_format_scale(const uint32_t *scales, uint64_t at);
// Bytes of a row in the file.
static inline uint64_t gw_format_row_bytes(const gw_format *format, uint64_t n_cols) {
    return n_cols / format->block * format->block_bytes;
}

#endif
