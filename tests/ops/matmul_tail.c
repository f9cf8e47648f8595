// What follows a product in its launch (engine/ops/matmul_tail.c) against the references of the ops that it
// stands for, bit for bit: a feed-forward block, whose norm and gate are tails, in awkward sizes.
#include "support/rig.h"

#include "graph/variant.h"

#include <criterion/criterion.h>
#include <stdio.h>

typedef struct block {
    uint32_t format, width, hidden, n_tok;
} block;

static gw_value *part(rig_case *c, gw_value *of, uint64_t first, uint64_t n) {
    gw_value *columns = NULL;
    cr_assert(gw_graph_columns(&c->graph, of, first, n, &columns, NULL) == GODWIT_OK);
    return columns;
}

static void build(rig_case *c) {
    const block *s = c->user;
    const gw_format *format = gw_format_at(s->format);
    const gw_rms_norm_attrs norm = {.eps = 1e-5f, .folded = 1};
    uint64_t x_dims[2] = {s->n_tok, 256}, y_dims[2] = {s->n_tok, s->width};
    gw_value *first[2] = {rig_weight(c, format, s->width, 256), rig_f32(c, "x", 2, x_dims)};
    gw_value *sum[2] = {rig_node(c, &gw_op_matmul, first, 2, NULL, 0), rig_f32(c, "r", 2, y_dims)};
    gw_value *x = rig_node(c, &gw_op_add, sum, 2, NULL, 0);
    gw_value *normed[2] = {x, rig_weight(c, &gw_format_f32, 0, s->width)};
    gw_value *both[4] = {rig_weight(c, format, 2 * s->hidden, s->width),
                         rig_node(c, &gw_op_rms_norm, normed, 2, &norm, sizeof norm)};
    both[3] = c->graph.nodes.items[c->graph.nodes.n - 1]->outputs[1];
    gw_value *gated = rig_node(c, &gw_op_matmul, both, 4, NULL, 0);
    gw_value *halves[2] = {part(c, gated, 0, s->hidden), part(c, gated, s->hidden, s->hidden)};
    gw_value *down[2] = {rig_weight(c, format, 40, s->hidden),
                         rig_node(c, &gw_op_silu_mul, halves, 2, NULL, 0)};
    rig_output(c, &gw_op_matmul, down, 2, NULL, 0);
    x->keep = true;
}

// Groups of 32 rows in one workgroup (one core), in two and in four.
static void compare(rig *r, const block *s, uint32_t variant, uint32_t cores, rig_fill fill) {
    char label[96];
    const gw_tune tune = r->vulkan.tune;
    gw_variant_only(&r->vulkan.tune, variant);
    r->vulkan.tune.cores = cores;
    snprintf(label, sizeof label, "%s, %u, %u x %u, %s, %u cores", gw_format_at(s->format)->name,
             s->width, s->hidden, s->n_tok, gw_variant_at(variant)->module, cores);
    rig_compare(r, build, s, fill, label);
    r->vulkan.tune = tune;
}

Test(ops, matmul_tail) {
    static const uint32_t formats[] = {GW_FMT_q8_0, GW_FMT_q4_k, GW_FMT_f16, GW_FMT_f32};
    static const uint32_t sizes[][3] = {{256, 256, 1}, {512, 1024, 3},  {2304, 256, 8},
                                        {256, 768, 9}, {256, 2304, 16}, {256, 256, 20},
                                        {512, 256, 1}};
    static const uint32_t cores[] = {1, 12, 64};
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    // Each size in two formats, with either kernel.
    for (uint32_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const uint32_t *size = sizes[i / 2], format = formats[(i / 2 + 2 * i) % 4];
        // Rows of floats that are not whole blocks, too.
        const uint32_t less = gw_format_is_float(gw_format_at(format)) ? 160 : 0;
        block s = {format, size[0] + less, size[1] + less, size[2]};
        const uint32_t v = GW_VARIANT_matmul_rows_fp16 + (i / 4 + i) % 2;
        if (r.vulkan.tune.variants[v])
            compare(&r, &s, v, cores[i % 3], (rig_fill)(i % RIG_N_FILLS));
    }
    rig_close(&r);
}
