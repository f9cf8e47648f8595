// Exact math: the twin of engine/base/exact_math.h, name for name; see there and docs/NUMERICS.md.
// Results that are no finite number are chosen as bits, last.
#ifndef GW_LIB_EXACT_MATH
#define GW_LIB_EXACT_MATH

#include "lib/exact.glsl"

// --- division and square root, correctly rounded ---

float gw_div(float a, float b) {
    uint ua = floatBitsToUint(a) & 0x7fffffffu, ub = floatBitsToUint(b) & 0x7fffffffu;
    uint sign = (floatBitsToUint(a) ^ floatBitsToUint(b)) & 0x80000000u;
    bool a_zero = ua < 0x800000u, a_inf = ua == GW_INF_BITS;
    bool b_zero = ub < 0x800000u, b_inf = ub == GW_INF_BITS;
    uint ma = (ua & 0x7fffffu) | 0x800000u, mb = (ub & 0x7fffffu) | 0x800000u;
    int e = int(ua >> 23) - int(ub >> 23) + 127;
    if (ma < mb) {
        ma <<= 1;
        e--;
    }
    float y = gw_rcp(float(mb)), q0 = gw_mul(gw_mul(float(ma), y), 8388608.0);
    uint q = uint(q0);
    int r = int((ma << 23) - q * mb);
    int c = gw_round(gw_mul(float(r >> 4), gw_mul(y, 16.0)));
    q += uint(c);
    r -= c * int(mb);
    if (r < 0) {
        q--;
        r += int(mb);
    }
    if (r >= int(mb)) {
        q++;
        r -= int(mb);
    }
    if (2 * r > int(mb)) q++;
    uint u = sign | ((uint(e) << 23) + (q - 0x800000u));
    u = e < 1 ? 0u : u;
    u = e > 254 ? sign | GW_INF_BITS : u;
    u = a_zero || b_inf ? 0u : u;
    u = (a_inf && !b_inf) || (b_zero && !a_zero) ? sign | GW_INF_BITS : u;
    bool nan = ua > GW_INF_BITS || ub > GW_INF_BITS || (a_zero && b_zero) || (a_inf && b_inf);
    return uintBitsToFloat(nan ? GW_NAN_BITS : u);
}

float gw_sqrt(float x) {
    uint u = floatBitsToUint(x), e = u >> 23, m = (u & 0x7fffffu) | 0x800000u;
    if ((e & 1u) == 0u) m <<= 1;
    float f = gw_mul(float(m), 8388608.0), y = gw_rsqrt(f);
    uint s = uint(gw_mul(f, y));
    int r = int((m << 23) - s * s);
    s += uint(gw_round(gw_mul(float(r >> 8), gw_mul(128.0, y))));
    r = int((m << 23) - s * s);
    if (r < 0) {
        s--;
        r += int(2u * s + 1u);
    }
    if (r > int(2u * s)) {
        r -= int(2u * s + 1u);
        s++;
    }
    if (r > int(s)) s++;
    uint root = (((e + 127u) >> 1) << 23) + (s - 0x800000u);
    root = u == GW_INF_BITS ? u : root;
    root = u > GW_INF_BITS ? GW_NAN_BITS : root;
    return uintBitsToFloat((u & 0x7fffffffu) < 0x800000u ? 0u : root);
}

// --- exponentials and logarithms ---

float gw_exp2(float x) {
    bool nan = gw_is_nan(x), low = x < -100.0, high = x >= 128.0;
    float v = nan || low || high ? 0.0 : x;
    int n = gw_round(v);
    uint u = floatBitsToUint(gw_exp2_part(gw_sub(v, float(n)))) + (uint(n) << 23);
    u = low ? 0u : u;
    u = high ? GW_INF_BITS : u;
    return uintBitsToFloat(nan ? GW_NAN_BITS : u);
}

float gw_expm1(float x) {
    bool low = x < -27.7, high = x > 88.0;
    int n;
    float q = gw_exp_parts(gw_is_nan(x) || low || high ? 0.0 : x, n), s = gw_pow2(n);
    float y = low ? -1.0 : gw_add(gw_mul(q, s), gw_sub(s, 1.0));
    return high || gw_is_nan(x) ? gw_exp(x) : y;
}

float gw_ln(float x) {
    uint u = floatBitsToUint(x), v = u - 0x3f3504f3u;
    float e = float(int(v) >> 23);
    float f = gw_sub(uintBitsToFloat((v & 0x7fffffu) + 0x3f3504f3u), 1.0);
    float z = gw_mul(f, f), p = 7.0376836292e-2;
    p = gw_step(p, f, -1.1514610310e-1);
    p = gw_step(p, f, 1.1676998740e-1);
    p = gw_step(p, f, -1.2420140846e-1);
    p = gw_step(p, f, 1.4249322787e-1);
    p = gw_step(p, f, -1.6668057665e-1);
    p = gw_step(p, f, 2.0000714765e-1);
    p = gw_step(p, f, -2.4999993993e-1);
    p = gw_step(p, f, 3.3333331174e-1);
    p = gw_step(gw_mul(p, f), z, gw_mul(e, -2.12194440e-4));
    p = gw_sub(p, gw_mul(0.5, z));
    uint y = floatBitsToUint(gw_add(gw_add(f, p), gw_mul(e, 0.693359375)));
    y = u == GW_INF_BITS ? u : y;
    y = u > GW_INF_BITS ? GW_NAN_BITS : y;
    return uintBitsToFloat((u & 0x7fffffffu) == 0u ? GW_INF_BITS | 0x80000000u : y);
}

float gw_log1p(float x) {
    float u = gw_add(1.0, x);
    bool lost = u >= 0.5 && u < 16777216.0;
    float c = lost ? gw_mul(gw_sub(x, gw_sub(u, 1.0)), gw_rcp(u)) : 0.0;
    return gw_add(gw_ln(u), c);
}

// --- power ---

float gw_two_prod(float a, float b, out float err) {
    float t = gw_mul(a, 4097.0), ah = gw_sub(t, gw_sub(t, a)), al = gw_sub(a, ah);
    t = gw_mul(b, 4097.0);
    float bh = gw_sub(t, gw_sub(t, b)), bl = gw_sub(b, bh), p = gw_mul(a, b);
    err = gw_add(gw_sub(gw_mul(ah, bh), p), gw_mul(ah, bl));
    err = gw_add(gw_add(err, gw_mul(al, bh)), gw_mul(al, bl));
    return p;
}
float gw_two_sum(float a, float b, out float err) {
    float s = gw_add(a, b), t = gw_sub(s, a);
    err = gw_add(gw_sub(a, gw_sub(s, t)), gw_sub(b, t));
    return s;
}

const float gw_log2_c[16] =
    float[16](1.0, 0.90625, 0.875, 0.8125, 0.78125, 0.75, 0.71875, 0.6875, 0.65625, 0.625, 0.59375,
              0.59375, 0.5625, 0.53125, 0.53125, 0.5);
const float gw_log2_hi[16] =
    float[16](0.0, 1.4202880859e-1, 1.9265747070e-1, 2.9956054688e-1, 3.5614013672e-1,
              4.1503906250e-1, 4.7644042969e-1, 5.4055786133e-1, 6.0769653320e-1, 6.7807006836e-1,
              7.5207519531e-1, 7.5207519531e-1, 8.3007812500e-1, 9.1253662109e-1, 9.1253662109e-1,
              1.0);
const float gw_log2_lo[16] =
    float[16](0.0, -9.8037216958e-6, -1.2392761164e-5, -2.6501609796e-7, 3.6735066260e-6,
              -1.5632211898e-6, -2.3857444376e-6, 1.0520034266e-5, -1.3955981558e-5,
              1.8367533130e-6, -2.7087560284e-6, -2.7087560284e-6, -3.1264423797e-6,
              5.3765592156e-7, 5.3765592156e-7, 0.0);

float gw_log2_two(float x, out float lo) {
    uint u = floatBitsToUint(x), i = (u >> 19) & 15u;
    float m = uintBitsToFloat((u & 0x7fffffu) | 0x3f800000u);
    float mh = uintBitsToFloat(floatBitsToUint(m) & 0xfffff000u), c = gw_log2_c[i];
    float r = gw_add(gw_sub(gw_mul(mh, c), 1.0), gw_mul(gw_sub(m, mh), c));
    float l, e1, e2, h = gw_two_prod(r, 1.4426950216, l);
    float q = 2.0738186801e-1;
    q = gw_step(q, r, -2.4178067220e-1);
    q = gw_step(q, r, 2.8853622423e-1);
    q = gw_step(q, r, -3.6067131008e-1);
    q = gw_step(q, r, 4.8089834830e-1);
    q = gw_step(q, r, -7.2134752111e-1);
    q = gw_mul(q, gw_mul(r, r));
    l = gw_add(gw_add(l, gw_mul(r, 1.9259630335e-8)), gw_log2_lo[i]);
    float s = gw_add(float(int(u >> 23) - 127), gw_log2_hi[i]);
    float v = gw_two_sum(gw_two_sum(s, h, e1), q, e2);
    l = gw_add(gw_add(l, e1), e2);
    float result = gw_add(v, l);
    lo = gw_sub(l, gw_sub(result, v));
    return result;
}

uint gw_pow_bits(float x, float y) {
    float l, e, h = gw_log2_two(gw_abs(x), l), guess = gw_mul(h, y);
    bool low = guess < -126.0, high = guess > 129.0;
    float v = low || high ? 0.0 : y;
    float p = gw_two_prod(h, v, e);
    int n = gw_round(p);
    uint u = floatBitsToUint(gw_exp2_part(gw_add(gw_sub(p, float(n)), gw_add(e, gw_mul(l, v)))));
    int exponent = int(u >> 23) + n;
    u = u + (uint(n) << 23);
    u = low || exponent < 1 ? 0u : u;
    return high || exponent > 254 ? GW_INF_BITS : u;
}

float gw_pow(float x, float y) {
    uint ax = floatBitsToUint(x) & 0x7fffffffu, ay = floatBitsToUint(y) & 0x7fffffffu;
    bool minus = floatBitsToUint(x) >> 31 != 0u, y_up = floatBitsToUint(y) >> 31 == 0u;
    int k = ay < 0x4b800000u ? int(y) : 0;
    bool whole = ay >= 0x4b800000u || float(k) == y, odd = whole && (k & 1) != 0;
    uint sign = odd ? floatBitsToUint(x) & 0x80000000u : 0u;
    bool extreme = ax == GW_INF_BITS || ay > 0x5368d4a5u, plain = ax < GW_INF_BITS && ax != 0u;
    uint u = sign | gw_pow_bits(plain && !extreme ? x : 1.0, extreme ? 0.0 : y);
    u = extreme ? ((ax > 0x3f800000u) == y_up ? sign | GW_INF_BITS : 0u) : u;
    u = ax == 0x3f800000u ? sign | 0x3f800000u : u;
    u = minus && !whole && plain ? GW_NAN_BITS : u;
    u = ax == 0u ? (y_up ? 0u : sign | GW_INF_BITS) : u;
    u = gw_is_nan(x) || gw_is_nan(y) ? GW_NAN_BITS : u;
    return uintBitsToFloat(ay == 0u || floatBitsToUint(x) == 0x3f800000u ? 0x3f800000u : u);
}

// --- sigmoids ---

float gw_softplus(float x) {
    float l = gw_log1p(gw_exp(gw_sub(0.0, gw_abs(x))));
    return gw_add(x > 0.0 ? x : 0.0, l);
}

float gw_tanh(float x) {
    float a = gw_abs(x), y;
    if (a < 0.625) {
        float z = gw_mul(x, x), p = -5.70498872745e-3;
        p = gw_step(p, z, 2.06390887954e-2);
        p = gw_step(p, z, -5.37397155531e-2);
        p = gw_step(p, z, 1.33314422036e-1);
        p = gw_step(p, z, -3.33332819422e-1);
        y = gw_step(gw_mul(p, z), x, x);
    } else {
        a = a < 9.1 ? a : 9.1;
        float e = gw_add(gw_exp(gw_add(a, a)), 1.0);
        y = gw_with_sign(gw_sub(1.0, gw_rcp(gw_mul(0.5, e))), x);
    }
    return uintBitsToFloat(gw_is_nan(x) ? GW_NAN_BITS : floatBitsToUint(y));
}

// --- the error function ---

float gw_erf_small(float x) {
    float z = gw_mul(x, x), p = 7.8538579652e-5;
    p = gw_step(p, z, -8.0101928413e-4);
    p = gw_step(p, z, 5.1883276304e-3);
    p = gw_step(p, z, -2.6853811930e-2);
    p = gw_step(p, z, 1.1283585149e-1);
    p = gw_step(p, z, -3.7612625824e-1);
    p = gw_step(p, z, 1.2837916573e-1);
    return gw_add(x, gw_mul(p, x));
}
float gw_erfc_large(float a) {
    a = a < 5.5 ? a : 5.5;
    float q = 9.9810712664e-8;
    q = gw_step(q, a, -3.8205918884e-6);
    q = gw_step(q, a, 6.6704819753e-5);
    q = gw_step(q, a, -7.0734028102e-4);
    q = gw_step(q, a, 5.1280822935e-3);
    q = gw_step(q, a, -2.7213048831e-2);
    q = gw_step(q, a, 1.1117586667e-1);
    q = gw_step(q, a, 6.3088527823e-1);
    q = gw_step(q, a, 1.1306881774e+0);
    q = gw_step(q, a, -4.1448988080e-4);
    return gw_exp(gw_sub(0.0, q));
}
float gw_erf(float x) {
    float a = gw_abs(x), y;
    if (a <= 1.0) y = gw_erf_small(x);
    else y = gw_with_sign(gw_sub(1.0, gw_erfc_large(a)), x);
    return uintBitsToFloat(gw_is_nan(x) ? GW_NAN_BITS : floatBitsToUint(y));
}

float gw_gelu(float x) {
    float z = gw_mul(x, 0.707106769), a = gw_abs(z), phi;
    if (a <= 1.0) {
        phi = gw_add(0.5, gw_mul(0.5, gw_erf_small(z)));
    } else {
        float h = gw_mul(0.5, gw_erfc_large(a));
        phi = z < 0.0 ? h : gw_sub(1.0, h);
    }
    return gw_mul(x, gw_flush(phi));
}
float gw_gelu_tanh(float x) {
    float v = gw_abs(x) < 12.0 ? x : gw_with_sign(12.0, x);
    float t = gw_step(gw_mul(v, v), 0.044715, 1.0);
    return gw_mul(x, gw_flush(gw_sigmoid(gw_mul(gw_mul(t, v), 1.59576912))));
}
float gw_gelu_quick(float x) {
    return gw_mul(x, gw_flush(gw_sigmoid(gw_flush(gw_mul(x, 1.702)))));
}

// --- sine and cosine ---

const uint gw_two_over_pi[8] = uint[8](0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u,
                                       0x36d8a566u, 0x4f10e410u, 0x7f9458eau);

float gw_quarter_turn(float x, out uint quarter) {
    uint u = floatBitsToUint(x) & 0x7fffffffu;
    bool small = u <= 0x3f490fdau;
    uint v = small || u >= GW_INF_BITS ? 0x3f800000u : u;
    uint m = (v << 8) | 0x80000000u, e = (v >> 23) - 126u, i = e >> 5, s = e & 31u;
    uint t0 = gw_two_over_pi[i], t1 = gw_two_over_pi[i + 1u], t2 = gw_two_over_pi[i + 2u];
    uint t3 = gw_two_over_pi[i + 3u];
    uint w0 = (t0 << s) | (t1 >> (31u - s) >> 1), w1 = (t1 << s) | (t2 >> (31u - s) >> 1);
    uint w2 = (t2 << s) | (t3 >> (31u - s) >> 1);
    uint p1_hi, p1_lo, p2_hi, p2_lo;
    umulExtended(m, w1, p1_hi, p1_lo);
    umulExtended(m, w2, p2_hi, p2_lo);
    uint lo = p1_lo + p2_hi;
    uint hi = m * w0 + p1_hi + (lo < p1_lo ? 1u : 0u);
    uint q = hi >> 30;
    hi = (hi << 2) | (lo >> 30);
    lo = (lo << 2) | (p2_lo >> 30);
    uint neg = hi >> 31;
    quarter = small ? 0u : (q + neg) & 3u;
    hi = neg != 0u ? ~hi : hi;
    lo = neg != 0u ? ~lo : lo;
    uint shift = hi != 0u ? 0u : 32u;
    uint rest = hi != 0u ? lo : 0u;
    hi = hi != 0u ? hi : lo;
    uint k = 31u - uint(findMSB(hi));
    hi = (hi << k) | (rest >> (31u - k) >> 1);
    shift += k;
    uint h, l;
    umulExtended(hi, 0xc90fdaa2u, h, l);
    float f = gw_add(gw_mul(float(h >> 8), 256.0), float(h & 255u));
    f = gw_mul(f, uintBitsToFloat((96u - shift) << 23));
    f = neg != 0u ? gw_sub(0.0, f) : f;
    return small ? uintBitsToFloat(u) : f;
}
float gw_sin_part(float r) {
    float z = gw_mul(r, r), p = -1.9515295891e-4;
    p = gw_step(p, z, 8.3321608736e-3);
    p = gw_step(p, z, -1.6666654611e-1);
    return gw_step(gw_mul(p, z), r, r);
}
float gw_cos_part(float r) {
    float z = gw_mul(r, r), p = 2.443315711809948e-5;
    p = gw_step(p, z, -1.388731625493765e-3);
    p = gw_step(p, z, 4.166664568298827e-2);
    return gw_add(gw_sub(gw_mul(gw_mul(p, z), z), gw_mul(0.5, z)), 1.0);
}
float gw_sin(float x) {
    uint q, u = floatBitsToUint(x);
    float r = gw_quarter_turn(x, q), y = (q & 1u) != 0u ? gw_cos_part(r) : gw_sin_part(r);
    uint s = floatBitsToUint(y) ^ (u & 0x80000000u) ^ ((q & 2u) << 30);
    return uintBitsToFloat((u & 0x7fffffffu) >= GW_INF_BITS ? GW_NAN_BITS : s);
}
float gw_cos(float x) {
    uint q, u = floatBitsToUint(x);
    float r = gw_quarter_turn(x, q), y = (q & 1u) != 0u ? gw_sin_part(r) : gw_cos_part(r);
    uint s = floatBitsToUint(y) ^ (((q + 1u) & 2u) << 30);
    return uintBitsToFloat((u & 0x7fffffffu) >= GW_INF_BITS ? GW_NAN_BITS : s);
}

#endif
