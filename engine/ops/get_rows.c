// get_rows (ONNX Gather, axis 0): y[i] = w[ids[i]], as fp32
//   W: [n_rows, n_cols] any number format; ids: [n] i32; y: [n, n_cols] f32
//   An id outside the table gives a row of zeros. Integer formats: gw_unit_weight.
// Tables in several chunks take a launch a chunk; each writes the rows that it has, the first also
// the zeros.
#include "ops/ops.h"

#include "graph/variant.h"

typedef struct get_rows_params {
    uint32_t format;
    uint32_t n_ids, n_cols, n_units;
    uint32_t row0, n_rows; // of this chunk
    uint32_t n_rows_all;
    uint32_t groups_x;
    gw_weight_params w;
} get_rows_params;
_Static_assert(sizeof(get_rows_params) == 40, "push constants of get_rows.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *w = node->inputs[0], *ids = node->inputs[1];
    GW_OP_CHECK(node, w->weight && w->n_dims == 2, err,
                "the first input is not a constant of 2 dims");
    GW_OP_CHECK(node, ids->dtype == GODWIT_I32 && ids->n_dims == 1, err, "ids are not [n] i32");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 2, .dims = {ids->dims[0], w->dims[1]}};
    GW_OP_CHECK(node, gw_value_n_elements(out) < UINT32_MAX, err,
                "the result has 2^32 elements or more");
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_placed *placed = node->inputs[0]->placed;
    const gw_weight *w = placed->weight;
    uint32_t lanes = plan->tune.elem_lanes;
    for (uint32_t i = 0; i < placed->n_chunks; i++) {
        const gw_weight_chunk *chunk = &placed->chunks[i];
        get_rows_params params = {.format = placed->format->id,
                                  .n_ids = (uint32_t)node->inputs[1]->dims[0],
                                  .n_cols = (uint32_t)w->n_cols,
                                  .n_units = (uint32_t)gw_format_units(w->format, w->n_cols),
                                  .row0 = (uint32_t)chunk->row0,
                                  .n_rows = (uint32_t)chunk->n_rows,
                                  .n_rows_all = (uint32_t)w->n_rows,
                                  .w = gw_placed_params(placed)};
        uint64_t n = (uint64_t)params.n_ids * params.n_units;
        GW_OP_LAUNCH(launch, plan, node, params);
        gw_launch_bind_weight(launch, placed, chunk);
        gw_launch_bind(launch, node->inputs[1], false);
        gw_launch_bind(launch, node->outputs[0], true);
        gw_launch_format(launch, w->format);
        gw_launch_spec(launch, lanes, 1, &w->format->id);
        gw_launch_grid(launch, &plan->tune, gw_div_up(n, lanes));
        params.groups_x = launch->groups[0];
        memcpy(launch->params, &params, sizeof params);
        plan->weight_bytes +=
            (uint64_t)params.n_ids * params.w.group_pieces * GW_PIECE_BYTES / params.w.group_rows;
    }
    return GODWIT_OK;
}

// Unit u of a row, at most n elements of it.
static void unit_to_f32(const gw_format *format, const gw_packed *row, uint64_t u, uint32_t n,
                        float *out) {
    float w[GW_FLOAT_UNIT];
    gw_unit unit = {.s = {1, 1}};
    if (gw_format_is_float(format))
        format->unpack_floats(row, u, w);
    else
        format->unpack(row, u, &unit);
    for (uint32_t k = 0; k < n; k++) {
        out[k] =
            gw_flush(gw_format_is_float(format) ? w[k] : gw_unit_weight(format->form, &unit, k));
    }
}

static uint64_t n_items(const void *params) {
    const get_rows_params *p = params;
    return p->n_ids;
}

static void reference(const gw_reference_args *args) {
    const get_rows_params *p = args->params;
    const int32_t *ids = args->bufs[2];
    const gw_format *format = gw_format_at(p->format);
    uint32_t unit = gw_format_unit(format), n_block = GW_BLOCK_MAX / unit;
    gw_row_layout layout;
    gw_block_row block;
    gw_layout_of(format, (uint64_t)p->n_units * unit, p->w.group_rows, &layout);
    for (uint64_t i = args->first; i < args->end; i++) {
        float *y = (float *)args->bufs[3] + i * p->n_cols;
        uint32_t id = (uint32_t)ids[i], row = id - p->row0;
        bool here = id >= p->row0 && row < p->n_rows;
        if (!here && id >= p->n_rows_all && p->row0 == 0) memset(y, 0, p->n_cols * sizeof *y);
        for (uint32_t u = 0; u < p->n_units && here; u++) {
            uint32_t left = p->n_cols - u * unit;
            if (u % n_block == 0) gw_layout_get(&layout, args->bufs[0], row, u / n_block, &block);
            unit_to_f32(format, &block.packed, u % n_block, left < unit ? left : unit,
                        y + u * unit);
        }
    }
}

const gw_op gw_op_get_rows = {.name = "get_rows",
                              .n_inputs_min = 2,
                              .n_inputs_max = 2,
                              .infer = infer,
                              .launch = launch,
                              .n_items = n_items,
                              .reference = reference};
