// kv_store: writes the keys and values of new tokens into the cache
//   k, v: [n_tok, n_head_kv, head_dim] f32; pos: [n_tok] i32; K, V: [n_ctx, n_head_kv, head_dim]
//   f32 or f16 (two to a word), states that are written in rows pos[t]; no output.
// Tokens whose position is outside the cache write nothing. f16: to nearest, ties to even, and
// never to infinity.
#include "ops/ops.h"

typedef struct kv_store_params {
    uint32_t n_tok, n_row, n_ctx; // n_row: words of two elements in a row
    uint32_t f16;
    uint32_t groups_x;
} kv_store_params;
_Static_assert(sizeof(kv_store_params) == 20, "push constants of kv_store.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *k = node->inputs[0], *v = node->inputs[1], *pos = node->inputs[2];
    const gw_value *kc = node->inputs[3], *vc = node->inputs[4];
    GW_OP_CHECK(node, k->n_dims == 3 && v->n_dims == 3 && !memcmp(k->dims, v->dims, 24), err,
                "k and v are not one shape of 3 dims");
    GW_OP_CHECK(node, pos->dtype == GODWIT_I32 && pos->dims[0] == k->dims[0], err,
                "pos is not [n_tok] i32");
    GW_OP_CHECK(node,
                kc->kind == GW_VALUE_STATE && vc->kind == GW_VALUE_STATE &&
                    kc->dtype == vc->dtype && !memcmp(kc->dims, vc->dims, 24),
                err, "the caches are not two states of one shape");
    GW_OP_CHECK(node, kc->dims[1] == k->dims[1] && kc->dims[2] == k->dims[2], err,
                "the cache has other heads than k");
    GW_OP_CHECK(node, k->dims[2] % 2 == 0, err, "head_dim %llu is odd",
                (unsigned long long)k->dims[2]);
    *out = (gw_value){.n_dims = 0};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *k = node->inputs[0], *cache = node->inputs[3];
    uint32_t lanes = plan->tune.elem_lanes;
    kv_store_params params = {.n_tok = (uint32_t)k->dims[0],
                              .n_row = (uint32_t)(k->dims[1] * k->dims[2] / 2),
                              .n_ctx = (uint32_t)cache->dims[0],
                              .f16 = cache->dtype == GODWIT_F16};
    GW_OP_LAUNCH(launch, plan, node, params);
    for (uint32_t i = 0; i < 5; i++) gw_launch_bind(launch, node->inputs[i], i >= 3);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune,
                   gw_div_up((uint64_t)params.n_tok * params.n_row * 2, lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static void store_row(const kv_store_params *p, const float *x, uint32_t *cache, uint64_t row) {
    for (uint64_t i = 0; i < p->n_row; i++) {
        float a = gw_flush(x[2 * i]), b = gw_flush(x[2 * i + 1]);
        uint64_t at = row * p->n_row + i;
        if (p->f16) {
            cache[at] = gw_f32_to_f16(a) | gw_f32_to_f16(b) << 16;
        } else {
            cache[2 * at] = gw_bits(a);
            cache[2 * at + 1] = gw_bits(b);
        }
    }
}

static void reference(const gw_reference_args *args) {
    const kv_store_params *p = args->params;
    const int32_t *pos = args->bufs[2];
    for (uint64_t t = 0; t < p->n_tok; t++) {
        if ((uint32_t)pos[t] >= p->n_ctx) continue;
        store_row(p, (const float *)args->bufs[0] + t * p->n_row * 2, args->bufs[3],
                  (uint32_t)pos[t]);
        store_row(p, (const float *)args->bufs[1] + t * p->n_row * 2, args->bufs[4],
                  (uint32_t)pos[t]);
    }
}

const gw_op gw_op_kv_store = {.name = "kv_store",
                              .n_inputs_min = 5,
                              .n_inputs_max = 5,
                              .internal = true,
                              .infer = infer,
                              .launch = launch,
                              .reference = reference};
