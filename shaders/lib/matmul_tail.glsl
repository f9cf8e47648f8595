// What follows a product, made in its launch: of each group of 32 results the workgroup that ends last makes
// what the next op would (engine/ops/matmul_tail.h), from the results in memory. Nobody waits: a workgroup that
// is not the last one is done. A part of lib/matmul_rows.glsl.
//   NORM: rms_norm, folded: y * w (w in row_scale's place), and each row's scale, by whom ends last of all.
//   SILU: silu_mul of the first half of the rows, the gate, and the second.
// Results are q8_act where TAIL_Q8, else floats. All places are words of y's binding, which is the whole arena.
// Counters are 0 before a launch, and after it.
// Shared memory: 64 * COLS + 1,032 bytes.
#ifndef GW_LIB_MATMUL_TAIL
#define GW_LIB_MATMUL_TAIL

#include "lib/q8_act.glsl"

const uint TAIL_NORM = 1u, TAIL_SILU = 2u;
const uint TAIL_BLOCKS = 256u; // of 8 groups, of a row
shared uint tail_tops[TAIL == 0u ? 1u : 8u * COLS];
shared float tail_eighths[TAIL == 0u ? 1u : 8u * COLS];
shared float tail_blocks[TAIL == 0u ? 1u : TAIL_BLOCKS];

#define GW_COUNTER(i) y[i]
#include "lib/comes_last.glsl"

float result(uint at) {
    return uintBitsToFloat(y[at]);
}
float square(uint at) {
    float v = result(at);
    return gw_mul(v, v);
}

// Element k of a group of n; at: where the group's products begin.
float tail_value(uint at, uint k, uint group, uint n_groups) {
    float a = result(at + k);
    float b = TAIL == TAIL_NORM ? row_scale[32u * group + k] : result(at + 32u * n_groups + k);
    return gw_flush(gw_mul(TAIL == TAIL_NORM ? a : gw_silu(a), b));
}

// A group of the tokens tok0 on, eight lanes a token. The sum of squares by halves (shaders/rms_norm.comp).
void tail_group(uint tok0, uint n_tok, uint group, uint n_groups) {
    for (uint first = 0u; first < 8u * n_tok; first += ALL) {
        uint job = first + gl_LocalInvocationID.x, tok = tok0 + job / 8u, j = job % 8u;
        uint at = p.y_first + tok * p.y_stride + 32u * group, to = tok * n_groups + group;
        vec4 v = vec4(0.0);
        if (job < 8u * n_tok) {
            for (uint k = 0u; k < 4u; k++) v[k] = tail_value(at, 4u * j + k, group, n_groups);
            tail_tops[job] = gw_q8_amax(0u, v);
            if (TAIL == TAIL_NORM)
                tail_eighths[job] = gw_add(gw_add(square(at + j), square(at + j + 16u)),
                                           gw_add(square(at + j + 8u), square(at + j + 24u)));
        }
        barrier();
        if (job < 8u * n_tok) {
            uint amax = 0u;
            for (uint k = 0u; k < 8u; k++) amax = max(amax, tail_tops[job - j + k]);
            float by, d = gw_q8_scale(amax, by);
            if (TAIL_Q8 != 0u) y[p.tail_y + 8u * to + j] = gw_q8_word(v, by);
            else for (uint k = 0u; k < 4u; k++) y[p.tail_y + 32u * to + 4u * j + k] = floatBitsToUint(v[k]);
            if (TAIL_Q8 != 0u && j == 0u) y[p.tail_scales + to] = floatBitsToUint(d);
            if (TAIL == TAIL_NORM && j == 0u) {
                float s[8];
                for (uint k = 0u; k < 8u; k++) s[k] = tail_eighths[job + k];
                float a = gw_add(gw_add(s[0], s[4]), gw_add(s[2], s[6]));
                a = gw_add(a, gw_add(gw_add(s[1], s[5]), gw_add(s[3], s[7])));
                y[p.tail_sums + to] = floatBitsToUint(a);
            }
        }
        barrier();
    }
}

// The scale of a row of x by its groups' sums: 8 groups in order, then these blocks.
void tail_row(uint tok, uint n_groups) {
    uint id = gl_LocalInvocationID.x, blocks = (n_groups + 7u) / 8u, first = p.tail_sums + tok * n_groups;
    for (uint b = id; b < blocks; b += ALL) {
        float s = 0.0;
        for (uint u = 8u * b; u < min(8u * b + 8u, n_groups); u++) s = gw_add(s, result(first + u));
        tail_blocks[b] = s;
    }
    barrier();
    if (id == 0u) {
        float sum = 0.0;
        for (uint b = 0u; b < blocks; b++) sum = gw_add(sum, tail_blocks[b]);
        float v = gw_add(gw_mul(sum, p.inv_n), p.eps);
        y[p.tail_row_scales + tok] = floatBitsToUint(v < 8.271806e-25 ? 0.0 : gw_flush(gw_rsqrt(v)));
    }
    barrier();
}

// After the stores of a workgroup of rows row0 on and tokens tok0 on.
void tail(uint row0, uint tok0) {
    uint halves = TAIL == TAIL_SILU ? 2u : 1u, n_groups = p.n_rows / 32u / halves, group = row0 / 32u % n_groups;
    uint counters = p.counters + gl_WorkGroupID.y * (n_groups + 1u), n_tok = min(COLS, p.n_tok - tok0);
    if (!gw_comes_last(counters + 1u + group, halves * 32u / ROWS)) return;
    tail_group(tok0, n_tok, group, n_groups);
    if (TAIL != TAIL_NORM || !gw_comes_last(counters, n_groups)) return;
    for (uint c = 0u; c < n_tok; c++) tail_row(tok0 + c, n_groups);
}

#endif
