// Gated: the kernel of act(gate) * up; the including shader defines gw_act(x), flushed.
// gate, up: [n] f32; y: [n] f32, or q8_act (quants in y, scales in y_scales; n then counts groups).
//
// One invocation: one element; where QUANTIZE, GROUP_LANES invocations (1 or 8) make one group of 32.
// Shared memory: 4 bytes a lane where 8.
#ifndef GW_LIB_GATED
#define GW_LIB_GATED

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint QUANTIZE = 0u;
layout(constant_id = 4) const uint GROUP_LANES = 1u;
layout(constant_id = 5) const uint LANES = 64u; // the workgroup: gl_WorkGroupSize sizes no array on Metal

layout(binding = 0) readonly buffer Gate { float gate[]; };
layout(binding = 1) readonly buffer Up { float up[]; };
layout(binding = 2) buffer Y { uint y[]; };
layout(binding = 3) buffer YScales { float y_scales[]; };

layout(push_constant) uniform Params {
    uint n;
    uint quantize;
    uint gate_first, gate_run, gate_stride;
    uint up_first, up_run, up_stride;
    uint groups_x;
#ifdef GW_GATED_PARAMS
    GW_GATED_PARAMS
#endif
} p;

#include "lib/columns.glsl"
#include "lib/q8_groups.glsl"

float gw_act(float x);
#ifdef GW_GATED_UP
float gw_up(float x); // flushed
#else
#define gw_up(x) (x)
#endif

// Where element i is, of gate and of up: mostly columns of one product. A group of 32 is in one row.
uvec2 place(uint i) {
    uint at = gw_column_at(i, p.gate_first, p.gate_run, p.gate_stride);
    bool alike = p.gate_run == p.up_run && p.gate_stride == p.up_stride;
    return uvec2(at, alike ? at - p.gate_first + p.up_first
                           : gw_column_at(i, p.up_first, p.up_run, p.up_stride));
}

float gated(uvec2 at) {
    return gw_flush(gw_mul(gw_act(gate[at.x]), gw_up(up[at.y])));
}

vec4 gw_q8_four(uint i) {
    uvec2 at = place(4u * i);
    vec4 v;
    for (uint k = 0u; k < 4u; k++) v[k] = gated(at + k);
    return v;
}

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * LANES + gl_LocalInvocationID.x;
    if (QUANTIZE != 0u) gw_q8_groups(at, p.n);
    else if (at < p.n) y[at] = floatBitsToUint(gated(place(at)));
}

#endif
