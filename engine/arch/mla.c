// Latent attention: see mixers.h. Heads read keys and values that all of them make out of one latent of a
// token, and the latent is all that is kept.
//
//   c = norm(kv_a x), r = rope(the rest of kv_a x)         the latent: [c, r], one row a token
//   q = q_b norm(q_a x), or q x; of each head [n, p]       k = [k_b^T c, r], v = v_b c
//   score = n . (k_b^T c) + rope(p) . r = (k_b n) . c + rope(p) . r
//
// so a query is [k_b n, rope(p)], its keys are the latents, its values their c, of which v_b makes the
// head's result afterwards; in some files that is multiplied by a sigmoid for each head.
// Source: DeepSeek-AI, "DeepSeek-V2", 2024, 2.1; GGUF tensor names.
#include "arch/experts.h"
#include "arch/mixers.h"
#include "base/exact_math.h"
#include "base/host_math.h"
#include "base/status.h"

typedef struct mla {
    gw_linear q_a, q, kv_a, o; // q_a.w NULL: queries have no latents
    gw_norm q_a_norm, kv_a_norm;
    gw_attn_gate gate;
    gw_weight *k_b, *v_b;              // [n_head, rank, n_nope], [n_head, n_v, rank]
    uint32_t rank, n_rot, n_nope, n_v; // elements of c, of r and p, of n, of v
    float scale;
} mla;

// --- load ----------------------------------------------------------------------------------------

static godwit_status read_sizes(gw_model_def *def, mla *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hparams *h = &def->h;
    uint32_t key_length = 0;
    char key[96];
    m->n_rot = h->ropes[0].n_rot;
    GW_TRY(gw_mixer_key(def, "attention.kv_lora_rank", GW_MAX_HEAD_DIM, &m->rank, err));
    gw_def_key(def, "attention.key_length_mla", key, sizeof key);
    // Before April 2025 files had keys and values of all heads in one tensor, not in the order of a product.
    if (!gw_gguf_find(def->gguf, key)) {
        GW_FAIL(
            err, GODWIT_UNSUPPORTED,
            "key %s: missing; this file's form of latent attention (attn_kv_b) is an older one, "
            "convert the model anew",
            key);
    }
    GW_TRY(gw_mixer_key(def, "attention.key_length_mla", GW_MAX_EMBD, &key_length, err));
    GW_TRY(gw_mixer_key(def, "attention.value_length_mla", GW_MAX_EMBD, &m->n_v, err));
    if (m->rank + m->n_rot != h->head_dim || h->head_dim % GW_HEAD_DIM_STEP || h->n_head_kv != 1 ||
        key_length <= m->n_rot) {
        GW_FAIL(
            err, GODWIT_UNSUPPORTED,
            "key %s: heads of %u; %u key heads of %u, latents of %u and %u that turn; one key head "
            "of both together, a multiple of %d, is wanted",
            key, key_length, h->n_head_kv, h->head_dim, m->rank, m->n_rot, GW_HEAD_DIM_STEP);
    }
    m->n_nope = key_length - m->n_rot;
done:
    return status;
}

// Scores are sharper where YaRN makes a context longer.
static godwit_status read_scale(const gw_model_def *def, mla *m, godwit_error *err) {
    const gw_rope *r = &def->h.ropes[0];
    float by = 0.0f;
    char key[96];
    gw_def_key(def, "rope.scaling.yarn_log_multiplier", key, sizeof key);
    godwit_status status = gw_gguf_get_f32(def->gguf, key, 0.0f, 16.0f, 0.0f, &by, err);
    double sharper = 1.0;
    if (r->scaling == GW_ROPE_YARN && r->factor > 1.0f)
        sharper += (double)by * gw_host_log((double)r->factor);
    m->scale = (float)(sharper * sharper) * gw_rsqrt((float)(m->n_nope + m->n_rot));
    return status;
}

static godwit_status load(gw_model_def *def, uint32_t layer, const void **out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd, n_head = def->h.layers[layer].n_head;
    uint32_t q_rank = 0;
    char key[96];
    mla *m = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    GW_TRY(read_sizes(def, m, err));
    GW_TRY(read_scale(def, m, err));
    const uint64_t n_q = n_head * (m->n_nope + m->n_rot), rank = m->rank;
    const uint64_t k_b[3] = {n_head, rank, m->n_nope}, v_b[3] = {n_head, m->n_v, rank};
    const uint64_t gate[2] = {n_head, d};
    gw_def_key(def, "attention.q_lora_rank", key, sizeof key);
    GW_TRY(gw_gguf_get_u32(def->gguf, key, 0, GW_MAX_EMBD, 0, &q_rank, err));
    const uint64_t q_cols = q_rank ? q_rank : d;
    GW_TRY(gw_mixer_linear(def, layer, "attn_kv_a_mqa", rank + m->n_rot, d, &m->kv_a, err));
    if (q_rank) {
        GW_TRY(gw_mixer_linear(def, layer, "attn_q_a", q_rank, d, &m->q_a, err));
        GW_TRY(gw_def_layer_weight(def, layer, "attn_q_a_norm.weight", false, 1, &q_cols,
                                   &m->q_a_norm.w, err));
        GW_TRY(gw_def_join(def, (gw_linear *[]){&m->q_a, &m->kv_a}, 2, err));
    }
    GW_TRY(gw_mixer_linear(def, layer, q_rank ? "attn_q_b" : "attn_q", n_q, q_cols, &m->q, err));
    GW_TRY(gw_def_layer_weight(def, layer, "attn_kv_a_norm.weight", false, 1, &rank,
                               &m->kv_a_norm.w, err));
    GW_TRY(gw_def_layer_weight(def, layer, "attn_k_b.weight", false, 3, k_b, &m->k_b, err));
    gw_weight_pad(m->k_b);
    GW_TRY(gw_def_layer_weight(def, layer, "attn_v_b.weight", false, 3, v_b, &m->v_b, err));
    gw_weight_pad(m->v_b);
    GW_TRY(gw_mixer_linear(def, layer, "attn_output", d, n_head * m->n_v, &m->o, err));
    GW_TRY(gw_def_layer_weight(def, layer, "attn_gate.weight", true, 2, gate, &m->gate.w.w, err));
    m->gate.w.n_rows = n_head;
    GW_TRY(gw_hparams_add_latents(def, layer, err));
    *out = m;
done:
    return status;
}

// --- build ---------------------------------------------------------------------------------------

// kv_a x to the token's latent, which is stored.
static godwit_status store(gw_builder *b, const mla *m, gw_value *kv, gw_value *latents) {
    godwit_status status = GODWIT_OK;
    const uint64_t flat[2] = {b->io->n_tok, m->n_rot},
                   row[3] = {b->io->n_tok, 1, m->rank + m->n_rot};
    gw_value *c = NULL, *r = NULL, *none = NULL;
    GW_TRY(gw_graph_columns(b->graph, kv, 0, m->rank, &c, b->err));
    GW_TRY(gw_block_norm_rows(b, "attn_kv_a_norm", m->kv_a_norm, &c));
    GW_TRY(gw_mixer_turn(b, "attn_k_rope", kv, m->rank, 1, m->n_rot, true, &r));
    GW_TRY(gw_graph_reshape(b->graph, r, 2, flat, &r, b->err));
    GW_TRY(gw_mixer_concat(b, "attn_latent", c, r, &c));
    GW_TRY(gw_graph_reshape(b->graph, c, 3, row, &c, b->err));
    gw_value *stored[5] = {c, c, b->io->kv_rows, latents, latents};
    GW_TRY(gw_block_node(b, &gw_op_kv_store, "kv_store", stored, 5, NULL, 0, &none));
done:
    return status;
}

// The products of x: queries of all heads, and kv_a x.
static godwit_status products(gw_builder *b, const mla *m, gw_normed x, gw_value *q_kv[2]) {
    static const char *const names[] = {"attn_q_a", "attn_kv_a_mqa"};
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    const uint64_t dims[3] = {b->io->n_tok, h->n_head, m->n_nope + m->n_rot};
    const gw_linear *const linears[] = {&m->q_a, &m->kv_a};
    const uint32_t first = m->q_a.w ? 0 : 1;
    gw_normed n = x;
    GW_TRY(gw_block_siblings(b, names + first, linears + first, 2 - first, x, q_kv + first));
    if (m->q_a.w) GW_TRY(gw_block_norm(b, "attn_q_a_norm", m->q_a_norm, q_kv[0], &n));
    GW_TRY(gw_block_scale_q(b, &n));
    GW_TRY(gw_block_linear(b, m->q_a.w ? "attn_q_b" : "attn_q", &m->q, n, &q_kv[0]));
    GW_TRY(gw_graph_reshape(b->graph, q_kv[0], 3, dims, &q_kv[0], b->err));
done:
    return status;
}

static godwit_status build(gw_builder *b, const void *mixer, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const mla *m = mixer;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    gw_step_io *io = b->io;
    const uint64_t heads[3] = {io->n_tok, h->n_head, m->rank};
    const uint64_t flat[2] = {io->n_tok, (uint64_t)h->n_head * m->n_v};
    const gw_attention_attrs attrs = {
        .scale = m->scale, .head_dim = m->rank, .n_pages = io->n_pages};
    gw_value *q_kv[2] = {NULL}, *n = NULL, *p = NULL, *y = NULL, *latents = io->states[h->k];
    if (!b->all_heads.ids) GW_TRY(gw_block_route_to_all(b, h->n_head, &b->all_heads));
    GW_TRY(products(b, m, x, q_kv));
    GW_TRY(store(b, m, q_kv[1], latents));
    GW_TRY(gw_mixer_turn(b, "attn_q_rope", q_kv[0], m->n_nope, h->n_head, m->n_rot, true, &p));
    GW_TRY(gw_graph_columns(b->graph, q_kv[0], 0, m->n_nope, &n, b->err));
    GW_TRY(gw_block_routed(b, "attn_k_b", m->k_b, NULL, (gw_normed){n, NULL}, &b->all_heads, &n));
    GW_TRY(gw_mixer_concat(b, "attn_q_latent", n, p, &n));
    gw_value *inputs[5] = {n, latents, latents, io->seen[0] ? io->seen[0] : io->positions,
                           io->pages};
    GW_TRY(gw_block_node(b, &gw_op_attention, "attn", inputs, 5, &attrs, sizeof attrs, &y));
    GW_TRY(gw_graph_reshape(b->graph, y, 3, heads, &y, b->err));
    GW_TRY(gw_block_routed(b, "attn_v_b", m->v_b, NULL, (gw_normed){y, NULL}, &b->all_heads, &y));
    GW_TRY(gw_graph_reshape(b->graph, y, 2, flat, &y, b->err));
    if (m->gate.w.w) GW_TRY(gw_block_attn_gate(b, &m->gate, x, &y));
    GW_TRY(gw_block_linear(b, "attn_output", &m->o, (gw_normed){y, NULL}, out));
done:
    return status;
}

const gw_mixer gw_mixer_latent_attention = {.everywhere = true, .load = load, .build = build};
