// Q8 groups: an elementwise kernel's values to q8_act. Of a workgroup of LANES, GROUP_LANES invocations
// make a group of 32: 1, or 8 with four values each. The including shader has these two constants, y,
// y_scales, and gw_q8_four(i), the values 4 * i .. 4 * i + 3. Shared memory: 4 bytes a lane.
#ifndef GW_LIB_Q8_GROUPS
#define GW_LIB_Q8_GROUPS

#include "lib/q8_act.glsl"

shared uint gw_q8_tops[GROUP_LANES == 1u ? 1u : LANES];

vec4 gw_q8_four(uint i);

void gw_q8_whole(uint g) {
    float v[32];
    uint words[8];
    for (uint i = 0u; i < 8u; i++) {
        vec4 four = gw_q8_four(g * 8u + i);
        for (uint k = 0u; k < 4u; k++) v[4u * i + k] = four[k];
    }
    y_scales[g] = gw_q8_pack(v, words);
    for (uint i = 0u; i < 8u; i++) y[g * 8u + i] = words[i];
}

// at: the invocation, of GROUP_LANES * n_groups. The whole workgroup calls it.
void gw_q8_groups(uint at, uint n_groups) {
    if (GROUP_LANES == 1u) {
        if (at < n_groups) gw_q8_whole(at);
        return;
    }
    uint lane = gl_LocalInvocationID.x;
    bool inside = at / 8u < n_groups;
    vec4 v = vec4(0.0);
    if (inside) v = gw_q8_four(at);
    gw_q8_tops[lane] = gw_q8_amax(0u, v);
    barrier();
    if (!inside) return;
    uint amax = 0u;
    for (uint k = 0u; k < 8u; k++) amax = max(amax, gw_q8_tops[(lane & ~7u) + k]);
    float scale, d = gw_q8_scale(amax, scale);
    y[at] = gw_q8_word(v, scale);
    if ((lane & 7u) == 0u) y_scales[at / 8u] = d;
}

#endif
