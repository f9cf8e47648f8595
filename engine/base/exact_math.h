// Exact math: the functions of the contract that no kernel of today calls, and what the host uses;
// the twin of shaders/lib/exact_math.glsl, name for name. What holds for exact.h holds here: single
// fp32 + - * and integers, no libm. Arguments are stored values; results are flushed by the op that
// stores them. docs/NUMERICS.md has domains, errors, and where the coefficients come from.
#ifndef GW_BASE_EXACT_MATH_H
#define GW_BASE_EXACT_MATH_H

#include "base/exact.h"

// --- division and square root, correctly rounded ---

// a / b to the nearest, ties to even; results below 2^-126 are 0. An approximate quotient of the
// mantissas, then its remainder in integers modulo 2^32: exact, since it is below 2^28.
static inline float gw_div(float a, float b) {
    uint32_t ua = gw_bits(a) & 0x7fffffffu, ub = gw_bits(b) & 0x7fffffffu;
    uint32_t sign = (gw_bits(a) ^ gw_bits(b)) & 0x80000000u;
    bool a_zero = ua < 0x800000u, a_inf = ua == GW_INF_BITS;
    bool b_zero = ub < 0x800000u, b_inf = ub == GW_INF_BITS;
    if (ua > GW_INF_BITS || ub > GW_INF_BITS || (a_zero && b_zero) || (a_inf && b_inf))
        return gw_from_bits(GW_NAN_BITS);
    if (a_zero || b_inf) return 0.0f;
    if (a_inf || b_zero) return gw_from_bits(sign | GW_INF_BITS);
    uint32_t ma = (ua & 0x7fffffu) | 0x800000u, mb = (ub & 0x7fffffu) | 0x800000u;
    int32_t e = (int32_t)(ua >> 23) - (int32_t)(ub >> 23) + 127;
    if (ma < mb) {
        ma <<= 1;
        e--;
    }
    float y = gw_rcp((float)mb), q0 = ((float)ma * y) * 8388608.0f;
    uint32_t q = (uint32_t)q0;
    int32_t r = (int32_t)((ma << 23) - q * mb);
    // |r| can pass 2^24: four bits fewer, so that the conversion is exact.
    int32_t c = gw_round((float)(r >> 4) * (y * 16.0f));
    q += (uint32_t)c;
    r -= c * (int32_t)mb;
    if (r < 0) {
        q--;
        r += (int32_t)mb;
    }
    if (r >= (int32_t)mb) {
        q++;
        r -= (int32_t)mb;
    }
    if (2 * r > (int32_t)mb) q++; // a tie cannot be
    if (e < 1) return 0.0f;
    if (e > 254) return gw_from_bits(sign | GW_INF_BITS);
    return gw_from_bits(sign | (((uint32_t)e << 23) + (q - 0x800000u)));
}

// The root of x to the nearest; NaN for x < 0. The remainder as in gw_div.
static inline float gw_sqrt(float x) {
    uint32_t u = gw_bits(x);
    if ((u & 0x7fffffffu) < 0x800000u) return 0.0f;
    if (u > GW_INF_BITS) return gw_from_bits(GW_NAN_BITS); // and what is negative
    if (u == GW_INF_BITS) return x;
    uint32_t e = u >> 23, m = (u & 0x7fffffu) | 0x800000u;
    if ((e & 1u) == 0) m <<= 1; // the power of two is even then, since its bias is odd
    float f = (float)m * 8388608.0f, y = gw_rsqrt(f);
    uint32_t s = (uint32_t)(f * y);
    int32_t r = (int32_t)((m << 23) - s * s);
    s += (uint32_t)gw_round((float)(r >> 8) * (128.0f * y));
    r = (int32_t)((m << 23) - s * s);
    if (r < 0) {
        s--;
        r += (int32_t)(2 * s + 1);
    }
    if (r > (int32_t)(2 * s)) {
        r -= (int32_t)(2 * s + 1);
        s++;
    }
    if (r > (int32_t)s) s++; // a tie cannot be
    return gw_from_bits(((e + 127u) >> 1 << 23) + (s - 0x800000u));
}

// --- exponentials and logarithms ---

// 2^x; 0 below -100, infinity from 128.
static inline float gw_exp2(float x) {
    if (gw_is_nan(x)) return gw_from_bits(GW_NAN_BITS);
    if (x < -100.0f) return 0.0f;
    if (x >= 128.0f) return gw_from_bits(GW_INF_BITS);
    int32_t n = gw_round(x);
    return gw_from_bits(gw_bits(gw_exp2_part(x - (float)n)) + ((uint32_t)n << 23));
}

// e^x - 1, without the cancellation near 0.
static inline float gw_expm1(float x) {
    if (x < -27.7f) return -1.0f;
    if (!(x <= 88.0f)) return gw_exp(x);
    int32_t n;
    float q = gw_exp_parts(x, &n), s = gw_pow2(n);
    return q * s + (s - 1.0f);
}

// ln x; -infinity at 0, NaN below. x = (1 + f) * 2^e with sqrt(1/2) <= 1 + f < sqrt(2), and the
// polynomial of Cephes' logf.
static inline float gw_ln(float x) {
    uint32_t u = gw_bits(x), v = u - 0x3f3504f3u;
    if ((u & 0x7fffffffu) == 0) return gw_from_bits(GW_INF_BITS | 0x80000000u);
    if (u > GW_INF_BITS) return gw_from_bits(GW_NAN_BITS);
    if (u == GW_INF_BITS) return x;
    float e = (float)((int32_t)v >> 23), f = gw_from_bits((v & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float z = f * f, p = 7.0376836292e-2f;
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
    return (f + p) + e * 0.693359375f;
}

// ln(1 + x); u = 1 + x loses x - (u - 1), which is added. From 2^24 on that is below an ulp.
static inline float gw_log1p(float x) {
    float u = 1.0f + x;
    bool lost = u >= 0.5f && u < 16777216.0f; // below 0.5 nothing is lost, and u may be 0
    float c = lost ? (x - (u - 1.0f)) * gw_rcp(u) : 0.0f;
    return gw_ln(u) + c;
}

// --- power ---

// a * b = p + err exactly (Veltkamp, Dekker).
static inline float gw_two_prod(float a, float b, float *err) {
    float t = a * 4097.0f, ah = t - (t - a), al = a - ah;
    t = b * 4097.0f;
    float bh = t - (t - b), bl = b - bh, p = a * b;
    *err = (((ah * bh - p) + ah * bl) + al * bh) + al * bl;
    return p;
}
// a + b = sum + err exactly (Knuth).
static inline float gw_two_sum(float a, float b, float *err) {
    float s = a + b, t = s - a;
    *err = (a - (s - t)) + (b - t);
    return s;
}

// -log2 of the reciprocals in four bits that gw_log2_two divides by, in two floats.
static const float gw_log2_c[16] = {1.0f,     0.90625f, 0.875f,   0.8125f, 0.78125f, 0.75f,
                                    0.71875f, 0.6875f,  0.65625f, 0.625f,  0.59375f, 0.59375f,
                                    0.5625f,  0.53125f, 0.53125f, 0.5f};
static const float gw_log2_hi[16] = {
    0.0f,
    1.4202880859e-1f,
    1.9265747070e-1f,
    2.9956054688e-1f,
    3.5614013672e-1f,
    4.1503906250e-1f,
    4.7644042969e-1f,
    5.4055786133e-1f,
    6.0769653320e-1f,
    6.7807006836e-1f,
    7.5207519531e-1f,
    7.5207519531e-1f,
    8.3007812500e-1f,
    9.1253662109e-1f,
    9.1253662109e-1f,
    1.0f,
};
static const float gw_log2_lo[16] = {
    0.0f,
    -9.8037216958e-6f,
    -1.2392761164e-5f,
    -2.6501609796e-7f,
    3.6735066260e-6f,
    -1.5632211898e-6f,
    -2.3857444376e-6f,
    1.0520034266e-5f,
    -1.3955981558e-5f,
    1.8367533130e-6f,
    -2.7087560284e-6f,
    -2.7087560284e-6f,
    -3.1264423797e-6f,
    5.3765592156e-7f,
    5.3765592156e-7f,
    0.0f,
};

// log2 x in two floats, the result and *lo, for normal x > 0.
static inline float gw_log2_two(float x, float *lo) {
    uint32_t u = gw_bits(x), i = (u >> 19) & 15u;
    float m = gw_from_bits((u & 0x7fffffu) | 0x3f800000u),
          mh = gw_from_bits(gw_bits(m) & 0xfffff000u);
    float r = (mh * gw_log2_c[i] - 1.0f) + (m - mh) * gw_log2_c[i]; // exact
    float l, e1, e2, h = gw_two_prod(r, 1.4426950216f, &l);
    float q = 2.0738186801e-1f;
    q = q * r - 2.4178067220e-1f;
    q = q * r + 2.8853622423e-1f;
    q = q * r - 3.6067131008e-1f;
    q = q * r + 4.8089834830e-1f;
    q = q * r - 7.2134752111e-1f;
    q = q * (r * r);
    l = (l + r * 1.9259630335e-8f) + gw_log2_lo[i];
    float s = (float)((int32_t)(u >> 23) - 127) + gw_log2_hi[i]; // exact
    float v = gw_two_sum(gw_two_sum(s, h, &e1), q, &e2);
    l = (l + e1) + e2;
    float out = v + l;
    *lo = l - (out - v);
    return out;
}

// |x|^y by bits, for x and y that are finite and not 0; |x| is not 1.
static inline uint32_t gw_pow_bits(float x, float y) {
    float l, e, h = gw_log2_two(gw_abs(x), &l), guess = h * y;
    if (guess < -126.0f) return 0;
    if (guess > 129.0f) return GW_INF_BITS;
    float p = gw_two_prod(h, y, &e);
    int32_t n = gw_round(p);
    uint32_t v = gw_bits(gw_exp2_part((p - (float)n) + (e + l * y)));
    int32_t exponent = (int32_t)(v >> 23) + n;
    if (exponent < 1) return 0;
    if (exponent > 254) return GW_INF_BITS;
    return v + ((uint32_t)n << 23);
}

// x^y, with IEEE's answers at 0, 1, infinity, NaN and for x < 0; results below 2^-126 are 0.
static inline float gw_pow(float x, float y) {
    if (y == 0.0f || gw_bits(x) == 0x3f800000u) return 1.0f;
    if (gw_is_nan(x) || gw_is_nan(y)) return gw_from_bits(GW_NAN_BITS);
    uint32_t ax = gw_bits(x) & 0x7fffffffu, ay = gw_bits(y) & 0x7fffffffu;
    // Whether y is an integer, and an odd one: from 2^24 on floats are even.
    int32_t k = ay < 0x4b800000u ? (int32_t)y : 0;
    bool is_int = ay >= 0x4b800000u || (float)k == y, odd = is_int && (k & 1);
    uint32_t sign = odd ? gw_bits(x) & 0x80000000u : 0u, up = sign | GW_INF_BITS;
    if (ax == 0) return y < 0.0f ? gw_from_bits(up) : 0.0f;
    if ((gw_bits(x) >> 31) && !is_int && ax != GW_INF_BITS) return gw_from_bits(GW_NAN_BITS);
    if (ax == 0x3f800000u) return gw_from_bits(sign | 0x3f800000u);
    if (ax == GW_INF_BITS || ay > 0x5368d4a5u) // 1e12; past it gw_two_prod would overflow
        return (ax > 0x3f800000u) == (y > 0.0f) ? gw_from_bits(up) : 0.0f;
    return gw_from_bits(sign | gw_pow_bits(x, y));
}

// --- sigmoids ---

// ln(1 + e^x).
static inline float gw_softplus(float x) {
    float l = gw_log1p(gw_exp(0.0f - gw_abs(x)));
    return (x > 0.0f ? x : 0.0f) + l;
}

// The polynomial near 0 is that of Cephes' tanhf. Past 9.1 the nearest float is 1. 2 / e is the
// reciprocal of e / 2: a product by 2 would stand before a sum, and AMD's compiler fuses the two.
static inline float gw_tanh(float x) {
    float a = gw_abs(x);
    if (gw_is_nan(x)) return gw_from_bits(GW_NAN_BITS);
    if (a < 0.625f) {
        float z = x * x, p = -5.70498872745e-3f;
        p = p * z + 2.06390887954e-2f;
        p = p * z - 5.37397155531e-2f;
        p = p * z + 1.33314422036e-1f;
        p = p * z - 3.33332819422e-1f;
        return (p * z) * x + x;
    }
    a = a < 9.1f ? a : 9.1f;
    return gw_with_sign(1.0f - gw_rcp(0.5f * (gw_exp(a + a) + 1.0f)), x);
}

// --- the error function ---

// erf x for |x| <= 1.
static inline float gw_erf_small(float x) {
    float z = x * x, p = 7.8538579652e-5f;
    p = p * z - 8.0101928413e-4f;
    p = p * z + 5.1883276304e-3f;
    p = p * z - 2.6853811930e-2f;
    p = p * z + 1.1283585149e-1f;
    p = p * z - 3.7612625824e-1f;
    p = p * z + 1.2837916573e-1f;
    return x + p * x;
}
// 1 - erf a for a >= 1, as e^-q(a); what it gives past 5.5 is 0 once stored.
static inline float gw_erfc_large(float a) {
    a = a < 5.5f ? a : 5.5f;
    float q = 9.9810712664e-8f;
    q = q * a - 3.8205918884e-6f;
    q = q * a + 6.6704819753e-5f;
    q = q * a - 7.0734028102e-4f;
    q = q * a + 5.1280822935e-3f;
    q = q * a - 2.7213048831e-2f;
    q = q * a + 1.1117586667e-1f;
    q = q * a + 6.3088527823e-1f;
    q = q * a + 1.1306881774e+0f;
    q = q * a - 4.1448988080e-4f;
    return gw_exp(0.0f - q);
}
static inline float gw_erf(float x) {
    float a = gw_abs(x);
    if (gw_is_nan(x)) return gw_from_bits(GW_NAN_BITS);
    if (a <= 1.0f) return gw_erf_small(x);
    return gw_with_sign(1.0f - gw_erfc_large(a), x);
}

// x * (1 + erf(x / sqrt 2)) / 2.
static inline float gw_gelu(float x) {
    float z = x * 0.707106769f, a = gw_abs(z), phi;
    if (a <= 1.0f) {
        phi = 0.5f + 0.5f * gw_erf_small(z);
    } else {
        float h = 0.5f * gw_erfc_large(a);
        phi = z < 0.0f ? h : 1.0f - h;
    }
    return x * gw_flush(phi);
}
// x * sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), which is the form with tanh. From 12 on the
// sigmoid is 0 or 1, and the cube does not overflow.
static inline float gw_gelu_tanh(float x) {
    float v = gw_abs(x) < 12.0f ? x : gw_with_sign(12.0f, x);
    float t = (v * v) * 0.044715f + 1.0f;
    return x * gw_flush(gw_sigmoid((t * v) * 1.59576912f));
}
// x * sigmoid(1.702 x).
static inline float gw_gelu_quick(float x) {
    return x * gw_flush(gw_sigmoid(gw_flush(x * 1.702f)));
}

// --- sine and cosine ---

// 2 / pi, in words of 32 bits behind the point; the first stands before it.
static const uint32_t gw_two_over_pi[8] = {0u,          0x28be60dbu, 0x9391054au, 0x7f09d5f4u,
                                           0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau};

// |x| less the nearest multiple of pi/2, within pi/4 of 0, for finite x; and which multiple, mod 4.
// By integers (Payne and Hanek), so that no argument is too large.
static inline float gw_quarter_turn(float x, uint32_t *quarter) {
    uint32_t u = gw_bits(x) & 0x7fffffffu;
    *quarter = 0;
    if (u <= 0x3f490fdau) return gw_from_bits(u); // pi/4
    uint32_t m = (u << 8) | 0x80000000u, e = (u >> 23) - 126u, i = e >> 5, s = e & 31u;
    const uint32_t *t = gw_two_over_pi + i;
    // Shifted twice, since a shift by 32 is none.
    uint32_t w0 = (t[0] << s) | (t[1] >> (31u - s) >> 1),
             w1 = (t[1] << s) | (t[2] >> (31u - s) >> 1);
    uint32_t w2 = (t[2] << s) | (t[3] >> (31u - s) >> 1);
    uint64_t p1 = (uint64_t)m * w1, p2 = (uint64_t)m * w2;
    uint32_t lo = (uint32_t)p1 + (uint32_t)(p2 >> 32);
    // 64 bits of which two stand before the point: quarters of a turn.
    uint32_t hi = m * w0 + (uint32_t)(p1 >> 32) + (lo < (uint32_t)p1 ? 1u : 0u);
    uint32_t q = hi >> 30;
    hi = (hi << 2) | (lo >> 30);
    lo = (lo << 2) | ((uint32_t)p2 >> 30);
    uint32_t neg = hi >> 31;
    *quarter = (q + neg) & 3u;
    if (neg) {
        hi = ~hi;
        lo = ~lo;
    }
    uint32_t shift = hi ? 0u : 32u;
    if (!hi) {
        hi = lo;
        lo = 0;
    }
    for (uint32_t k = 16; k; k >>= 1) // to the highest bit
        if (hi >> (32 - k) == 0) {
            hi = (hi << k) | (lo >> (32 - k));
            lo <<= k;
            shift += k;
        }
    uint32_t h = (uint32_t)((uint64_t)hi * 0xc90fdaa2u >> 32); // pi/4
    float f = (float)(h >> 8) * 256.0f + (float)(h & 255u);    // rounded once: both are exact
    f = f * gw_from_bits((96u - shift) << 23);
    return neg ? 0.0f - f : f;
}
// Sine and cosine within pi/4 of 0: the polynomials of Cephes' sinf and cosf.
static inline float gw_sin_part(float r) {
    float z = r * r, p = -1.9515295891e-4f;
    p = p * z + 8.3321608736e-3f;
    p = p * z - 1.6666654611e-1f;
    return (p * z) * r + r;
}
static inline float gw_cos_part(float r) {
    float z = r * r, p = 2.443315711809948e-5f;
    p = p * z - 1.388731625493765e-3f;
    p = p * z + 4.166664568298827e-2f;
    return ((p * z) * z - 0.5f * z) + 1.0f;
}
// NaN at infinity.
static inline float gw_sin(float x) {
    uint32_t q, sign = gw_bits(x) & 0x80000000u;
    if ((gw_bits(x) & 0x7fffffffu) >= GW_INF_BITS) return gw_from_bits(GW_NAN_BITS);
    float r = gw_quarter_turn(x, &q), y = q & 1u ? gw_cos_part(r) : gw_sin_part(r);
    return gw_from_bits(gw_bits(y) ^ sign ^ (q & 2u) << 30);
}
static inline float gw_cos(float x) {
    uint32_t q;
    if ((gw_bits(x) & 0x7fffffffu) >= GW_INF_BITS) return gw_from_bits(GW_NAN_BITS);
    float r = gw_quarter_turn(x, &q), y = q & 1u ? gw_sin_part(r) : gw_cos_part(r);
    return gw_from_bits(gw_bits(y) ^ ((q + 1u) & 2u) << 30);
}

#endif
