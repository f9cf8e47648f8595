// gemma4: the text models of Gemma 4, dense and with experts beside the feed-forward.
//
// gemma3 with scores that are not scaled, heads of another size in layers that see all keys, of which
// few pairs turn (rope_freqs divides the frequencies of the others away), values normed, or keys in
// their place; per-layer embeddings; last layers that read the keys and values of earlier ones; a
// number that what a layer gives is multiplied by.
// Source: transformers' Gemma 4; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/limits.h"
#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true, .beside = true};
static const gw_decoder_traits traits = {.act = GW_ACT_GELU_TANH,
                                         .post_norm = true,
                                         .qk_norm = GW_QK_NORM_HEAD,
                                         .v_norm = true,
                                         .v_from_k = true,
                                         .experts = &experts};
enum { PERIOD = 6 };

// Sizes of the heads with a window, and how much of them turns.
static godwit_status load_local_heads(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t head_dim = 0, same = 0;
    char key[96];
    GW_TRY(gw_decoder_swa_rope(def, err));
    gw_def_key(def, "attention.key_length_swa", key, sizeof key);
    GW_TRY(gw_gguf_get_u32(def->gguf, key, 2, GW_MAX_HEAD_DIM, def->h.head_dim, &head_dim, err));
    if (head_dim % 2) GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u is odd", key, head_dim);
    gw_def_key(def, "attention.value_length_swa", key, sizeof key);
    GW_TRY(gw_gguf_get_u32(def->gguf, key, head_dim, head_dim, head_dim, &same, err));
    for (uint32_t i = 0; i < def->h.n_layer; i++)
        if (def->h.layers[i].window) gw_hparams_set_head(def, i, head_dim);
    GW_TRY(gw_decoder_swa_rotations(def, head_dim, err));
    // Without it all of a head would turn.
    if (!def->h.ropes[0].freqs) GW_FAIL(err, GODWIT_MALFORMED, "tensor rope_freqs.weight: missing");
done:
    return status;
}

static godwit_status load_layer_scales(gw_model_def *def, gw_decoder *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t one = 1;
    m->layer_scales = gw_arena_alloc(&def->arena, def->h.n_layer, sizeof *m->layer_scales);
    GW_CHECK_ALLOC(m->layer_scales, err, "model");
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        gw_weight *w = NULL;
        GW_TRY(gw_def_layer_weight(def, i, "layer_output_scale.weight", false, 1, &one, &w, err));
        GW_TRY(gw_def_number(w, &m->layer_scales[i], err));
    }
done:
    return status;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    uint32_t n_shared = 0;
    char key[96];
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(load_local_heads(def, err));
    gw_def_key(def, "attention.shared_kv_layers", key, sizeof key);
    GW_TRY(gw_gguf_get_u32(def->gguf, key, 0, def->h.n_layer - 1, 0, &n_shared, err));
    GW_TRY(gw_hparams_share_kv(def, n_shared, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    GW_TRY(gw_per_layer_load(def, &m->per_layer, err));
    GW_TRY(load_layer_scales(def, m, err));
    m->embd_scale = gw_sqrt((float)def->h.n_embd);
    m->attn_scale = 1.0f;
    GW_TRY(gw_decoder_softcap(def, m, err));
done:
    return status;
}

const gw_arch gw_arch_gemma4 = {.name = "gemma4", .load = load, .build = gw_decoder_build};
