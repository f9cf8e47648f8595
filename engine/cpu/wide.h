// Wide: unit j of a block in each wide twin of a format of grids (quant/wide.h): codes of four bits, looked up 4 *
// GW_LANES at a time.
#ifndef GW_CPU_WIDE_H
#define GW_CPU_WIDE_H

#include "cpu/formats.h"
#include "quant/wide.h"

// What codes, a byte each, stand for, as gw_signed_codes has it. Each is a constant: inline, it is looked up in a
// register.
#if GW_LANES > 4 || defined(GW_NEON)
#define LOOK_UP(kind)                                                                              \
    GW_INLINE gw_vu gw_wide_##kind(gw_vu codes) {                                                  \
        static const int8_t values[16] = GW_WIDE_VALUES_##kind;                                    \
        return gw_look_up(gw_signed_codes(gw_load_table(values)), codes);                          \
    }
LOOK_UP(IQ2)
LOOK_UP(IQ3_XXS)
LOOK_UP(IQ3_S)
LOOK_UP(IQ1)
#undef LOOK_UP
#else // Without a shuffle of bytes they are computed.
GW_INLINE gw_vu gw_wide_IQ2(gw_vu codes) {
    return gw_signed_codes(gw_with_signs(gw_iq2_values(codes & 0x03030303u), codes >> 3, 0));
}
GW_INLINE gw_vu gw_wide_IQ3_XXS(gw_vu codes) {
    return gw_signed_codes(gw_with_signs(gw_iq3_xxs_values(codes & 0x07070707u), codes >> 3, 0));
}
GW_INLINE gw_vu gw_wide_IQ3_S(gw_vu codes) {
    gw_vu values = ((codes & 0x07070707u) << 1) + 0x01010101u;
    return gw_signed_codes(gw_with_signs(values, codes >> 3, 0));
}
GW_INLINE gw_vu gw_wide_IQ1(gw_vu codes) {
    gw_vu minus = 0x07070707u + (codes >> 2 & 0x02020202u);
    return gw_signed_codes((((codes & 0x03030303u) << 3 | 0x80808080u) - minus) ^ 0x80808080u);
}
#endif

GW_INLINE gw_vf gw_wide_scale(const gw_lane_record *r, uint32_t i) {
    return gw_ints((r->w[i / 8] >> (i % 8 * 4) & 15u) * 2u + 1u);
}

// words: of scales, of a block.
#define WIDE(name, kind, words)                                                                    \
    GW_INLINE void gw_lanes_##name##_wide(const gw_lane_record *r, const gw_vu *last, uint32_t j,  \
                                          gw_lane_unit *u) {                                       \
        gw_plane4(last, u->q);                                                                     \
        for (int i = 0; i < 8; i++) u->q[i] = gw_wide_##kind(u->q[i]);                             \
        for (uint32_t h = 0; h < words; h++) u->s[h] = gw_wide_scale(r, j * words + h);            \
        u->d = gw_half(r->half) * GW_WIDE_D_##kind;                                                \
    }

WIDE(iq2_xxs, IQ2, 1)
WIDE(iq2_xs, IQ2, 2)
WIDE(iq2_s, IQ2, 2)
WIDE(iq3_xxs, IQ3_XXS, 1)
WIDE(iq3_s, IQ3_S, 1)
WIDE(iq1_s, IQ1, 1)
WIDE(iq1_m, IQ1, 2)
#undef WIDE

#endif
