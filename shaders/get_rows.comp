// get_rows: y[i] = w[ids[i]], as fp32
// w: [n_rows_all, n_cols] in a number format, this launch seeing rows row0 .. row0 + n_rows; ids: [n_ids]
// i32; y: [n_ids, n_cols] f32.
//
// One invocation: one unit (8 or 32 weights) of one id's row. One workgroup: as many units as it has
// invocations, over a grid folded in two dimensions. An id that is outside the table gives zeros (written
// by the launch of the first chunk). Floor: Vulkan 1.2, no shared memory. The order of its operations: lib/product.glsl, gw_unit_weight.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 2) readonly buffer Ids { uint ids[]; };
layout(binding = 3) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint format;
    uint n_ids, n_cols, n_units;
    uint row0, n_rows;
    uint n_rows_all;
    uint groups_x;
    uint group_pieces, group_rows; // lib/weights.glsl
} p;

#include "lib/weights.glsl"
#include "lib/product.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint i = at / p.n_units, unit = at % p.n_units;
    if (i >= p.n_ids) return;
    uint id = ids[i], row = id - p.row0;
    bool here = id >= p.row0 && row < p.n_rows;
    bool nowhere = id >= p.n_rows_all && p.row0 == 0u;
    if (!here && !nowhere) return;
    uint w_row = here ? row : 0u, y_at = i * p.n_cols + unit * UNIT;
    uint n = min(UNIT, p.n_cols - unit * UNIT);
    if (FLOAT_FORMAT) {
        float w[8];
        gw_unit_floats(gw_row_at(w_row), unit, w);
        for (uint k = 0u; k < n; k++) y[y_at + k] = here ? gw_flush(w[k]) : 0.0;
    } else {
        gw_unit w;
        gw_unit_read(gw_block_at(gw_row_at(w_row), unit / 8u), unit % 8u, w);
        for (uint k = 0u; k < n; k++) y[y_at + k] = here ? gw_flush(gw_unit_weight(w, k)) : 0.0;
    }
}
