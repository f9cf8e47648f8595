// Latent heads: see mixers.h. Keys and values of each head are made out of one latent of a token, and kept; only what
// turns is one for all heads.
//
//   c = norm(kv_a x), r = rope(the rest of kv_a x); [n, v] = kv_b c of each head; k = [n, r]
//   q = q_b norm(q_a x), of each head [n, rope(p)]
// Source: Hu et al., "MiniCPM3-4B", 2024; DeepSeek-AI, "DeepSeek-V2", 2024, 2.1; GGUF tensor names.
#include "arch/mixers.h"
#include "base/exact_math.h"
#include "base/status.h"
#include "ops/ops.h"

typedef struct latent_heads {
    gw_linear q_a, q_b, kv_a, kv_b, o;
    gw_norm q_a_norm, kv_a_norm;
    uint32_t rank, n_rot, n_nope;
} latent_heads;

static godwit_status load(gw_model_def *def, uint32_t layer, const void **out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_layer_hparams *h = &def->h.layers[layer];
    const uint64_t d = def->h.n_embd, n_head = h->n_head;
    uint32_t q_rank = 0;
    char key[96];
    latent_heads *m = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    m->n_rot = def->h.ropes[0].n_rot;
    if (h->head_dim <= m->n_rot || h->n_head_kv != n_head || d % n_head) {
        GW_FAIL(
            err, GODWIT_UNSUPPORTED,
            "key %s: heads of %u, of which %u turn; %u key heads of %u, in %llu numbers; as many "
            "of both, and some that do not turn, are wanted",
            gw_def_key(def, "attention.key_length", key, sizeof key), h->head_dim, m->n_rot,
            h->n_head_kv, h->n_head, (unsigned long long)d);
    }
    m->n_nope = h->head_dim - m->n_rot;
    h->v_dim = (uint32_t)(d / n_head);
    if (h->v_dim > h->head_dim || h->head_dim % GW_HEAD_DIM_STEP) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "key %s: %u; a multiple of %d, and no less than the %u of values, is wanted",
                gw_def_key(def, "attention.key_length", key, sizeof key), h->head_dim,
                GW_HEAD_DIM_STEP, h->v_dim);
    }
    GW_TRY(gw_mixer_key(def, "attention.kv_lora_rank", GW_MAX_EMBD, &m->rank, err));
    GW_TRY(gw_mixer_key(def, "attention.q_lora_rank", GW_MAX_EMBD, &q_rank, err));
    const uint64_t ranks[2] = {q_rank, m->rank};
    GW_TRY(gw_mixer_linear(def, layer, "attn_q_a", q_rank, d, &m->q_a, err));
    GW_TRY(gw_mixer_linear(def, layer, "attn_kv_a_mqa", m->rank + m->n_rot, d, &m->kv_a, err));
    GW_TRY(gw_def_join(def, (gw_linear *[]){&m->q_a, &m->kv_a}, 2, err));
    GW_TRY(gw_def_layer_weight(def, layer, "attn_q_a_norm.weight", false, 1, &ranks[0],
                               &m->q_a_norm.w, err));
    GW_TRY(gw_def_layer_weight(def, layer, "attn_kv_a_norm.weight", false, 1, &ranks[1],
                               &m->kv_a_norm.w, err));
    GW_TRY(gw_mixer_linear(def, layer, "attn_q_b", n_head * h->head_dim, q_rank, &m->q_b, err));
    GW_TRY(gw_mixer_linear(def, layer, "attn_kv_b", n_head * (m->n_nope + h->v_dim), m->rank,
                           &m->kv_b, err));
    GW_TRY(gw_mixer_linear(def, layer, "attn_output", d, n_head * h->v_dim, &m->o, err));
    GW_TRY(gw_hparams_add_kv(def, layer, err));
    *out = m;
done:
    return status;
}

// A row r of a token as one for each of n heads.
static godwit_status repeat(gw_builder *b, uint32_t n, uint32_t n_rot, gw_value **r) {
    godwit_status status = GODWIT_OK;
    const uint64_t flat[2] = {b->io->n_tok, n_rot}, heads[3] = {b->io->n_tok, n, n_rot};
    GW_TRY(gw_graph_reshape(b->graph, *r, 2, flat, r, b->err));
    for (uint32_t have = 1; have < n; have *= 2)
        GW_TRY(gw_mixer_concat(b, "attn_k_same", *r, *r, r));
    if ((*r)->dims[1] != (uint64_t)n * n_rot)
        GW_TRY(gw_graph_columns(b->graph, *r, 0, (uint64_t)n * n_rot, r, b->err));
    GW_TRY(gw_graph_reshape(b->graph, *r, 3, heads, r, b->err));
done:
    return status;
}

// The products of x to queries and to keys and values that are stored.
static godwit_status store(gw_builder *b, const latent_heads *m, gw_normed x, gw_value **q) {
    static const char *const names[] = {"attn_q_a", "attn_kv_a_mqa"};
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    const uint64_t q_dims[3] = {b->io->n_tok, h->n_head, h->head_dim};
    const uint64_t kv_dims[3] = {b->io->n_tok, h->n_head, m->n_nope + h->v_dim};
    gw_value *a[2] = {NULL}, *c = NULL, *p = NULL, *kv = NULL, *k = NULL, *v = NULL;
    gw_normed n;
    GW_TRY(gw_block_siblings(b, names, (const gw_linear *[]){&m->q_a, &m->kv_a}, 2, x, a));
    GW_TRY(gw_block_norm(b, "attn_q_a_norm", m->q_a_norm, a[0], &n));
    GW_TRY(gw_block_linear(b, "attn_q_b", &m->q_b, n, q));
    GW_TRY(gw_graph_reshape(b->graph, *q, 3, q_dims, q, b->err));
    GW_TRY(gw_mixer_turn(b, "attn_q_rope", *q, m->n_nope, h->n_head, m->n_rot, false, &p));
    GW_TRY(gw_graph_columns(b->graph, *q, 0, m->n_nope, q, b->err));
    GW_TRY(gw_mixer_concat(b, "attn_q_heads", *q, p, q));
    GW_TRY(gw_mixer_turn(b, "attn_k_rope", a[1], m->rank, 1, m->n_rot, false, &p));
    GW_TRY(repeat(b, h->n_head, m->n_rot, &p));
    GW_TRY(gw_graph_columns(b->graph, a[1], 0, m->rank, &c, b->err));
    GW_TRY(gw_block_norm(b, "attn_kv_a_norm", m->kv_a_norm, c, &n));
    GW_TRY(gw_block_linear(b, "attn_kv_b", &m->kv_b, n, &kv));
    GW_TRY(gw_graph_reshape(b->graph, kv, 3, kv_dims, &kv, b->err));
    GW_TRY(gw_graph_columns(b->graph, kv, 0, m->n_nope, &k, b->err));
    GW_TRY(gw_graph_columns(b->graph, kv, m->n_nope, h->v_dim, &v, b->err));
    GW_TRY(gw_mixer_concat(b, "attn_k_heads", k, p, &k));
    GW_TRY(gw_block_lengthen(b, "attn_v_long", k, h->head_dim, &v));
    gw_value *stored[5] = {k, v, b->io->kv_rows, b->io->states[h->k], b->io->states[h->v]};
    gw_value *none = NULL;
    GW_TRY(gw_block_node(b, &gw_op_kv_store, "kv_store", stored, 5, NULL, 0, &none));
done:
    return status;
}

static godwit_status build(gw_builder *b, const void *mixer, gw_normed x, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const latent_heads *m = mixer;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    gw_step_io *io = b->io;
    const gw_attention_attrs attrs = {
        .scale = gw_rsqrt((float)h->head_dim), .head_dim = h->v_dim, .n_pages = io->n_pages};
    gw_value *in[5] = {NULL, io->states[h->k], io->states[h->v],
                       io->seen[0] ? io->seen[0] : io->positions, io->pages};
    GW_TRY(store(b, m, x, &in[0]));
    GW_TRY(gw_block_node(b, &gw_op_attention, "attn", in, 5, &attrs, sizeof attrs, out));
    GW_TRY(gw_block_linear(b, "attn_output", &m->o, (gw_normed){*out, NULL}, out));
done:
    return status;
}

const gw_mixer gw_mixer_latent_heads = {.everywhere = true, .load = load, .build = build};
