// moe_group: sorts pairs of a token and an expert by expert, in tiles
// ids: [n_pairs]; groups: [n_tiles, 1 + tile]: of each tile its expert, then pairs of it, in their order; NONE where
// there is none
//
// One workgroup; an invocation goes through all pairs for each of its experts, twice: to count, and to place.
// Shared memory: 2 KiB. Floor: Vulkan 1.2. Integers only.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer Ids { uint ids[]; };
layout(binding = 1) buffer Groups { uint groups[]; };

layout(push_constant) uniform Params {
    uint n_pairs, n_experts, tile, n_tiles;
} p;

const uint MAX_EXPERTS = 512u, NONE = 0xffffffffu;
const uint AHEAD = 8u; // pairs of a round: llvmpipe ends an invocation after 65,535 of them
shared uint n_of[MAX_EXPERTS];

bool is_of(uint pair, uint expert) {
    return pair < p.n_pairs && min(ids[min(pair, p.n_pairs - 1u)], p.n_experts - 1u) == expert;
}

uint count(uint expert) {
    uint n = 0u;
    [[dont_unroll]] for (uint first = 0u; first < p.n_pairs; first += AHEAD) {
        [[unroll]] for (uint k = 0u; k < AHEAD; k++) n += is_of(first + k, expert) ? 1u : 0u;
    }
    return n;
}

// From tile `at` on; n pairs.
void put(uint expert, uint at, uint n) {
    uint size = 1u + p.tile, k = 0u, end = (n + p.tile - 1u) / p.tile * p.tile;
    [[dont_unroll]] for (uint first = 0u; first < p.n_pairs; first += AHEAD) {
        [[unroll]] for (uint i = 0u; i < AHEAD; i++) {
            if (!is_of(first + i, expert)) continue;
            groups[(at + k / p.tile) * size + 1u + k % p.tile] = first + i;
            k++;
        }
    }
    for (; k < end; k++) groups[(at + k / p.tile) * size + 1u + k % p.tile] = NONE;
    for (uint i = 0u; i < end / p.tile; i++) groups[(at + i) * size] = expert;
}

void main() {
    uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
    for (uint e = lane; e < p.n_experts; e += lanes) n_of[e] = count(e);
    barrier();
    uint at = 0u, done = 0u; // tiles of the experts before `done`
    for (uint e = lane; e < p.n_experts; e += lanes) {
        for (; done < e; done++) at += (n_of[done] + p.tile - 1u) / p.tile;
        put(e, at, n_of[e]);
    }
    for (; done < p.n_experts; done++) at += (n_of[done] + p.tile - 1u) / p.tile;
    for (uint i = at * (1u + p.tile) + lane; i < p.n_tiles * (1u + p.tile); i += lanes) groups[i] = NONE;
}
