// Vec: vectors of 4, 8 or 16 lanes of 32 bits, what the file that includes this is compiled for:
// plain C, NEON, AVX2 or AVX-512. The same code in each gives the same bits. Dots of bytes: dots.h.
//
// A lane is a row of a weight. Of a group's rows as they lie in memory (quant/layout.h), four vectors
// hold the pieces of GW_LANES rows; gw_transpose gives the pieces' words, a row's in one lane, but
// rows change places: this is the order of lanes, gw_to_lanes and gw_to_rows go to it and back.
#ifndef GW_CPU_VEC_H
#define GW_CPU_VEC_H

#include "base/exact.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__) &&                   \
    defined(__AVX512VL__)
#define GW_LANES 16
#include <immintrin.h>
#elif defined(__AVX2__) && defined(__F16C__)
#define GW_LANES 8
#include <immintrin.h>
#elif defined(__aarch64__)
#define GW_LANES 4
#define GW_NEON  1
#include <arm_neon.h>
#else
#define GW_LANES 4
#endif
#if GW_LANES > 4 || defined(GW_NEON)
#define GW_WIDENS 1 // halves are widened by an instruction
#else
#define GW_WIDENS 0
#endif

typedef float gw_vf __attribute__((vector_size(4 * GW_LANES)));
typedef int32_t gw_vi __attribute__((vector_size(4 * GW_LANES)));
typedef uint32_t gw_vu __attribute__((vector_size(4 * GW_LANES)));

#define GW_INLINE static inline __attribute__((always_inline))

#if defined(__clang__) || __GNUC__ >= 12
#define GW_SHUFFLE(a, b, ...) __builtin_shufflevector((a), (b), __VA_ARGS__)
#else
#define GW_SHUFFLE(a, b, ...) __builtin_shuffle((a), (b), (gw_vi){__VA_ARGS__})
#endif

// --- memory and constants

GW_INLINE gw_vu gw_load(const void *at) {
    gw_vu v;
    memcpy(&v, at, sizeof v);
    return v;
}
#if GW_LANES > 4
GW_INLINE __m128i gw_load_16(const void *at) {
    return _mm_loadu_si128((const __m128i *)at);
}
#endif
// 16 bytes from each of GW_LANES / 4 places. Not by way of memory: a load of what several stores wrote waits
// for all of them.
#if GW_LANES == 16
GW_INLINE gw_vu gw_load_four(const uint8_t *a, const uint8_t *b, const uint8_t *c,
                             const uint8_t *d) {
    __m512i v = _mm512_castsi128_si512(gw_load_16(a));
    v = _mm512_inserti32x4(v, gw_load_16(b), 1);
    v = _mm512_inserti32x4(v, gw_load_16(c), 2);
    return (gw_vu)_mm512_inserti32x4(v, gw_load_16(d), 3);
}
#elif GW_LANES == 8
GW_INLINE gw_vu gw_load_two(const uint8_t *a, const uint8_t *b) {
    __m256i v = _mm256_castsi128_si256(gw_load_16(a));
    return (gw_vu)_mm256_inserti128_si256(v, gw_load_16(b), 1);
}
#endif
// `at` bytes behind places, or stride bytes apart.
GW_INLINE gw_vu gw_load_pieces(const uint8_t *const places[], size_t at) {
#if GW_LANES == 16
    return gw_load_four(places[0] + at, places[1] + at, places[2] + at, places[3] + at);
#elif GW_LANES == 8
    return gw_load_two(places[0] + at, places[1] + at);
#else
    return gw_load(places[0] + at);
#endif
}
GW_INLINE gw_vu gw_load_strided(const uint8_t *at, size_t stride) {
#if GW_LANES == 16
    return gw_load_four(at, at + stride, at + 2 * stride, at + 3 * stride);
#elif GW_LANES == 8
    return gw_load_two(at, at + stride);
#else
    (void)stride;
    return gw_load(at);
#endif
}
GW_INLINE gw_vf gw_load_f(const void *at) {
    return (gw_vf)gw_load(at);
}
GW_INLINE void gw_save(void *at, gw_vu v) {
    memcpy(at, &v, sizeof v);
}
GW_INLINE void gw_save_f(void *at, gw_vf v) {
    memcpy(at, &v, sizeof v);
}
GW_INLINE gw_vu gw_splat(uint32_t x) {
    return x - (gw_vu){0};
}
GW_INLINE gw_vi gw_splat_i(int32_t x) {
    return (gw_vi)gw_splat((uint32_t)x);
}
GW_INLINE gw_vf gw_splat_f(float x) {
    return (gw_vf)gw_splat(gw_bits(x));
}
// A lane from each of GW_LANES places, `stride` words apart, which are fewer than 2^26.
GW_INLINE gw_vf gw_load_apart(const float *at, size_t stride) {
#if GW_LANES == 16
    __m512i i = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    i = _mm512_mullo_epi32(i, _mm512_set1_epi32((int)stride));
    return (gw_vf)_mm512_i32gather_ps(i, at, 4);
#else
    gw_vf v;
    for (int i = 0; i < GW_LANES; i++) v[i] = at[(size_t)i * stride];
    return v;
#endif
}
// Each of the lanes from this word of memory.
GW_INLINE gw_vu gw_splat_at(const void *at) {
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return gw_splat(x);
}

// What is read at once of numbers that all lanes are multiplied by, and the product with the i-th of them.
#if defined(GW_NEON)
enum { GW_RUN = 4 };
GW_INLINE gw_vf gw_load_run(const float *at) {
    return gw_load_f(at);
}
GW_INLINE gw_vf gw_times(gw_vf a, gw_vf run, const int i) {
    float32x4_t x = (float32x4_t)a, y = (float32x4_t)run;
    return (gw_vf)(i == 0   ? vmulq_laneq_f32(x, y, 0)
                   : i == 1 ? vmulq_laneq_f32(x, y, 1)
                   : i == 2 ? vmulq_laneq_f32(x, y, 2)
                            : vmulq_laneq_f32(x, y, 3));
}
#else
enum { GW_RUN = 1 };
GW_INLINE gw_vf gw_load_run(const float *at) {
    return (gw_vf)gw_splat_at(at);
}
GW_INLINE gw_vf gw_times(gw_vf a, gw_vf run, const int i) {
    (void)i;
    return a * run;
}
#endif

// --- lanes that are told apart

// mask: all bits of a lane, or none.
GW_INLINE gw_vu gw_pick(gw_vi mask, gw_vu yes, gw_vu no) {
#if GW_LANES == 16
    return (gw_vu)_mm512_ternarylogic_epi32((__m512i)yes, (__m512i)mask, (__m512i)no, 0xe2);
#elif defined(GW_NEON)
    return (gw_vu)vbslq_u32((uint32x4_t)mask, (uint32x4_t)yes, (uint32x4_t)no);
#else
    return ((gw_vu)mask & yes) | (~(gw_vu)mask & no);
#endif
}
GW_INLINE gw_vf gw_pick_f(gw_vi mask, gw_vf yes, gw_vf no) {
    return (gw_vf)gw_pick(mask, (gw_vu)yes, (gw_vu)no);
}

// yes where a < b, or where x is NaN; no elsewhere. AVX-512 has masks apart from vectors: one of a comparison is
// better not made a vector.
#if GW_LANES == 16
GW_INLINE gw_vu gw_if_less_i(gw_vi a, gw_vi b, gw_vu yes, gw_vu no) {
    __mmask16 less = _mm512_cmplt_epi32_mask((__m512i)a, (__m512i)b);
    return (gw_vu)_mm512_mask_blend_epi32(less, (__m512i)no, (__m512i)yes);
}
GW_INLINE gw_vf gw_if_less(gw_vf a, gw_vf b, gw_vf yes, gw_vf no) {
    __mmask16 less = _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
    return (gw_vf)_mm512_mask_blend_ps(less, (__m512)no, (__m512)yes);
}
GW_INLINE gw_vf gw_if_nan(gw_vf x, gw_vf yes, gw_vf no) {
    __mmask16 nan = _mm512_cmp_ps_mask((__m512)x, (__m512)x, _CMP_UNORD_Q);
    return (gw_vf)_mm512_mask_blend_ps(nan, (__m512)no, (__m512)yes);
}
#else
GW_INLINE gw_vu gw_if_less_i(gw_vi a, gw_vi b, gw_vu yes, gw_vu no) {
    return gw_pick(a < b, yes, no);
}
GW_INLINE gw_vf gw_if_less(gw_vf a, gw_vf b, gw_vf yes, gw_vf no) {
    return gw_pick_f(a < b, yes, no);
}
GW_INLINE gw_vf gw_if_nan(gw_vf x, gw_vf yes, gw_vf no) {
    return gw_pick_f(x != x, yes, no);
}
#endif

// Whether a lane of a mask is set.
GW_INLINE bool gw_any(gw_vi mask) {
#if GW_LANES == 16
    return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif GW_LANES == 8
    return _mm256_movemask_epi8((__m256i)mask) != 0;
#elif defined(GW_NEON)
    return vmaxvq_u32((uint32x4_t)mask) != 0;
#else
    return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}

// Below 2^24, exactly.
GW_INLINE gw_vf gw_to_float(gw_vi x) {
    return __builtin_convertvector(x, gw_vf);
}

// --- the order of lanes

#if GW_LANES == 16
GW_INLINE void gw_transpose(gw_vu v[4]) {
    __m512i a = (__m512i)v[0], b = (__m512i)v[1], c = (__m512i)v[2], d = (__m512i)v[3];
    __m512i ab = _mm512_unpacklo_epi32(a, b), cd = _mm512_unpacklo_epi32(c, d);
    __m512i ab2 = _mm512_unpackhi_epi32(a, b), cd2 = _mm512_unpackhi_epi32(c, d);
    v[0] = (gw_vu)_mm512_unpacklo_epi64(ab, cd);
    v[1] = (gw_vu)_mm512_unpackhi_epi64(ab, cd);
    v[2] = (gw_vu)_mm512_unpacklo_epi64(ab2, cd2);
    v[3] = (gw_vu)_mm512_unpackhi_epi64(ab2, cd2);
}
// Pieces of eight halves each: a half of all rows after the other, in the order of lanes.
GW_INLINE void gw_transpose_halves(gw_vu v[4]) {
    const __m512i low = _mm512_setr_epi32(0, 16, 4, 20, 8, 24, 12, 28, 1, 17, 5, 21, 9, 25, 13, 29);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(2));
    __m512i a = (__m512i)v[0], b = (__m512i)v[1], c = (__m512i)v[2], d = (__m512i)v[3];
    __m512i ab = _mm512_unpacklo_epi16(a, b), cd = _mm512_unpacklo_epi16(c, d);
    __m512i ab2 = _mm512_unpackhi_epi16(a, b), cd2 = _mm512_unpackhi_epi16(c, d);
    v[0] = (gw_vu)_mm512_permutex2var_epi32(ab, low, cd);
    v[1] = (gw_vu)_mm512_permutex2var_epi32(ab, high, cd);
    v[2] = (gw_vu)_mm512_permutex2var_epi32(ab2, low, cd2);
    v[3] = (gw_vu)_mm512_permutex2var_epi32(ab2, high, cd2);
}
GW_INLINE gw_vu gw_to_lanes(gw_vu v) {
    return GW_SHUFFLE(v, v, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}
GW_INLINE gw_vu gw_to_rows(gw_vu v) {
    return gw_to_lanes(v);
}
#elif GW_LANES == 8
GW_INLINE void gw_transpose(gw_vu v[4]) {
    __m256i a = (__m256i)v[0], b = (__m256i)v[1], c = (__m256i)v[2], d = (__m256i)v[3];
    __m256i ab = _mm256_unpacklo_epi32(a, b), cd = _mm256_unpacklo_epi32(c, d);
    __m256i ab2 = _mm256_unpackhi_epi32(a, b), cd2 = _mm256_unpackhi_epi32(c, d);
    v[0] = (gw_vu)_mm256_unpacklo_epi64(ab, cd);
    v[1] = (gw_vu)_mm256_unpackhi_epi64(ab, cd);
    v[2] = (gw_vu)_mm256_unpacklo_epi64(ab2, cd2);
    v[3] = (gw_vu)_mm256_unpackhi_epi64(ab2, cd2);
}
// Pieces of eight halves each: a half of all rows after the other, in the order of lanes.
GW_INLINE void gw_transpose_halves(gw_vu v[4]) {
    __m256i a = (__m256i)v[0], b = (__m256i)v[1], c = (__m256i)v[2], d = (__m256i)v[3];
    __m256i ac = _mm256_unpacklo_epi16(a, c), bd = _mm256_unpacklo_epi16(b, d);
    __m256i ac2 = _mm256_unpackhi_epi16(a, c), bd2 = _mm256_unpackhi_epi16(b, d);
    v[0] = (gw_vu)_mm256_permute4x64_epi64(_mm256_unpacklo_epi16(ac, bd), 0xd8);
    v[1] = (gw_vu)_mm256_permute4x64_epi64(_mm256_unpackhi_epi16(ac, bd), 0xd8);
    v[2] = (gw_vu)_mm256_permute4x64_epi64(_mm256_unpacklo_epi16(ac2, bd2), 0xd8);
    v[3] = (gw_vu)_mm256_permute4x64_epi64(_mm256_unpackhi_epi16(ac2, bd2), 0xd8);
}
GW_INLINE gw_vu gw_to_lanes(gw_vu v) {
    return GW_SHUFFLE(v, v, 0, 2, 4, 6, 1, 3, 5, 7);
}
GW_INLINE gw_vu gw_to_rows(gw_vu v) {
    return GW_SHUFFLE(v, v, 0, 4, 1, 5, 2, 6, 3, 7);
}
#else
GW_INLINE void gw_transpose(gw_vu v[4]) {
    gw_vu ab = GW_SHUFFLE(v[0], v[1], 0, 4, 1, 5), cd = GW_SHUFFLE(v[2], v[3], 0, 4, 1, 5);
    gw_vu ab2 = GW_SHUFFLE(v[0], v[1], 2, 6, 3, 7), cd2 = GW_SHUFFLE(v[2], v[3], 2, 6, 3, 7);
    v[0] = GW_SHUFFLE(ab, cd, 0, 1, 4, 5);
    v[1] = GW_SHUFFLE(ab, cd, 2, 3, 6, 7);
    v[2] = GW_SHUFFLE(ab2, cd2, 0, 1, 4, 5);
    v[3] = GW_SHUFFLE(ab2, cd2, 2, 3, 6, 7);
}
#if defined(GW_NEON)
// Pieces of eight halves each: a half of all rows after the other.
GW_INLINE void gw_transpose_halves(gw_vu v[4]) {
    uint16x8_t a = (uint16x8_t)v[0], b = (uint16x8_t)v[1];
    uint16x8_t c = (uint16x8_t)v[2], d = (uint16x8_t)v[3];
    uint16x8_t ac = vzip1q_u16(a, c), bd = vzip1q_u16(b, d);
    uint16x8_t ac2 = vzip2q_u16(a, c), bd2 = vzip2q_u16(b, d);
    v[0] = (gw_vu)vzip1q_u16(ac, bd);
    v[1] = (gw_vu)vzip2q_u16(ac, bd);
    v[2] = (gw_vu)vzip1q_u16(ac2, bd2);
    v[3] = (gw_vu)vzip2q_u16(ac2, bd2);
}
#endif
GW_INLINE gw_vu gw_to_lanes(gw_vu v) {
    return v;
}
GW_INLINE gw_vu gw_to_rows(gw_vu v) {
    return v;
}
#endif

// --- halves: the low 16 bits of each lane, the others zero; exact

#if GW_LANES == 16
GW_INLINE gw_vf gw_half(gw_vu h) {
    return (gw_vf)_mm512_cvtph_ps(_mm512_cvtepi32_epi16((__m512i)h));
}
#elif GW_LANES == 8
GW_INLINE gw_vf gw_half(gw_vu h) {
    __m256i both = _mm256_packus_epi32((__m256i)h, (__m256i)h);
    return (gw_vf)_mm256_cvtph_ps(_mm256_castsi256_si128(_mm256_permute4x64_epi64(both, 8)));
}
#elif defined(GW_NEON)
GW_INLINE gw_vf gw_half(gw_vu h) {
    return (gw_vf)vcvt_f32_f16((float16x4_t)vmovn_u32((uint32x4_t)h));
}
#else
// gw_f16_to_f32.
GW_INLINE gw_vf gw_half(gw_vu h) {
    gw_vu mag = (h & 0x7fffu) << 13, sign = (h & 0x8000u) << 16, e = mag & 0x0f800000u;
    gw_vu small = (gw_vu)((gw_vf)(mag + 0x38800000u) - 6.103515625e-05f);
    gw_vu large = mag + 0x38000000u + gw_pick(e == 0x0f800000u, gw_splat(0x38000000u), gw_splat(0));
    return (gw_vf)(gw_pick(e == 0, small, large) | sign);
}
#endif

GW_INLINE gw_vf gw_abs_v(gw_vf x) {
    return (gw_vf)((gw_vu)x & 0x7fffffffu);
}

// The low half of each word, and the high one.
#if defined(GW_NEON)
GW_INLINE gw_vf gw_low_half(gw_vu w) {
    return gw_half(w);
}
GW_INLINE gw_vf gw_high_half(gw_vu w) {
    return (gw_vf)vcvt_f32_f16((float16x4_t)vshrn_n_u32((uint32x4_t)w, 16));
}
#else
GW_INLINE gw_vf gw_low_half(gw_vu w) {
    return gw_half(w & 0xffffu);
}
GW_INLINE gw_vf gw_high_half(gw_vu w) {
    return gw_half(w >> 16);
}
#endif

// --- pairs of lanes

// The even, or the odd, lanes twice; neighbours changed over; the even, or the odd, lanes of two vectors.
#if GW_LANES == 16
GW_INLINE gw_vf gw_even_twice(gw_vf v) {
    return (gw_vf)_mm512_moveldup_ps((__m512)v);
}
GW_INLINE gw_vf gw_odd_twice(gw_vf v) {
    return (gw_vf)_mm512_movehdup_ps((__m512)v);
}
GW_INLINE gw_vf gw_neighbours(gw_vf v) {
    return (gw_vf)_mm512_permute_ps((__m512)v, 0xb1);
}
GW_INLINE gw_vf gw_even_of(gw_vf a, gw_vf b) {
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return (gw_vf)_mm512_permutex2var_ps((__m512)a, even, (__m512)b);
}
GW_INLINE gw_vf gw_odd_of(gw_vf a, gw_vf b) {
    const __m512i odd =
        _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return (gw_vf)_mm512_permutex2var_ps((__m512)a, odd, (__m512)b);
}
#elif GW_LANES == 8
GW_INLINE gw_vf gw_even_twice(gw_vf v) {
    return (gw_vf)_mm256_moveldup_ps((__m256)v);
}
GW_INLINE gw_vf gw_odd_twice(gw_vf v) {
    return (gw_vf)_mm256_movehdup_ps((__m256)v);
}
GW_INLINE gw_vf gw_neighbours(gw_vf v) {
    return (gw_vf)_mm256_permute_ps((__m256)v, 0xb1);
}
GW_INLINE gw_vf gw_even_of(gw_vf a, gw_vf b) {
    __m256d both = (__m256d)_mm256_shuffle_ps((__m256)a, (__m256)b, 0x88);
    return (gw_vf)_mm256_permute4x64_pd(both, 0xd8);
}
GW_INLINE gw_vf gw_odd_of(gw_vf a, gw_vf b) {
    __m256d both = (__m256d)_mm256_shuffle_ps((__m256)a, (__m256)b, 0xdd);
    return (gw_vf)_mm256_permute4x64_pd(both, 0xd8);
}
#else
GW_INLINE gw_vf gw_even_twice(gw_vf v) {
    return GW_SHUFFLE(v, v, 0, 0, 2, 2);
}
GW_INLINE gw_vf gw_odd_twice(gw_vf v) {
    return GW_SHUFFLE(v, v, 1, 1, 3, 3);
}
GW_INLINE gw_vf gw_neighbours(gw_vf v) {
    return GW_SHUFFLE(v, v, 1, 0, 3, 2);
}
GW_INLINE gw_vf gw_even_of(gw_vf a, gw_vf b) {
    return GW_SHUFFLE(a, b, 0, 2, 4, 6);
}
GW_INLINE gw_vf gw_odd_of(gw_vf a, gw_vf b) {
    return GW_SHUFFLE(a, b, 1, 3, 5, 7);
}
#endif

// --- rows

// The largest of the lanes; and lanes of -128 .. 127 as bytes.
#if GW_LANES == 16
GW_INLINE int32_t gw_max_of(gw_vi v) {
    return _mm512_reduce_max_epi32((__m512i)v);
}
GW_INLINE void gw_save_bytes(int8_t *at, gw_vi v) {
    _mm_storeu_si128((__m128i *)(void *)at, _mm512_cvtepi32_epi8((__m512i)v));
}
#elif GW_LANES == 8
GW_INLINE int32_t gw_max_of(gw_vi v) {
    __m128i x =
        _mm_max_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
    x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}
GW_INLINE void gw_save_bytes(int8_t *at, gw_vi v) {
    __m128i x = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)v),
                                _mm256_extracti128_si256((__m256i)v, 1));
    _mm_storel_epi64((__m128i *)(void *)at, _mm_packs_epi16(x, x));
}
#elif defined(GW_NEON)
GW_INLINE int32_t gw_max_of(gw_vi v) {
    return vmaxvq_s32((int32x4_t)v);
}
GW_INLINE void gw_save_bytes(int8_t *at, gw_vi v) {
    int16x4_t half = vmovn_s32((int32x4_t)v);
    int8x8_t bytes = vmovn_s16(vcombine_s16(half, half));
    memcpy(at, &bytes, GW_LANES);
}
#else
GW_INLINE int32_t gw_max_of(gw_vi v) {
    int32_t a = v[0] > v[1] ? v[0] : v[1], b = v[2] > v[3] ? v[2] : v[3];
    return a > b ? a : b;
}
GW_INLINE void gw_save_bytes(int8_t *at, gw_vi v) {
    for (int i = 0; i < GW_LANES; i++) at[i] = (int8_t)v[i];
}
#endif

enum { GW_Q8_VECTORS = 32 / GW_LANES };

#if GW_LANES == 16
GW_INLINE gw_vf gw_load_whole_halves(const void *at) {
    return (gw_vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)at));
}
#elif GW_LANES == 8
GW_INLINE gw_vf gw_load_whole_halves(const void *at) {
    return (gw_vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)at));
}
#elif defined(GW_NEON)
GW_INLINE gw_vf gw_load_whole_halves(const void *at) {
    float16x4_t halves;
    memcpy(&halves, at, sizeof halves);
    return (gw_vf)vcvt_f32_f16(halves);
}
#else
GW_INLINE gw_vf gw_load_whole_halves(const void *at) {
    uint16_t h[GW_LANES];
    gw_vu wide;
    memcpy(h, at, sizeof h);
    for (int i = 0; i < GW_LANES; i++) wide[i] = h[i];
    return gw_half(wide);
}
#endif

// Of vectors of halves, those of two vectors of lanes each.
#if GW_WIDENS
GW_INLINE void gw_widen_halves(const gw_vu w[4], gw_vf out[8]) {
#if defined(GW_NEON)
    for (int k = 0; k < 4; k++) {
        out[2 * k] = (gw_vf)vcvt_f32_f16(vget_low_f16((float16x8_t)w[k]));
        out[2 * k + 1] = (gw_vf)vcvt_high_f32_f16((float16x8_t)w[k]);
    }
#else
    uint16_t halves[8][GW_LANES]; // by way of memory, a load and its widening are one instruction
    memcpy(halves, w, sizeof halves);
    for (int i = 0; i < 8; i++) out[i] = gw_load_whole_halves(halves[i]);
#endif
}
#endif

// gw_f32_to_f16 of each lane.
#if GW_WIDENS
GW_INLINE void gw_save_halves(uint16_t *at, gw_vf x) {
    const gw_vf most = gw_splat_f(65504.0f);
    gw_vu sign = (gw_vu)x & 0x80000000u;
    gw_vf size = gw_abs_v(x), cut = gw_pick_f(size > most, most, size);
    gw_vu nan = gw_splat(GW_NAN_BITS); // 0x7e00
    cut = (gw_vf)gw_pick(x != x, nan, (gw_vu)cut | sign);
#if GW_LANES == 16
    _mm256_storeu_si256((__m256i *)(void *)at, _mm512_cvtps_ph((__m512)cut, 0));
#elif defined(GW_NEON)
    float16x4_t halves = vcvt_f16_f32((float32x4_t)cut);
    memcpy(at, &halves, sizeof halves);
#else
    _mm_storeu_si128((__m128i *)(void *)at, _mm256_cvtps_ph((__m256)cut, 0));
#endif
}
#else
GW_INLINE void gw_save_halves(uint16_t *at, gw_vf x) {
    for (int i = 0; i < GW_LANES; i++) at[i] = (uint16_t)gw_f32_to_f16(x[i]);
}
#endif

// The first n of as many halves, or floats, as there are lanes; the others are 0.
GW_INLINE gw_vf gw_load_halves(const void *at, uint32_t n) {
    if (n >= GW_LANES) return gw_load_whole_halves(at);
    uint16_t h[GW_LANES] = {0};
    memcpy(h, at, n * sizeof *h);
    return gw_load_whole_halves(h);
}
GW_INLINE gw_vf gw_load_floats(const void *at, uint32_t n) {
    gw_vf v = gw_splat_f(0.0f);
    if (n >= GW_LANES)
        memcpy(&v, at, sizeof v);
    else
        memcpy(&v, at, n * sizeof(float));
    return v;
}
// The first n lanes, at most all.
GW_INLINE void gw_save_floats(float *at, uint32_t n, gw_vf v) {
    memcpy(at, &v, n >= GW_LANES ? sizeof v : n * sizeof(float));
}

// gw_sum_halves (base/sums.h) of a unit.
GW_INLINE float gw_sum_halves_v(const gw_vf t[GW_Q8_VECTORS]) {
#if GW_LANES == 16
    gw_vf s = t[0] + t[1];
    __m256 eight =
        _mm256_add_ps(_mm512_castps512_ps256((__m512)s), _mm512_extractf32x8_ps((__m512)s, 1));
#elif GW_LANES == 8
    __m256 eight = (__m256)((t[0] + t[2]) + (t[1] + t[3]));
#endif
#if GW_LANES > 4
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(two) + _mm_cvtss_f32(_mm_shuffle_ps(two, two, 1));
#else
    gw_vf s = ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]));
    return (s[0] + s[2]) + (s[1] + s[3]);
#endif
}

// The same of each of a block's eight units, side by side.
#if GW_LANES == 16
GW_INLINE void gw_sums_of_units_v(const gw_vf *t, float sums[8]) {
    __m512 a[4], b[2];
    for (int i = 0; i < 4; i++) {
        __m512 x = (__m512)(t[4 * i] + t[4 * i + 1]), y = (__m512)(t[4 * i + 2] + t[4 * i + 3]);
        a[i] = _mm512_add_ps(_mm512_shuffle_f32x4(x, y, 0x44), _mm512_shuffle_f32x4(x, y, 0xee));
    }
    for (int i = 0; i < 2; i++) {
        __m512 x = a[2 * i], y = a[2 * i + 1];
        b[i] = _mm512_add_ps(_mm512_shuffle_f32x4(x, y, 0x88), _mm512_shuffle_f32x4(x, y, 0xdd));
    }
    __m512d x = _mm512_castps_pd(b[0]), y = _mm512_castps_pd(b[1]);
    __m512 low = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
    __m512 two = _mm512_add_ps(low, _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
    gw_vf one = (gw_vf)_mm512_add_ps(two, _mm512_permute_ps(two, 0xb1));
    for (int i = 0; i < 4; i++) {
        sums[i] = one[4 * i];
        sums[4 + i] = one[4 * i + 2];
    }
}
#elif GW_LANES == 8
GW_INLINE void gw_sums_of_units_v(const gw_vf *t, float sums[8]) {
    __m256 a[4];
    __m256d b[2];
    for (int i = 0; i < 4; i++) {
        const gw_vf *u = t + 8 * i;
        __m256 x = (__m256)((u[0] + u[2]) + (u[1] + u[3]));
        __m256 y = (__m256)((u[4] + u[6]) + (u[5] + u[7]));
        a[i] =
            _mm256_add_ps(_mm256_permute2f128_ps(x, y, 0x20), _mm256_permute2f128_ps(x, y, 0x31));
    }
    for (int i = 0; i < 2; i++) {
        __m256d x = _mm256_castps_pd(a[2 * i]), y = _mm256_castps_pd(a[2 * i + 1]);
        __m256 low = _mm256_castpd_ps(_mm256_unpacklo_pd(x, y));
        b[i] = _mm256_castps_pd(_mm256_add_ps(low, _mm256_castpd_ps(_mm256_unpackhi_pd(x, y))));
    }
    gw_vf one = (gw_vf)_mm256_hadd_ps(_mm256_castpd_ps(b[0]), _mm256_castpd_ps(b[1]));
    for (int i = 0; i < 4; i++) {
        sums[2 * i] = one[i];
        sums[2 * i + 1] = one[4 + i];
    }
}
#else
GW_INLINE void gw_sums_of_units_v(const gw_vf *t, float sums[8]) {
    for (int i = 0; i < 8; i++) sums[i] = gw_sum_halves_v(t + i * GW_Q8_VECTORS);
}
#endif

#endif
