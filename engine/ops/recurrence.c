// Recurrence: see recurrence.h.
#include "ops/recurrence.h"

enum { ROWS = GW_RECURRENCE_ROWS, COLUMNS = GW_RECURRENCE_COLUMNS, UNIT = 32 };

godwit_status gw_recurrence_infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *rows = node->inputs[0], *v = node->inputs[1], *gates = node->inputs[2];
    const gw_value *segments = node->inputs[3], *state = node->inputs[4];
    GW_OP_CHECK(node,
                rows->dtype == GODWIT_F32 && rows->n_dims == 3 && rows->dims[1] % 2 == 0 &&
                    !rows->weight && rows->dims[2] <= ROWS,
                err, "keys and queries are not [n_tok, 2 * heads, at most %d] f32", ROWS);
    GW_OP_CHECK(node,
                gates->dtype == GODWIT_F32 && gates->n_dims == 2 && state->n_dims == 3 &&
                    state->dims[1] && gates->dims[0] == rows->dims[0] && !gates->weight,
                err, "gates are not [n_tok, decays and rates] f32");
    const uint64_t n_heads = state->dims[1], dk = rows->dims[2];
    GW_OP_CHECK(node, gates->dims[1] == 2 * n_heads || gates->dims[1] == (dk + 1) * n_heads, err,
                "%llu gates; of %llu heads one decay or %llu, and a rate, are wanted",
                (unsigned long long)gates->dims[1], (unsigned long long)n_heads,
                (unsigned long long)dk);
    GW_OP_CHECK(node,
                v->dtype == GODWIT_F32 && v->n_dims == 2 && v->dims[0] == rows->dims[0] &&
                    v->dims[1] % n_heads == 0 && !v->weight,
                err, "v is not [n_tok, heads * dv] f32");
    const uint64_t dv = v->dims[1] / n_heads;
    GW_OP_CHECK(node, n_heads % (rows->dims[1] / 2) == 0, err,
                "heads of keys do not divide the heads");
    GW_OP_CHECK(node, gw_is_segments(segments), err, "segments are not [4 * n] i32");
    GW_OP_CHECK(node, gw_is_blocks(state, n_heads, dk * dv), err,
                "the state is not [n_blocks, %llu, %llu] f32", (unsigned long long)n_heads,
                (unsigned long long)(dk * dv));
    GW_OP_CHECK(node,
                node->n_inputs < 6 || (gw_is_f32_rows(node->inputs[5]) &&
                                       gw_value_n_elements(node->inputs[5]) == n_heads),
                err, "skip is not a f32 for each head");
    GW_OP_CHECK(node,
                gw_value_n_elements(rows) < UINT32_MAX && gw_value_n_elements(v) < UINT32_MAX &&
                    gw_value_n_elements(state) < UINT32_MAX,
                err, "there are 2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 3, .dims = {rows->dims[0], n_heads, dv}};
    return GODWIT_OK;
}

godwit_status gw_recurrence_launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *rows = node->inputs[0], *y = node->outputs[0];
    const gw_recurrence_attrs *a = (const gw_recurrence_attrs *)node->attrs;
    gw_recurrence_params params = {.n_tok = (uint32_t)rows->dims[0],
                                   .n_segments =
                                       (uint32_t)(node->inputs[3]->dims[0] / GW_SEGMENT_WORDS),
                                   .n_blocks = (uint32_t)node->inputs[4]->dims[0],
                                   .n_heads = (uint32_t)y->dims[1],
                                   .n_heads_k = (uint32_t)(rows->dims[1] / 2),
                                   .dk = (uint32_t)rows->dims[2],
                                   .dv = (uint32_t)y->dims[2],
                                   .n_decays = 1,
                                   .tiled = a->tiled,
                                   .scale = a->scale};
    if (node->inputs[2]->dims[1] != 2ull * params.n_heads) params.n_decays = params.dk;
    // A column is long work, so a workgroup has few.
    uint32_t lanes = plan->tune.elem_lanes < COLUMNS ? plan->tune.elem_lanes : COLUMNS;
    params.groups_n = gw_div_up(params.dv, lanes);
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, rows, &params.rows);
    gw_launch_bind_columns(launch, node->inputs[1], &params.v);
    gw_launch_bind(launch, node->inputs[2], false);
    gw_launch_bind(launch, node->inputs[3], false);
    gw_launch_bind(launch, node->inputs[4], true);
    gw_launch_bind(launch, y, true);
    gw_launch_bind_f32(launch, node->n_inputs > 5 ? node->inputs[5] : node->inputs[2], false);
    const uint32_t spec[2] = {params.dk, params.n_decays > 1};
    gw_launch_spec(launch, lanes, 2, spec);
    gw_launch_grid(launch, &plan->tune,
                   (uint64_t)params.n_segments * params.n_heads * params.groups_n);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

// --- reference -----------------------------------------------------------------------------------

// Columns of a head from c0 on, n of them, side by side.
typedef struct part {
    const gw_recurrence_params *p;
    const gw_reference_args *args;
    uint32_t head, c0, n;
    float s[ROWS][COLUMNS];
} part;

static uint32_t n_parts(const gw_recurrence_params *p) {
    return gw_div_up(p->dv, COLUMNS);
}

uint64_t gw_recurrence_n_items(const void *params) {
    const gw_recurrence_params *p = params;
    return (uint64_t)p->n_heads * n_parts(p);
}

static const float *row_at(const part *w, uint64_t t, uint32_t which) {
    return gw_recurrence_row(w->p, w->args->bufs[0], t, w->head, which);
}

static uint64_t state_at(const part *w, int32_t block) {
    return gw_recurrence_state_at(w->p, block, w->head, w->c0);
}

// S decays; sum = S^T key.
static void decay(part *w, const float *by, const float *key, float *sum) {
    const bool of_rows = w->p->n_decays > 1;
    memset(sum, 0, COLUMNS * sizeof *sum);
    for (uint32_t u = 0; u < w->p->dk; u += UNIT) {
        float unit[COLUMNS] = {0};
        for (uint32_t i = u; i < u + UNIT && i < w->p->dk; i++) {
            for (uint32_t c = 0; c < COLUMNS; c++) {
                w->s[i][c] = gw_flush(w->s[i][c] * by[of_rows ? i : 0]);
                const float product = w->s[i][c] * key[i];
                unit[c] = unit[c] + product;
            }
        }
        for (uint32_t c = 0; c < COLUMNS; c++) sum[c] = sum[c] + unit[c];
    }
}

// S takes up d at key; sum = S^T query.
static void take_up(part *w, const float *d, const float *key, const float *query, float *sum) {
    memset(sum, 0, COLUMNS * sizeof *sum);
    for (uint32_t u = 0; u < w->p->dk; u += UNIT) {
        float unit[COLUMNS] = {0};
        for (uint32_t i = u; i < u + UNIT && i < w->p->dk; i++) {
            for (uint32_t c = 0; c < COLUMNS; c++) {
                const float more = key[i] * d[c];
                w->s[i][c] = gw_flush(w->s[i][c] + more);
                const float product = w->s[i][c] * query[i];
                unit[c] = unit[c] + product;
            }
        }
        for (uint32_t c = 0; c < COLUMNS; c++) sum[c] = sum[c] + unit[c];
    }
}

static void token(part *w, uint64_t t, bool delta) {
    const gw_recurrence_params *p = w->p;
    const float *query = row_at(w, t, !delta), *key = row_at(w, t, delta);
    const uint64_t at = (t * p->n_heads + w->head) * p->dv + w->c0;
    const float *v = (const float *)w->args->bufs[1] + gw_column_at(&p->v, at);
    const float rate = gw_recurrence_rate(p, w->args->bufs[2], t, w->head);
    float *y = (float *)w->args->bufs[5] + at, sum[COLUMNS], d[COLUMNS] = {0};
    decay(w, gw_recurrence_decays(p, w->args->bufs[2], t, w->head), key, sum);
    for (uint32_t c = 0; c < w->n; c++) {
        const float fresh = delta ? gw_flush(v[c] - gw_flush(sum[c])) : v[c];
        d[c] = gw_flush(fresh * rate);
    }
    take_up(w, d, key, query, sum);
    for (uint32_t c = 0; c < w->n; c++) {
        const float made = gw_flush(sum[c]);
        if (delta) {
            y[c] = gw_flush(made * p->scale);
        } else {
            const float skipped = gw_flush(((const float *)w->args->bufs[6])[w->head] * v[c]);
            y[c] = gw_flush(made + skipped);
        }
    }
}

void gw_recurrence_reference(const gw_reference_args *args, bool delta) {
    const gw_recurrence_params *p = args->params;
    float *state = args->bufs[4];
    for (uint64_t item = args->first; item < args->end; item++) {
        part w = {.p = p, .args = args, .head = (uint32_t)(item / n_parts(p))};
        w.c0 = (uint32_t)(item % n_parts(p)) * COLUMNS;
        w.n = p->dv - w.c0 < COLUMNS ? p->dv - w.c0 : COLUMNS;
        for (uint32_t i = 0; i < p->n_segments; i++) {
            gw_segment s;
            if (!gw_segment_at(args->bufs[3], i, p->n_tok, p->n_blocks, &s)) continue;
            memset(w.s, 0, sizeof w.s);
            for (uint32_t k = 0; k < p->dk && s.from >= 0; k++)
                memcpy(w.s[k], state + state_at(&w, s.from) + (uint64_t)k * p->dv,
                       w.n * sizeof(float));
            for (int32_t t = 0; t < s.n; t++) token(&w, (uint64_t)(s.first + t), delta);
            for (uint32_t k = 0; k < p->dk && gw_segment_writes(&s, p->n_blocks); k++)
                memcpy(state + state_at(&w, s.to) + (uint64_t)k * p->dv, w.s[k],
                       w.n * sizeof(float));
        }
    }
}
