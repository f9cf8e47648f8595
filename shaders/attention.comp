// attention: softmax(q K^T * scale) V over a token's past, grouped query, causal, sliding window
// q: [n_tok, n_head, head_dim] f32; k_cache, v_cache: [n_rows, n_head_kv, head_dim], each f32, f16 (two to a
// word) or q8_0 (engine/ops/kv.h: quants, then scales); pos: [n_tok] i32; pages: [n_blocks] i32, the 256 rows of
// the caches in which block b of the keys lies, for all tokens or (paged) for each; y: [n_tok, n_head * out_dim]
// f32, or q8_act (quants in y, scales in y_scales). out_dim: head_dim, or less where heads have zeros behind. parts: [n_tok, n_head, n_blocks, head_dim] f32,
// then [n_tok, n_head, n_blocks, 2]: l, and E as int.
//
// Queries that share a KV head (a token's heads side by side, then the next token's) are worked on QUERIES at a
// time. One workgroup, by GW_MODE, a module each (drivers then have little to compile): WALK: QUERIES queries over
// all blocks of 256 keys; PART: over one block, whose result goes to parts; COMBINE: one query, its parts in
// ascending order.
// In a block: a lane owns KEYS keys at a time for the scores; then a lane owns 4 dimensions, and where there
// are lanes for more, PARTS groups of lanes take a unit of 32 keys each, whose sums pass through shared memory,
// EXCHANGE queries at a time. With q8_0 keys the queries are quantized, too, and integers are added as floats
// as long as these hold them; q8_0 values (GW_V_Q8, modules of their own) are added as integers.
// GW_SPLIT and GW_TILE (lib/attention_split.glsl, lib/attention_tile.glsl) are PART and WALK for GPUs.
// Specialization: HEAD_DIM (multiple of 8, <= 256), K_TYPE, QUANTIZE 0 or 1, LANES, QUERIES (1 to 8), KEYS (1, 2 or
// 4; of COMBINE the parts that are read ahead), EXCHANGE, V_TYPE. Shared memory: 4 * QUERIES * HEAD_DIM + 4224 * ceil(QUERIES / 4) + 92 * QUERIES bytes,
// 4 * PARTS * HEAD_DIM * EXCHANGE where PARTS > 1, for q8_0 keys 4 * QUERIES * ceil(HEAD_DIM / 32), for q8_0
// values 1024 + 8 * QUERIES. Floor: Vulkan 1.2.
// Loops over arrays of a lane have no continue: Mesa does not unroll those, and an array with an index that is not
// constant is memory, written lane by lane (which LLVM 19 cannot compile at times, docs/QUIRKS.md).
// Order of sums: docs/NUMERICS.md.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#ifdef GW_FP16
#extension GL_EXT_spirv_intrinsics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#endif

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint HEAD_DIM = 64u;
layout(constant_id = 4) const uint K_TYPE = 0u; // 0 f32, 1 f16, 2 q8_0
layout(constant_id = 5) const uint QUANTIZE = 0u;
layout(constant_id = 6) const uint LANES = 32u; // the workgroup: gl_WorkGroupSize sizes no array on Metal
layout(constant_id = 7) const uint QUERIES = 4u;
layout(constant_id = 8) const uint KEYS = 1u;
layout(constant_id = 9) const uint EXCHANGE = 1u;
layout(constant_id = 10) const uint V_TYPE = 0u;
layout(constant_id = 11) const uint CAPPED = 0u; // scores are soft-capped
layout(constant_id = 12) const uint SINKS = 0u;  // heads have sinks
layout(constant_id = 13) const uint COMBINES = 0u; // of GW_SPLIT: the workgroup of a query that ends last combines

#define GW_WALK 0
#define GW_PART 1
#define GW_COMBINE 2
#ifndef GW_MODE
#define GW_MODE GW_WALK
#endif

#if GW_MODE == GW_COMBINE
layout(binding = 0) readonly buffer Pos { uint pos[]; };
layout(binding = 1) readonly buffer Parts { uint parts[]; };
layout(binding = 2) buffer Y { uint y[]; };
layout(binding = 3) buffer YScales { float y_scales[]; };
layout(binding = 4) readonly buffer Sinks { float sinks[]; };
#else
layout(binding = 0) readonly buffer Q { vec4 q[]; };
layout(binding = 1) readonly buffer KCache { uvec4 k_cache[]; };
#ifdef GW_V_Q8
layout(binding = 2) readonly buffer VCache { uint v_cache[]; };
#else
layout(binding = 2) readonly buffer VCache { uvec2 v_cache[]; };
#endif
layout(binding = 3) readonly buffer Pos { uint pos[]; };
layout(binding = 4) readonly buffer Pages { uint pages[]; };
#ifdef GW_SPLIT
layout(binding = 5) coherent buffer Parts { uint parts[]; }; // where COMBINES all of the arena
#elif GW_MODE == GW_PART
layout(binding = 5) buffer Parts { uint parts[]; };
#else
layout(binding = 5) buffer Y { uint y[]; };
layout(binding = 6) buffer YScales { float y_scales[]; };
layout(binding = 7) readonly buffer Sinks { float sinks[]; };
#endif
#endif

layout(push_constant) uniform Params {
    uint n_tok, n_head, n_head_kv, head_dim;
    float scale2;
    uint window;
    uint k_type, v_type;
    uint quantize;
    uint out_dim;
    uint n_rows; // of the caches
    uint n_ctx;  // keys that a token may see
    uint mode;
    uint n_blocks;
    uint first, end; // queries of a KV head
    uint paged; // 1: each token has its own pages, and no workgroup works on two tokens
    float cap2; // where CAPPED: a score s is cap2 * tanh(s)
    uint has_sinks;
    uint parts_first, counters, y_first, y_scales_first; // where COMBINES: words of the arena
} p;

const uint F16 = 1u, Q8 = 2u;
const uint BLOCK = 256u, UNIT = 32u, UNITS = 8u;
const uint PIECES = HEAD_DIM / 8u, QUADS = HEAD_DIM / 4u;
const float CUT = 1048576.0;     // 2^20
const float NAN_SCORE = 2097152.0;
const float HIDDEN = -2097152.0;
const int LOWEST = -40;

#include "lib/exact4.glsl"
#include "lib/exact_math.glsl"
#include "lib/q8_act.glsl"

float pow2_or_0(int k) {
    return k < LOWEST ? 0.0 : gw_pow2(k);
}

void see(uint t, out uint from, out uint to) {
    to = min(pos[t], p.n_ctx - 1u);
    from = p.window != 0u && to >= p.window ? to - p.window + 1u : 0u;
}

#if GW_MODE != GW_PART
// l with a head's sink, a last block of one key whose value is 0; keep: what o is multiplied by.
float add_sink(uint head, int e, float l, out float keep) {
    keep = 1.0;
    if (SINKS == 0u) return l;
    float t = gw_flush(gw_mul(sinks[head], 1.44269504));
    t = t > CUT ? CUT : t;
    t = t < -CUT ? -CUT : t;
    float whole = gw_sub(gw_add(t, 12582912.0), 12582912.0); // float(gw_round(t)), without a conversion
    int of = gw_round(t), top = max(e, of);
    keep = pow2_or_0(e - top);
    return gw_add(gw_mul(l, keep), gw_mul(gw_exp2_part(gw_sub(t, whole)), pow2_or_0(of - top)));
}
vec4 kept(vec4 o, float keep) {
    return SINKS == 0u ? o : gw_flush4(gw_mul4(o, keep));
}
#endif

// What a score is stored as: hidden and NaN are told by numbers past the cut.
float cut(float dot_, bool visible) {
    float t = gw_flush(gw_mul(gw_flush(dot_), p.scale2));
    if (CAPPED != 0u) t = gw_flush(gw_mul(gw_flush(gw_tanh(t)), p.cap2));
    bool nan = gw_is_nan(t);
    t = t > CUT ? CUT : t;
    t = t < -CUT ? -CUT : t;
    t = nan ? NAN_SCORE : t;
    return visible ? t : HIDDEN;
}

// p of a score where the block's largest exponent is e.
uint p_bits(float t, int e) {
    float whole = gw_sub(gw_add(t, 12582912.0), 12582912.0); // float(gw_round(t)), without a conversion
    int k = gw_round(t) - e;
    uint w = floatBitsToUint(gw_exp2_part(gw_sub(t, whole))) + (uint(k) << 23);
    w = k < LOWEST ? 0u : w;
    return t > CUT ? GW_NAN_BITS : w;
}

#if defined GW_SPLIT
#include "lib/attention_split.glsl"
#elif defined GW_TILE
#include "lib/attention_tile.glsl"
#else

const uint GROUPS = LANES / QUADS; // of lanes that own all dimensions
const uint PARTS = GROUPS < 2u ? 1u : GROUPS > UNITS ? UNITS : GROUPS;
const uint ROUNDS = (UNITS + PARTS - 1u) / PARTS;
const uint PASSES = PARTS > 1u ? 1u : (QUADS + LANES - 1u) / LANES;
// The results of a lane, 4 dimensions of a query each.
const uint OWN = PARTS > 1u ? (QUERIES * QUADS + LANES - 1u) / LANES : PASSES * QUERIES;
const uint FOURS = (QUERIES + 3u) / 4u;
const uint AHEAD = 4u / KEYS;
const bool PAIRED = PIECES % 2u == 0u && AHEAD > 1u; // q8_0: a load is two pieces
const uint SPAN = LANES * KEYS;

shared vec4 qs[QUERIES * QUADS]; // the queries, in the end the results
uint lane;

#define GW_TURN(i) qs[(i) / 4u][(i) % 4u]
#include "lib/rotate.glsl"

#if GW_MODE != GW_PART
// A head's results lie in qs from at on.
void store_y(uint row, uint at) {
    for (uint d = lane; d < p.out_dim && QUANTIZE == 0u; d += LANES)
        y[row * p.out_dim + d] = floatBitsToUint(qs[at + d / 4u][d % 4u]);
    for (uint g = lane; g < p.out_dim / 32u && QUANTIZE != 0u; g += LANES) {
        float v[32];
        uint words[8];
        [[unroll]] for (uint k = 0u; k < 8u; k++) {
            vec4 four = qs[at + g * 8u + k];
            for (uint i = 0u; i < 4u; i++) v[k * 4u + i] = four[i];
        }
        y_scales[row * p.out_dim / 32u + g] = gw_q8_pack(v, words);
        for (uint i = 0u; i < 8u; i++) y[row * p.out_dim / 4u + g * 8u + i] = words[i];
    }
}
#endif

#if GW_MODE == GW_COMBINE
void main() {
    lane = gl_LocalInvocationID.x;
    const uint PER = (HEAD_DIM + LANES - 1u) / LANES;
    uint t = gl_WorkGroupID.y, h = gl_WorkGroupID.x, from, to;
    see(t, from, to);
    uint row = (t * p.n_head + h) * p.n_blocks, side = p.n_tok * p.n_head * p.n_blocks * HEAD_DIM + row * 2u;
    float o[PER], l = 0.0;
    [[unroll]] for (uint n = 0u; n < PER; n++) o[n] = 0.0;
    int e = int(HIDDEN);
    [[dont_unroll]] for (uint b0 = from / BLOCK; b0 <= to / BLOCK; b0 += KEYS) {
        float more[KEYS * PER], more_l[KEYS];
        int more_e[KEYS];
        [[unroll]] for (uint k = 0u; k < KEYS; k++) {
            uint b = min(b0 + k, to / BLOCK);
            more_l[k] = uintBitsToFloat(parts[side + 2u * b]);
            more_e[k] = int(parts[side + 2u * b + 1u]);
            [[unroll]] for (uint n = 0u; n < PER; n++)
                more[k * PER + n] =
                    uintBitsToFloat(parts[(row + b) * HEAD_DIM + min(lane + n * LANES, HEAD_DIM - 1u)]);
        }
        // Past the last part nothing is added, by numbers: a branch would keep loads from running ahead.
        [[unroll]] for (uint k = 0u; k < KEYS; k++) {
            bool is = b0 + k <= to / BLOCK;
            int of = is ? more_e[k] : int(HIDDEN), top = max(e, of);
            float a = pow2_or_0(e - top), c = pow2_or_0(of - top);
            l = gw_add(gw_mul(l, a), gw_mul(is ? more_l[k] : 0.0, c));
            e = top;
            [[unroll]] for (uint n = 0u; n < PER; n++)
                o[n] = gw_flush(gw_add(gw_mul(o[n], a), gw_mul(is ? more[k * PER + n] : 0.0, c)));
        }
    }
    float keep, scale = gw_rcp(add_sink(h, e, l, keep));
    [[unroll]] for (uint n = 0u; n < PER; n++) {
        uint d = lane + n * LANES;
        float own = SINKS == 0u ? o[n] : gw_flush(gw_mul(o[n], keep));
        if (d < HEAD_DIM) qs[d / 4u][d % 4u] = gw_flush(gw_mul(own, scale));
    }
    if (V_TYPE == Q8) gw_rotate_back(HEAD_DIM);
    barrier();
    store_y(t * p.n_head + h, 0u);
}

#else

// What p * v is summed in.
#ifdef GW_V_Q8
#define VALUE ivec4
#define SUM int
#else
#define VALUE vec4
#define SUM float
#endif
const uint SCALES = (HEAD_DIM + 31u) / 32u; // of a head's keys

shared vec4 ps[UNITS * (UNIT + 1u) * FOURS]; // scores, then p; a unit of 33, for the banks
shared float tops[UNITS * QUERIES];
shared SUM sums[UNITS * QUERIES];
shared VALUE os[PARTS > 1u ? PARTS * QUADS * EXCHANGE : 1u];
shared float q_scales[K_TYPE == Q8 ? QUERIES * SCALES : 1u];
#ifdef GW_V_Q8
shared float v_scales[BLOCK];
shared float up[QUERIES], down[QUERIES]; // what makes 14-bit integers of p * scale, and floats of their sums
#endif
shared uint q_lo[QUERIES], q_last[QUERIES];
shared int run_e[QUERIES], block_e[QUERIES];
shared float run_l[QUERIES], keep[QUERIES], take[QUERIES]; // factors of what was and of the block

uint stride, base;   // in pieces
uint lo, last;       // of what some query sees; then of a block
uint end;            // of the queries of this workgroup
uint block0, page0;  // page0: what is added to a key of the block for its row in the caches
uint unit_a, unit_b; // units of the block with visible keys
VALUE own[OWN];
vec4 run[OWN];

// Four signed bytes; their products with integers of up to 16 bits and a few sums of these are exact.
vec4 bytes(uint w) {
    ivec4 b = ivec4(w << 24, w << 16, w << 8, w) >> 24;
    return vec4(b);
}

uint slot(uint key) {
    return (key + key / UNIT) * FOURS;
}

// The row of the caches of a key of the block; of one that nobody sees, that of another.
uint row_of(uint key) {
    return clamp(key, lo, last) + page0;
}

#include "lib/attention_scores.glsl"

float p_at(uint u, uint k, uint i) {
    return ps[(u * (UNIT + 1u) + k) * FOURS + i / 4u][i % 4u];
}

int exponent_of(uint i) {
    float top = tops[i];
    [[dont_unroll]] for (uint u = 1u; u < UNITS; u++) top = max(top, tops[u * QUERIES + i]);
    return gw_round(top);
}

void find_tops() {
    for (uint job = lane; job < UNITS * QUERIES; job += LANES) {
        uint u = job / QUERIES, i = job % QUERIES;
        float top = HIDDEN;
        if (u >= unit_a && u <= unit_b)
            for (uint k = 0u; k < UNIT; k++) top = max(top, p_at(u, k, i));
        tops[job] = top;
    }
    barrier();
    for (uint i = lane; i < QUERIES; i += LANES) block_e[i] = exponent_of(i);
}
float p_of(float t, uint i) {
    return uintBitsToFloat(p_bits(t, block_e[i]));
}
void make_p() {
    [[dont_unroll]] for (uint first = 0u; first < BLOCK; first += LANES) {
        uint key = first + lane;
        if (key < unit_a * UNIT || key >= (unit_b + 1u) * UNIT) continue;
        [[dont_unroll]] for (uint i = 0u; i < QUERIES; i++)
            ps[slot(key) + i / 4u][i % 4u] = p_of(ps[slot(key) + i / 4u][i % 4u], i);
#ifdef GW_V_Q8
        uint row = row_of(block0 + key) * p.n_head_kv + gl_WorkGroupID.x;
        v_scales[key] = uintBitsToFloat(v_cache[p.n_rows * p.n_head_kv * QUADS + row]);
#endif
    }
}

#include "lib/attention_values.glsl"

// After the block's sums: the factors that bring what was and what is new to one power of two.
void update_runs() {
    for (uint i = lane; i < QUERIES; i += LANES) {
        int e = block_e[i], top = max(run_e[i], e);
        float a = pow2_or_0(run_e[i] - top), c = pow2_or_0(e - top);
        run_l[i] = gw_add(gw_mul(run_l[i], a), gw_mul(sum_of(i), c));
        run_e[i] = top;
        keep[i] = a;
        take[i] = c;
    }
}

// The query and the 4 dimensions of a lane's result; false: there is none.
bool owner(uint n, out uint i, out uint quad) {
    if (PARTS > 1u) {
        uint at = lane + n * LANES;
        i = at / QUADS;
        quad = at % QUADS;
        return i < QUERIES;
    }
    i = n % QUERIES;
    quad = lane + n / QUERIES * LANES;
    return quad < QUADS;
}

// A round is a unit a part; own gets their sums in order.
void add_round(uint r) {
    uint part = lane / QUADS;
    [[unroll]] for (uint first = 0u; first < QUERIES; first += EXCHANGE) {
        [[unroll]] for (uint i = 0u; i < EXCHANGE; i++)
            if (part < PARTS && first + i < QUERIES)
                os[(i * PARTS + part) * QUADS + lane % QUADS] = acc[first + i];
        barrier();
        [[unroll]] for (uint n = 0u; n < OWN; n++) {
            uint at = lane + n * LANES, i = at / QUADS - first;
            if (at / QUADS >= first && i < EXCHANGE && at < QUERIES * QUADS) {
                [[unroll]] for (uint k = 0u; k < PARTS; k++)
                    own[n] = more(own[n], os[(i * PARTS + k) * QUADS + at % QUADS]);
            }
        }
        barrier();
    }
}
void make_own(bool same) {
    uint part = lane / QUADS;
    [[unroll]] for (uint n = 0u; n < OWN; n++) own[n] = VALUE(0);
    [[unroll]] for (uint pass = 0u; pass < PASSES; pass++) {
        uint quad = PARTS > 1u ? lane % QUADS : min(lane + pass * LANES, QUADS - 1u);
        uint end = PARTS > 1u ? ROUNDS : unit_b + 1u;
        uint at = PASSES == 1u ? 0u : pass * QUERIES; // a single pass is a loop to Mesa, and pass no constant
        [[dont_unroll]] for (uint r = PARTS > 1u ? 0u : unit_a; r < end; r++) {
            add_values(PARTS == 1u ? r : part < PARTS ? r * PARTS + part : UNITS, quad, same);
            if (PARTS > 1u) {
                add_round(r);
            } else {
                [[unroll]] for (uint i = 0u; i < QUERIES; i++)
                    own[at + i] = more(own[at + i], acc[i]);
            }
        }
    }
}

void work_on_block(uint b, uint table, uint all_lo, uint all_last) {
    block0 = b * BLOCK;
    page0 = pages[table + b] * BLOCK - block0;
    uint block_last = block0 + BLOCK - 1u;
    uint tile_lo = lo, tile_last = last;
    lo = max(lo, block0);
    last = min(last, block_last);
    bool same = lo == max(all_lo, block0) && last == min(all_last, block_last);
    unit_a = (lo - block0) / UNIT;
    unit_b = (last - block0) / UNIT;
    [[dont_unroll]] for (uint first = 0u; first < BLOCK; first += SPAN)
        if (first < (unit_b + 1u) * UNIT && first + SPAN > unit_a * UNIT) score(first);
    barrier();
    find_tops();
    barrier();
    make_p();
    barrier();
    add_p();
    barrier();
    update_runs();
#ifdef GW_V_Q8
    barrier();
    make_weights();
    barrier();
#endif
    make_own(same);
    barrier();
    lo = tile_lo;
    last = tile_last;
}

#if GW_MODE == GW_PART
// 4 dimensions of pair at, query i of this workgroup.
void store_four(uint b, uint at, uint i, uint quad, vec4 o) {
    uint share = p.n_head / p.n_head_kv;
    uint row = (at / share * p.n_head + gl_WorkGroupID.x * share + at % share) * p.n_blocks + b;
    [[unroll]] for (uint k = 0u; k < 4u; k++) parts[row * HEAD_DIM + quad * 4u + k] = floatBitsToUint(o[k]);
    if (quad == 0u) {
        uint side = p.n_tok * p.n_head * p.n_blocks * HEAD_DIM + row * 2u;
        parts[side] = floatBitsToUint(run_l[i]);
        parts[side + 1u] = uint(run_e[i]);
    }
}
void store_part(uint b, uint first) {
    [[unroll]] for (uint n = 0u; n < OWN; n++) {
        uint i, quad;
        if (owner(n, i, quad) && first + i < end) store_four(b, first + i, i, quad, block_o(own[n], i));
    }
}
#else
uint head_of(uint pair) {
    uint share = p.n_head / p.n_head_kv;
    return gl_WorkGroupID.x * share + pair % share;
}
void walk(uint first, uint table, uint all_lo, uint all_last) {
    [[unroll]] for (uint n = 0u; n < OWN; n++) run[n] = vec4(0.0);
    [[dont_unroll]] for (uint b = lo / BLOCK; b <= last / BLOCK; b++) {
        work_on_block(b, table, all_lo, all_last);
        [[unroll]] for (uint n = 0u; n < OWN; n++) {
            uint i, quad;
            if (owner(n, i, quad))
                run[n] = gw_flush4(gw_add4(gw_mul4(run[n], keep[i]), gw_mul4(block_o(own[n], i), take[i])));
        }
    }
    [[unroll]] for (uint n = 0u; n < OWN; n++) {
        uint i, quad;
        if (owner(n, i, quad)) {
            float by, l = add_sink(head_of(first + i), run_e[i], run_l[i], by);
            qs[i * QUADS + quad] = gw_flush4(gw_mul4(kept(run[n], by), gw_rcp(l)));
        }
    }
#ifdef GW_V_Q8
    gw_rotate_back(QUERIES * HEAD_DIM);
#endif
    barrier();
    uint share = p.n_head / p.n_head_kv;
    for (uint i = 0u; i < QUERIES && first + i < end; i++)
        store_y((first + i) / share * p.n_head + head_of(first + i), i * QUADS);
}
#endif

// As q8_act, a scale for each 32 elements of a head; the integers as floats.
void quantize_queries() {
    gw_rotate(QUERIES * HEAD_DIM);
    for (uint at = lane; at < QUERIES * SCALES; at += LANES) {
        uint g = at % SCALES, first = at / SCALES * QUADS + g * 8u, end = first + min(8u, QUADS - g * 8u);
        uint amax = 0u;
        for (uint i = first; i < end; i++) amax = gw_q8_amax(amax, qs[i]);
        float scale;
        q_scales[at] = gw_q8_scale(amax, scale);
        for (uint i = first; i < end; i++) qs[i] = bytes(gw_q8_word(qs[i], scale));
    }
}

void begin(uint first) {
    uint share = p.n_head / p.n_head_kv, head = gl_WorkGroupID.x * share;
    for (uint i = lane; i < QUERIES; i += LANES) {
        uint from = 1u, to = 0u; // sees nothing
        if (first + i < end) see((first + i) / share, from, to);
        q_lo[i] = from;
        q_last[i] = to;
        run_e[i] = int(HIDDEN);
        run_l[i] = 0.0;
    }
    for (uint n = lane; n < QUERIES * QUADS; n += LANES) {
        uint at = min(first + n / QUADS, end - 1u);
        qs[n] = q[(at / share * p.n_head + head + at % share) * QUADS + n % QUADS];
    }
    if (K_TYPE == Q8) quantize_queries();
    barrier();
}

void main() {
    lane = gl_LocalInvocationID.x;
    uint first = p.first + gl_WorkGroupID.y * QUERIES, table = 0u;
    end = p.end;
    if (p.paged != 0u) {
        uint share = p.n_head / p.n_head_kv, tiles = (share + QUERIES - 1u) / QUERIES;
        uint t = p.first / share + gl_WorkGroupID.y / tiles;
        first = t * share + gl_WorkGroupID.y % tiles * QUERIES;
        end = (t + 1u) * share;
        table = t * p.n_blocks;
    }
    begin(first);
    stride = p.n_head_kv * PIECES;
    base = gl_WorkGroupID.x * PIECES;
    lo = q_lo[0];
    last = q_last[0];
    uint all_lo = lo, all_last = last;
    for (uint i = 1u; i < QUERIES; i++) {
        if (q_lo[i] > q_last[i]) continue;
        lo = min(lo, q_lo[i]);
        last = max(last, q_last[i]);
        all_lo = max(all_lo, q_lo[i]);
        all_last = min(all_last, q_last[i]);
    }
#if GW_MODE == GW_PART
    uint b = gl_WorkGroupID.z;
    if (b < lo / BLOCK || b > last / BLOCK) return;
    work_on_block(b, table, all_lo, all_last);
    store_part(b, first);
#else
    walk(first, table, all_lo, all_last);
#endif
}
#endif
#endif
