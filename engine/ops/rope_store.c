// rope_store: what stands between q, k, v and attention, in one launch: turns queries and keys as rope
// does and writes keys and values into the cache as kv_store does, the same bits
//   q: [n_tok, n_head, head_dim] f32; k, v: [n_tok, n_head_kv, head_dim] f32, each perhaps columns;
//   table: [n_tok, n_rot] f32; rows: [n_tok] i32; K, V: [n_rows, n_head_kv, d], states in the formats
//   of kv_store, written in rows rows[t]; y: [n_tok, n_head, d] f32, turned queries.
// d, the caches', is even, at least head_dim, and at most 256; zeros stand behind shorter heads.
// Tokens whose row is outside the cache write none.
#include "ops/rope_store.h"

#include "ops/kv.h"
#include "ops/rope.h"

#include <stdio.h>

enum { QUERIES = GW_ROPE_QUERIES, KEYS = GW_ROPE_KEYS, VALUES = GW_ROPE_VALUES };
enum { IN_Q, IN_K, IN_V, IN_TABLE, IN_ROWS, IN_KEYS, IN_VALUES, N_IN };
typedef gw_rope_store_params rope_store_params;

static bool is_heads(const gw_value *x) {
    return x->dtype == GODWIT_F32 && !x->weight && x->n_dims == 3;
}

static godwit_status check_caches(const gw_node *node, godwit_error *err) {
    const gw_value *k = node->inputs[IN_K], *kc = node->inputs[IN_KEYS];
    const gw_value *vc = node->inputs[IN_VALUES];
    uint32_t k_type, v_type;
    GW_OP_CHECK(node,
                kc->kind == GW_VALUE_STATE && vc->kind == GW_VALUE_STATE && kc->n_dims == 3 &&
                    vc->n_dims == 3 && !memcmp(kc->dims, vc->dims, 24),
                err, "the caches are not two states of one shape of 3 dims");
    GW_OP_CHECK(node, gw_kv_type_of(kc, false, &k_type) && gw_kv_type_of(vc, true, &v_type), err,
                "a cache is not f32, f16 or q8_0");
    GW_OP_CHECK(node, kc->dims[1] == k->dims[1] && kc->dims[2] >= k->dims[2], err,
                "the cache has heads of other number or size than k");
    GW_OP_CHECK(node, kc->dims[2] % 2 == 0 && kc->dims[2] <= GW_MAX_HEAD_DIM, err,
                "heads of %llu in the cache are odd or more than %d",
                (unsigned long long)kc->dims[2], GW_MAX_HEAD_DIM);
    GW_OP_CHECK(node,
                (k_type != GW_KV_Q8 && v_type != GW_KV_Q8) || kc->dims[2] % GW_HEAD_DIM_STEP == 0,
                err, "heads of %llu of a q8_0 cache are not a multiple of 8",
                (unsigned long long)kc->dims[2]);
    return GODWIT_OK;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *q = node->inputs[IN_Q], *k = node->inputs[IN_K], *v = node->inputs[IN_V];
    const gw_value *table = node->inputs[IN_TABLE], *rows = node->inputs[IN_ROWS];
    const gw_rope_attrs *a = (const gw_rope_attrs *)node->attrs;
    GW_OP_CHECK(node, is_heads(q) && is_heads(k) && is_heads(v) && !memcmp(k->dims, v->dims, 24),
                err, "q, k and v are not [n_tok, heads, head_dim] f32, k and v of one shape");
    GW_OP_CHECK(node, q->dims[0] == k->dims[0] && q->dims[2] == k->dims[2], err,
                "q and k have other tokens, or heads of other sizes");
    GW_OP_CHECK(node, a->n_rot % 2 == 0 && a->n_rot >= 2 && a->n_rot <= q->dims[2], err,
                "n_rot is %u; an even number up to head_dim (%llu) is wanted", a->n_rot,
                (unsigned long long)q->dims[2]);
    GW_OP_CHECK(node,
                table->dtype == GODWIT_F32 && !table->weight && table->n_dims == 2 &&
                    table->dims[0] == q->dims[0] && table->dims[1] == a->n_rot,
                err, "the table is not [n_tok, n_rot] f32");
    GW_OP_CHECK(node, rows->dtype == GODWIT_I32 && rows->n_dims == 1 && rows->dims[0] == q->dims[0],
                err, "rows is not [n_tok] i32");
    godwit_status status = check_caches(node, err);
    if (status != GODWIT_OK) return status;
    *out = (gw_value){.dtype = GODWIT_F32,
                      .n_dims = 3,
                      .dims = {q->dims[0], q->dims[1], node->inputs[IN_KEYS]->dims[2]}};
    return GODWIT_OK;
}

static uint32_t n_heads(const rope_store_params *p) {
    return (p->parts & QUERIES ? p->n_head : 0) + (p->parts & KEYS ? p->n_head_kv : 0) +
           (p->parts & VALUES ? p->n_head_kv : 0);
}

// An invocation makes two neighbouring elements of a head; of q8_0 a workgroup makes a head.
static godwit_status add_launch(gw_plan *plan, const gw_node *node, rope_store_params *p, bool q8,
                                godwit_error *err) {
    const uint32_t lanes = plan->tune.elem_lanes;
    const uint32_t of_q8[3] = {p->row_dim, lanes, p->paired};
    const uint32_t of_floats[3] = {p->paired, p->k_type, p->v_type};
    GW_OP_LAUNCH(launch, plan, node, *p);
    gw_launch_bind(launch, gw_value_root(node->inputs[p->parts & QUERIES ? IN_Q : IN_K]), false);
    gw_launch_bind(launch, gw_value_root(node->inputs[IN_V]), false);
    gw_launch_bind(launch, node->inputs[IN_TABLE], false);
    gw_launch_bind(launch, node->inputs[IN_ROWS], false);
    // What another launch makes is not bound, so that no barrier stands between them.
    const gw_value *made[3] = {node->inputs[IN_KEYS], node->inputs[IN_VALUES], node->outputs[0]};
    const bool own[3] = {p->parts & KEYS, p->parts & VALUES, p->parts & QUERIES};
    // In its place stands what this one writes anyway: a driver takes each binding that a kernel could
    // write for one that it does.
    const gw_value *instead = own[0] ? made[0] : own[1] ? made[1] : made[2];
    for (uint32_t i = 0; i < 3; i++) gw_launch_bind(launch, own[i] ? made[i] : instead, true);
    if (q8) snprintf(launch->shader, sizeof launch->shader, "rope_store_q8");
    gw_launch_spec(launch, lanes, 3, q8 ? of_q8 : of_floats);
    uint64_t n = (uint64_t)p->n_tok * n_heads(p);
    gw_launch_grid(launch, &plan->tune, q8 ? n : gw_div_up(n * (p->row_dim / 2), lanes));
    p->groups_x = launch->groups[0];
    memcpy(launch->params, p, sizeof *p);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *q = node->inputs[IN_Q], *cache = node->inputs[IN_KEYS];
    const gw_rope_attrs *a = (const gw_rope_attrs *)node->attrs;
    rope_store_params p = {.n_tok = (uint32_t)q->dims[0],
                           .n_head = (uint32_t)q->dims[1],
                           .n_head_kv = (uint32_t)cache->dims[1],
                           .head_dim = (uint32_t)q->dims[2],
                           .row_dim = (uint32_t)cache->dims[2],
                           .n_rot = a->n_rot,
                           .paired = a->paired,
                           .n_rows = (uint32_t)cache->dims[0]};
    for (uint32_t i = 0; i < 3; i++) p.x[i] = gw_columns_of(node->inputs[i]);
    (void)gw_kv_type_of(cache, false, &p.k_type);
    (void)gw_kv_type_of(node->inputs[IN_VALUES], true, &p.v_type);
    const uint32_t q8 = (p.k_type == GW_KV_Q8 ? KEYS : 0) | (p.v_type == GW_KV_Q8 ? VALUES : 0);
    uint32_t parts[3] = {(KEYS | VALUES) & ~q8, q8, 0};
    uint32_t *with_q = &parts[parts[0] ? 0 : 1];
    bool of_one = gw_value_root(node->inputs[IN_Q]) == gw_value_root(node->inputs[IN_K]);
    if (*with_q & KEYS && !of_one) with_q = &parts[2];
    *with_q |= QUERIES;
    for (uint32_t i = 0; i < 3; i++) {
        p.parts = parts[i];
        godwit_status status = parts[i] ? add_launch(plan, node, &p, i == 1, err) : GODWIT_OK;
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

// --- reference -----------------------------------------------------------------------------------

// Head h of what `part` (0: q, 1: k, 2: v) has of token t.
static void make_head(const gw_reference_args *args, uint32_t part, uint64_t t, uint32_t h) {
    const rope_store_params *p = args->params;
    const gw_rope_attrs attrs = {.n_rot = p->n_rot, .paired = p->paired};
    const uint32_t n = part ? p->n_head_kv : p->n_head, d = p->row_dim;
    const float *table = (const float *)args->bufs[GW_ROPE_BUF_TABLE] + t * p->n_rot;
    const float *x = args->bufs[part == 2 ? GW_ROPE_BUF_V : GW_ROPE_BUF_QK];
    float head[GW_MAX_HEAD_DIM] = {0};
    x += gw_column_at(&p->x[part], (t * n + h) * p->head_dim);
    if (part == 2)
        memcpy(head, x, p->head_dim * sizeof *head);
    else
        gw_rope_head(&attrs, x, p->head_dim, table, head);
    if (part == 0) {
        memcpy((float *)args->bufs[GW_ROPE_BUF_Y] + (t * n + h) * d, head, d * sizeof *head);
        return;
    }
    const uint32_t row = ((const uint32_t *)args->bufs[GW_ROPE_BUF_ROWS])[t];
    if (row >= p->n_rows) return;
    gw_kv_put_head(part == 2 ? p->v_type : p->k_type, part == 2, head, d, (uint64_t)row * n + h,
                   (uint64_t)p->n_rows * n, args->bufs[GW_ROPE_BUF_KEYS + part - 1]);
}

static uint64_t n_items(const void *params) {
    const rope_store_params *p = params;
    return p->n_tok;
}

static void reference(const gw_reference_args *args) {
    const rope_store_params *p = args->params;
    for (uint32_t part = 0; part < 3; part++) {
        if (!(p->parts >> part & 1)) continue;
        for (uint64_t t = args->first; t < args->end; t++) {
            for (uint32_t h = 0; h < (part ? p->n_head_kv : p->n_head); h++)
                make_head(args, part, t, h);
        }
    }
}

const gw_op gw_op_rope_store = {.name = "rope_store",
                                .n_inputs_min = N_IN,
                                .n_inputs_max = N_IN,
                                .strided_inputs = 7,
                                .writes_inputs = true,
                                .internal = true,
                                .infer = infer,
                                .launch = launch,
                                .n_items = n_items,
                                .reference = reference};
