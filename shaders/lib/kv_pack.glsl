// KV pack: a head in q8_0 into a cache, as ops/kv.h's gw_kv_pack_head does. A workgroup has a head; the
// including shader has HEAD_DIM, LANES, and store(is_v, at, word), which writes a word of either cache.
// Shared memory: 5 * HEAD_DIM bytes.
#ifndef GW_LIB_KV_PACK
#define GW_LIB_KV_PACK

shared vec4 xs[HEAD_DIM / 4u];
shared uint tops[HEAD_DIM / 4u];
uint lane;
#define GW_TURN(i) xs[(i) / 4u][(i) % 4u]
#include "lib/q8_act.glsl"
#include "lib/rotate.glsl"

const uint QUADS = HEAD_DIM / 4u;

// xs: the head's elements. head: of the cache's n_heads. The whole workgroup calls it.
void gw_kv_pack(bool is_v, uint head, uint n_heads) {
    gw_rotate(HEAD_DIM);
    for (uint i = lane; i < QUADS; i += LANES) tops[i] = gw_q8_amax(0u, xs[i]);
    barrier();
    // Quads that share a scale; where the scales begin.
    uint group = is_v ? QUADS : 8u, n_groups = (QUADS + group - 1u) / group;
    uint scales = n_heads * QUADS;
    for (uint i = lane; i < QUADS; i += LANES) {
        uint first = i / group * group, amax = 0u;
        for (uint j = first; j < min(first + group, QUADS); j++) amax = max(amax, tops[j]);
        float scale, d = gw_q8_scale(amax, scale);
        store(is_v, head * QUADS + i, gw_q8_word(xs[i], scale));
        if (i == first) store(is_v, scales + head * n_groups + i / group, floatBitsToUint(d));
    }
}

#endif
