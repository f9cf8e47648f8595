// Print: a graph as text, one line a node:
//   %12 = matmul "blk.0.attn_q" (%3 blk.0.attn_q.weight [64, 64] q8_0, %11) -> [7, 64] f32
#include "base/dims.h"
#include "graph/ir.h"
#include "graph/op.h"

#include <stdio.h>

const char *gw_value_dtype_name(const gw_value *value) {
    if (value->dtype == GW_DTYPE_Q8_ACT) return "q8_act";
    if (value->weight) return value->weight->format->name;
    switch (value->dtype) {
    case GODWIT_F32:
        return "f32";
    case GODWIT_F16:
        return "f16";
    case GODWIT_I32:
        return "i32";
    case GW_DTYPE_Q8_KEYS:
        return "q8_keys";
    case GW_DTYPE_Q8_VALUES:
        return "q8_values";
    default:
        return "?";
    }
}

void gw_value_shape_text(const gw_value *value, char *text, size_t text_bytes) {
    char dims[96];
    gw_dims_text(value->n_dims, value->dims, dims, sizeof dims);
    snprintf(text, text_bytes, "[%s] %s", dims, gw_value_dtype_name(value));
}

static bool is_leaf(const gw_value *value) {
    return value->kind != GW_VALUE_COMPUTED;
}

static bool print_input(const gw_value *value, bool first, godwit_write_fn write, void *user) {
    char shape[128], text[320];
    int n;
    if (!value) {
        n = snprintf(text, sizeof text, "%s-", first ? "" : ", ");
    } else if (is_leaf(value) || value->view_of) {
        gw_value_shape_text(value, shape, sizeof shape);
        n = snprintf(text, sizeof text, "%s%%%u %.96s %s%s", first ? "" : ", ", value->id,
                     value->name, shape, gw_value_is_strided(value) ? " columns" : "");
    } else {
        n = snprintf(text, sizeof text, "%s%%%u", first ? "" : ", ", value->id);
    }
    return write(user, text, (size_t)n);
}

static bool print_outputs(const gw_node *node, godwit_write_fn write, void *user) {
    char text[320], shape[128];
    bool go = write(user, ")", 1);
    for (uint32_t i = 0; i < GW_MAX_OUTPUTS && node->outputs[i] && go; i++) {
        const gw_value *y = node->outputs[i];
        gw_value_shape_text(y, shape, sizeof shape);
        int n =
            snprintf(text, sizeof text, "%s%s%s", i ? ", " : " -> ", shape, y->keep ? " kept" : "");
        go = write(user, text, (size_t)n);
    }
    return go && write(user, "\n", 1);
}

static bool print_node(const gw_node *node, godwit_write_fn write, void *user) {
    char text[320];
    int n = 0;
    for (uint32_t i = 0; i < GW_MAX_OUTPUTS && node->outputs[i]; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%%%u", i ? ", " : "",
                      node->outputs[i]->id);
    }
    n += snprintf(text + n, sizeof text - (size_t)n, "%s%s \"%.96s\" (", n ? " = " : "",
                  node->op->name, node->name);
    bool go = write(user, text, (size_t)n);
    for (uint32_t i = 0; i < node->n_inputs && go; i++) {
        go = print_input(node->inputs[i], i == 0, write, user);
    }
    return go && print_outputs(node, write, user);
}

godwit_status gw_graph_print(const gw_graph *graph, godwit_write_fn write, void *user) {
    for (size_t i = 0; i < graph->nodes.n; i++) {
        if (!print_node(graph->nodes.items[i], write, user)) return GODWIT_CANCELLED;
    }
    return GODWIT_OK;
}
