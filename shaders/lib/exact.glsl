// Exact: the arithmetic of the contract in GLSL, the twin of engine/base/exact.h, name for name.
// Only single fp32 + - * (precise: never contracted) and integer operations; see docs/NUMERICS.md.
// The rest of the functions is in exact_math.glsl.
#ifndef GW_LIB_EXACT
#define GW_LIB_EXACT

const uint GW_TINY_BITS = 0x2b800000u; // 2^-40
const uint GW_INF_BITS = 0x7f800000u;
const uint GW_NAN_BITS = 0x7fc00000u;

float gw_add(float a, float b) {
    precise float r = a + b;
    return r;
}
float gw_sub(float a, float b) {
    precise float r = a - b;
    return r;
}
float gw_mul(float a, float b) {
    precise float r = a * b;
    return r;
}

float gw_flush(float x) {
    uint u = floatBitsToUint(x), a = u & 0x7fffffffu;
    u = a < GW_TINY_BITS ? 0u : u;
    u = a > 0x7f800000u ? GW_NAN_BITS : u;
    return uintBitsToFloat(u);
}

bool gw_is_nan(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) > GW_INF_BITS;
}
float gw_abs(float x) {
    return uintBitsToFloat(floatBitsToUint(x) & 0x7fffffffu);
}
float gw_with_sign(float a, float x) {
    return uintBitsToFloat((floatBitsToUint(a) & 0x7fffffffu) | (floatBitsToUint(x) & 0x80000000u));
}
// p * r + c, rounded twice: a step of Horner's scheme.
float gw_step(float p, float r, float c) {
    return gw_add(gw_mul(p, r), c);
}

float gw_rcp(float x) {
    float a = gw_abs(x);
    float y = uintBitsToFloat(0x7ef311c7u - floatBitsToUint(a));
    y = gw_mul(y, gw_sub(2.0, gw_mul(a, y)));
    y = gw_mul(y, gw_sub(2.0, gw_mul(a, y)));
    y = gw_add(y, gw_mul(y, gw_sub(1.0, gw_mul(a, y))));
    return gw_with_sign(y, x);
}

float gw_rsqrt(float x) {
    float h = gw_mul(0.5, x);
    float y = uintBitsToFloat(0x5f375a86u - (floatBitsToUint(x) >> 1));
    y = gw_mul(y, gw_sub(1.5, gw_mul(h, gw_mul(y, y))));
    y = gw_mul(y, gw_sub(1.5, gw_mul(h, gw_mul(y, y))));
    return gw_add(y, gw_mul(y, gw_sub(0.5, gw_mul(h, gw_mul(y, y)))));
}

int gw_round(float x) {
    return int(floatBitsToUint(gw_add(x, 12582912.0)) - 0x4b400000u);
}

float gw_pow2(int k) {
    return uintBitsToFloat(uint(k + 127) << 23);
}

float gw_i32_to_f32(int i) {
    return gw_add(float(i & ~4095), float(i & 4095));
}

float gw_exp2_part(float r) {
    float p = 1.5475926323e-4;
    p = gw_step(p, r, 1.3400310254e-3);
    p = gw_step(p, r, 9.6180053139e-3);
    p = gw_step(p, r, 5.5503276750e-2);
    p = gw_step(p, r, 2.4022651333e-1);
    p = gw_step(p, r, 6.9314720632e-1);
    return gw_step(p, r, 1.0);
}

float gw_exp_parts(float x, out int n) {
    n = gw_round(gw_mul(x, 1.44269504));
    float f = float(n);
    float r = gw_sub(gw_sub(x, gw_mul(f, 0.693359375)), gw_mul(f, -2.12194440e-4));
    float p = 1.9875691500e-4;
    p = gw_step(p, r, 1.3981999507e-3);
    p = gw_step(p, r, 8.3334519073e-3);
    p = gw_step(p, r, 4.1665795894e-2);
    p = gw_step(p, r, 1.6666665459e-1);
    p = gw_step(p, r, 5.0000001201e-1);
    return gw_step(p, gw_mul(r, r), r);
}

// Results that are no finite number are chosen as bits, last, and no arithmetic is done on what
// they come from: so too below.
float gw_exp(float x) {
    bool nan = gw_is_nan(x), low = x < -27.7, high = x > 88.72283;
    int n;
    float q = gw_exp_parts(nan || low || high ? 0.0 : x, n);
    uint u = floatBitsToUint(gw_add(q, 1.0)) + (uint(n) << 23);
    u = low ? 0u : u;
    u = high ? GW_INF_BITS : u;
    return uintBitsToFloat(nan ? GW_NAN_BITS : u);
}

float gw_sigmoid(float x) {
    float e = gw_exp(gw_sub(0.0, gw_abs(x)));
    float s = gw_rcp(gw_add(1.0, e));
    return x < 0.0 ? gw_mul(e, s) : s;
}

float gw_silu(float x) {
    return gw_flush(gw_mul(x, gw_flush(gw_sigmoid(x))));
}

#ifdef GW_FP16
// The device's own widening, which is exact; of subnormal halves, too, since they are kept (DenormPreserve 16).
spirv_execution_mode(capabilities = [4464], 4459, 16);
float gw_f16_to_f32(uint h) {
    return float(unpackFloat2x16(h).x);
}
vec2 gw_halves(uint word) {
    return vec2(unpackFloat2x16(word));
}
#else
float gw_f16_to_f32(uint h) {
    uint mag = (h & 0x7fffu) << 13, sign = (h & 0x8000u) << 16;
    uint small = floatBitsToUint(gw_sub(uintBitsToFloat(mag + 0x38800000u), 6.103515625e-05));
    uint bits = mag + 0x38000000u;
    bits = (mag & 0x0f800000u) == 0u ? small : bits;
    bits = (mag & 0x0f800000u) == 0x0f800000u ? bits + 0x38000000u : bits;
    return uintBitsToFloat(bits | sign);
}
// Both halves of a word, the lower one first.
vec2 gw_halves(uint word) {
    return vec2(gw_f16_to_f32(word & 0xffffu), gw_f16_to_f32(word >> 16));
}
#endif

uint gw_f32_to_f16(float x) {
    uint u = floatBitsToUint(x), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
    if (a > 0x7f800000u) return 0x7e00u;
    if (a >= 0x477ff000u) return sign | 0x7bffu;
    if (a < 0x38800000u) {
        uint e = a >> 23;
        if (e < 102u) return sign;
        uint shift = 126u - e, m = (a & 0x7fffffu) | 0x800000u;
        uint half_ulp = 1u << (shift - 1u), q = m >> shift, rest = m & ((1u << shift) - 1u);
        if (rest > half_ulp || (rest == half_ulp && (q & 1u) != 0u)) q++;
        return sign | q;
    }
    uint q = a - 0x38000000u;
    q = q + 0xfffu + ((q >> 13) & 1u);
    return sign | (q >> 13);
}

uint gw_philox(uint seed_lo, uint seed_hi, uint counter) {
    uint c0 = counter, c1 = 0u, c2 = 0u, c3 = 0u, k0 = seed_lo, k1 = seed_hi;
    for (int i = 0; i < 10; i++) {
        uint h0, l0, h1, l1;
        umulExtended(0xd2511f53u, c0, h0, l0);
        umulExtended(0xcd9e8d57u, c2, h1, l1);
        uint n0 = h1 ^ c1 ^ k0, n2 = h0 ^ c3 ^ k1;
        c1 = l1;
        c3 = l0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return c0;
}

#endif
