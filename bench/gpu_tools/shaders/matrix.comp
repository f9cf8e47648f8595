#version 450
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_control_flow_attributes : require
#pragma use_vulkan_memory_model
// Rate of cooperative matrices: four accumulators a subgroup. INT8: bytes to int32, else halves to
// fp32. The result of the first turn goes out, so that sums near 2^24 can be compared with exact ones.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint M = 16u;
layout(constant_id = 2) const uint N = 16u;
layout(constant_id = 3) const uint K = 16u;
#ifdef INT8
#define A_TYPE int8_t
#define C_TYPE int
#else
#define A_TYPE float16_t
#define C_TYPE float
#endif
layout(binding = 0) readonly buffer Source { A_TYPE source[]; };
layout(binding = 1) buffer Sink { C_TYPE sink[]; };
layout(push_constant) uniform P { uint first, n_turns; } p;
void main() {
    coopmat<A_TYPE, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a[2];
    coopmat<A_TYPE, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b[2];
    coopmat<C_TYPE, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> c[4];
    [[unroll]] for (uint i = 0u; i < 2u; i++) {
        coopMatLoad(a[i], source, i * M * K, K, gl_CooperativeMatrixLayoutRowMajor);
        coopMatLoad(b[i], source, 2u * M * K + i * N * K, K, gl_CooperativeMatrixLayoutColumnMajor);
    }
    [[unroll]] for (uint i = 0u; i < 4u; i++) c[i] = coopmat<C_TYPE, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(C_TYPE(0));
    for (uint turn = 0u; turn < p.n_turns; turn++) {
        [[unroll]] for (uint k = 0u; k < 8u; k++) [[unroll]] for (uint i = 0u; i < 4u; i++)
            c[i] = coopMatMulAdd(a[i & 1u], b[i >> 1], c[i]);
    }
    if (gl_WorkGroupID.x == 0u) {
        [[unroll]] for (uint i = 0u; i < 4u; i++)
            coopMatStore(c[i], sink, i * M * N, N, gl_CooperativeMatrixLayoutRowMajor);
    }
}
