// One block of keys for up to QUERIES heads of a token (PART of shaders/attention.comp) as GPUs like it: a
// lane takes the chain of 32 dimensions of a key, so that the keys of the block are on their way at once; then
// a lane owns a key; then 4 dimensions of a unit of 32 values, which were asked for before the scores were done.
// Where COMBINES, the workgroup that ends last of those with the same queries then does what COMBINE does.
// Caches in f32 and f16. LANES: a power of two from 64 on. Shared memory: 4 * (QUERIES * max(264 * CHAINS,
// 8 * HEAD_DIM) + 36 * QUERIES * CHAINS + 280 * QUERIES) bytes.
#ifndef GW_LIB_ATTENTION_SPLIT
#define GW_LIB_ATTENTION_SPLIT

const uint CHAINS = (HEAD_DIM + 31u) / 32u;
const uint CHAIN_LANES = CHAINS > 4u ? 8u : CHAINS > 2u ? 4u : CHAINS; // side by side, a key's
const uint CHAIN_ROUNDS = (CHAINS + CHAIN_LANES - 1u) / CHAIN_LANES; // of heads of more than 256
const uint KEY_LANES = LANES / CHAIN_LANES;
const uint MOST = K_TYPE == F16 ? 4u : 2u, ALL = BLOCK > KEY_LANES ? BLOCK / KEY_LANES : 1u;
const uint SOME = ALL < MOST ? ALL : MOST; // keys of a lane at a time
const uint ROW = BLOCK + 8u, STEP = 9u;    // of sums and queries in shared memory, for the banks
const uint OWN_KEYS = LANES < BLOCK ? BLOCK / LANES : 1u;
// Lanes to spare share out the queries.
const uint SPARE = LANES / (UNITS * QUADS);
const uint SHARES = SPARE >= QUERIES ? QUERIES : SPARE >= 4u ? 4u : SPARE >= 2u ? 2u : 1u;
const uint EACH = QUERIES / SHARES;
const uint PASSES = (UNITS * QUADS * SHARES + LANES - 1u) / LANES;
const uint AHEAD = V_TYPE == F16 ? 32u : 16u; // values
const bool EARLY = V_TYPE == F16 && PASSES == 1u;
const uint SUMS = CHAINS * ROW / 4u > UNITS * QUADS ? CHAINS * ROW / 4u : UNITS * QUADS;

shared vec4 qs[QUERIES * CHAINS * STEP];
shared vec4 pool[QUERIES * SUMS];       // sums of chains; then of values, a unit each
shared uvec4 ps[BLOCK * QUERIES / 4u];  // exponents of scores, a query each; then p: bits
shared ivec4 tops[QUERIES * 4u];
shared float sums[UNITS * QUERIES];
uint lane;
uint from, to; // keys of the block that the token sees
uint row0;     // of the block in the caches, in heads


uint head_row(uint key) {
    return row0 + clamp(key, from, to) * p.n_head_kv;
}

// Chain c of the keys first + n * KEY_LANES, all asked for at once; a query is read once for all of them.
void add_some(uint c, uint first) {
    uvec4 raw[16];
    float chain[SOME * QUERIES];
    [[unroll]] for (uint n = 0u; n < SOME; n++) {
        uint at = head_row(first + n * KEY_LANES) * PIECES;
        [[unroll]] for (uint k = 0u; k < 4u; k++) {
            uint piece = at + min(c * 4u + k, PIECES - 1u);
            if (K_TYPE == F16) {
                raw[n * 4u + k] = k_cache[piece];
            } else {
                raw[n * 8u + 2u * k] = k_cache[2u * piece];
                raw[n * 8u + 2u * k + 1u] = k_cache[2u * piece + 1u];
            }
        }
    }
    [[unroll]] for (uint n = 0u; n < SOME * QUERIES; n++) chain[n] = 0.0;
    [[unroll]] for (uint k = 0u; k < 4u; k++) {
        if (PIECES % 4u == 0u || c * 4u + k < PIECES) {
            [[unroll]] for (uint h = 0u; h < 2u; h++) {
                vec4 a[QUERIES];
                [[unroll]] for (uint i = 0u; i < QUERIES; i++) a[i] = qs[(i * CHAINS + c) * STEP + 2u * k + h];
                [[unroll]] for (uint n = 0u; n < SOME; n++) {
                    vec4 x = K_TYPE == F16 ? gw_halves4(h == 0u ? raw[n * 4u + k].xy : raw[n * 4u + k].zw)
                                           : uintBitsToFloat(raw[(n * 8u + 2u * k + h) % 16u]);
                    [[unroll]] for (uint i = 0u; i < QUERIES; i++)
                        chain[n * QUERIES + i] = gw_add_dot(chain[n * QUERIES + i], a[i], x);
                }
            }
        }
    }
    [[unroll]] for (uint n = 0u; n < SOME; n++) {
        uint key = first + n * KEY_LANES;
        [[unroll]] for (uint i = 0u; i < QUERIES; i++) {
            uint at = (i * CHAINS + c) * ROW + key;
            if (key < BLOCK) pool[at / 4u][at % 4u] = chain[n * QUERIES + i];
        }
    }
}
void add_chains() {
    [[dont_unroll]] for (uint first = 0u; first < BLOCK; first += SOME * KEY_LANES) {
        [[unroll]] for (uint n = 0u; n < CHAIN_ROUNDS; n++) {
            uint c = lane % CHAIN_LANES + n * CHAIN_LANES;
            if (first <= to && first + SOME * KEY_LANES > from && c < CHAINS) add_some(c, first + lane / CHAIN_LANES);
        }
    }
}

float ts[OWN_KEYS * QUERIES];
void make_scores() {
    [[unroll]] for (uint m = 0u; m < OWN_KEYS; m++) {
        uint key = lane + m * LANES;
        [[unroll]] for (uint i = 0u; i < QUERIES; i++) {
            float dot_ = 0.0;
            [[unroll]] for (uint c = 0u; c < CHAINS; c++) {
                uint at = (i * CHAINS + c) * ROW + min(key, BLOCK - 1u);
                dot_ = gw_add(dot_, pool[at / 4u][at % 4u]);
            }
            float t = cut(dot_, key >= from && key <= to);
            ts[m * QUERIES + i] = t;
            if (key < BLOCK) ps[i * (BLOCK / 4u) + key / 4u][key % 4u] = uint(gw_round(t));
        }
    }
}
void find_tops() {
    for (uint j = lane; j < QUERIES * 16u; j += LANES) {
        ivec4 a = max(max(ivec4(ps[4u * j]), ivec4(ps[4u * j + 1u])),
                      max(ivec4(ps[4u * j + 2u]), ivec4(ps[4u * j + 3u])));
        tops[j / 4u][j % 4u] = max(max(a.x, a.y), max(a.z, a.w));
    }
}
int exponent_of(uint i) {
    ivec4 a = max(max(tops[4u * i], tops[4u * i + 1u]), max(tops[4u * i + 2u], tops[4u * i + 3u]));
    return max(max(a.x, a.y), max(a.z, a.w));
}
// Where p of a query is for the block's first key; those of the next keys follow EACH apart.
uint p_first(uint i) {
    return i / EACH * (BLOCK * EACH) + i % EACH;
}
void make_p() {
    [[unroll]] for (uint i = 0u; i < QUERIES; i++) {
        int e = exponent_of(i);
        [[unroll]] for (uint m = 0u; m < OWN_KEYS; m++) {
            uint key = lane + m * LANES, at = p_first(i) + key * EACH;
            if (key < BLOCK) ps[at / 4u][at % 4u] = p_bits(ts[m * QUERIES + i], e);
        }
    }
}
// l, a unit at a time: by halves.
void add_p() {
    for (uint job = lane; job < UNITS * QUERIES; job += LANES) {
        uint u = job / QUERIES, first = p_first(job % QUERIES) + u * UNIT * EACH;
        float s[32];
        [[unroll]] for (uint k = 0u; k < 32u; k++) {
            uint at = first + k * EACH;
            s[k] = uintBitsToFloat(ps[at / 4u][at % 4u]);
        }
        [[unroll]] for (uint h = 16u; h > 0u; h /= 2u)
            [[unroll]] for (uint k = 0u; k < h; k++) s[k] = gw_add(s[k], s[k + h]);
        sums[job] = s[0];
    }
}

// A lane's part of the values: 4 dimensions of a unit, for EACH queries.
uvec2 va[AHEAD], vb[V_TYPE == F16 ? 1u : AHEAD];
void load_value(uint k, uint at) {
    if (V_TYPE == F16) {
        va[k] = v_cache[at];
    } else {
        va[k] = v_cache[2u * at];
        vb[k] = v_cache[2u * at + 1u];
    }
}
void load_values(uint u, uint quad, uint k0) {
    uint step = p.n_head_kv * QUADS, first = u * UNIT + k0, at = row0 * QUADS + first * step + quad;
    if (first >= from && first + AHEAD <= to + 1u) {
        [[unroll]] for (uint k = 0u; k < AHEAD; k++) load_value(k, at + k * step);
    } else {
        [[unroll]] for (uint k = 0u; k < AHEAD; k++) load_value(k, head_row(first + k) * QUADS + quad);
    }
}
vec4 acc[EACH];
// Keys that are hidden have p = 0: any v that the token sees will do.
void add_values(uint u, uint part, uint k0) {
    [[unroll]] for (uint k = 0u; k < AHEAD; k += 4u) {
        vec4 w[EACH];
        uint at = (part * BLOCK + u * UNIT + k0 + k) * EACH / 4u;
        [[unroll]] for (uint n = 0u; n < EACH; n++) w[n] = uintBitsToFloat(ps[at + n]);
        [[unroll]] for (uint j = 0u; j < 4u; j++) {
            vec4 v = V_TYPE == F16 ? gw_halves4(va[k + j])
                                   : uintBitsToFloat(uvec4(va[k + j], vb[V_TYPE == F16 ? 0u : k + j]));
            [[unroll]] for (uint i = 0u; i < EACH; i++)
                acc[i] = gw_add4(acc[i], gw_mul4(v, w[(j * EACH + i) / 4u][(j * EACH + i) % 4u]));
        }
    }
}
void sum_values() {
    [[dont_unroll]] for (uint pass = 0u; pass < PASSES; pass++) {
        uint job = lane + pass * LANES, quad = job % QUADS, u = job / QUADS % UNITS, part = job / QUADS / UNITS;
        [[unroll]] for (uint i = 0u; i < EACH; i++) acc[i] = vec4(0.0);
        if (part < SHARES && u >= from / UNIT && u <= to / UNIT) {
            if (EARLY) {
                add_values(u, part, 0u);
            } else {
                [[dont_unroll]] for (uint k0 = 0u; k0 < UNIT; k0 += AHEAD) {
                    load_values(u, quad, k0);
                    add_values(u, part, k0);
                }
            }
        }
        [[unroll]] for (uint i = 0u; i < EACH; i++)
            if (part < SHARES) pool[(u * QUERIES + part * EACH + i) * QUADS + quad] = acc[i];
    }
}

uint parts_first() {
    return COMBINES != 0u ? p.parts_first : 0u;
}
uint sides_first() {
    return parts_first() + p.n_tok * p.n_head * p.n_blocks * HEAD_DIM;
}

// row: of query 0.
void store(uint row, uint n, uint b) {
    uint side = sides_first();
    for (uint o = lane; o < n * QUADS; o += LANES) {
        uint i = o / QUADS, quad = o % QUADS, at = (row + i) * p.n_blocks + b;
        vec4 own = vec4(0.0);
        [[unroll]] for (uint u = 0u; u < UNITS; u++) own = gw_add4(own, pool[(u * QUERIES + i) * QUADS + quad]);
        [[unroll]] for (uint k = 0u; k < 4u; k++)
            parts[parts_first() + at * HEAD_DIM + quad * 4u + k] = floatBitsToUint(gw_flush(own[k]));
        if (quad == 0u) {
            float l = sums[i];
            [[unroll]] for (uint u = 1u; u < UNITS; u++) l = gw_add(l, sums[u * QUERIES + i]);
            parts[side + 2u * at] = floatBitsToUint(l);
            parts[side + 2u * at + 1u] = uint(exponent_of(i));
        }
    }
}

#define GW_COUNTER(i) parts[i]
#include "lib/comes_last.glsl"

const uint EACH_O = (QUERIES * HEAD_DIM + LANES - 1u) / LANES; // dimensions of a lane, LANES apart
const uint PARTS_AHEAD = EACH_O > 4u ? 2u : EACH_O > 2u ? 4u : 8u;

// Of n queries, whose parts of blocks first .. last are there.
void combine(uint row, uint n, uint first, uint last) {
    float o[EACH_O], l[EACH_O];
    int e[EACH_O];
    uint side = sides_first();
    [[unroll]] for (uint m = 0u; m < EACH_O; m++) {
        o[m] = l[m] = 0.0;
        e[m] = int(HIDDEN);
    }
    [[dont_unroll]] for (uint b0 = first; b0 <= last; b0 += PARTS_AHEAD) {
        uint more[PARTS_AHEAD * EACH_O], more_l[PARTS_AHEAD * EACH_O], more_e[PARTS_AHEAD * EACH_O];
        [[unroll]] for (uint k = 0u; k < PARTS_AHEAD; k++) {
            [[unroll]] for (uint m = 0u; m < EACH_O; m++) {
                uint d = lane + m * LANES;
                uint at = (row + min(d / HEAD_DIM, n - 1u)) * p.n_blocks + min(b0 + k, last);
                more[k * EACH_O + m] = parts[parts_first() + at * HEAD_DIM + d % HEAD_DIM];
                more_l[k * EACH_O + m] = parts[side + 2u * at];
                more_e[k * EACH_O + m] = parts[side + 2u * at + 1u];
            }
        }
        // Past the last part nothing is added, by numbers: a branch would keep loads from running ahead.
        [[unroll]] for (uint k = 0u; k < PARTS_AHEAD; k++) {
            bool is = b0 + k <= last;
            [[unroll]] for (uint m = 0u; m < EACH_O; m++) {
                uint i = k * EACH_O + m;
                int of = is ? int(more_e[i]) : int(HIDDEN), top = max(e[m], of);
                float a = pow2_or_0(e[m] - top), c = pow2_or_0(of - top);
                l[m] = gw_add(gw_mul(l[m], a), gw_mul(is ? uintBitsToFloat(more_l[i]) : 0.0, c));
                o[m] = gw_flush(gw_add(gw_mul(o[m], a), gw_mul(is ? uintBitsToFloat(more[i]) : 0.0, c)));
                e[m] = top;
            }
        }
    }
    [[unroll]] for (uint m = 0u; m < EACH_O; m++) {
        uint d = lane + m * LANES;
        if (d < n * HEAD_DIM) pool[d / 4u][d % 4u] = gw_flush(gw_mul(o[m], gw_rcp(l[m])));
    }
    barrier();
    for (uint at = lane; at < n * p.out_dim && QUANTIZE == 0u; at += LANES) {
        uint i = at / p.out_dim, d = i * HEAD_DIM + at % p.out_dim;
        parts[p.y_first + row * p.out_dim + at] = floatBitsToUint(pool[d / 4u][d % 4u]);
    }
    uint groups = p.out_dim / 32u;
    for (uint at = lane; at < n * groups && QUANTIZE != 0u; at += LANES) {
        uint first_quad = at / groups * QUADS + at % groups * 8u, to_ = row * groups + at, amax = 0u;
        float by;
        [[unroll]] for (uint k = 0u; k < 8u; k++) amax = gw_q8_amax(amax, pool[first_quad + k]);
        parts[p.y_scales_first + to_] = floatBitsToUint(gw_q8_scale(amax, by));
        [[unroll]] for (uint k = 0u; k < 8u; k++)
            parts[p.y_first + 8u * to_ + k] = gw_q8_word(pool[first_quad + k], by);
    }
}

void main() {
    lane = gl_LocalInvocationID.x;
    uint share = p.n_head / p.n_head_kv, tiles = (share + QUERIES - 1u) / QUERIES;
    uint t = gl_WorkGroupID.y / tiles, first = gl_WorkGroupID.y % tiles * QUERIES;
    uint b = gl_WorkGroupID.z, lo, last;
    uint page = pages[(p.paged != 0u ? t * p.n_blocks : 0u) + b], row = t * p.n_head + gl_WorkGroupID.x * share + first;
    for (uint n = lane; n < QUERIES * QUADS; n += LANES) {
        uint i = n / QUADS, quad = n % QUADS;
        qs[(i * CHAINS + quad / 8u) * STEP + quad % 8u] = q[(row + min(i, share - first - 1u)) * QUADS + quad];
    }
    see(t, lo, last);
    if (b < lo / BLOCK || b > last / BLOCK) return;
    from = max(lo, b * BLOCK) - b * BLOCK;
    to = min(last - b * BLOCK, BLOCK - 1u);
    row0 = page * BLOCK * p.n_head_kv + gl_WorkGroupID.x;
    barrier();
    add_chains();
    if (EARLY) load_values(lane / QUADS % UNITS, lane % QUADS, 0u);
    barrier();
    make_scores();
    barrier();
    find_tops();
    barrier();
    make_p();
    barrier();
    add_p();
    sum_values();
    barrier();
    store(row, min(QUERIES, share - first), b);
    if (COMBINES == 0u) return;
    uint counter = p.counters + gl_WorkGroupID.y * p.n_head_kv + gl_WorkGroupID.x;
    if (gw_comes_last(counter, last / BLOCK - lo / BLOCK + 1u))
        combine(row, min(QUERIES, share - first), lo / BLOCK, last / BLOCK);
}

#endif
