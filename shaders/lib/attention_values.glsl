// Attention's sums over a block: l, and p * v for 4 dimensions of a unit of keys; of caches in f32 and f16 by
// floats, of q8_0 by integers. A part of shaders/attention.comp, which declares what is used here.
#ifndef GW_LIB_ATTENTION_VALUES
#define GW_LIB_ATTENTION_VALUES

#ifdef GW_V_Q8

bool sees(uint key, uint i) {
    return key >= q_lo[i] && key <= q_last[i];
}

// Of a unit, the sum of p in 2^-21 and the largest p * scale.
void add_p() {
    for (uint job = lane; job < UNITS * QUERIES; job += LANES) {
        uint u = job / QUERIES, i = job % QUERIES, top = 0u;
        int sum = 0;
        for (uint k = 0u; k < UNIT && u >= unit_a && u <= unit_b; k++) {
            float w = p_at(u, k, i);
            if (!sees(block0 + u * UNIT + k, i)) continue;
            // gw_round(w * 2^21): 6 is 1.5 * 2^23 in these.
            sum += gw_is_nan(w) ? 0 : int(floatBitsToUint(gw_add(w, 6.0)) - 0x40c00000u);
            top = max(top, floatBitsToUint(gw_mul(w, v_scales[u * UNIT + k])) & 0x7fffffffu);
        }
        sums[job] = sum;
        tops[job] = uintBitsToFloat(top);
    }
}
float sum_of(uint i) {
    int l = 0;
    uint top = 0u;
    [[dont_unroll]] for (uint u = 0u; u < UNITS; u++) {
        l += sums[u * QUERIES + i];
        top = max(top, floatBitsToUint(tops[u * QUERIES + i]));
    }
    int f = int(top >> 23) - 126; // top < 2^f
    bool none = top == 0u || top >= GW_INF_BITS;
    up[i] = none ? 0.0 : gw_pow2(14 - f);
    down[i] = top >= GW_INF_BITS ? uintBitsToFloat(GW_NAN_BITS) : none ? 0.0 : gw_pow2(f - 14);
    return gw_mul(gw_i32_to_f32(l), 4.76837158203125e-07);
}

// P = p * scale in 14 bits, as a float.
void make_weights() {
    [[dont_unroll]] for (uint key = lane; key < BLOCK; key += LANES) {
        if (key < unit_a * UNIT || key >= (unit_b + 1u) * UNIT) continue;
        [[dont_unroll]] for (uint i = 0u; i < QUERIES; i++) {
            float w = gw_mul(ps[slot(key) + i / 4u][i % 4u], v_scales[key]);
            int n = min(gw_round(gw_mul(w, up[i])), 16383);
            ps[slot(key) + i / 4u][i % 4u] = up[i] == 0.0 || !sees(block0 + key, i) ? 0.0 : float(n);
        }
    }
}

// P . v over a unit of keys, for 4 dimensions: four products at a time are exact as floats.
VALUE acc[QUERIES];
void add_values(uint u, uint quad, bool same) {
    [[unroll]] for (uint i = 0u; i < QUERIES; i++) acc[i] = VALUE(0);
    if (u < unit_a || u > unit_b) return;
    [[dont_unroll]] for (uint k0 = 0u; k0 < UNIT; k0 += 4u) {
        uint raw[4];
        vec4 four[QUERIES];
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            raw[k] = v_cache[(base + row_of(block0 + u * UNIT + k0 + k) * stride) * 2u + quad];
        [[unroll]] for (uint i = 0u; i < QUERIES; i++) four[i] = vec4(0.0);
        [[unroll]] for (uint k = 0u; k < 4u; k++) {
            uint at = (u * (UNIT + 1u) + k0 + k) * FOURS;
            vec4 v = bytes(raw[k]), w[FOURS];
            [[unroll]] for (uint f = 0u; f < FOURS; f++) w[f] = QUERIES == 1u ? vec4(ps[at].x) : ps[at + f];
            [[unroll]] for (uint i = 0u; i < QUERIES; i++)
                four[i] = gw_add4(four[i], gw_mul4(v, w[i / 4u][i % 4u]));
        }
        [[unroll]] for (uint i = 0u; i < QUERIES; i++) acc[i] += ivec4(four[i]);
    }
}
VALUE more(VALUE a, VALUE b) {
    return a + b;
}
// A result of the block, of query i.
vec4 block_o(VALUE o, uint i) {
    vec4 f = vec4(gw_i32_to_f32(o.x), gw_i32_to_f32(o.y), gw_i32_to_f32(o.z), gw_i32_to_f32(o.w));
    return gw_flush4(gw_mul4(f, down[i]));
}

#else

// l, a unit at a time: by halves.
void add_p() {
    for (uint job = lane; job < UNITS * QUERIES; job += LANES) {
        uint u = job / QUERIES, i = job % QUERIES;
        float s[16];
        if (u >= unit_a && u <= unit_b) {
            [[unroll]] for (uint k = 0u; k < 16u; k++) s[k] = gw_add(p_at(u, k, i), p_at(u, k + 16u, i));
            [[unroll]] for (uint h = 8u; h > 0u; h /= 2u)
                [[unroll]] for (uint k = 0u; k < h; k++) s[k] = gw_add(s[k], s[k + h]);
        } else {
            s[0] = 0.0;
        }
        sums[job] = s[0];
    }
}
float sum_of(uint i) {
    float l = sums[i];
    [[dont_unroll]] for (uint u = 1u; u < UNITS; u++) l = gw_add(l, sums[u * QUERIES + i]);
    return l;
}

// p . v over a unit of keys, for 4 dimensions. same: each query sees what any of them sees; else
// what is hidden from one has p = 0 and perhaps no finite v. Keys beyond lo and last have p = 0: any v
// that all see will do.
vec4 acc[QUERIES];
vec4 value(uvec2 a, uvec2 b) {
    return V_TYPE == F16 ? gw_halves4(a) : uintBitsToFloat(uvec4(a, b));
}
void load_value(uint key, uint quad, out uvec2 a, out uvec2 b) {
    uint at = (base + row_of(key) * stride) * 2u + quad;
    b = uvec2(0u);
    if (V_TYPE == F16) {
        a = v_cache[at];
    } else {
        a = v_cache[2u * at];
        b = v_cache[2u * at + 1u];
    }
}
void add_same(uint u, uint quad) {
    [[dont_unroll]] for (uint k0 = 0u; k0 < UNIT; k0 += 4u) {
        uvec2 a[4], b[4];
        [[unroll]] for (uint k = 0u; k < 4u; k++) load_value(block0 + u * UNIT + k0 + k, quad, a[k], b[k]);
        [[unroll]] for (uint k = 0u; k < 4u; k++) {
            uint at = (u * (UNIT + 1u) + k0 + k) * FOURS;
            vec4 v = value(a[k], b[k]), w[FOURS];
            [[unroll]] for (uint f = 0u; f < FOURS; f++) w[f] = QUERIES == 1u ? vec4(ps[at].x) : ps[at + f];
            [[unroll]] for (uint i = 0u; i < QUERIES; i++) acc[i] = gw_add4(acc[i], gw_mul4(v, w[i / 4u][i % 4u]));
        }
    }
}
void add_seen(uint u, uint quad) {
    [[dont_unroll]] for (uint k = 0u; k < UNIT; k++) {
        uvec2 a, b;
        uint key = block0 + u * UNIT + k;
        load_value(key, quad, a, b);
        vec4 v = value(a, b);
        [[unroll]] for (uint i = 0u; i < QUERIES; i++)
            if (key >= q_lo[i] && key <= q_last[i]) acc[i] = gw_add4(acc[i], gw_mul4(v, p_at(u, k, i)));
    }
}
void add_values(uint u, uint quad, bool same) {
    [[unroll]] for (uint i = 0u; i < QUERIES; i++) acc[i] = vec4(0.0);
    if (u < unit_a || u > unit_b) return;
    if (same) add_same(u, quad);
    else add_seen(u, quad);
}
VALUE more(VALUE a, VALUE b) {
    return gw_add4(a, b);
}
vec4 block_o(VALUE o, uint i) {
    return gw_flush4(o);
}

#endif

#endif
