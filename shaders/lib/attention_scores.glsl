// Attention's scores: products of QUERIES queries with KEYS keys a lane, of caches in f32, f16 or q8_0.
// A part of shaders/attention.comp.
#ifndef GW_LIB_ATTENTION_SCORES
#define GW_LIB_ATTENTION_SCORES


// 8 dimensions of KEYS rows, AHEAD pieces of them: F16 has a piece in one load, F32 in two, q8_0 in half of one.
void load_keys(uint at[KEYS], uint piece, out uvec4 raw[8]) {
    [[unroll]] for (uint a = 0u; a < AHEAD; a++) {
        [[unroll]] for (uint k = 0u; k < KEYS; k++) {
            uint from = at[k] + min(piece + a, PIECES - 1u), to = 2u * (a * KEYS + k);
            if (K_TYPE == Q8) {
                // Two pieces of one load where they lie in it together.
                uvec4 both = k_cache[(PAIRED ? at[k] + min(piece + (a & ~1u), PIECES - 2u) : from) / 2u];
                bool second = PAIRED ? (a & 1u) != 0u : (from & 1u) != 0u;
                raw[to].xy = second ? both.zw : both.xy;
            } else if (K_TYPE == F16) {
                raw[to] = k_cache[from];
            } else {
                raw[to] = k_cache[2u * from];
                raw[to + 1u] = k_cache[2u * from + 1u];
            }
        }
    }
}

float sum[KEYS * QUERIES], chain[KEYS * QUERIES];

void add_piece(uvec4 raw[8], uint a, uint piece) {
    [[unroll]] for (uint h = 0u; h < 2u; h++) {
        vec4 x[KEYS];
        [[unroll]] for (uint k = 0u; k < KEYS; k++) {
            uint from = 2u * (a * KEYS + k);
            if (K_TYPE == Q8) x[k] = bytes(raw[from][h]);
            else if (K_TYPE == F16) x[k] = gw_halves4(h == 0u ? raw[from].xy : raw[from].zw);
            else x[k] = uintBitsToFloat(raw[from + h]);
        }
        [[unroll]] for (uint i = 0u; i < QUERIES; i++) {
            vec4 b = qs[i * QUADS + piece * 2u + h];
            [[unroll]] for (uint k = 0u; k < KEYS; k++)
                chain[k * QUERIES + i] = gw_add_dot(chain[k * QUERIES + i], b, x[k]);
        }
    }
}

// Of a row of keys, by the index of its first piece.
float key_scale(uint at, uint u) {
    uint i = p.n_rows * p.n_head_kv * QUADS + at / PIECES * SCALES + u / 4u;
    return uintBitsToFloat(k_cache[i / 4u][i % 4u]);
}

// The scores of the keys first + k * LANES + lane of the block. A unit of q8_0 is a chain of integers.
void score(uint first) {
    uint at[KEYS];
    [[unroll]] for (uint k = 0u; k < KEYS; k++)
        at[k] = base + row_of(block0 + first + k * LANES + lane) * stride;
    [[unroll]] for (uint i = 0u; i < KEYS * QUERIES; i++) sum[i] = 0.0;
    [[dont_unroll]] for (uint u = 0u; u < PIECES; u += 4u) {
        [[unroll]] for (uint i = 0u; i < KEYS * QUERIES; i++) chain[i] = 0.0;
        [[dont_unroll]] for (uint piece = u; piece < min(u + 4u, PIECES); piece += AHEAD) {
            uvec4 raw[8];
            load_keys(at, piece, raw);
            [[unroll]] for (uint a = 0u; a < AHEAD; a++)
                if (PIECES % AHEAD == 0u || piece + a < PIECES) add_piece(raw, a, piece + a);
        }
        [[unroll]] for (uint k = 0u; k < KEYS; k++) {
            float d = K_TYPE == Q8 ? key_scale(at[k], u) : 1.0;
            [[unroll]] for (uint i = 0u; i < QUERIES; i++) {
                float unit = chain[k * QUERIES + i];
                if (K_TYPE == Q8) unit = gw_mul(gw_mul(d, q_scales[i * SCALES + u / 4u]), unit);
                sum[k * QUERIES + i] = gw_add(sum[k * QUERIES + i], unit);
            }
        }
    }
    [[unroll]] for (uint k = 0u; k < KEYS; k++) {
        uint at_block = first + k * LANES + lane, key = block0 + at_block;
        [[unroll]] for (uint i = 0u; i < QUERIES; i++) {
            float t = cut(sum[k * QUERIES + i], key >= q_lo[i] && key <= q_last[i]);
            if (at_block < BLOCK) ps[slot(at_block) + i / 4u][i % 4u] = t;
        }
    }
}

#endif
