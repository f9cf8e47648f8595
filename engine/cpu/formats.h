// Formats: unit j of a block in each integer format, the twin of shaders/quant/<name>.glsl, which say
// what a record holds. last: the unit's words of the record's last plane; of points of a grid nothing. What a form
// has no use for (quant.def) stays as it is.
#ifndef GW_CPU_FORMATS_H
#define GW_CPU_FORMATS_H

#include "cpu/units.h"

#define UNUSED __attribute__((unused))
#define UNIT(name)                                                                                 \
    GW_INLINE void gw_lanes_##name(const gw_lane_record *r, const gw_vu *last UNUSED,              \
                                   uint32_t j UNUSED, gw_lane_unit *u)

UNIT(q8_0) {
    for (uint32_t i = 0; i < 8; i++) u->q[i] = gw_signed_codes(last[i]);
    u->d = gw_rec_float(r, 0, j);
}
UNIT(q4_0) {
    gw_plane4(last, u->q);
    u->d = gw_rec_float(r, 0, j);
}
UNIT(q4_1) {
    gw_plane4(last, u->q);
    gw_added(r->w[j], u);
}
UNIT(q5_0) {
    gw_plane4(last, u->q);
    gw_plane1(r->w[4 + j], 4, u->q);
    u->d = gw_rec_float(r, 0, j);
}
UNIT(q5_1) {
    gw_plane4(last, u->q);
    gw_plane1(r->w[8 + j], 4, u->q);
    gw_added(r->w[j], u);
}
UNIT(q2_k) {
    gw_zero_codes(u->q);
    gw_plane2(last, 0, u->q);
    gw_vu scales = gw_rec_half(r, 0, j);
    u->s[0] = gw_ints(scales & 15u);
    u->z[0] = gw_ints(scales >> 4 & 15u);
    u->s[1] = gw_ints(scales >> 8 & 15u);
    u->z[1] = gw_ints(scales >> 12);
    u->d = gw_half(r->w[4] & 0xffffu);
    u->m = gw_half(r->w[4] >> 16);
}
UNIT(q3_k) {
    gw_zero_codes(u->q);
    gw_plane2(last, 0, u->q);
    gw_plane1(r->w[3 + j], 2, u->q);
    gw_vu low = r->w[j / 2 & 1] >> (j % 2 * 16 + j / 4 * 4);
    gw_vu high = r->w[2] >> (j % 2 * 16 + j / 2 * 2);
    gw_vu both = (low & 0x0f0fu) | (high & 0x0303u) << 4;
    u->s[0] = gw_ints((both & 0xffu) - 32u);
    u->s[1] = gw_ints((both >> 8) - 32u);
    u->d = gw_half(r->half);
}
UNIT(q4_k) {
    gw_plane4(last, u->q);
    gw_lane_k_scales(r, j, u);
}
UNIT(q5_k) {
    gw_plane4(last, u->q);
    gw_plane1(r->w[4 + j], 4, u->q);
    gw_lane_k_scales(r, j, u);
}
UNIT(q6_k) {
    gw_plane4(last, u->q);
    gw_plane2(r->w + 4 + 2 * j, 4, u->q);
    gw_vi scales = (gw_vi)gw_rec_half(r, 0, j);
    u->s[0] = gw_to_float(scales << 24 >> 24);
    u->s[1] = gw_to_float(scales << 16 >> 24);
    u->d = gw_half(r->half);
}

// Five trits of each byte of a word: what threefold passes 256, five times.
GW_INLINE void gw_five_trits(gw_vu word, gw_vu trits[5]) {
    for (int k = 0; k < 5; k++) trits[k] = gw_scale_bytes(&word, 3);
}
UNIT(tq1_0) {
    gw_vu trits[5];
    gw_five_trits(last[0], u->q);
    for (uint32_t k = 3 * j; k < 3 * j + 3; k++) {
        if (k == 3 * j || k % 5 == 0) gw_five_trits(r->w[k / 5], trits);
        u->q[5 + k - 3 * j] = trits[k % 5];
    }
    u->d = gw_half(r->half);
}
UNIT(tq2_0) {
    gw_zero_codes(u->q);
    gw_plane2(last, 0, u->q);
    u->d = gw_half(r->half);
}
UNIT(q1_0) {
    gw_zero_codes(u->q);
    gw_plane1(last[0], 1, u->q);
    u->d = gw_rec_float(r, 0, j / 4);
}
UNIT(q2_0) {
    gw_zero_codes(u->q);
    gw_plane2(last, 0, u->q);
    u->d = gw_rec_float(r, 0, j / 2);
}

UNIT(iq4_nl) {
    gw_iq4_values(last, u->q);
    u->d = gw_rec_float(r, 0, j);
}
UNIT(iq4_xs) {
    gw_iq4_values(last, u->q);
    gw_vu a = r->w[0], low = r->w[1] >> (4 * j) & 15u, high = a >> (16 + 2 * j) & 3u;
    u->d = gw_half(a & 0xffffu);
    u->s[0] = gw_ints((low | high << 4) - 32u);
}
UNIT(mxfp4) {
    gw_fp4_values(last, u->q);
    const gw_vu one = gw_splat(1u << 23),
                e = gw_shifted(r->w[j / 4], (int)(j % 4) * 8 - 23) & 0x7f800000u;
    // All weights below 2^-40: 0.
    u->d = (gw_vf)gw_if_less_i((gw_vi)e, (gw_vi)(84u * one), gw_splat(0), e - one);
}
// Half of it, since values are twice what they are. A half of the code's bits is 2^-8 of the scale.
GW_INLINE gw_vf gw_nvfp4_scale(gw_vu four, const uint32_t at) {
    return gw_half(gw_shifted(four, (int)at * 8 - 7) & 0x3f80u) * 128.0f;
}
UNIT(nvfp4) {
    gw_fp4_values(last, u->q);
    u->d = gw_nvfp4_scale(r->w[j / 2], j % 2 * 2);
    u->m = gw_nvfp4_scale(r->w[j / 2], j % 2 * 2 + 1);
}

UNIT(iq2_xxs) {
    gw_vu points = r->w[2 * j], word = r->w[2 * j + 1], signs = gw_eighth_signs(word);
    for (int g = 0; g < 4; g++) gw_iq2_point(r, points >> (8 * g) & 0xffu, signs, g, u->q);
    gw_signed_unit(u->q);
    u->s[0] = gw_ints(2u * gw_spare(word) + 1u);
    u->d = gw_half(r->half) * 0.125f;
}
UNIT(iq2_xs) {
    gw_vu points = r->w[2 + 2 * j], word = r->w[3 + 2 * j], signs = gw_eighth_signs(word);
    for (int g = 0; g < 4; g++) {
        gw_vu high = word >> (25 + 2 * g) & 1u;
        gw_iq2_point(r, (points >> (8 * g) & 0xffu) | high << 8, signs, g, u->q);
    }
    gw_signed_unit(u->q);
    gw_vu scales = gw_rec_byte(r, 0, j);
    u->s[0] = gw_ints(2u * (scales & 15u) + 1u);
    u->s[1] = gw_ints(2u * (scales >> 4) + 1u);
    u->d = gw_half(r->half) * 0.125f;
}
UNIT(iq2_s) {
    gw_vu points = r->w[4 + 2 * j], signs = r->w[5 + 2 * j], side = gw_rec_half(r, 0, j);
    for (int g = 0; g < 4; g++) {
        gw_vu high = side >> (2 * g) & 3u;
        gw_iq2_point(r, (points >> (8 * g) & 0xffu) | high << 8, signs, g, u->q);
    }
    gw_signed_unit(u->q);
    u->s[0] = gw_ints(2u * (side >> 8 & 15u) + 1u);
    u->s[1] = gw_ints(2u * (side >> 12) + 1u);
    u->d = gw_half(r->half) * 0.125f;
}
// 4, 12, 20, ... 52, 62 of codes 0 .. 7.
GW_INLINE gw_vu gw_iq3_xxs_values(gw_vu codes) {
    gw_vu seven = codes & codes >> 1 & codes >> 2 & 0x01010101u;
    return 0x04040404u + (codes << 3) + (seven << 1);
}
UNIT(iq3_xxs) {
    gw_vu word = r->w[3 * j + 2], signs = gw_eighth_signs(word);
    for (int i = 0; i < 8; i++) {
        gw_vu at = r->w[3 * j + (uint32_t)i / 4] >> (8 * (i % 4)) & 0xffu;
        gw_vu values = gw_iq3_xxs_values(gw_spread4(gw_grid_entries(r, at)));
        u->q[i] = gw_signed_codes(gw_with_signs(values, signs, i));
    }
    u->s[0] = gw_ints(2u * gw_spare(word) + 1u);
    u->d = gw_half(r->half) * 0.25f;
}
UNIT(iq3_s) {
    gw_vu signs = r->w[3 + 3 * j + 2], high = gw_rec_byte(r, 0, j);
    for (int i = 0; i < 8; i++) {
        gw_vu at = r->w[3 + 3 * j + (uint32_t)i / 4] >> (8 * (i % 4)) & 0xffu;
        gw_vu codes = gw_spread4(gw_grid_entries(r, at | (high >> i & 1u) << 8));
        u->q[i] = gw_signed_codes(gw_with_signs((codes << 1) + 0x01010101u, signs, i));
    }
    u->s[0] = gw_ints(2u * (r->w[2] >> (4 * j) & 15u) + 1u);
    u->d = gw_half(r->half);
}
UNIT(iq1_s) {
    gw_vu points = r->w[4 + j], side = gw_rec_half(r, 0, j);
    gw_vu shift = 7u + (side >> 14 & 2u);
    for (int g = 0; g < 4; g++) {
        gw_vu high = side >> (3 * g) & 7u;
        gw_iq1_point(r, (points >> (8 * g) & 0xffu) | high << 8, shift, g, u->q);
    }
    gw_signed_unit(u->q);
    u->s[0] = gw_ints(2u * (side >> 12 & 7u) + 1u);
    u->d = gw_half(r->half) * 0.125f;
}
UNIT(iq1_m) {
    gw_vu points = r->w[6 + j], side = gw_rec_half(r, 0, j), a = r->w[4], b = r->w[5];
    for (int g = 0; g < 4; g++) {
        gw_vu part = side >> (4 * g), shift = 7u + (part >> 2 & 2u);
        gw_iq1_point(r, (points >> (8 * g) & 0xffu) | (part & 7u) << 8, shift, g, u->q);
    }
    gw_signed_unit(u->q);
    gw_vu scales = (j < 4 ? a : b) >> ((j & 2) * 8 + (j & 1) * 6);
    u->s[0] = gw_ints(2u * (scales & 7u) + 1u);
    u->s[1] = gw_ints(2u * (scales >> 3 & 7u) + 1u);
    gw_vu d = (a >> 12 & 0xfu) | (a >> 24 & 0xf0u) | (b >> 4 & 0xf00u) | (b >> 16 & 0xf000u);
    u->d = gw_half(d) * 0.125f;
}

#undef UNIT
#undef UNUSED

#endif
