// ssm_scan: the selective scan of Mamba 2 (lib/recurrence.glsl)
// B and C, keys and queries: [n_tok, 2 * n_heads_k, DK]; v, y: [n_tok, n_heads, dv].
//
// One invocation: a column of a head. Specialization: DK. Floor: Vulkan 1.2, no shared memory.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "lib/recurrence.glsl"
