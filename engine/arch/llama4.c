// llama4: Llama 4 Scout and Maverick, MobileLLM-Pro.
//
// Three of four layers turn neighbours and see the part of the text that began at a multiple of 8192 tokens; in
// Scout their heads of q and k are then normed, by no weight. The fourth does not turn and sees all keys by queries
// that grow with the logarithm of their position. Some or all layers have experts, of which a sigmoid weighs what the
// one that is used reads, beside one that all tokens share. GGUF has no key for most of it: these are llama.cpp's
// numbers, and keys where a file has them.
// Source: Meta, "The Llama 4 herd", 2025, and its reference code; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .weighs_input = true};
static const gw_decoder_traits traits = {
    .rope_paired = true, .turns_first = true, .experts = &experts};

static godwit_status number(const gw_model_def *def, const char *suffix, uint32_t fallback,
                            uint32_t *out, godwit_error *err) {
    char key[96];
    return gw_gguf_get_u32(def->gguf, gw_def_key(def, suffix, key, sizeof key), 0, GW_MAX_CTX,
                           fallback, out, err);
}

// Layers that see a part turn, the others do not.
static godwit_status read_chunks(gw_model_def *def, godwit_error *err) {
    enum { PERIOD = 4, CHUNK = 8192 };
    godwit_status status = GODWIT_OK;
    gw_hparams *h = &def->h;
    uint32_t chunk = 0;
    GW_TRY(number(def, "attention.sliding_window", CHUNK, &chunk, err));
    for (uint32_t i = 0; i < h->n_layer; i++) h->layers[i].window = chunk;
    if (!chunk) goto done; // all layers turn and see all keys
    h->chunked = true;
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_still_rope(def, err));
    GW_TRY(gw_decoder_key(def, "attention.temperature_scale", 0.0f, 16.0f, 0.1f, &h->q_scale, err));
    GW_TRY(number(def, "attention.temperature_length", CHUNK, &h->q_scale_length, err));
    if (!h->q_scale_length) h->q_scale_length = CHUNK;
    h->q_scale_from = 1;
    h->q_scale_still = true;
done:
    return status;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { MAVERICK = 128 };
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    uint32_t n_experts = 0;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(read_chunks(def, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    GW_TRY(number(def, "expert_count", 0, &n_experts, err));
    for (uint32_t i = 0; i < def->h.n_layer && n_experts != MAVERICK; i++) {
        const gw_layer_hparams *l = &def->h.layers[i];
        if (def->h.ropes[l->rope].still) continue;
        GW_TRY(gw_def_ones(def, l->head_dim, &m->layers[i].q_norm.w, err));
        m->layers[i].k_norm = m->layers[i].q_norm;
    }
done:
    return status;
}

const gw_arch gw_arch_llama4 = {.name = "llama4", .load = load, .build = gw_decoder_build};
