// Exact: the arithmetic of the contract in GLSL, the twin of engine/base/exact.h, name for name.
// Only single fp32 + - * (precise: never contracted) and integer operations; see docs/NUMERICS.md.
#ifndef GW_LIB_EXACT
#define GW_LIB_EXACT

const uint GW_TINY_BITS = 0x2b800000u; // 2^-40
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

float gw_rcp(float x) {
    uint u = floatBitsToUint(x);
    float a = uintBitsToFloat(u & 0x7fffffffu);
    float y = uintBitsToFloat(0x7ef311c7u - (u & 0x7fffffffu));
    for (int i = 0; i < 3; i++) y = gw_mul(y, gw_sub(2.0, gw_mul(a, y)));
    return uintBitsToFloat(floatBitsToUint(y) | (u & 0x80000000u));
}

float gw_rsqrt(float x) {
    float h = gw_mul(0.5, x);
    float y = uintBitsToFloat(0x5f375a86u - (floatBitsToUint(x) >> 1));
    for (int i = 0; i < 3; i++) y = gw_mul(y, gw_sub(1.5, gw_mul(h, gw_mul(y, y))));
    return y;
}

int gw_round(float x) {
    return int(floatBitsToUint(gw_add(x, 12582912.0)) - 0x4b400000u);
}

float gw_exp(float x) {
    bool tiny = x < -27.7;
    x = x < 60.0 ? x : 60.0;
    x = tiny ? 0.0 : x;
    int n = gw_round(gw_mul(x, 1.44269504));
    float f = float(n);
    float r = gw_sub(gw_sub(x, gw_mul(f, 0.693359375)), gw_mul(f, -2.12194440e-4));
    float p = 1.9875691500e-4;
    p = gw_add(gw_mul(p, r), 1.3981999507e-3);
    p = gw_add(gw_mul(p, r), 8.3334519073e-3);
    p = gw_add(gw_mul(p, r), 4.1665795894e-2);
    p = gw_add(gw_mul(p, r), 1.6666665459e-1);
    p = gw_add(gw_mul(p, r), 5.0000001201e-1);
    p = gw_add(gw_add(gw_mul(p, gw_mul(r, r)), r), 1.0);
    return tiny ? 0.0 : uintBitsToFloat(floatBitsToUint(p) + (uint(n) << 23));
}

float gw_silu(float x) {
    bool low = x < -27.5;
    float e = gw_add(1.0, gw_exp(low ? 27.5 : gw_sub(0.0, x)));
    float s = low ? 0.0 : gw_rcp(e);
    return gw_flush(gw_mul(x, s));
}

#ifdef GW_FP16
// The device's own widening, which is exact; of subnormal halves, too, since they are kept (DenormPreserve 16).
spirv_execution_mode(capabilities = [4464], 4459, 16);
float gw_f16_to_f32(uint h) {
    return float(unpackFloat2x16(h).x);
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
