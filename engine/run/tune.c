// Tune: kernel shapes for a device, from what it reports. Data, and any choice gives the same bits.
//
// Two rows stand for what was measured (lavapipe: 8 lanes, rows kept in registers, no shared memory
// in prefill) and for what real GPUs like (workgroups of 128, segments over lanes in decode, a
// register tile in prefill). Everything is cut to the device's limits, down to the floor of 128
// invocations.
#include "run/run.h"

#define PREFER(suffix) (1u << GW_VARIANT_matmul_##suffix)

#define ROW(tokens, n_lanes, n_tok_lanes, n_groups, n_rows, n_cols)                                \
    {                                                                                              \
        .max_tokens = tokens, .lanes = n_lanes, .tok_lanes = n_tok_lanes, .row_groups = n_groups,  \
        .rows = n_rows, .cols = n_cols                                                             \
    }

static const gw_tune software = {
    .matmul = {{ROW(1, 8, 1, 1, 8, 1), ROW(7, 8, 1, 1, 4, 2), ROW(UINT32_MAX, 1, 8, 1, 4, 2)},
               {ROW(1, 8, 1, 1, 2, 1), ROW(7, 8, 1, 1, 4, 2), ROW(UINT32_MAX, 1, 8, 1, 4, 2)}},
    .row_lanes = 8,
    .elem_lanes = 8,
    .attn_lanes = 8,
    .sample_lanes = 8,
    .prefers = PREFER(dot),
};

static const gw_tune hardware = {
    .matmul = {{ROW(1, 16, 1, 8, 2, 1), ROW(8, 16, 1, 8, 1, 4), ROW(UINT32_MAX, 1, 16, 8, 4, 4)},
               {ROW(1, 16, 1, 8, 2, 1), ROW(8, 16, 1, 8, 1, 4), ROW(UINT32_MAX, 1, 16, 8, 4, 4)}},
    .row_lanes = 64,
    .elem_lanes = 64,
    .attn_lanes = 32,
    .sample_lanes = 128,
    .prefers = PREFER(coopmat_fast) | PREFER(coopmat) | PREFER(fp16) | PREFER(dot),
};

void gw_tune_for(const gw_caps *caps, gw_tune *out_tune) {
    *out_tune = !caps || caps->software ? software : hardware;
    out_tune->max_range = UINT64_C(1) << 40;
    if (!caps) return;
    out_tune->max_range = caps->max_storage_buffer_range;
    out_tune->max_groups[0] = caps->max_groups_x;
    out_tune->max_groups[1] = caps->max_groups_y;
    out_tune->max_groups[2] = caps->max_groups_z;
    out_tune->subgroup_size = caps->subgroup_size;
    const gw_coopmat_shape *shapes[2] = {&caps->coopmat_int8, &caps->coopmat_fp16};
    for (int i = 0; i < 2; i++) {
        out_tune->matrices[i] = (struct gw_matrix_tune){shapes[i]->m, shapes[i]->n, shapes[i]->k};
    }
#define X(op, suffix, capability, formats, min_tokens, numerics)                                   \
    if (caps->capability && gw_shader_is_built(#op "." #suffix))                                   \
        out_tune->variants[GW_VARIANT_##op##_##suffix] = UINT64_MAX;
#include "graph/variants.def"
#undef X
    // Its lanes must lie in one subgroup.
    for (int i = 0; i < 6; i++) {
        if (out_tune->matmul[i / 3][i % 3].lanes > caps->subgroup_size) {
            out_tune->variants[GW_VARIANT_matmul_subgroup] = 0;
        }
    }
}
