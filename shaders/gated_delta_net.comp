// gated_delta_net: linear attention by the gated delta rule (lib/recurrence.glsl)
// queries and keys: [n_tok, 2 * n_heads_k, DK]; v, y: [n_tok, n_heads, dv].
//
// One invocation: a column of a head. Specialization: DK. Floor: Vulkan 1.2, no shared memory.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#define GW_DELTA
#include "lib/recurrence.glsl"
