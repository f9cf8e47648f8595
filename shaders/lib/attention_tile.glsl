// Tiles of queries over all their blocks of keys, or over one (WALK and PART of shaders/attention.comp, by
// p.mode; the parts are y then) as GPUs like it. Keys pass
// through shared memory, 16 dimensions of a block at a time, two buffers in turn; a lane makes the scores of 4
// queries and KEYS keys. p lies in shared memory in their place; then a lane sums 4 dimensions of 4 queries,
// values from memory, and where there are lanes for more, GROUPS of lanes take UNITS / GROUPS units each,
// whose sums are added in order. Caches in f32 and f16, one table for all tokens.
// LANES, QUERIES: powers of two, QUERIES / 4 * HEAD_DIM / 4 <= LANES, 8 * QUERIES <= LANES. Shared memory: 1,024 *
// QUERIES bytes or, if that is more, 16,640 (F32 keys: 33,280) + 128 * QUERIES; and 4 * 20 * QUERIES.
#ifndef GW_LIB_ATTENTION_TILE
#define GW_LIB_ATTENTION_TILE

const uint FOURS = QUERIES / 4u;
const uint ACROSS = LANES / FOURS;        // lanes side by side over keys
const uint KEYS_EACH = BLOCK / ACROSS;
// A stage: DEEP pieces of 8 dimensions of the block's keys, as they are in the cache, lanes side by side along
// a row; then those of the queries.
const uint DEEP = 2u, WORDS = K_TYPE == F16 ? 1u : 2u; // uvec4 of a piece
const uint LOADS = DEEP * BLOCK > LANES ? DEEP * BLOCK / LANES : 1u; // pieces that a lane brings
const uint K_STRIDE = BLOCK + 4u;                      // 4: for the banks
const uint Q_AT = DEEP * WORDS * K_STRIDE, STAGE = Q_AT + 2u * DEEP * QUERIES;
const uint POOL = BLOCK * FOURS > 2u * STAGE ? BLOCK * FOURS : 2u * STAGE;
const uint TILES = FOURS * QUADS;         // of 4 queries and 4 dimensions
const uint SPARE = LANES / TILES;
const uint GROUPS_ = SPARE >= 8u ? 8u : SPARE >= 4u ? 4u : SPARE >= 2u ? 2u : 1u;
const uint UNITS_EACH = UNITS / GROUPS_;
const uint HELD = GROUPS_ == 1u ? 1u : UNITS_EACH; // sums of units that wait for their turn
const uint AHEAD = 8u;                             // values
const uint TURNS = FOURS < 8u ? 8u / FOURS : 1u;   // keys side by side whose p fill all banks

shared uvec4 pool[POOL]; // keys; then largest exponents, p, results: bits of floats
shared ivec4 tops[QUERIES * 2u];
shared float sums[UNITS * QUERIES];
shared int q_from[QUERIES], q_to[QUERIES]; // of what queries see, from position 0
uint lane;
uint block0, row0; // row0: of the block in the caches, in heads
int from, to;      // keys of the block that some query sees


// A pair of a token and a head that share the key head: its row of q and y.
uint pair_row(uint at) {
    uint share = p.n_head / p.n_head_kv;
    return at / share * p.n_head + gl_WorkGroupID.x * share + at % share;
}
uint head_row(int key, int a, int b) {
    return row0 + uint(clamp(key, a, b)) * p.n_head_kv;
}

// --- scores

uvec4 k_raw[WORDS * LOADS];
vec4 q_raw;
void load_stage(uint first, uint piece) {
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint job = lane + n * LANES;
        uint at = head_row(int(job / DEEP), from, to) * PIECES + min(piece + job % DEEP, PIECES - 1u);
        if (K_TYPE == F16) {
            k_raw[n] = k_cache[at];
        } else {
            k_raw[WORDS * n] = k_cache[2u * at];
            k_raw[WORDS * n + WORDS - 1u] = k_cache[2u * at + 1u];
        }
    }
    if (lane < 2u * DEEP * QUERIES) {
        uint quad = min(piece * 2u + lane % (2u * DEEP), QUADS - 1u);
        q_raw = q[pair_row(min(first + lane / (2u * DEEP), p.end - 1u)) * QUADS + quad];
    }
}
void store_stage(uint at) {
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint job = lane + n * LANES, to_ = at + job % DEEP * WORDS * K_STRIDE + job / DEEP;
        if (job < DEEP * BLOCK)
            [[unroll]] for (uint k = 0u; k < WORDS; k++) pool[to_ + k * K_STRIDE] = k_raw[WORDS * n + k];
    }
    if (lane < 2u * DEEP * QUERIES) pool[at + Q_AT + lane] = floatBitsToUint(q_raw);
}

float chain[4u * KEYS_EACH], score[4u * KEYS_EACH];
void add_key(uint j, vec4 a[8], uint at) {
    uvec4 raw = pool[at];
    vec4 x = K_TYPE == F16 ? gw_halves4(raw.xy) : uintBitsToFloat(raw);
    vec4 z = K_TYPE == F16 ? gw_halves4(raw.zw) : uintBitsToFloat(pool[at + (WORDS - 1u) * K_STRIDE]);
    [[unroll]] for (uint i = 0u; i < 4u; i++)
        chain[j * 4u + i] = gw_add_dot(gw_add_dot(chain[j * 4u + i], a[2u * i], x), a[2u * i + 1u], z);
}
// Piece k of the stage at `at`. full: all keys of the block are seen by some query. (A branch for each would
// keep loads from running ahead.)
void add_piece(uint at, uint k, uint four, uint place, bool full) {
    vec4 a[8];
    [[unroll]] for (uint i = 0u; i < 8u; i++)
        a[i] = uintBitsToFloat(pool[at + Q_AT + (four * 4u + i / 2u) * 2u * DEEP + 2u * k + i % 2u]);
    uint first = at + k * WORDS * K_STRIDE + place;
    if (full) {
        [[unroll]] for (uint j = 0u; j < KEYS_EACH; j++) add_key(j, a, first + j * ACROSS);
    } else {
        [[unroll]] for (uint j = 0u; j < KEYS_EACH; j++)
            if (int(j * ACROSS) <= to && int(j * ACROSS + ACROSS) > from) add_key(j, a, first + j * ACROSS);
    }
}
void make_scores(uint first, uint four, uint place) {
    const bool full = from < int(ACROSS) && to >= int(BLOCK - ACROSS);
    [[unroll]] for (uint i = 0u; i < 4u * KEYS_EACH; i++) score[i] = 0.0;
    load_stage(first, 0u);
    store_stage(0u);
    barrier();
    [[dont_unroll]] for (uint u = 0u; u < PIECES; u += 4u) {
        [[unroll]] for (uint i = 0u; i < 4u * KEYS_EACH; i++) chain[i] = 0.0;
        [[dont_unroll]] for (uint piece = u; piece < min(u + 4u, PIECES); piece += DEEP) {
            bool more = piece + DEEP < PIECES;
            uint at = piece / DEEP % 2u * STAGE;
            if (more) load_stage(first, piece + DEEP);
            [[dont_unroll]] for (uint k = 0u; k < min(DEEP, PIECES - piece); k++) add_piece(at, k, four, place, full);
            if (more) store_stage(STAGE - at);
            barrier();
        }
        [[unroll]] for (uint i = 0u; i < 4u * KEYS_EACH; i++) score[i] = gw_add(score[i], chain[i]);
    }
    [[unroll]] for (uint i = 0u; i < 4u; i++) {
        int lo = q_from[four * 4u + i] - int(block0), last = q_to[four * 4u + i] - int(block0);
        [[unroll]] for (uint j = 0u; j < KEYS_EACH; j++) {
            int key = int(j * ACROSS + place);
            score[j * 4u + i] = cut(score[j * 4u + i], key >= lo && key <= last);
        }
    }
}

// The largest exponents, ACROSS at a time, then 8 of a query, then one.
void find_tops(uint four, uint place) {
    [[unroll]] for (uint i = 0u; i < 4u; i++) {
        int top = int(HIDDEN);
        [[unroll]] for (uint j = 0u; j < KEYS_EACH; j++) top = max(top, gw_round(score[j * 4u + i]));
        uint at = (four * 4u + i) * ACROSS + place;
        pool[at / 4u][at % 4u] = uint(top);
    }
    barrier();
    for (uint job = lane; job < QUERIES * 8u; job += LANES) {
        ivec4 top = ivec4(pool[job * (ACROSS / 32u)]);
        [[unroll]] for (uint k = 1u; k < ACROSS / 32u; k++) top = max(top, ivec4(pool[job * (ACROSS / 32u) + k]));
        tops[job / 4u][job % 4u] = max(max(top.x, top.y), max(top.z, top.w));
    }
    barrier();
}
int exponent_of(uint i) {
    ivec4 a = max(tops[2u * i], tops[2u * i + 1u]);
    return max(max(a.x, a.y), max(a.z, a.w));
}

// p of four queries for a key: turned, so that lanes with keys side by side find their memory banks free.
uint p_slot(uint key, uint four) {
    return key * FOURS + (four ^ (key / TURNS % FOURS));
}
void make_p(uint four, uint place) {
    int e[4];
    [[unroll]] for (uint i = 0u; i < 4u; i++) e[i] = exponent_of(four * 4u + i);
    [[unroll]] for (uint j = 0u; j < KEYS_EACH; j++) {
        uvec4 w;
        [[unroll]] for (uint i = 0u; i < 4u; i++) w[i] = p_bits(score[j * 4u + i], e[i]);
        pool[p_slot(j * ACROSS + place, four)] = w;
    }
}
float p_at(uint key, uint i) {
    return uintBitsToFloat(pool[p_slot(key, i / 4u)][i % 4u]);
}
// l, a unit at a time: by halves.
void add_p() {
    for (uint job = lane; job < UNITS * QUERIES; job += LANES) {
        uint u = job / QUERIES, i = job % QUERIES;
        float s[16];
        [[unroll]] for (uint k = 0u; k < 16u; k++)
            s[k] = gw_add(p_at(u * UNIT + k, i), p_at(u * UNIT + k + 16u, i));
        [[unroll]] for (uint h = 8u; h > 0u; h /= 2u)
            [[unroll]] for (uint k = 0u; k < h; k++) s[k] = gw_add(s[k], s[k + h]);
        sums[job] = s[0];
    }
}

// --- values

int all_from, all_to, any_from, any_to; // of the block, of a lane's four queries
void see_four(uint four) {
    all_from = any_from = q_from[four * 4u];
    all_to = any_to = q_to[four * 4u];
    [[unroll]] for (uint i = 1u; i < 4u; i++) {
        all_from = max(all_from, q_from[four * 4u + i]);
        any_from = min(any_from, q_from[four * 4u + i]);
        all_to = min(all_to, q_to[four * 4u + i]);
        any_to = max(any_to, q_to[four * 4u + i]);
    }
    all_from = max(all_from - int(block0), 0);
    any_from = max(any_from - int(block0), 0);
    all_to = min(all_to - int(block0), int(BLOCK) - 1);
    any_to = min(any_to - int(block0), int(BLOCK) - 1);
}

vec4 acc[4];
vec4 value(uvec2 a, uvec2 b) {
    return V_TYPE == F16 ? gw_halves4(a) : uintBitsToFloat(uvec4(a, b));
}
// at: where the value of key k0 is.
void add_all(uint k0, uint at, uint four) {
    uvec2 a[AHEAD], b[AHEAD];
    uint step = p.n_head_kv * QUADS;
    [[unroll]] for (uint k = 0u; k < AHEAD; k++) {
        if (V_TYPE == F16) {
            a[k] = v_cache[at + k * step];
        } else {
            a[k] = v_cache[2u * (at + k * step)];
            b[k] = v_cache[2u * (at + k * step) + 1u];
        }
    }
    [[unroll]] for (uint k = 0u; k < AHEAD; k++) {
        // p_slot(k0 + k, four), of a k0 that is a multiple of 8
        vec4 v = value(a[k], b[k]), w = uintBitsToFloat(pool[(k0 + k) * FOURS + (four ^ (k / TURNS % FOURS))]);
        [[unroll]] for (uint i = 0u; i < 4u; i++) acc[i] = gw_add4(acc[i], gw_mul4(v, w[i]));
    }
}
// At an end of what they see: a value that is hidden from one is left out, since it may be no number.
void add_seen(uint k0, uint at, uint four) {
    [[dont_unroll]] for (uint k = k0; k < k0 + AHEAD; k++, at += p.n_head_kv * QUADS) {
        if (int(k) >= any_from && int(k) <= any_to) {
            vec4 v = V_TYPE == F16 ? gw_halves4(v_cache[at]) : uintBitsToFloat(uvec4(v_cache[2u * at], v_cache[2u * at + 1u]));
            vec4 w = uintBitsToFloat(pool[p_slot(k, four)]);
            int key = int(block0 + k);
            [[unroll]] for (uint i = 0u; i < 4u; i++)
                if (key >= q_from[four * 4u + i] && key <= q_to[four * 4u + i])
                    acc[i] = gw_add4(acc[i], gw_mul4(v, w[i]));
        }
    }
}
// p . v over a unit.
void add_unit(uint u, uint four, uint quad) {
    [[unroll]] for (uint i = 0u; i < 4u; i++) acc[i] = vec4(0.0);
    uint step = p.n_head_kv * QUADS, at = row0 * QUADS + quad + u * UNIT * step;
    [[dont_unroll]] for (uint k0 = u * UNIT; k0 < (u + 1u) * UNIT; k0 += AHEAD, at += AHEAD * step) {
        if (int(k0) >= all_from && int(k0 + AHEAD) <= all_to + 1) add_all(k0, at, four);
        else if (int(k0 + AHEAD) > any_from && int(k0) <= any_to) add_seen(k0, at, four);
    }
}

vec4 own[4], run[4];
int run_e[4];
float run_l[4];
// Units in order. With groups of lanes, each holds the sums of its units until the group before it is done.
void make_own(uint group, uint tile) {
    uint four = tile / QUADS, quad = tile % QUADS;
    [[unroll]] for (uint i = 0u; i < 4u; i++) own[i] = vec4(0.0);
    if (GROUPS_ == 1u) {
        [[dont_unroll]] for (uint u = 0u; u < UNITS; u++) {
            if (lane < TILES && int(u * UNIT) <= any_to && int(u * UNIT + UNIT) > any_from) {
                add_unit(u, four, quad);
                [[unroll]] for (uint i = 0u; i < 4u; i++) own[i] = gw_add4(own[i], acc[i]);
            }
        }
        barrier();
        return;
    }
    vec4 held[4u * HELD];
    [[unroll]] for (uint u = 0u; u < HELD; u++) {
        add_unit(group * UNITS_EACH + u, four, quad);
        [[unroll]] for (uint i = 0u; i < 4u; i++) held[u * 4u + i] = acc[i];
    }
    barrier();
    [[dont_unroll]] for (uint turn = 0u; turn < GROUPS_; turn++) {
        if (group == turn) {
            [[unroll]] for (uint i = 0u; i < 4u; i++) {
                if (turn > 0u) own[i] = uintBitsToFloat(pool[i * TILES + tile]);
                [[unroll]] for (uint u = 0u; u < HELD; u++) own[i] = gw_add4(own[i], held[u * 4u + i]);
                if (turn + 1u < GROUPS_) pool[i * TILES + tile] = floatBitsToUint(own[i]);
            }
        }
        barrier();
    }
}
// Brings what was and what is new to one power of two.
void merge(uint four) {
    [[unroll]] for (uint i = 0u; i < 4u; i++) {
        uint at = four * 4u + i;
        int e = exponent_of(at), top = max(run_e[i], e);
        float keep = pow2_or_0(run_e[i] - top), take = pow2_or_0(e - top), l = sums[at];
        [[unroll]] for (uint u = 1u; u < UNITS; u++) l = gw_add(l, sums[u * QUERIES + at]);
        run_l[i] = gw_add(gw_mul(run_l[i], keep), gw_mul(l, take));
        run_e[i] = top;
        run[i] = gw_flush4(gw_add4(gw_mul4(run[i], keep), gw_mul4(gw_flush4(own[i]), take)));
    }
}

// What a block gave for a lane's 4 dimensions of 4 queries.
void store_parts(uint first, uint tile, uint b) {
    uint side = p.n_tok * p.n_head * p.n_blocks * HEAD_DIM, four = tile / QUADS, quad = tile % QUADS;
    [[unroll]] for (uint i = 0u; i < 4u; i++) {
        if (first + four * 4u + i < p.end) {
            uint at = pair_row(first + four * 4u + i) * p.n_blocks + b;
            [[unroll]] for (uint k = 0u; k < 4u; k++)
                y[at * HEAD_DIM + quad * 4u + k] = floatBitsToUint(run[i][k]);
            if (quad == 0u) {
                y[side + 2u * at] = floatBitsToUint(run_l[i]);
                y[side + 2u * at + 1u] = uint(run_e[i]);
            }
        }
    }
}

// The results of n queries lie in pool.
void store(uint first, uint n) {
    if (QUANTIZE == 0u) {
        for (uint at = lane; at < n * p.out_dim; at += LANES) {
            uint i = at / p.out_dim, d = at % p.out_dim;
            y[pair_row(first + i) * p.out_dim + d] = pool[i * QUADS + d / 4u][d % 4u];
        }
        return;
    }
    uint groups = p.out_dim / 32u;
    for (uint at = lane; at < n * groups; at += LANES) {
        uint i = at / groups, g = at % groups, to_ = pair_row(first + i) * groups + g, amax = 0u;
        [[unroll]] for (uint k = 0u; k < 8u; k++) amax = gw_q8_amax(amax, uintBitsToFloat(pool[i * QUADS + g * 8u + k]));
        float by;
        y_scales[to_] = gw_q8_scale(amax, by);
        [[unroll]] for (uint k = 0u; k < 8u; k++) y[to_ * 8u + k] = gw_q8_word(uintBitsToFloat(pool[i * QUADS + g * 8u + k]), by);
    }
}

void main() {
    lane = gl_LocalInvocationID.x;
    // Those with the most keys to see first: they take the longest.
    uint n_tiles = (p.end - p.first + QUERIES - 1u) / QUERIES, share = p.n_head / p.n_head_kv;
    uint first = p.first + (n_tiles - 1u - gl_WorkGroupID.y) * QUERIES;
    uint four = lane / ACROSS, place = lane % ACROSS;
    uint group = lane / TILES, tile = lane < GROUPS_ * TILES ? lane % TILES : 0u;
    for (uint i = lane; i < QUERIES; i += LANES) {
        uint lo, last;
        see(min(first + i, p.end - 1u) / share, lo, last);
        q_from[i] = int(lo);
        q_to[i] = int(last);
    }
    barrier();
    int lo = q_from[0], last = q_to[0];
    for (uint i = 1u; i < QUERIES; i++) {
        lo = min(lo, q_from[i]);
        last = max(last, q_to[i]);
    }
    [[unroll]] for (uint i = 0u; i < 4u; i++) {
        run[i] = vec4(0.0);
        run_e[i] = int(HIDDEN);
        run_l[i] = 0.0;
    }
    uint begin = uint(lo) / BLOCK, end = uint(last) / BLOCK;
    if (p.mode == uint(GW_PART)) {
        if (gl_WorkGroupID.z < begin || gl_WorkGroupID.z > end) return;
        begin = end = gl_WorkGroupID.z;
    }
    [[dont_unroll]] for (uint b = begin; b <= end; b++) {
        block0 = b * BLOCK;
        row0 = pages[b] * BLOCK * p.n_head_kv + gl_WorkGroupID.x;
        from = max(lo - int(block0), 0);
        to = min(last - int(block0), int(BLOCK) - 1);
        make_scores(first, four, place);
        find_tops(four, place);
        make_p(four, place);
        barrier();
        see_four(tile / QUADS);
        add_p();
        make_own(group, tile);
        merge(tile / QUADS);
    }
    if (p.mode == uint(GW_PART)) {
        if (group == GROUPS_ - 1u) store_parts(first, tile, begin);
        return;
    }
    barrier();
    if (group == GROUPS_ - 1u) {
        [[unroll]] for (uint i = 0u; i < 4u; i++) {
            uint at = tile / QUADS * 4u + i;
            float by, l = add_sink(gl_WorkGroupID.x * share + (first + at) % share, run_e[i], run_l[i], by);
            pool[at * QUADS + tile % QUADS] = floatBitsToUint(gw_flush4(gw_mul4(kept(run[i], by), gw_rcp(l))));
        }
    }
    barrier();
    store(first, min(QUERIES, p.end - first));
}

#endif
