// gemma3n: the text models of Gemma 3n.
//
// gemma3 whose tokens have several streams (altup.h), with scores that are not scaled, values normed, last
// layers that read the keys and values of earlier ones, per-layer embeddings, which go to all streams but the
// first, and beside attention a product of low rank:
//   a = norm(p);  y = (p + norm(attention(a)) + a + norm(R L a)) / sqrt(2);  y += norm(feed_forward(norm(y)))
// In first layers the gates of the feed-forward are cut to their largest ones (ops/gaussian_topk.c).
// Source: transformers' Gemma 3n; GGUF tensor names.
#include "arch/altup.h"
#include "arch/decoder.h"
#include "arch/laurel.h"

#include "base/exact.h"
#include "base/exact_math.h"
#include "base/status.h"
#include "file/reader.h"

static const gw_decoder_traits traits = {
    .act = GW_ACT_GELU_TANH, .post_norm = true, .qk_norm = GW_QK_NORM_HEAD, .v_norm = true};
enum { PERIOD = 5, N_SPARSE = 10 };
// Leaves one of twenty; of files without the key.
static const float sparse_scale = 1.6448534f;

typedef struct gemma3n {
    gw_decoder decoder;
    gw_altup altup;
    gw_laurel *laurels; // [n_layer]
} gemma3n;

static godwit_status load_sparsity(gw_model_def *def, gemma3n *g, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[96];
    gw_def_key(def, "activation_sparsity_scale", key, sizeof key);
    const gw_gguf_value *value = gw_gguf_find(def->gguf, key);
    if (value && (value->item_type != GW_GGUF_F32 || value->n_items < def->h.n_layer)) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: not a float for each of %u layers", key,
                def->h.n_layer);
    }
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        float scale = i < N_SPARSE ? sparse_scale : 0.0f; // -infinity where all are left
        if (value) scale = gw_from_bits(gw_le32(value->data + 4ull * i));
        if (!(scale <= GW_GAUSSIAN_MAX)) {
            GW_FAIL(err, GODWIT_MALFORMED, "key %s: item %u is %g, at most %g", key, i,
                    (double)scale, (double)GW_GAUSSIAN_MAX);
        }
        g->decoder.layers[i].sparse = scale > 0.0f ? scale : 0.0f;
    }
done:
    return status;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    uint32_t n_shared = 0;
    char key[96];
    gemma3n *g = gw_arena_alloc(&def->arena, 1, sizeof *g);
    GW_CHECK_ALLOC(g, err, "model");
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_swa_rope(def, err));
    gw_def_key(def, "attention.shared_kv_layers", key, sizeof key);
    GW_TRY(gw_gguf_get_u32(def->gguf, key, 0, def->h.n_layer - 1, 0, &n_shared, err));
    GW_TRY(gw_hparams_share_kv(def, n_shared, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    GW_TRY(gw_per_layer_load(def, &m->per_layer, err));
    if (!m->per_layer) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: missing, or 0",
                gw_def_key(def, "embedding_length_per_layer_input", key, sizeof key));
    }
    m->embd_scale = gw_sqrt((float)def->h.n_embd);
    m->attn_scale = 1.0f;
    GW_TRY(gw_decoder_softcap(def, m, err));
    g->decoder = *m;
    def->family = g;
    g->laurels = gw_arena_alloc(&def->arena, def->h.n_layer, sizeof *g->laurels);
    GW_CHECK_ALLOC(g->laurels, err, "model");
    GW_TRY(load_sparsity(def, g, err));
    GW_TRY(gw_altup_load(def, &g->altup, err));
    for (uint32_t i = 0; i < def->h.n_layer; i++)
        GW_TRY(gw_laurel_load(def, i, &g->laurels[i], err));
done:
    return status;
}

// --- build ---------------------------------------------------------------------------------------

// What the first stream is after attention and feed-forward.
static godwit_status compute(gw_builder *b, const gemma3n *g, gw_value *p, gw_value **out) {
    godwit_status status = GODWIT_OK;
    const gw_layer *l = &g->decoder.layers[b->layer];
    const gw_attention_options options = {.scale = g->decoder.attn_scale};
    gw_value *a = p, *low = NULL, *y = NULL, *ff = NULL;
    gw_normed n;
    GW_TRY(gw_block_norm_rows(b, "attn_norm", l->attn_norm, &a));
    GW_TRY(gw_block_laurel(b, &g->laurels[b->layer], a, &low));
    GW_TRY(gw_block_attention(b, l, &options, (gw_normed){a, NULL}, &y));
    GW_TRY(gw_block_norm_rows(b, "post_attention_norm", l->attn_post_norm, &y));
    GW_TRY(gw_block_residual(b, "attn_residual", &y, p));
    GW_TRY(gw_block_residual(b, "laurel", &y, low));
    GW_TRY(gw_block_scale(b, "laurel_scale", gw_rsqrt(2.0f), &y));
    GW_TRY(gw_block_norm(b, "ffn_norm", l->ffn_norm, y, &n));
    GW_TRY(gw_block_feed_forward(b, l, traits.act, n, &ff));
    GW_TRY(gw_block_norm_rows(b, "post_ffw_norm", l->ffn_post_norm, &ff));
    GW_TRY(gw_block_residual(b, "ffn_residual", &y, ff));
    *out = y;
done:
    return status;
}

static godwit_status build_layer(gw_builder *b, const gemma3n *g, gw_value **streams) {
    godwit_status status = GODWIT_OK;
    gw_value *y = NULL;
    GW_TRY(gw_block_altup_predict(b, &g->altup, streams));
    GW_TRY(gw_block_altup_stream(b, *streams, 0, &y));
    GW_TRY(compute(b, g, y, &y));
    GW_TRY(gw_block_altup_correct(b, &g->altup, y, streams));
    GW_TRY(gw_block_altup_scaled(b, &g->altup, *streams, &y));
    GW_TRY(gw_block_per_layer_of(b, g->decoder.per_layer, traits.act, y, &y));
    GW_TRY(gw_block_altup_add(b, y, streams));
done:
    return status;
}

static godwit_status build(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gemma3n *g = def->family;
    gw_builder b = {.def = def, .graph = graph, .io = io, .err = err};
    gw_value *x = NULL;
    if (io->pooled) return gw_heads_build(&b, &g->decoder);
    GW_TRY(gw_decoder_begin(&b, &g->decoder, &x));
    GW_TRY(gw_block_altup_begin(&b, &g->altup, x, &x));
    for (b.layer = 0; b.layer < def->h.n_layer; b.layer++) GW_TRY(build_layer(&b, g, &x));
    GW_TRY(gw_block_altup_end(&b, &g->altup, x, io->embeds ? io->n_tok : io->n_logits, &x));
    GW_TRY(gw_decoder_end(&b, &g->decoder, x));
done:
    return status;
}

const gw_arch gw_arch_gemma3n = {.name = "gemma3n", .load = load, .build = build};
