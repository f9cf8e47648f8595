// Tune: kernel shapes for a device, from what it reports. Any choice gives the same bits.
//
// Two rows stand for what was measured (lavapipe: 8 lanes, rows over lanes, a register tile without
// shared memory) and for what real GPUs like (workgroups of 128, a row's blocks over lanes in
// decode, a register tile in prefill). Everything is cut to the
// device's limits, down to the floor of 128 invocations. What is measured on a device
// (run/measure.h) takes their place.
#include "graph/variant.h"
#include "run/run.h"

#define ALL UINT64_MAX

// lanes, tok_lanes, row_groups, rows, cols: for one token, few, many.
typedef struct row {
    struct gw_matmul_tune matmul[2][GW_TOKENS_COUNT];
    uint32_t few_max, n_batch, run_tokens;
    uint32_t row_lanes, row_wide, elem_lanes, attn_lanes, attn_queries, sample_lanes, group_lanes;
    bool attn_parts;
    uint64_t prefers[GW_VARIANT_COUNT]; // FORMAT bits
} row;

static const row software = {
    // Few and many tokens share a shape up to 4 columns, so that one kernel less is compiled: on
    // software drivers compiling takes longer than running. 5 to 7 sessions at once take a column
    // each: 112 to 121 tokens/s of the 110M model in Q8_0 on lavapipe, where 4 take 111, and 93 and 105
    // were what 5 and 7 took in tiles of 3 and 4.
    .matmul = {{{1, 1, 8, 8, 1}, {1, 1, 8, 4, 8}, {1, 1, 8, 4, 4}},
               {{1, 1, 8, 8, 1}, {1, 1, 8, 4, 4}, {1, 1, 8, 4, 4}}},
    .few_max = 7,
    .n_batch = 64,
    .run_tokens = 4,
    .row_lanes = 8,
    .elem_lanes = 8,
    .attn_lanes = 16,
    .attn_queries = 4,
    .attn_parts = true,
    .sample_lanes = 8,
    .group_lanes = 1,
    .prefers = {[GW_VARIANT_matmul_dot] = ALL, [GW_VARIANT_moe_matmul_dot] = ALL},
};

static const row hardware = {
    .matmul = {{{16, 1, 8, 2, 1}, {16, 1, 8, 1, 4}, {1, 8, 16, 4, 4}},
               {{16, 1, 8, 2, 1}, {16, 1, 8, 1, 4}, {1, 8, 16, 4, 4}}},
    // The tiles for many tokens are slow until they are full: on an H200 the kernels of before made 754
    // tokens/s of 8 at once in a 1B Q4_0 where the one for few made 2,400.
    .few_max = 16,
    .n_batch = 512,
    .run_tokens = 64,
    .row_lanes = 256,
    .row_wide = 512,
    .elem_lanes = 64,
    .attn_lanes = 256,
    .attn_queries = 4,
    .attn_parts = true,
    .sample_lanes = 1024,
    .group_lanes = 8,
    .prefers = {[GW_VARIANT_matmul_coopmat_fast] = ALL,
                [GW_VARIANT_matmul_coopmat] = ALL,
                [GW_VARIANT_matmul_tile] = ALL,
                [GW_VARIANT_matmul_rows_fp16] = ALL,
                [GW_VARIANT_matmul_rows] = ALL,
                [GW_VARIANT_matmul_dot] = ALL,
                [GW_VARIANT_attention_tile_fp16] = ALL,
                [GW_VARIANT_attention_tile] = ALL,
                [GW_VARIANT_moe_matmul_dot] = ALL},
};

// What a driver that refuses a tile, or compiles it wrongly, is asked for instead: one result an
// invocation, in a workgroup of the floor.
static const struct gw_matmul_tune least = {16, 1, 8, 1, 1};

// Shapes beside those two that are worth a measurement.
static const struct gw_matmul_tune more[GW_TOKENS_COUNT][5] = {
    {{8, 1, 1, 4, 1}, {4, 1, 2, 4, 1}, {16, 1, 4, 4, 1}, {16, 1, 16, 1, 1}, {8, 1, 16, 2, 1}},
    {{8, 1, 1, 4, 2}, {8, 1, 1, 2, 4}, {16, 1, 4, 2, 4}, {16, 1, 8, 2, 7}, {1, 2, 64, 2, 4}},
    {{1, 2, 4, 4, 4}, {1, 8, 1, 4, 2}, {1, 16, 8, 4, 4}, {1, 16, 8, 4, 8}, {1, 16, 16, 4, 4}},
};

const struct gw_matmul_tune *gw_tune_candidate(bool is_float, gw_tokens tokens, uint32_t i) {
    if (i == 0) return &software.matmul[is_float][tokens];
    if (i == 1) return &hardware.matmul[is_float][tokens];
    return i - 2 < sizeof more[0] / sizeof *more[0] ? &more[tokens][i - 2] : NULL;
}

bool gw_tune_fits(const gw_caps *caps, const struct gw_matmul_tune *t) {
    enum { MAX_TILE = 16, MAX_LANES = 1024 };
    bool power = t->lanes && t->lanes <= 16 && (t->lanes & (t->lanes - 1)) == 0;
    bool sane = power && t->tok_lanes && t->tok_lanes <= MAX_LANES && t->row_groups &&
                t->row_groups <= MAX_LANES && t->rows && t->rows <= MAX_TILE && t->cols &&
                t->cols <= MAX_TILE && t->rows * t->cols <= 4 * MAX_TILE;
    if (!sane) return false;
    // What shaders/matmul.comp keeps in shared memory.
    uint64_t tile = (uint64_t)t->row_groups * t->rows * t->tok_lanes * t->cols;
    uint64_t shared = t->lanes == 1 ? 0 : 32 * (uint64_t)t->lanes * tile;
    return (uint64_t)t->lanes * t->tok_lanes * t->row_groups <= caps->max_workgroup_invocations &&
           shared <= caps->max_shared_bytes;
}

static void choose_by_default(const row *from, bool slow_loads, gw_choice *out) {
    memcpy(out->matmul, from->matmul, sizeof out->matmul);
    for (uint32_t v = 0; v < GW_VARIANT_COUNT; v++) {
        bool texels = slow_loads && v == GW_VARIANT_matmul_texel;
        for (uint32_t i = 0; i < GW_TOKENS_COUNT; i++) {
            bool many = i == GW_TOKENS_MANY;
            bool rows = v == GW_VARIANT_matmul_rows || v == GW_VARIANT_matmul_rows_fp16;
            // Tiles of matrices are fast for few tokens, too: on an H200 from 5 on.
            bool other = many ? rows : v == GW_VARIANT_matmul_tile;
            out->prefers[v][i] = texels ? ALL : other ? 0 : from->prefers[v];
        }
    }
}

bool gw_tune_shrink(gw_tune *tune) {
    bool changed = false;
    for (uint32_t i = 0; i < 2 * GW_TOKENS_COUNT; i++) {
        struct gw_matmul_tune *t = &tune->choice.matmul[i / GW_TOKENS_COUNT][i % GW_TOKENS_COUNT];
        changed = changed || t->rows * t->cols != 1;
        *t = least;
    }
    return changed;
}

void gw_tune_choose(gw_tune *tune, const gw_choice *choice) {
    tune->choice = *choice;
}

void gw_tune_for(const gw_caps *caps, gw_tune *out_tune) {
    const row *from = !caps || caps->software ? &software : &hardware;
    gw_choice choice;
    choose_by_default(from, caps && caps->slow_loads, &choice);
    *out_tune = (gw_tune){.few_max = from->few_max,
                          .n_batch = from->n_batch,
                          .run_tokens = from->run_tokens,
                          .row_lanes = from->row_lanes,
                          .row_wide = from->row_wide,
                          .elem_lanes = from->elem_lanes,
                          .attn_lanes = from->attn_lanes,
                          .attn_queries = from->attn_queries,
                          .attn_parts = from->attn_parts,
                          .sample_lanes = from->sample_lanes,
                          .group_lanes = from->group_lanes,
                          .cores = 1,
                          .max_range = UINT64_C(1) << 40,
                          .max_weight_range = UINT64_C(1) << 40,
                          .choice = choice};
    if (!caps) return;
    const uint32_t most = caps->max_workgroup_invocations;
    out_tune->row_lanes = out_tune->row_lanes < most ? out_tune->row_lanes : most;
    out_tune->row_wide = out_tune->row_wide < most ? out_tune->row_wide : most;
    out_tune->sample_lanes = out_tune->sample_lanes < most ? out_tune->sample_lanes : most;
    out_tune->max_range = caps->max_storage_buffer_range;
    out_tune->max_weight_range = caps->texel_dot ? caps->max_texel_bytes : out_tune->max_range;
    out_tune->max_groups[0] = caps->max_groups_x;
    out_tune->max_groups[1] = caps->max_groups_y;
    out_tune->max_groups[2] = caps->max_groups_z;
    out_tune->attn_shared = out_tune->max_shared = caps->max_shared_bytes;
    out_tune->max_invocations = most;
    out_tune->small_tiles = caps->software;
    out_tune->looks_ahead = !caps->software;
    out_tune->counts = caps->device_scope;
    out_tune->slow_dots = !caps->int_dot_accelerated;
    // Of a GPU that does not tell: small ones lose less by too many than large ones by too few.
    enum { CORES = 64 };
    if (!caps->software) out_tune->cores = caps->cores ? caps->cores : CORES;
    if (out_tune->attn_lanes > caps->max_workgroup_invocations)
        out_tune->attn_lanes = caps->max_workgroup_invocations;
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
    gw_tune_choose(out_tune, &choice);
}

void gw_tune_for_gpu(gw_tune *out_tune) {
    const gw_caps caps = {.int_dot = true,
                          .int_dot_accelerated = true,
                          .fp16 = true,
                          .device_scope = true,
                          .unrolled_dot = true,
                          .unrolled_fp16 = true,
                          .subgroup_size = 32,
                          .max_workgroup_invocations = 1024,
                          .max_shared_bytes = 32768,
                          .max_storage_buffer_range = UINT64_C(1) << 40};
    gw_tune_for(&caps, out_tune);
}
