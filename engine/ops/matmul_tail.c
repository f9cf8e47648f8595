// Matmul's tails: what follows a product for few tokens is made in its launch, by the workgroup that ends
// last of those with a group of 32 rows (of a gate and what it gates: with both), so that a step of decode
// has fewer launches and barriers. Which op takes what is the kernel's matter: any that has 32 rows or a
// part of them a workgroup could; today those of "matmul.rows" do.
#include "ops/matmul.h"

#include "graph/variant.h"
#include "ops/ops.h"

enum {
    GROUP = 32,
    MAX_COLS = 8,          // tokens of a workgroup
    MAX_ROW = 8 * 32 * 256 // of a norm: TAIL_BLOCKS
};

static gw_matmul_tail_kind kind_of(const gw_node *tail) {
    if (tail->op == &gw_op_rms_norm) return GW_TAIL_NORM;
    return tail->op == &gw_op_silu_mul ? GW_TAIL_SILU : GW_TAIL_NONE;
}

bool gw_matmul_has_tails(uint32_t variant) {
    return variant == GW_VARIANT_matmul_rows || variant == GW_VARIANT_matmul_rows_fp16;
}

static uint32_t variant_for(const gw_node *node, const gw_tune *tune) {
    return gw_variant_for(tune, node->op, node->inputs[0]->weight->format,
                          gw_value_n_rows(node->inputs[1]));
}

static bool is_in_arena(const gw_value *value) {
    return value->kind == GW_VALUE_COMPUTED && !value->view_of;
}

static bool is_all_of(const gw_value *value, const gw_value *of) {
    return gw_value_root((gw_value *)value) == of && !gw_value_is_strided(value) &&
           value->view.first == 0 && gw_value_n_elements(value) == gw_value_n_elements(of);
}

// Half `i` of each row of a product, in order.
static bool is_half(const gw_value *value, const gw_value *of, uint64_t i) {
    const uint64_t row = gw_value_row(of);
    return gw_value_root((gw_value *)value) == of && value->view.run == row / 2 &&
           value->view.stride == row && value->view.first == i * (row / 2) &&
           gw_value_n_elements(value) == gw_value_n_elements(of) / 2;
}

static bool may_norm(const gw_node *node, const gw_node *norm) {
    const gw_value *y = node->outputs[0], *w = norm->inputs[1];
    const gw_rms_norm_attrs *a = (const gw_rms_norm_attrs *)norm->attrs;
    const bool has_scale = node->n_inputs > 3 && node->inputs[3]; // w takes its binding
    return a->folded && !has_scale && is_all_of(norm->inputs[0], y) && gw_is_f32_rows(w) &&
           w->placed && w->placed->n_chunks == 1 &&
           gw_value_row(norm->inputs[0]) == gw_value_row(y) && gw_value_row(y) % GROUP == 0 &&
           gw_value_row(y) <= MAX_ROW && is_in_arena(norm->outputs[1]);
}

static bool may_gate(const gw_node *node, const gw_node *gated) {
    const gw_value *y = node->outputs[0];
    return is_half(gated->inputs[0], y, 0) && is_half(gated->inputs[1], y, 1) &&
           gw_value_row(y) % (2 * GROUP) == 0;
}

bool gw_matmul_takes_tail(const gw_node *node, const gw_node *tail, const gw_tune *tune) {
    const gw_matmul_tail_kind kind = kind_of(tail);
    const gw_value *y = node->outputs[0];
    const uint64_t counters =
        (gw_value_row(y) / GROUP + 1) * gw_div_up(gw_value_n_rows(y), MAX_COLS) * sizeof(uint32_t);
    // keep_values: of a guarded session, which wants a launch to write its product alone.
    if (tune->keep_values || kind == GW_TAIL_NONE || !is_in_arena(y) ||
        !is_in_arena(tail->outputs[0]) || !node->inputs[0]->placed ||
        node->inputs[0]->placed->n_chunks != 1 || counters > GW_COUNTER_BYTES ||
        !gw_matmul_has_tails(variant_for(node, tune)))
        return false;
    return kind == GW_TAIL_NORM ? may_norm(node, tail) : may_gate(node, tail);
}

// A norm's sums of squares, [n_tok, groups of 32].
uint64_t gw_matmul_tail_scratch(const gw_node *node, const gw_tune *tune) {
    (void)tune;
    if (!node->tail || kind_of(node->tail) != GW_TAIL_NORM) return 0;
    return gw_value_n_elements(node->outputs[0]) / GROUP * sizeof(float);
}

void gw_matmul_add_tail(gw_launch *launch, const gw_node *node) {
    const gw_node *tail = node->tail;
    const gw_value *y = tail->outputs[0];
    const bool quantize = y->dtype == GW_DTYPE_Q8_ACT;
    gw_matmul_tail_params p = {.y_first = gw_arena_word(node->outputs[0]->slice),
                               .y = gw_arena_word(y->slice)};
    if (quantize) p.scales = p.y + (uint32_t)(gw_q8_act_scales_offset(y) / 4);
    if (kind_of(tail) == GW_TAIL_NORM) {
        p.row_scales = gw_arena_word(tail->outputs[1]->slice);
        p.sums = gw_arena_word(node->scratch);
        p.inv_n = 1.0f / (float)gw_value_row(node->outputs[0]);
        p.eps = ((const gw_rms_norm_attrs *)tail->attrs)->eps;
    }
    memcpy(launch->params + launch->params_bytes, &p, sizeof p);
    launch->params_bytes += sizeof p;
    launch->spec[launch->n_spec++] = kind_of(tail);
    launch->spec[launch->n_spec++] = quantize;
}
