// A row of rms_norm that lanes hold in registers while its sum is made: each element is read once, all of a
// lane's at once, and the weights with them. n is a multiple of 32, at most 4 * LANES * QUADS; x and w are vec4.
// Shared memory: 17 * LANES * QUADS bytes. A part of shaders/rms_norm.comp.
#ifndef GW_LIB_RMS_NORM_WIDE
#define GW_LIB_RMS_NORM_WIDE

shared uvec4 pool[LANES * QUADS]; // squares, bits of floats; then amax, four quads to one
shared float unit_sums[(LANES * QUADS + 7u) / 8u];
shared float block_sums[(LANES * QUADS + 63u) / 64u];

// Where the squares of a quad are: turned within a unit, so that lanes that read units side by side find
// their memory banks free.
uint slot(uint q) {
    return (q & ~7u) | ((q ^ (q >> 3)) & 7u);
}
vec4 squares(uint u, uint j) {
    return uintBitsToFloat(pool[slot(8u * u + j)]);
}

// By halves: 16, 8 and 4 apart are whole quads.
float unit_sum(uint u) {
    vec4 a = gw_add4(gw_add4(squares(u, 0u), squares(u, 4u)), gw_add4(squares(u, 2u), squares(u, 6u)));
    vec4 b = gw_add4(gw_add4(squares(u, 1u), squares(u, 5u)), gw_add4(squares(u, 3u), squares(u, 7u)));
    a = gw_add4(a, b);
    return gw_add(gw_add(a.x, a.z), gw_add(a.y, a.w));
}

float sum_of_squares(uint lane, vec4 v[QUADS]) {
    uint units = p.n / 32u, blocks = (units + 7u) / 8u;
    [[unroll]] for (uint k = 0u; k < QUADS; k++)
        pool[slot(lane + k * LANES)] = floatBitsToUint(gw_mul4(v[k], v[k]));
    barrier();
    for (uint u = lane; u < units; u += LANES) unit_sums[u] = unit_sum(u);
    barrier();
    for (uint b = lane; b < blocks; b += LANES) {
        float s = 0.0;
        for (uint u = 8u * b; u < min(8u * b + 8u, units); u++) s = gw_add(s, unit_sums[u]);
        block_sums[b] = s;
    }
    barrier();
    float sum = 0.0;
    for (uint b = 0u; b < blocks; b++) sum = gw_add(sum, block_sums[b]);
    return sum;
}

void store_q8(uint lane, uint row, vec4 v[QUADS]) {
    [[unroll]] for (uint k = 0u; k < QUADS; k++) {
        uint q = lane + k * LANES;
        pool[q / 4u][q % 4u] = gw_q8_amax(0u, v[k]);
    }
    barrier();
    [[unroll]] for (uint k = 0u; k < QUADS; k++) {
        uint q = lane + k * LANES;
        if (4u * q < p.n) {
            uvec4 tops = max(pool[q / 8u * 2u], pool[q / 8u * 2u + 1u]);
            float by, d = gw_q8_scale(max(max(tops.x, tops.y), max(tops.z, tops.w)), by);
            y[row * (p.n / 4u) + q] = gw_q8_word(v[k], by);
            if (q % 8u == 0u) y_scales[row * (p.n / 32u) + q / 8u] = d;
        }
    }
}

void main() {
    uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x, lane = gl_LocalInvocationID.x;
    if (row >= p.n_rows) return;
    vec4 v[QUADS], by[QUADS];
    uint x0 = row_first(row) / 4u;
    [[unroll]] for (uint k = 0u; k < QUADS; k++) {
        uint q = min(lane + k * LANES, p.n / 4u - 1u);
        v[k] = x[x0 + q];
        by[k] = w[q];
    }
    float mean = gw_add(gw_mul(sum_of_squares(lane, v), p.inv_n), p.eps);
    float scale = mean < 8.271806e-25 ? 0.0 : gw_flush(gw_rsqrt(mean));
    if (p.folded != 0u && lane == 0u) row_scale[row] = scale;
    [[unroll]] for (uint k = 0u; k < QUADS; k++) {
        if (p.folded == 0u) v[k] = gw_flush4(gw_mul4(v[k], vec4(scale)));
        v[k] = gw_flush4(gw_mul4(v[k], by[k]));
    }
    if (QUANTIZE != 0u) {
        store_q8(lane, row, v);
        return;
    }
    [[unroll]] for (uint k = 0u; k < QUADS; k++) {
        uint q = lane + k * LANES;
        if (4u * q < p.n)
            for (uint i = 0u; i < 4u; i++) y[row * p.n + 4u * q + i] = floatBitsToUint(v[k][i]);
    }
}

#endif
