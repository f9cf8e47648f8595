// Dots: products of bytes, and their sums, in whole numbers, and tables of bytes: what each instruction set has
// for them.
//
// Codes that may be negative are kept as gw_signed_codes makes them; their dots are GW_SIGNED_BIAS
// times the sum of x too large. x is never -128.
#ifndef GW_CPU_DOTS_H
#define GW_CPU_DOTS_H

#include "cpu/vec.h"

// gw_dot4: each lane of acc plus the products of its four bytes with x's. w: 0 .. 127, but for _signed.
#if GW_LANES == 16
enum { GW_SIGNED_BIAS = 128 };
GW_INLINE gw_vu gw_signed_codes(gw_vu w) {
    return w ^ 0x80808080u;
}
GW_INLINE gw_vi gw_dot4(gw_vi acc, gw_vu w, gw_vu x) {
    return (gw_vi)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)w, (__m512i)x);
}
GW_INLINE gw_vi gw_dot4_signed(gw_vi acc, gw_vu w, gw_vu x) {
    return gw_dot4(acc, w, x);
}
#elif GW_LANES == 8 && defined(__AVXVNNI__)
enum { GW_SIGNED_BIAS = 128 };
GW_INLINE gw_vu gw_signed_codes(gw_vu w) {
    return w ^ 0x80808080u;
}
GW_INLINE gw_vi gw_dot4(gw_vi acc, gw_vu w, gw_vu x) {
    return (gw_vi)_mm256_dpbusd_avx_epi32((__m256i)acc, (__m256i)w, (__m256i)x);
}
GW_INLINE gw_vi gw_dot4_signed(gw_vi acc, gw_vu w, gw_vu x) {
    return gw_dot4(acc, w, x);
}
#elif GW_LANES == 8
enum { GW_SIGNED_BIAS = 0 };
GW_INLINE gw_vu gw_signed_codes(gw_vu w) {
    return w;
}
// Sums of two products are below 2^15, so that nothing saturates.
GW_INLINE gw_vi gw_dot4(gw_vi acc, gw_vu w, gw_vu x) {
    __m256i two = _mm256_maddubs_epi16((__m256i)w, (__m256i)x);
    return acc + (gw_vi)_mm256_madd_epi16(two, _mm256_set1_epi16(1));
}
GW_INLINE gw_vi gw_dot4_signed(gw_vi acc, gw_vu w, gw_vu x) {
    __m256i size = _mm256_sign_epi8((__m256i)w, (__m256i)w);
    return gw_dot4(acc, (gw_vu)size, (gw_vu)_mm256_sign_epi8((__m256i)x, (__m256i)w));
}
#elif defined(GW_NEON)
enum { GW_SIGNED_BIAS = 0 };
GW_INLINE gw_vu gw_signed_codes(gw_vu w) {
    return w;
}
GW_INLINE gw_vi gw_dot4(gw_vi acc, gw_vu w, gw_vu x) {
    int8x16_t a = (int8x16_t)w, b = (int8x16_t)x;
#if defined(__ARM_FEATURE_DOTPROD)
    return (gw_vi)vdotq_s32((int32x4_t)acc, a, b);
#else
    int16x8_t two = vpaddq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b)), vmull_high_s8(a, b));
    return (gw_vi)vpadalq_s16((int32x4_t)acc, two);
#endif
}
GW_INLINE gw_vi gw_dot4_signed(gw_vi acc, gw_vu w, gw_vu x) {
    return gw_dot4(acc, w, x);
}
#else
typedef int16_t gw_vs __attribute__((vector_size(4 * GW_LANES)));
enum { GW_SIGNED_BIAS = 0 };
GW_INLINE gw_vu gw_signed_codes(gw_vu w) {
    return w;
}
// Even and odd bytes apart, in 16 bits, which hold the sum of two products.
GW_INLINE gw_vi gw_dot4_signed(gw_vi acc, gw_vu w, gw_vu x) {
    gw_vs even = ((gw_vs)w << 8 >> 8) * ((gw_vs)x << 8 >> 8);
    gw_vi two = (gw_vi)(even + ((gw_vs)w >> 8) * ((gw_vs)x >> 8));
    return acc + (two >> 16) + (two << 16 >> 16);
}
GW_INLINE gw_vi gw_dot4(gw_vi acc, gw_vu w, gw_vu x) {
    return gw_dot4_signed(acc, w, x);
}
#endif

#if defined(GW_NEON)
// --- NEON: as many words as a unit, or half of it, has at once. A sum of two products of bytes is below 2^15.

GW_INLINE int8x16_t gw_load_bytes(const void *at) {
    return (int8x16_t)gw_load(at);
}

// acc plus the dots of n words of each row, 4 or 8, with as many of x.
GW_INLINE gw_vi gw_dot_words(gw_vi acc, const gw_vu *w, const int8_t *x, const int n) {
#if defined(__ARM_FEATURE_DOTPROD)
    int32x4_t sum = (int32x4_t)acc;
    for (int k = 0; k < n; k += 4) {
        int8x16_t four = gw_load_bytes(x + 4 * k);
        sum = vdotq_laneq_s32(sum, (int8x16_t)w[k], four, 0);
        sum = vdotq_laneq_s32(sum, (int8x16_t)w[k + 1], four, 1);
        sum = vdotq_laneq_s32(sum, (int8x16_t)w[k + 2], four, 2);
        sum = vdotq_laneq_s32(sum, (int8x16_t)w[k + 3], four, 3);
    }
    return (gw_vi)sum;
#else
    int32x4_t low = vdupq_n_s32(0), high = low;
    for (int k = 0; k < n; k += 2) {
        int8x16_t a = (int8x16_t)w[k], b = (int8x16_t)w[k + 1];
        int8x16_t xa = (int8x16_t)gw_splat_at(x + 4 * k),
                  xb = (int8x16_t)gw_splat_at(x + 4 * k + 4);
        int16x8_t p = vmull_s8(vget_low_s8(a), vget_low_s8(xa)), q = vmull_high_s8(a, xa);
        low = vpadalq_s16(low, vmlal_s8(p, vget_low_s8(b), vget_low_s8(xb)));
        high = vpadalq_s16(high, vmlal_high_s8(q, b, xb));
    }
    return acc + (gw_vi)vpaddq_s32(low, high);
#endif
}

// The dot of a row's 32 codes as they lie, 16 and 16, with x, in four parts.
GW_INLINE int32x4_t gw_dot_row(int8x16_t a, int8x16_t b, int8x16_t x0, int8x16_t x1) {
#if defined(__ARM_FEATURE_DOTPROD)
    return vdotq_s32(vdotq_s32(vdupq_n_s32(0), a, x0), b, x1);
#else
    int16x8_t p = vmull_s8(vget_low_s8(a), vget_low_s8(x0));
    int16x8_t q = vmull_s8(vget_low_s8(b), vget_low_s8(x1));
    return vpadalq_s16(vpaddlq_s16(vmlal_high_s8(p, a, x0)), vmlal_high_s8(q, b, x1));
#endif
}
// The sums of the four parts of each of four rows, a row a lane.
GW_INLINE gw_vi gw_sum_rows(const int32x4_t parts[4]) {
    return (gw_vi)vpaddq_s32(vpaddq_s32(parts[0], parts[1]), vpaddq_s32(parts[2], parts[3]));
}
#endif

#if defined(GW_NEON) && defined(__ARM_FEATURE_MATMUL_INT8)
// --- i8mm: eight bytes of two rows by eight of two tokens

#define GW_I8MM 1

// Words of four rows: of 2 * i and 2 * i + 1 those of rows 0 and 1, then of rows 2 and 3.
GW_INLINE void gw_pair_words(gw_vu w[8]) {
    for (int k = 0; k < 8; k += 2) {
        gw_vu a = w[k], b = w[k + 1];
        w[k] = (gw_vu)vzip1q_u32((uint32x4_t)a, (uint32x4_t)b);
        w[k + 1] = (gw_vu)vzip2q_u32((uint32x4_t)a, (uint32x4_t)b);
    }
}
// To dots of two tokens of four rows, all lanes of which are the same before, those of n paired words with x.
GW_INLINE void gw_dot_pairs(gw_vi *dot0, gw_vi *dot1, const gw_vu *w, const int8_t *x0,
                            const int8_t *x1, const int n) {
    int32x4_t a = vzip1q_s32((int32x4_t)*dot0, (int32x4_t)*dot1), b = a;
    for (int k = 0; k < n; k += 4) {
        int64x2_t y0 = (int64x2_t)gw_load(x0 + 4 * k), y1 = (int64x2_t)gw_load(x1 + 4 * k);
        int8x16_t first = (int8x16_t)vzip1q_s64(y0, y1), second = (int8x16_t)vzip2q_s64(y0, y1);
        a = vmmlaq_s32(a, (int8x16_t)w[k], first);
        b = vmmlaq_s32(b, (int8x16_t)w[k + 1], first);
        a = vmmlaq_s32(a, (int8x16_t)w[k + 2], second);
        b = vmmlaq_s32(b, (int8x16_t)w[k + 3], second);
    }
    *dot0 = (gw_vi)vuzp1q_s32(a, b);
    *dot1 = (gw_vi)vuzp2q_s32(a, b);
}
#endif

// --- bytes by themselves

// Bytes times a factor below 128: the low bytes of the products are left there, the high ones given.
#if defined(GW_NEON)
GW_INLINE gw_vu gw_scale_bytes(gw_vu *bytes, uint8_t factor) {
    const uint8x16_t x = (uint8x16_t)*bytes, f = vdupq_n_u8(factor);
    uint8x16_t low = (uint8x16_t)vmull_u8(vget_low_u8(x), vget_low_u8(f));
    uint8x16_t high = (uint8x16_t)vmull_high_u8(x, f);
    *bytes = (gw_vu)vuzp1q_u8(low, high);
    return (gw_vu)vuzp2q_u8(low, high);
}
#else
GW_INLINE gw_vu gw_scale_bytes(gw_vu *bytes, uint8_t factor) {
    const gw_vi even = (gw_vi)gw_splat(0x00ff00ffu);
#if GW_LANES == 16
    const __m512i x = (__m512i)*bytes;
    gw_vu a = (gw_vu)_mm512_maddubs_epi16(x, _mm512_set1_epi16(factor));
    gw_vu b = (gw_vu)_mm512_maddubs_epi16(x, _mm512_set1_epi16((int16_t)(factor << 8)));
#elif GW_LANES == 8
    const __m256i x = (__m256i)*bytes;
    gw_vu a = (gw_vu)_mm256_maddubs_epi16(x, _mm256_set1_epi16(factor));
    gw_vu b = (gw_vu)_mm256_maddubs_epi16(x, _mm256_set1_epi16((int16_t)(factor << 8)));
#else
    gw_vu a = (*bytes & (gw_vu)even) * factor, b = (*bytes >> 8 & (gw_vu)even) * factor;
#endif
    *bytes = gw_pick(~even, b << 8, a);
    return gw_pick(even, a >> 8, b);
}
#endif

// Each byte's entry of a table of 16: bytes are 0 .. 15.
#if GW_LANES == 16
GW_INLINE gw_vu gw_load_table(const int8_t *table) {
    return (gw_vu)_mm512_broadcast_i32x4(gw_load_16(table));
}
GW_INLINE gw_vu gw_look_up(gw_vu table, gw_vu bytes) {
    return (gw_vu)_mm512_shuffle_epi8((__m512i)table, (__m512i)bytes);
}
#elif GW_LANES == 8
GW_INLINE gw_vu gw_load_table(const int8_t *table) {
    return (gw_vu)_mm256_broadcastsi128_si256(gw_load_16(table));
}
GW_INLINE gw_vu gw_look_up(gw_vu table, gw_vu bytes) {
    return (gw_vu)_mm256_shuffle_epi8((__m256i)table, (__m256i)bytes);
}
#elif defined(GW_NEON)
GW_INLINE gw_vu gw_load_table(const int8_t *table) {
    return gw_load(table);
}
GW_INLINE gw_vu gw_look_up(gw_vu table, gw_vu bytes) {
    return (gw_vu)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)bytes);
}
#endif

#endif
