// Wide: see wide.h.
#include "quant/wide.h"

#include "quant/planes.h"

enum { BLOCK = 256 };

// Of a wide twin: what it is made of.
typedef struct wide {
    const gw_format *packed;
    const int8_t *values; // [16]
    float d, inv_d;       // inv_d: 1 / d, a power of two
    uint32_t n_scales;    // a unit: 1 or 2, and as many words of them a block
} wide;

// A plane 4 (planes.h), word by word: a word that is read of bytes just written waits for them.
static void put_codes(uint32_t *words, const uint8_t *code_of, const int8_t *q) {
    for (uint32_t k = 0; k < 4; k++) {
        words[k] = 0;
        for (uint32_t b = 0; b < 4; b++) {
            const uint32_t low = code_of[(uint8_t)q[4 * k + b]];
            const uint32_t high = code_of[(uint8_t)q[16 + 4 * k + b]];
            words[k] |= (low | high << 4) << (8 * b);
        }
    }
}

static bool repack_as(const wide *w, const uint8_t *row, uint64_t n, const gw_packed *out) {
    uint32_t *tails = out->sides + n / BLOCK * w->n_scales;
    uint8_t code_of[256];
    bool finite = true;
    for (uint32_t code = 0; code < 16; code++) code_of[(uint8_t)w->values[code]] = (uint8_t)code;
    for (uint64_t at = 0; at < n / GW_UNIT; at++) {
        const uint64_t b = at / 8;
        const uint32_t unit = at % 8;
        gw_unit u;
        w->packed->decode(row + b * w->packed->block_bytes, unit, &u);
        put_codes(out->quants + at * 4, code_of, u.q);
        for (uint32_t h = 0; h < w->n_scales; h++) {
            const uint32_t i = unit * w->n_scales + h, scale = (uint32_t)(u.s[h] - 1) / 2;
            out->sides[b * w->n_scales + i / 8] |= scale << (i % 8 * 4);
        }
        if (unit) continue;
        finite &= (gw_bits(u.d) >> 23 & 255) != 255;
        gw_put_tail_half(tails, b, gw_f32_to_f16(u.d * w->inv_d)); // exactly what decode read
    }
    return finite;
}

static void unpack_as(const wide *w, const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *side = row->sides + at / 8 * w->n_scales;
    const uint32_t *tails = row->sides + row->n_units / 8 * w->n_scales;
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane4(row->quants + at * 4, codes, 0);
    for (uint32_t i = 0; i < GW_UNIT; i++) out->q[i] = w->values[codes[i]];
    for (uint32_t h = 0; h < 2; h++) {
        const uint32_t i = (uint32_t)(at % 8) * w->n_scales + h % w->n_scales;
        out->s[h] = (int32_t)(2 * (side[i / 8] >> (i % 8 * 4) & 15) + 1);
    }
    out->d = gw_f16_to_f32(gw_tail_half(tails, at / 8)) * w->d;
}

// bytes: of a block of the file; values: GW_WIDE_*.
#define WIDE(twin, dtype, bytes, kind, scales)                                                     \
    static const int8_t values_##twin[16] = GW_WIDE_VALUES_##kind;                                 \
    static const wide wide_##twin = {&gw_format_##twin, values_##twin, GW_WIDE_D_##kind,           \
                                     1.0f / GW_WIDE_D_##kind, scales};                             \
    static bool repack_##twin(const uint8_t *row, uint64_t n, const gw_packed *out) {              \
        return repack_as(&wide_##twin, row, n, out);                                               \
    }                                                                                              \
    static void unpack_##twin(const gw_packed *row, uint64_t at, gw_unit *out) {                   \
        unpack_as(&wide_##twin, row, at, out);                                                     \
    }                                                                                              \
    const gw_format gw_format_##twin##_wide = {.id = GW_FMT_##twin##_wide,                         \
                                               .type = GODWIT_##dtype,                             \
                                               .name = #twin "_wide",                              \
                                               .form = GW_FORM_SUB,                                \
                                               .block = BLOCK,                                     \
                                               .block_bytes = (bytes),                             \
                                               .quant_words = 32,                                  \
                                               .side_words = (scales),                             \
                                               .tail_bytes = 2,                                    \
                                               .repack = repack_##twin,                            \
                                               .unpack = unpack_##twin};

WIDE(iq2_xxs, IQ2_XXS, 66, IQ2, 1)
WIDE(iq2_xs, IQ2_XS, 74, IQ2, 2)
WIDE(iq2_s, IQ2_S, 82, IQ2, 2)
WIDE(iq3_xxs, IQ3_XXS, 98, IQ3_XXS, 1)
WIDE(iq3_s, IQ3_S, 110, IQ3_S, 1)
WIDE(iq1_s, IQ1_S, 50, IQ1, 1)
WIDE(iq1_m, IQ1_M, 56, IQ1, 2)

static const gw_format *const twins[] = {
#define X(id, name, form, words, half, offset, sixteens) [(id)-GW_FMT_COUNT] = &gw_format_##name,
#include "quant/wide.def"
#undef X
};

const gw_format *gw_format_wide(const gw_format *format) {
    for (uint32_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        if (twins[i]->type == format->type) return twins[i];
    }
    return NULL;
}
