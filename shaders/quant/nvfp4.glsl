// nvfp4: a byte for each 16 weights, the scale as ue4m3; four bit planes of codes (lib/iq.glsl).
#include "lib/iq.glsl"

// Half of it, since values are twice what they are. Exponent 0: mantissa * 2^-9. No code is NaN's.
float nvfp4_scale(uint code) {
    uint low = code & 7u, e = (code >> 3) & 15u;
    float small = gw_mul(float(low), 0.0009765625);
    return e == 0u ? small : uintBitsToFloat(((e + 119u) << 23) | (low << 20));
}

void nvfp4_unit(gw_block block, uint j, out gw_unit unit) {
    gw_fp4_values(gw_rec4(block, 4u + 4u * j), unit.w);
    uint scales = gw_rec_half(block, 0u, j);
    unit.d = nvfp4_scale(scales & 0xffu);
    unit.m = nvfp4_scale(scales >> 8);
    gw_no_scales(unit);
    unit.z0 = unit.z1 = 0;
}
