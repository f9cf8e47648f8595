#version 450
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : require
// Rates of arithmetic: 8 chains a lane, 16 steps of each a turn. MODE 0: fp32 multiply and add,
// each rounded (no contraction); 1: the same free to be fused; 2: 32-bit integer multiply-add;
// 3: packed dot of four signed bytes, accumulated; 4: the decode mix: dot, convert, multiply, add.
layout(local_size_x_id = 0) in;
layout(binding = 0) readonly buffer Source { uvec4 source[]; };
layout(binding = 1) buffer Sink { uvec4 sink[]; };
layout(push_constant) uniform P { uint first, n_turns; } p;
#if MODE >= 3
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int sdot(uint a, uint b, spirv_literal int packed);
#endif
void main() {
    uvec4 s = source[gl_LocalInvocationID.x];
#if MODE <= 1
    float c[8];
    float x = uintBitsToFloat((s.x & 0x7fffffu) | 0x3f800000u), y = uintBitsToFloat((s.y & 0x7fffffu) | 0x3f800000u);
    [[unroll]] for (int i = 0; i < 8; i++) c[i] = float(i);
    for (uint turn = 0u; turn < p.n_turns; turn++) {
        [[unroll]] for (int k = 0; k < 16; k++) [[unroll]] for (int i = 0; i < 8; i++) {
#if MODE == 0
            precise float t = c[i] * x;
            precise float u = t + y;
            c[i] = u;
#else
            c[i] = c[i] * x + y;
#endif
        }
    }
    float sum = 0.0;
    [[unroll]] for (int i = 0; i < 8; i++) sum += c[i];
    if (sum == 1.25) sink[0] = uvec4(floatBitsToUint(sum));
#elif MODE == 2
    uint c[8];
    [[unroll]] for (int i = 0; i < 8; i++) c[i] = s.z + uint(i);
    for (uint turn = 0u; turn < p.n_turns; turn++) {
        [[unroll]] for (int k = 0; k < 16; k++) [[unroll]] for (int i = 0; i < 8; i++) c[i] = c[i] * s.x + s.y;
    }
    uint sum = 0u;
    [[unroll]] for (int i = 0; i < 8; i++) sum ^= c[i];
    if (sum == 0x12345678u) sink[0] = uvec4(sum);
#elif MODE == 3
    int c[8];
    [[unroll]] for (int i = 0; i < 8; i++) c[i] = int(s.z) + i;
    for (uint turn = 0u; turn < p.n_turns; turn++) {
        [[unroll]] for (int k = 0; k < 16; k++) [[unroll]] for (int i = 0; i < 8; i++) c[i] += sdot(uint(c[i]), s.y + uint(k), 0);
    }
    int sum = 0;
    [[unroll]] for (int i = 0; i < 8; i++) sum ^= c[i];
    if (sum == 0x12345678) sink[0] = uvec4(sum);
#else
    float c[8];
    float d = uintBitsToFloat((s.y & 0x7fffffu) | 0x3f800000u);
    [[unroll]] for (int i = 0; i < 8; i++) c[i] = float(i);
    for (uint turn = 0u; turn < p.n_turns; turn++) {
        [[unroll]] for (int k = 0; k < 2; k++) [[unroll]] for (int i = 0; i < 8; i++) {
            int t = 0;
            [[unroll]] for (int j = 0; j < 8; j++) t += sdot(s.x + uint(i) + turn, s.z + uint(j * 2 + k), 0);
            precise float u = d * float(t);
            precise float v = c[i] + u;
            c[i] = v;
        }
    }
    float sum = 0.0;
    [[unroll]] for (int i = 0; i < 8; i++) sum += c[i];
    if (sum == 1.25) sink[0] = uvec4(floatBitsToUint(sum));
#endif
}
