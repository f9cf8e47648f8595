// Vec math: the contract's functions in vectors, as in base/exact.h and base/exact_math.h, name for name
// with _v. What is past the ends of a piece is computed, too, and not taken.
#ifndef GW_CPU_VEC_MATH_H
#define GW_CPU_VEC_MATH_H

#include "cpu/vec.h"

GW_INLINE gw_vf gw_flush_v(gw_vf x) {
    gw_vi a = (gw_vi)x & 0x7fffffff;
    gw_vf kept = gw_if_nan(x, (gw_vf)gw_splat(GW_NAN_BITS), x);
    return (gw_vf)gw_if_less_i(a, gw_splat_i(GW_TINY_BITS), gw_splat(0), (gw_vu)kept);
}

GW_INLINE gw_vi gw_round_v(gw_vf x) {
    return (gw_vi)((gw_vu)(x + 12582912.0f) - 0x4b400000u);
}
GW_INLINE gw_vf gw_rcp_v(gw_vf x) {
    gw_vf a = gw_abs_v(x), y = (gw_vf)(0x7ef311c7u - (gw_vu)a);
    y = y * (2.0f - a * y);
    y = y * (2.0f - a * y);
    y = y + y * (1.0f - a * y);
    return (gw_vf)(((gw_vu)y & 0x7fffffffu) | ((gw_vu)x & 0x80000000u));
}
GW_INLINE gw_vf gw_exp2_part_v(gw_vf r) {
    gw_vf p = gw_splat_f(1.5475926323e-4f);
    p = p * r + 1.3400310254e-3f;
    p = p * r + 9.6180053139e-3f;
    p = p * r + 5.5503276750e-2f;
    p = p * r + 2.4022651333e-1f;
    p = p * r + 6.9314720632e-1f;
    return p * r + 1.0f;
}
GW_INLINE gw_vf gw_exp_v(gw_vf x) {
    gw_vi n = gw_round_v(x * 1.44269504f);
    gw_vf f = gw_to_float(n), r = (x - f * 0.693359375f) - f * -2.12194440e-4f;
    gw_vf p = gw_splat_f(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    gw_vf q = p * (r * r) + r, y = (gw_vf)((gw_vu)(q + 1.0f) + ((gw_vu)n << 23));
    y = gw_if_less(gw_splat_f(88.72283f), x, (gw_vf)gw_splat(GW_INF_BITS), y);
    y = gw_if_less(x, gw_splat_f(-27.7f), gw_splat_f(0.0f), y);
    return gw_if_nan(x, (gw_vf)gw_splat(GW_NAN_BITS), y);
}
GW_INLINE gw_vf gw_tanh_v(gw_vf x) {
    gw_vf a = gw_abs_v(x), z = x * x, p = z * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    gw_vf small = (p * z) * x + x, cut = gw_pick_f(a < 9.1f, a, gw_splat_f(9.1f));
    gw_vf y = 1.0f - gw_rcp_v(0.5f * (gw_exp_v(cut + cut) + 1.0f));
    y = (gw_vf)(((gw_vu)y & 0x7fffffffu) | ((gw_vu)x & 0x80000000u));
    y = gw_pick_f(a < 0.625f, small, y);
    return (gw_vf)gw_pick(x != x, gw_splat(GW_NAN_BITS), (gw_vu)y);
}
GW_INLINE gw_vf gw_sigmoid_v(gw_vf x) {
    gw_vf e = gw_exp_v(0.0f - gw_abs_v(x)), s = gw_rcp_v(1.0f + e);
    return gw_if_less(x, gw_splat_f(0.0f), e * s, s);
}
GW_INLINE gw_vf gw_silu_v(gw_vf x) {
    return gw_flush_v(x * gw_flush_v(gw_sigmoid_v(x)));
}

GW_INLINE gw_vf gw_ln_v(gw_vf x) {
    gw_vi u = (gw_vi)x, v = (gw_vi)((gw_vu)u - 0x3f3504f3u), inf = gw_splat_i(GW_INF_BITS);
    gw_vf nan = (gw_vf)gw_splat(GW_NAN_BITS), e = gw_to_float(v >> 23);
    gw_vf f = (gw_vf)(((gw_vu)v & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    gw_vf z = f * f, p = gw_splat_f(7.0376836292e-2f);
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    p = (p * f) * z + e * -2.12194440e-4f;
    p = p - 0.5f * z;
    gw_vf y = (f + p) + e * 0.693359375f;
    // Infinity is itself; what is larger as bits, or below 0, NaN; of both zeros the logarithm is -infinity.
    y = (gw_vf)gw_if_less_i(u, inf, (gw_vu)y, (gw_vu)x);
    y = (gw_vf)gw_if_less_i(inf, u, (gw_vu)nan, (gw_vu)y);
    y = (gw_vf)gw_if_less_i(u, gw_splat_i(0), (gw_vu)nan, (gw_vu)y);
    gw_vf least = (gw_vf)gw_splat(GW_INF_BITS | 0x80000000u);
    return (gw_vf)gw_pick((u & 0x7fffffff) == 0, (gw_vu)least, (gw_vu)y);
}
GW_INLINE gw_vf gw_log1p_v(gw_vf x) {
    gw_vf u = 1.0f + x, c = (x - (u - 1.0f)) * gw_rcp_v(u);
    c = gw_pick_f((u >= 0.5f) & (u < 16777216.0f), c, gw_splat_f(0.0f));
    return gw_ln_v(u) + c;
}
GW_INLINE gw_vf gw_softplus_v(gw_vf x) {
    gw_vf l = gw_log1p_v(gw_exp_v(0.0f - gw_abs_v(x)));
    return gw_if_less(gw_splat_f(0.0f), x, x, gw_splat_f(0.0f)) + l;
}

GW_INLINE gw_vf gw_erf_small_v(gw_vf x) {
    gw_vf z = x * x, p = z * 7.8538579652e-5f - 8.0101928413e-4f;
    p = p * z + 5.1883276304e-3f;
    p = p * z - 2.6853811930e-2f;
    p = p * z + 1.1283585149e-1f;
    p = p * z - 3.7612625824e-1f;
    p = p * z + 1.2837916573e-1f;
    return x + p * x;
}
GW_INLINE gw_vf gw_erfc_large_v(gw_vf x) {
    gw_vf a = gw_pick_f(x < 5.5f, x, gw_splat_f(5.5f)), q = a * 9.9810712664e-8f - 3.8205918884e-6f;
    q = q * a + 6.6704819753e-5f;
    q = q * a - 7.0734028102e-4f;
    q = q * a + 5.1280822935e-3f;
    q = q * a - 2.7213048831e-2f;
    q = q * a + 1.1117586667e-1f;
    q = q * a + 6.3088527823e-1f;
    q = q * a + 1.1306881774e+0f;
    q = q * a - 4.1448988080e-4f;
    return gw_exp_v(0.0f - q);
}
GW_INLINE gw_vf gw_gelu_v(gw_vf x) {
    gw_vf z = x * 0.707106769f, a = gw_abs_v(z), h = 0.5f * gw_erfc_large_v(a);
    gw_vf large = gw_pick_f(z < 0.0f, h, 1.0f - h), small = 0.5f + 0.5f * gw_erf_small_v(z);
    return x * gw_flush_v(gw_pick_f(a <= 1.0f, small, large));
}
GW_INLINE gw_vf gw_gelu_tanh_v(gw_vf x) {
    gw_vf twelve = (gw_vf)(((gw_vu)x & 0x80000000u) | gw_bits(12.0f));
    gw_vf v = gw_pick_f(gw_abs_v(x) < 12.0f, x, twelve), t = (v * v) * 0.044715f + 1.0f;
    return x * gw_flush_v(gw_sigmoid_v((t * v) * 1.59576912f));
}

// gw_q8_pack (ops/q8_act.h).
GW_INLINE float gw_q8_pack_v(const gw_vf v[GW_Q8_VECTORS], int8_t *out_q) {
    gw_vi amax = gw_splat_i(0);
    for (int i = 0; i < GW_Q8_VECTORS; i++) {
        gw_vi a = (gw_vi)v[i] & 0x7fffffff;
        amax = (gw_vi)gw_pick(a > amax, (gw_vu)a, (gw_vu)amax);
    }
    const uint32_t most = (uint32_t)gw_max_of(amax);
    if (most >= GW_INF_BITS) {
        memset(out_q, 0, 32);
        return gw_from_bits(GW_NAN_BITS);
    }
    const float d = gw_flush(gw_from_bits(most) * 0.00787401574f);
    const float scale = d == 0.0f ? 0.0f : 127.0f * gw_rcp(gw_from_bits(most));
    for (int i = 0; i < GW_Q8_VECTORS; i++)
        gw_save_bytes(out_q + i * GW_LANES, gw_round_v(v[i] * gw_splat_f(scale)));
    return d;
}

#endif
