// Quant: the number formats of weights.
//
// Owns, a file a format: the block as GGUF stores it, dequantize, quantize, and the lossless repack
// into what shaders read. A repacked row is two runs of 32-bit words: quants, in planes (planes.h),
// and sides: the integer scales of each block, then the row's tails (one small number a block, such
// as its half scale) side by side. No 8/16-bit storage is needed to read either, and neighbouring
// units are neighbours in memory. Repack is where the contract's rule for loads is applied:
// |w| < 2^-40 is 0 (F32, BF16), and where NaN and infinity are refused.
#ifndef GW_QUANT_QUANT_H
#define GW_QUANT_QUANT_H

#include "base/mem.h"

enum gw_format_id {
#define X(id, name, form, words, half, offset, sixteens) GW_FMT_##name = id,
#include "quant/quant.def"
#undef X
    GW_FMT_COUNT, // of files; what follows is on some devices alone (wide.h)
#define X(id, name, form, words, half, offset, sixteens) GW_FMT_##name = id,
#include "quant/wide.def"
#undef X
    GW_FMT_END
};

typedef enum gw_form {
    GW_FORM_FLOAT,
    GW_FORM_PLAIN,
    GW_FORM_SUB,
    GW_FORM_MIN,
    GW_FORM_PAIR
} gw_form;

// The largest half, which is where scales that are halves end.
#define GW_HALF_MAX 65504.0f

enum { GW_UNIT = 32, GW_FLOAT_UNIT = 8, GW_BLOCK_MAX = 256 };

// What one step of a product reads of an integer format: 32 weights. With h = i / 16:
//   PLAIN, SUB, MIN: w[i] = d * s[h] * q[i] - m * z[h];  PAIR: w[i] = (h == 0 ? d : m) * q[i]
// Every product of these is exact in fp32, and s . (sums of q * int8) stays below 2^24.
typedef struct gw_unit {
    int8_t q[GW_UNIT];
    float d, m;
    int32_t s[2], z[2];
} gw_unit;

// One repacked row, being written (repack) or read (unpack).
typedef struct gw_packed {
    uint32_t *quants;
    uint32_t *sides;       // blocks * side_words, then the tails
    uint64_t n_units;      // of the row
    const uint16_t *table; // the format's, or NULL
} gw_packed;

typedef struct gw_format gw_format;
struct gw_format {
    uint32_t id;   // GW_FMT_*
    uint32_t type; // GGUF's number, godwit_dtype
    // llama.cpp's number of a file that is mostly in this format (general.file_type); of a format
    // in several mixtures the middle one's.
    uint32_t file_type;
    const char *name; // "q8_0"
    gw_form form;
    uint32_t block;        // elements of a block in the file
    uint32_t block_bytes;  // bytes of a block in the file
    uint32_t quant_words;  // 32-bit words of quants a block (float formats: of 8 elements)
    uint32_t planes[3];    // words of each plane of quants in 256 elements, where there are several
    uint32_t side_words;   // words of sides a block
    uint32_t tail_bytes;   // bytes of a tail: 0, 1, 2 or 4
    const uint16_t *table; // what quants are looked up in, n_table entries, or NULL
    uint32_t n_table;      // an even number
    float limit;           // quantize cuts larger magnitudes; 0: it cuts none
    bool needs_importances; // so few bits a weight that nobody should write it without them
    // Float formats: n elements to fp32, as they are: no flush.
    void (*widen)(const uint8_t *src, uint64_t n, float *out);
    // Integer formats: unit `unit` of a block of the file. d, m may be NaN: the file decides.
    void (*decode)(const uint8_t *block, uint32_t unit, gw_unit *out);
    // fp32 to blocks, ggml's reference algorithm. n: a multiple of block. weights (n importances,
    // or NULL) count where the algorithm can use them.
    void (*quantize)(const float *src, const float *weights, uint64_t n, uint8_t *out);
    // A row of n elements, or 256 of one, into zeros. Returns false when it holds NaN or infinity.
    bool (*repack)(const uint8_t *row, uint64_t n, const gw_packed *out);
    // What a kernel sees of unit `at` of a repacked row, for the reference.
    void (*unpack)(const gw_packed *row, uint64_t at, gw_unit *out);
    void (*unpack_floats)(const gw_packed *row, uint64_t at, float *out); // 8 floats
};

#define X(id, name, form, words, half, offset, sixteens) extern const gw_format gw_format_##name;
#include "quant/quant.def"
#include "quant/wide.def"
#undef X

// By GGUF type; NULL when no kernel reads it.
const gw_format *gw_format_find(uint32_t type);
// Wide ones, too (quant/wide.h).
const gw_format *gw_format_at(uint32_t id);
const gw_format *gw_format_named(const char *name); // "q4_0"; NULL: none

static inline bool gw_format_is_float(const gw_format *format) {
    return format->form == GW_FORM_FLOAT;
}
// Elements that one step of a product reads.
static inline uint32_t gw_format_unit(const gw_format *format) {
    return gw_format_is_float(format) ? GW_FLOAT_UNIT : GW_UNIT;
}
static inline uint64_t gw_format_units(const gw_format *format, uint64_t n_cols) {
    return (n_cols + gw_format_unit(format) - 1) / gw_format_unit(format);
}
// Bytes of a row in the file.
static inline uint64_t gw_format_row_bytes(const gw_format *format, uint64_t n_cols) {
    return n_cols / format->block * format->block_bytes;
}
// 32-bit words of a repacked row: quants (a multiple of 4), and sides with tails.
uint64_t gw_format_quant_row(const gw_format *format, uint64_t n_cols);
uint64_t gw_format_side_row(const gw_format *format, uint64_t n_cols);
// Where a row's tails begin in its sides, in words.
uint64_t gw_format_tails(const gw_format *format, uint64_t n_cols);

// n elements (a multiple of block) to fp32, bit for bit as the gguf package does: no flush.
void gw_format_dequantize(const gw_format *format, const uint8_t *src, uint64_t n, float *out);
// Weight i of a unit.
float gw_unit_weight(gw_form form, const gw_unit *unit, uint32_t i);

#endif
