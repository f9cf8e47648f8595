// kv_store: writes the keys and values of new tokens into the cache
//   k, v: [n_tok, n_head_kv, head_dim] f32; rows: [n_tok] i32; K, V: [n_rows, n_head_kv, head_dim],
//   each f32, f16 (two to a word) or q8_0 (ops/kv.h), states that are written in rows rows[t]; no
//   output. K and V may be one state, whose rows are those of k (latents, from which both are made).
// Tokens whose row is outside the cache write nothing. f16: to nearest, ties to even, and
// never to infinity. q8_0: head_dim is a multiple of 8, up to 256; each head is rotated first.
#include "ops/kv.h"

#include <stdio.h>

enum { KEYS = 1, VALUES = 2 };

typedef struct kv_store_params {
    uint32_t n_tok, n_row, n_ctx; // n_row: pairs of elements in a row
    uint32_t k_type, v_type;      // gw_kv_type
    uint32_t writes;              // KEYS, VALUES or both
    uint32_t n_head, head_dim;
    gw_columns x[2]; // k and v
    uint32_t groups_x;
} kv_store_params;
_Static_assert(sizeof(kv_store_params) == 60, "push constants of kv_store.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *k = node->inputs[0], *v = node->inputs[1], *pos = node->inputs[2];
    const gw_value *kc = node->inputs[3], *vc = node->inputs[4];
    uint32_t k_type, v_type;
    GW_OP_CHECK(node, k->n_dims == 3 && v->n_dims == 3 && !memcmp(k->dims, v->dims, 24), err,
                "k and v are not one shape of 3 dims");
    GW_OP_CHECK(node, pos->dtype == GODWIT_I32 && pos->dims[0] == k->dims[0], err,
                "pos is not [n_tok] i32");
    GW_OP_CHECK(node,
                kc->kind == GW_VALUE_STATE && vc->kind == GW_VALUE_STATE &&
                    !memcmp(kc->dims, vc->dims, 24),
                err, "the caches are not two states of one shape");
    GW_OP_CHECK(node, gw_kv_type_of(kc, false, &k_type) && gw_kv_type_of(vc, true, &v_type), err,
                "a cache is not f32, f16 or q8_0");
    GW_OP_CHECK(node, kc->dims[1] == k->dims[1] && kc->dims[2] == k->dims[2], err,
                "the cache has other heads than k");
    GW_OP_CHECK(node, k->dims[2] % 2 == 0, err, "head_dim %llu is odd",
                (unsigned long long)k->dims[2]);
    GW_OP_CHECK(node,
                (k_type != GW_KV_Q8 && v_type != GW_KV_Q8) ||
                    (k->dims[2] % GW_HEAD_DIM_STEP == 0 && k->dims[2] <= GW_MAX_HEAD_DIM),
                err, "head_dim %llu of a q8_0 cache is not a multiple of 8 up to %d",
                (unsigned long long)k->dims[2], GW_MAX_HEAD_DIM);
    *out = (gw_value){.n_dims = 0};
    return GODWIT_OK;
}

static gw_launch *add_launch(gw_plan *plan, const gw_node *node, kv_store_params *params,
                             uint32_t writes) {
    params->writes = writes;
    gw_launch *launch = gw_plan_launch(plan, node, params, sizeof *params);
    if (!launch) return NULL;
    for (uint32_t i = 0; i < 5; i++) {
        bool written = (i == 3 && writes & KEYS) || (i == 4 && writes & VALUES);
        if (i < 2)
            gw_launch_bind_columns(launch, node->inputs[i], &params->x[i]);
        else
            gw_launch_bind(launch, node->inputs[i], written);
    }
    return launch;
}

static uint32_t n_parts(uint32_t writes) {
    return writes == (KEYS | VALUES) ? 2 : 1;
}

// An invocation a pair of elements.
static bool launch_floats(gw_plan *plan, const gw_node *node, kv_store_params *params,
                          uint32_t writes) {
    uint32_t lanes = plan->tune.elem_lanes;
    gw_launch *launch = add_launch(plan, node, params, writes);
    if (!launch) return false;
    gw_launch_spec(launch, lanes, 0, &lanes);
    uint64_t n = (uint64_t)params->n_tok * params->n_row * n_parts(writes);
    gw_launch_grid(launch, &plan->tune, gw_div_up(n, lanes));
    params->groups_x = launch->groups[0];
    memcpy(launch->params, params, sizeof *params);
    return true;
}

// A workgroup a head.
static bool launch_q8(gw_plan *plan, const gw_node *node, kv_store_params *params,
                      uint32_t writes) {
    const uint32_t more[] = {params->head_dim, plan->tune.elem_lanes};
    gw_launch *launch = add_launch(plan, node, params, writes);
    if (!launch) return false;
    snprintf(launch->shader, sizeof launch->shader, "kv_store_q8");
    gw_launch_spec(launch, plan->tune.elem_lanes, 2, more);
    gw_launch_grid(launch, &plan->tune, (uint64_t)params->n_tok * params->n_head * n_parts(writes));
    params->groups_x = launch->groups[0];
    memcpy(launch->params, params, sizeof *params);
    return true;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *k = node->inputs[0], *cache = node->inputs[3];
    kv_store_params params = {.n_tok = (uint32_t)k->dims[0],
                              .n_row = (uint32_t)(k->dims[1] * k->dims[2] / 2),
                              .n_ctx = (uint32_t)cache->dims[0],
                              .n_head = (uint32_t)k->dims[1],
                              .head_dim = (uint32_t)k->dims[2]};
    (void)gw_kv_type_of(cache, false, &params.k_type);
    (void)gw_kv_type_of(node->inputs[4], true, &params.v_type);
    uint32_t q8 = (params.k_type == GW_KV_Q8 ? KEYS : 0) | (params.v_type == GW_KV_Q8 ? VALUES : 0);
    uint32_t floats = (KEYS | VALUES) & ~q8;
    if (cache == node->inputs[4]) floats = KEYS;
    bool ok = (!floats || launch_floats(plan, node, &params, floats)) &&
              (!q8 || launch_q8(plan, node, &params, q8));
    return ok ? GODWIT_OK : gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: plan");
}

// --- reference -----------------------------------------------------------------------------------

// Floats go pair by pair, q8_0 head by head.
static void store_row(const kv_store_params *p, bool values, const float *x, uint64_t t,
                      uint64_t row, void *cache) {
    const uint32_t type = values ? p->v_type : p->k_type;
    const uint32_t d = type == GW_KV_Q8 ? p->head_dim : 2, n = 2 * p->n_row / d;
    for (uint32_t i = 0; i < n; i++) {
        float head[GW_MAX_HEAD_DIM];
        memcpy(head, x + gw_column_at(&p->x[values], (t * n + i) * d), d * sizeof *head);
        gw_kv_put_head(type, values, head, d, row * n + i, (uint64_t)p->n_ctx * n, cache);
    }
}

static uint64_t n_items(const void *params) {
    const kv_store_params *p = params;
    return p->n_tok;
}

static void reference(const gw_reference_args *args) {
    const kv_store_params *p = args->params;
    const int32_t *pos = args->bufs[2];
    for (uint64_t t = args->first; t < args->end; t++) {
        if ((uint32_t)pos[t] >= p->n_ctx) continue;
        for (uint32_t i = 0; i < 2; i++) {
            if (p->writes & (i ? VALUES : KEYS))
                store_row(p, i, args->bufs[i], t, (uint32_t)pos[t], args->bufs[3 + i]);
        }
    }
}

const gw_op gw_op_kv_store = {.name = "kv_store",
                              .n_inputs_min = 5,
                              .n_inputs_max = 5,
                              .internal = true,
                              .strided_inputs = 3,
                              .infer = infer,
                              .launch = launch,
                              .n_items = n_items,
                              .reference = reference};
