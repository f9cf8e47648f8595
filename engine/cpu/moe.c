// Moe: see moe.h.
#include "cpu/moe.h"

#include "ops/moe.h"

#include <string.h>

typedef bool (*product_fn)(gw_cpu *cpu, const gw_reference_args *args);

static void make(gw_cpu *cpu, product_fn product, const gw_reference_args *args) {
    if (!product(cpu, args)) gw_reference(&gw_op_matmul, (gw_reference_args[]){*args});
}

static void make_pair(gw_cpu *cpu, product_fn product, const gw_reference_args *args,
                      uint32_t expert, uint64_t i) {
    gw_moe_pair pair;
    gw_moe_pair_of(args, expert, i, &pair);
    if (!pair.is_bound) return;
    make(cpu, product, &pair.args);
    gw_moe_pair_end(args, expert, i);
}

// Rows of x and scales of an expert's pairs side by side, and what their product gives.
typedef struct gathered {
    uint64_t x_bytes, scale_bytes; // of a row
    uint8_t *x, *scales;
    float *row_scales, *y;
} gathered;

typedef struct memory {
    void *block;
    size_t bytes;
} memory;

static memory gather_memory(const gw_host *host, const gw_moe_matmul_params *p, uint64_t n,
                            gathered *out) {
    const bool is_float = gw_format_is_float(gw_format_at(p->format));
    *out = (gathered){.x_bytes = (uint64_t)p->n_units * (is_float ? GW_FLOAT_UNIT * 4 : GW_UNIT),
                      .scale_bytes = is_float ? 0 : (uint64_t)p->n_units * 4};
    memory m = {.bytes = n * (out->x_bytes + out->scale_bytes + 4 + (uint64_t)p->n_rows * 4)};
    m.block = gw_alloc(host, m.bytes, 1);
    if (!m.block) return m;
    out->x = m.block;
    out->scales = out->x + n * out->x_bytes;
    out->row_scales = (float *)(void *)(out->scales + n * out->scale_bytes);
    out->y = out->row_scales + n;
    return m;
}

static uint64_t gather_tile(const gw_reference_args *args, const uint32_t *tile, uint64_t at,
                            const gathered *g) {
    const gw_moe_matmul_params *p = args->params;
    for (uint32_t k = 1; k <= p->tile && tile[k] < p->n_pairs; k++, at++) {
        const uint64_t row = tile[k] / p->share;
        memcpy(g->x + at * g->x_bytes, (const uint8_t *)args->bufs[2] + row * g->x_bytes,
               g->x_bytes);
        memcpy(g->scales + at * g->scale_bytes,
               (const uint8_t *)args->bufs[3] + row * g->scale_bytes, g->scale_bytes);
        if (p->has_scale) g->row_scales[at] = ((const float *)args->bufs[5])[tile[k] / p->n_used];
    }
    return at;
}

// The results of a tile, of rows that the launch's chunk has, to where they belong.
static uint64_t scatter_tile(const gw_reference_args *args, const uint32_t *tile, uint64_t at,
                             const gw_moe_pair *rows, const gathered *g) {
    const gw_moe_matmul_params *p = args->params;
    const uint32_t row0 = rows->params.row0;
    for (uint32_t k = 1; k <= p->tile && tile[k] < p->n_pairs; k++, at++) {
        memcpy((float *)args->bufs[7] + (uint64_t)tile[k] * p->n_rows + row0,
               g->y + at * p->n_rows + row0, rows->params.n_rows * sizeof(float));
        gw_moe_pair_end(args, tile[0], tile[k]);
    }
    return at;
}

// Tiles first .. end - 1, all of one expert.
static void make_expert(gw_cpu *cpu, product_fn product, const gw_reference_args *args,
                        uint64_t first, uint64_t end, const gathered *g) {
    const uint32_t *tile = gw_moe_tile_at(args, first);
    gw_moe_pair rows;
    uint64_t n = 0;
    gw_moe_pair_of(args, tile[0], tile[1], &rows);
    if (!rows.is_bound) return;
    for (uint64_t i = first; i < end; i++) n = gather_tile(args, gw_moe_tile_at(args, i), n, g);
    rows.params.n_tok = (uint32_t)n;
    rows.args.params = &rows.params;
    rows.args.end = n;
    rows.args.bufs[2] = g->x;
    rows.args.bufs[3] = g->scale_bytes ? g->scales : g->x;
    rows.args.bufs[4] = g->x;
    rows.args.bufs[5] = g->row_scales;
    rows.args.bufs[6] = g->y;
    make(cpu, product, &rows.args);
    n = 0;
    for (uint64_t i = first; i < end; i++)
        n = scatter_tile(args, gw_moe_tile_at(args, i), n, &rows, g);
}

static uint64_t end_of_expert(const gw_reference_args *args, uint64_t first) {
    const gw_moe_matmul_params *p = args->params;
    uint64_t end = first;
    while (end < p->n_tiles && gw_moe_tile_at(args, end)[0] == gw_moe_tile_at(args, first)[0])
        end++;
    return end;
}

static void make_tiles(gw_cpu *cpu, const gw_host *host, product_fn product,
                       const gw_reference_args *args) {
    const gw_moe_matmul_params *p = args->params;
    uint64_t most = 0, end;
    for (uint64_t i = 0; i < p->n_tiles && gw_moe_tile_at(args, i)[0] != GW_MOE_NONE; i = end) {
        end = end_of_expert(args, i);
        if (end - i > most) most = end - i;
    }
    gathered g;
    memory m = gather_memory(host, p, most * p->tile, &g);
    for (uint64_t i = 0; i < p->n_tiles && gw_moe_tile_at(args, i)[0] != GW_MOE_NONE; i = end) {
        const uint32_t *tile = gw_moe_tile_at(args, i);
        end = m.block ? end_of_expert(args, i) : i + 1;
        if (m.block) make_expert(cpu, product, args, i, end, &g);
        for (uint32_t k = 1; !m.block && k <= p->tile && tile[k] < p->n_pairs; k++)
            make_pair(cpu, product, args, tile[0], tile[k]);
    }
    gw_free(host, m.block, m.bytes);
}

void gw_cpu_moe_matmul(gw_cpu *cpu, const gw_host *host, const gw_reference_args *args,
                       bool (*product)(gw_cpu *cpu, const gw_reference_args *args)) {
    const gw_moe_matmul_params *p = args->params;
    if (p->tile) {
        make_tiles(cpu, host, product, args);
        return;
    }
    for (uint64_t i = 0; i < p->n_pairs; i++)
        make_pair(cpu, product, args, gw_moe_expert_of(args, i), i);
}
