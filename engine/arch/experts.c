// Experts: see experts.h.
#include "arch/experts.h"

#include "base/exact.h"
#include "base/exact_math.h"
#include "base/status.h"
#include "graph/op.h"

#include <stdio.h>
#include <string.h>

// --- load ----------------------------------------------------------------------------------------

typedef struct loader {
    gw_model_def *def;
    uint32_t layer;
    godwit_error *err;
} loader;

static godwit_status weight(const loader *l, const char *name, bool optional, uint32_t n_dims,
                            const uint64_t *dims, gw_weight **out) {
    return gw_def_layer_weight(l->def, l->layer, name, optional, n_dims, dims, out, l->err);
}

// Of all experts.
static godwit_status matrices(const loader *l, const char *name, const uint64_t dims[3],
                              gw_weight **out) {
    const godwit_status status = weight(l, name, false, 3, dims, out);
    if (status == GODWIT_OK) gw_weight_pad(*out);
    return status;
}

static godwit_status linear(const loader *l, const char *name, uint64_t rows, uint64_t cols,
                            gw_linear *out) {
    const uint64_t dims[2] = {rows, cols};
    out->n_rows = rows;
    return weight(l, name, false, 2, dims, &out->w);
}

// As the rows that they are of.
static godwit_status pad_biases(const loader *l, gw_weight **biases) {
    godwit_status status = GODWIT_OK;
    const gw_weight *from = *biases;
    const uint64_t n = from->n_rows, rows = from->n_cols, all = GW_ALIGN_UP(rows, GW_GROUP_ROWS);
    const uint8_t *bytes = NULL;
    float *to = NULL;
    uint8_t *scratch = gw_arena_alloc(&l->def->arena, n * rows, sizeof *to);
    GW_CHECK_ALLOC(scratch, l->err, "biases");
    GW_TRY(gw_source_view(&from->source, 0, n * rows * sizeof *to, scratch, &bytes, l->err));
    GW_TRY(gw_def_made(l->def, n * all, &to, biases, l->err));
    memset(to, 0, n * all * sizeof *to);
    for (uint64_t i = 0; i < n; i++)
        memcpy(to + i * all, bytes + i * rows * sizeof *to, rows * sizeof *to);
done:
    return gw_note(l->err, status, "tensor %s", from->name);
}

static godwit_status biases(const loader *l, const char *name, uint64_t n_experts, uint64_t rows,
                            gw_weight **out) {
    const uint64_t dims[2] = {n_experts, rows};
    godwit_status status = weight(l, name, true, 2, dims, out);
    if (status != GODWIT_OK || !*out) return status;
    if ((*out)->format != &gw_format_f32)
        return gw_fail(l->err, GODWIT_UNSUPPORTED, "tensor %s: %s; biases must be F32",
                       (*out)->name, (*out)->format->name);
    (*out)->group_rows = 1;
    return rows % GW_GROUP_ROWS ? pad_biases(l, out) : GODWIT_OK;
}

static godwit_status number(const loader *l, const char *suffix, uint32_t min, uint32_t max,
                            uint32_t fallback, uint32_t *out) {
    char key[96];
    gw_def_key(l->def, suffix, key, sizeof key);
    return gw_gguf_get_u32(l->def->gguf, key, min, max, fallback, out, l->err);
}

static const gw_gguf_tensor *find(const loader *l, const char *name) {
    char full[96];
    snprintf(full, sizeof full, "blk.%u.%s", l->layer, name);
    return gw_gguf_find_tensor(l->def->gguf, full);
}

static godwit_status load_shared(const loader *l, const gw_experts_traits *traits,
                                 gw_experts *out) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = l->def->h.n_embd;
    const gw_gguf_tensor *up = find(l, "ffn_up_shexp.weight"), *row = NULL;
    gw_linear *by = &out->shared_weight;
    if (!up && !find(l, "ffn_down_shexp.weight")) return GODWIT_OK;
    const uint64_t ff = up && up->n_dims == 2 ? up->dims[0] : 0;
    if (!up) GW_TRY(linear(l, "ffn_up_shexp.weight", ff, d, &out->shared_up)); // says so
    if (!traits->no_gate) GW_TRY(linear(l, "ffn_gate_shexp.weight", ff, d, &out->shared_gate));
    GW_TRY(linear(l, "ffn_up_shexp.weight", ff, d, &out->shared_up));
    GW_TRY(linear(l, "ffn_down_shexp.weight", d, ff, &out->shared_down));
    if (!traits->no_gate)
        GW_TRY(gw_def_join(l->def, (gw_linear *[]){&out->shared_gate, &out->shared_up}, 2, l->err));
    if (!traits->weighs_shared) goto done;
    row = find(l, "ffn_gate_inp_shexp.weight");
    if (!row || row->n_dims != 1) {
        GW_TRY(linear(l, "ffn_gate_inp_shexp.weight", 1, d, by));
        goto done;
    }
    // A vector in some files, the one row of a product here.
    GW_TRY(weight(l, "ffn_gate_inp_shexp.weight", false, 1, &d, &by->w));
    gw_weight_init(by->w, by->w->name, by->w->format, 2, (const uint64_t[]){1, d}, by->w->source);
    by->n_rows = 1;
done:
    return status;
}

// A vector, or in files of ERNIE a matrix of one row.
static godwit_status load_choice_bias(const loader *l, uint64_t n_experts, gw_weight **out) {
    // Hy 3's files leave the end out.
    const char *name = find(l, "exp_probs_b") ? "exp_probs_b" : "exp_probs_b.bias";
    const gw_gguf_tensor *tensor = find(l, name);
    const uint64_t dims[2] = {1, n_experts};
    if (!tensor || tensor->n_dims != 2 || tensor->type != GODWIT_F32)
        return weight(l, name, true, 1, dims + 1, out);
    godwit_status status = weight(l, name, true, 2, dims, out);
    if (status == GODWIT_OK)
        gw_weight_init(*out, (*out)->name, (*out)->format, 1, dims + 1, (*out)->source);
    return status;
}

// Groups of experts, of which some are chosen first.
static godwit_status load_groups(const loader *l, uint32_t n_experts, gw_experts *out) {
    godwit_status status = GODWIT_OK;
    uint32_t n = 0, n_used = 0;
    char key[96];
    GW_TRY(number(l, "expert_group_count", 0, GW_MOE_MAX_GROUPS, 0, &n));
    if (n <= 1) goto done;
    GW_TRY(number(l, "expert_group_used_count", 1, n, n, &n_used));
    if (n_experts % n || n_experts / n * n_used < out->n_used) {
        GW_FAIL(l->err, GODWIT_MALFORMED, "key %s: %u of %u experts, %u of them used for %u",
                gw_def_key(l->def, "expert_group_count", key, sizeof key), n, n_experts, n_used,
                out->n_used);
    }
    out->n_groups = n;
    out->n_groups_used = n_used;
done:
    return status;
}

static godwit_status load_gate(const loader *l, const gw_experts_traits *traits, gw_experts *out) {
    enum { SOFTMAX = 1, SIGMOID = 2, SOFTMAX_USED = 3 }; // as GGUF numbers them
    static const gw_moe_gate gates[] = {[SOFTMAX] = GW_MOE_SOFTMAX,
                                        [SIGMOID] = GW_MOE_SIGMOID,
                                        [SOFTMAX_USED] = GW_MOE_SOFTMAX_USED};
    godwit_status status = GODWIT_OK;
    uint32_t gate = 0;
    char key[96];
    out->gating = traits->gate;
    out->normed = traits->normed;
    out->weighs_input = traits->weighs_input;
    if (!traits->by_keys) goto done;
    GW_TRY(number(l, "expert_gating_func", 0, SOFTMAX_USED, 0, &gate));
    if (gate) out->gating = gates[gate];
    GW_TRY(gw_gguf_get_bool(l->def->gguf,
                            gw_def_key(l->def, "expert_weights_norm", key, sizeof key),
                            traits->normed, &out->normed, l->err));
done:
    return status;
}

// What experts beside a feed-forward have more, as Gemma 4 names it.
static godwit_status load_beside(const loader *l, uint64_t n_experts, gw_experts *out) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = l->def->h.n_embd;
    gw_weight *scale = NULL;
    GW_TRY(weight(l, "ffn_gate_inp.scale", false, 1, &d, &out->router_norm.w));
    GW_TRY(weight(l, "pre_ffw_norm_2.weight", false, 1, &d, &out->in_norm.w));
    GW_TRY(weight(l, "post_ffw_norm_1.weight", false, 1, &d, &out->shared_norm.w));
    GW_TRY(weight(l, "post_ffw_norm_2.weight", false, 1, &d, &out->out_norm.w));
    GW_TRY(weight(l, "ffn_down_exps.scale", false, 1, &n_experts, &scale));
    // A vector in the file, a table of numbers here.
    gw_weight_init(scale, scale->name, scale->format, 2, (const uint64_t[]){n_experts, 1},
                   scale->source);
    out->down_scale = scale;
done:
    return status;
}

// Rows of gate and up are one tensor in some files.
// d: numbers of what experts read.
static godwit_status load_gate_up(const loader *l, const gw_experts_traits *traits,
                                  uint64_t n_experts, uint64_t d, gw_experts *out) {
    godwit_status status = GODWIT_OK;
    const uint64_t in[3] = {n_experts, out->n_ff, d};
    const uint64_t both[3] = {n_experts, 2ull * out->n_ff, d};
    if (traits->no_gate) return matrices(l, "ffn_up_exps.weight", in, &out->up);
    if (find(l, "ffn_gate_up_exps.weight"))
        return matrices(l, "ffn_gate_up_exps.weight", both, &out->gate_up);
    if (!find(l, "ffn_gate_exps.weight"))
        return gw_fail(l->err, GODWIT_MALFORMED,
                       "tensor blk.%u.ffn_gate_exps.weight: missing, and so is "
                       "blk.%u.ffn_gate_up_exps.weight",
                       l->layer, l->layer);
    GW_TRY(matrices(l, "ffn_gate_exps.weight", in, &out->gate));
    GW_TRY(matrices(l, "ffn_up_exps.weight", in, &out->up));
done:
    return status;
}

godwit_status gw_experts_load(gw_model_def *def, const gw_experts_traits *traits, uint32_t layer,
                              gw_experts *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const loader l = {def, layer, err};
    uint32_t n_experts = 0, n_ff = 0;
    char key[96];
    *out = (gw_experts){.scale = 1.0f};
    GW_TRY(number(&l, "expert_count", 0, 65536, 0, &n_experts));
    // Layers without any of them are as usual.
    const bool some = find(&l, "ffn_gate_inp.weight") || find(&l, "ffn_down_exps.weight");
    if (!n_experts || (traits && !some)) goto done;
    if (!traits) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key %s: %u; mixtures of experts are not supported in this family",
                gw_def_key(def, "expert_count", key, sizeof key), n_experts);
    }
    GW_TRY(load_gate(&l, traits, out));
    GW_TRY(gw_gguf_require_u32(def->gguf, gw_def_key(def, "expert_used_count", key, sizeof key), 1,
                               n_experts, &out->n_used, err));
    if (out->weighs_input && out->n_used > 1)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: %u; of this family 1 is supported", key,
                out->n_used);
    GW_TRY(load_groups(&l, n_experts, out));
    GW_TRY(
        number(&l, "expert_feed_forward_length", 1, GW_MAX_FF, def->h.layers[layer].n_ff, &n_ff));
    GW_TRY(gw_gguf_get_f32(def->gguf, gw_def_key(def, "expert_weights_scale", key, sizeof key),
                           0.0f, 1e6f, 1.0f, &out->scale, err));
    if (out->scale == 0.0f) out->scale = 1.0f;
    const uint64_t d = def->h.n_embd, one[1] = {n_experts};
    uint32_t d_expert = 0;
    out->n_ff = n_ff;
    GW_TRY(number(&l, "moe_latent_size", 1, GW_MAX_EMBD, def->h.n_embd, &d_expert));
    const uint64_t back[3] = {n_experts, d_expert, n_ff};
    if (d_expert != d || find(&l, "ffn_latent_down.weight")) {
        GW_TRY(linear(&l, "ffn_latent_down.weight", d_expert, d, &out->latent_down));
        GW_TRY(linear(&l, "ffn_latent_up.weight", d, d_expert, &out->latent_up));
    }
    GW_TRY(linear(&l, "ffn_gate_inp.weight", n_experts, d, &out->router));
    GW_TRY(weight(&l, "ffn_gate_inp.bias", true, 1, one, &out->router.bias));
    GW_TRY(load_choice_bias(&l, n_experts, &out->choice_bias));
    if (out->choice_bias && out->gating == GW_MOE_SOFTMAX_USED)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: a softmax of those used, beside a bias of choice",
                gw_def_key(def, "expert_gating_func", key, sizeof key));
    GW_TRY(load_gate_up(&l, traits, n_experts, d_expert, out));
    GW_TRY(matrices(&l, "ffn_down_exps.weight", back, &out->down));
    GW_TRY(biases(&l, "ffn_gate_exps.bias", n_experts, n_ff, &out->gate_bias));
    GW_TRY(biases(&l, "ffn_up_exps.bias", n_experts, n_ff, &out->up_bias));
    GW_TRY(biases(&l, "ffn_down_exps.bias", n_experts, d, &out->down_bias));
    GW_TRY(load_shared(&l, traits, out));
    if (traits->beside) GW_TRY(load_beside(&l, n_experts, out));
    if (traits->apart) GW_TRY(weight(&l, "ffn_norm_exps.weight", false, 1, &d, &out->in_norm.w));
    gw_weight *const of_experts[] = {out->gate, out->up, out->gate_up, out->down};
    for (int i = 0; i < 4; i++)
        if (of_experts[i]) of_experts[i]->experts_layer = def->h.n_layer - layer;
done:
    return status;
}

godwit_status gw_experts_check(const gw_model_def *def, const gw_experts *experts,
                               godwit_error *err) {
    uint32_t n = 0;
    char key[96];
    bool some = false;
    gw_def_key(def, "expert_count", key, sizeof key);
    godwit_status status = gw_gguf_get_u32(def->gguf, key, 0, 65536, 0, &n, err);
    for (uint32_t i = 0; i < def->h.n_layer; i++) some |= experts[i].router.w != NULL;
    // One expert is a feed-forward as usual.
    if (status != GODWIT_OK || n <= 1 || some) return status;
    return gw_fail(err, GODWIT_MALFORMED, "key %s: %u, but no layer has experts", key, n);
}

// --- build ---------------------------------------------------------------------------------------

godwit_status gw_block_routed(gw_builder *b, const char *what, const gw_weight *w,
                              const gw_weight *bias, gw_normed x, const gw_routed *r,
                              gw_value **out) {
    gw_value *inputs[6] = {NULL, x.x, r->ids, x.scale, NULL, r->groups};
    godwit_status status = gw_graph_weight(b->graph, w, &inputs[0], b->err);
    if (status == GODWIT_OK && bias) status = gw_graph_weight(b->graph, bias, &inputs[4], b->err);
    if (status != GODWIT_OK) return status;
    const uint32_t n = r->groups ? 6 : bias ? 5 : x.scale ? 4 : 3;
    GW_TRY(gw_block_node(b, &gw_op_moe_matmul, what, inputs, n, NULL, 0, out));
    if (!w->source_rows) goto done;
    GW_TRY(gw_graph_columns(b->graph, *out, 0, w->source_rows, out, b->err));
    GW_TRY(gw_block_node(b, &gw_op_concat, what, out, 1, NULL, 0, out)); // dense
done:
    return status;
}

// Tiles of one expert's pairs pay where there are some pairs to an expert.
static godwit_status group(gw_builder *b, uint64_t n_experts, uint32_t n_used, gw_routed *r) {
    enum { LEAST_TOKENS = 16, LEAST_PAIRS = 4 };
    const uint64_t n_pairs = (uint64_t)b->io->n_tok * n_used;
    const gw_moe_group_attrs attrs = {
        .n_experts = (uint32_t)n_experts,
        .tile = n_pairs < GW_MOE_MAX_TILE * n_experts ? GW_MOE_MAX_TILE / 2 : GW_MOE_MAX_TILE};
    if (b->io->n_tok < LEAST_TOKENS || n_pairs < LEAST_PAIRS * n_experts ||
        n_pairs > GW_MOE_MAX_PAIRS)
        return GODWIT_OK;
    return gw_block_node(b, &gw_op_moe_group, "ffn_groups", &r->ids, 1, &attrs, sizeof attrs,
                         &r->groups);
}

godwit_status gw_block_route_to_all(gw_builder *b, uint32_t n, gw_routed *out) {
    godwit_status status = GODWIT_OK;
    const gw_iota_attrs attrs = {.n = n, .n_rows = b->io->n_tok};
    gw_value *none = NULL;
    *out = (gw_routed){0};
    GW_TRY(gw_block_node(b, &gw_op_iota, "all", &none, 0, &attrs, sizeof attrs, &out->ids));
    GW_TRY(group(b, n, n, out));
done:
    return status;
}

// The weight of a pair times its expert's number.
static godwit_status scale_weights(gw_builder *b, const gw_weight *numbers, gw_routed *r) {
    godwit_status status = GODWIT_OK;
    const uint64_t n = gw_value_n_elements(r->ids);
    gw_value *ids = NULL, *both[2] = {r->weights, NULL};
    GW_TRY(gw_graph_reshape(b->graph, r->ids, 1, &n, &ids, b->err));
    GW_TRY(gw_block_rows(b, "ffn_down_exps_scale", numbers, ids, &both[1]));
    GW_TRY(gw_graph_reshape(b->graph, both[1], r->weights->n_dims, r->weights->dims, &both[1],
                            b->err));
    GW_TRY(gw_block_node(b, &gw_op_mul, "ffn_route_scaled", both, 2, NULL, 0, &r->weights));
done:
    return status;
}

static godwit_status route(gw_builder *b, const gw_experts *e, gw_normed x, gw_routed *out) {
    godwit_status status = GODWIT_OK;
    gw_value *made[2];
    const gw_moe_route_attrs attrs = {.n_used = e->n_used,
                                      .gate = e->gating,
                                      .normed = e->normed,
                                      .scale = e->scale,
                                      .n_groups = e->n_groups,
                                      .n_groups_used = e->n_groups_used};
    gw_value *inputs[2] = {NULL};
    GW_TRY(gw_block_linear(b, "ffn_gate_inp", &e->router, x, &inputs[0]));
    if (e->choice_bias) GW_TRY(gw_graph_weight(b->graph, e->choice_bias, &inputs[1], b->err));
    GW_TRY(gw_block_node(b, &gw_op_moe_route, "ffn_route", inputs, e->choice_bias ? 2 : 1, &attrs,
                         sizeof attrs, made));
    *out = (gw_routed){.ids = made[0], .weights = made[1]};
    if (e->down_scale) GW_TRY(scale_weights(b, e->down_scale, out));
    GW_TRY(group(b, e->down->dims[0], e->n_used, out));
done:
    return status;
}

// y times the sigmoid of one product: a router of one expert.
static godwit_status weigh_shared(gw_builder *b, const gw_linear *by, gw_normed x, gw_value **y) {
    godwit_status status = GODWIT_OK;
    const gw_moe_route_attrs attrs = {.n_used = 1, .gate = GW_MOE_SIGMOID, .scale = 1.0f};
    const uint64_t dims[3] = {b->io->n_tok, 1, b->def->h.n_embd};
    gw_value *routed[2], *logit = NULL, *inputs[2];
    GW_TRY(gw_block_linear(b, "ffn_gate_inp_shexp", by, x, &logit));
    GW_TRY(gw_block_node(b, &gw_op_moe_route, "ffn_shexp_gate", &logit, 1, &attrs, sizeof attrs,
                         routed));
    GW_TRY(gw_graph_reshape(b->graph, *y, 3, dims, &inputs[0], b->err));
    inputs[1] = routed[1];
    GW_TRY(gw_block_node(b, &gw_op_moe_sum, "ffn_shexp", inputs, 2, NULL, 0, y));
done:
    return status;
}

static godwit_status add_shared(gw_builder *b, const gw_experts *e, gw_activation act, gw_normed x,
                                gw_value **y) {
    godwit_status status = GODWIT_OK;
    const gw_layer shared = {
        .gate = e->shared_gate, .up = e->shared_up, .down = e->shared_down, .cut = e->shared_cut};
    gw_value *more = NULL;
    GW_TRY(gw_block_feed_forward(b, &shared, act, x, &more));
    if (e->shared_weight.w) GW_TRY(weigh_shared(b, &e->shared_weight, x, &more));
    GW_TRY(gw_block_residual(b, "ffn_experts", y, more));
done:
    return status;
}

static godwit_status gate_and_up(gw_builder *b, const gw_experts *e, gw_activation act, gw_normed x,
                                 const gw_routed *r, gw_value **out) {
    godwit_status status = GODWIT_OK;
    gw_value *both = NULL, *gated[2] = {NULL};
    if (!e->gate && !e->gate_up) {
        GW_TRY(gw_block_routed(b, "ffn_up_exps", e->up, e->up_bias, x, r, &both));
        return gw_block_act(b, act, both, out);
    }
    if (e->gate_up) {
        GW_TRY(gw_block_routed(b, "ffn_gate_up_exps", e->gate_up, NULL, x, r, &both));
        for (uint32_t i = 0; i < 2; i++)
            GW_TRY(gw_graph_columns(b->graph, both, (uint64_t)i * e->n_ff, e->n_ff, &gated[i],
                                    b->err));
    } else {
        GW_TRY(gw_block_routed(b, "ffn_gate_exps", e->gate, e->gate_bias, x, r, &gated[0]));
        GW_TRY(gw_block_routed(b, "ffn_up_exps", e->up, e->up_bias, x, r, &gated[1]));
    }
    GW_TRY(gw_block_gate(b, act, e->cut, gated, out));
done:
    return status;
}

// Experts of x that are chosen by what is made of by.
static godwit_status experts_of(gw_builder *b, const gw_experts *e, gw_activation act, gw_normed by,
                                gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    gw_routed r;
    gw_value *y[2];
    GW_TRY(route(b, e, by, &r));
    if (e->latent_down.w) {
        GW_TRY(gw_block_linear(b, "ffn_latent_down", &e->latent_down, x, &y[0]));
        x = (gw_normed){y[0], NULL};
    }
    // Of the one expert that is used, which then counts in full.
    if (e->weighs_input) GW_TRY(gw_block_scale_rows(b, "ffn_exps_scale", r.weights, &x));
    GW_TRY(gate_and_up(b, e, act, x, &r, &y[0]));
    GW_TRY(gw_block_routed(b, "ffn_down_exps", e->down, e->down_bias, (gw_normed){y[0], NULL}, &r,
                           &y[0]));
    y[1] = r.weights;
    if (e->weighs_input)
        return gw_graph_reshape(b->graph, y[0], 2, (uint64_t[]){b->io->n_tok, b->def->h.n_embd},
                                out, b->err);
    GW_TRY(gw_block_node(b, &gw_op_moe_sum, "ffn_experts_sum", y, 2, NULL, 0, out));
    if (e->latent_up.w)
        GW_TRY(gw_block_linear(b, "ffn_latent_up", &e->latent_up, (gw_normed){*out, NULL}, out));
done:
    return status;
}

godwit_status gw_block_experts(gw_builder *b, const gw_experts *e, gw_activation act, gw_normed x,
                               gw_value **out) {
    godwit_status status = GODWIT_OK;
    GW_TRY(experts_of(b, e, act, x, x, out));
    if (e->shared_up.w) GW_TRY(add_shared(b, e, act, x, out));
done:
    return status;
}

godwit_status gw_block_experts_beside(gw_builder *b, const gw_experts *e, gw_activation act,
                                      gw_value *x, gw_value **y) {
    godwit_status status = GODWIT_OK;
    gw_value *by = x, *given = NULL;
    gw_normed n;
    GW_TRY(gw_block_norm_rows(b, "ffn_gate_inp_norm", e->router_norm, &by));
    GW_TRY(gw_block_scale(b, "ffn_gate_inp_scale", gw_rsqrt((float)b->def->h.n_embd), &by));
    GW_TRY(gw_block_norm(b, "pre_ffw_norm_2", e->in_norm, x, &n));
    GW_TRY(experts_of(b, e, act, (gw_normed){by, NULL}, n, &given));
    GW_TRY(gw_block_norm_rows(b, "post_ffw_norm_2", e->out_norm, &given));
    GW_TRY(gw_block_norm_rows(b, "post_ffw_norm_1", e->shared_norm, y));
    GW_TRY(gw_block_residual(b, "ffn_experts", y, given));
done:
    return status;
}
