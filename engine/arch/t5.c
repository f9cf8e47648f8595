// t5: T5, Flan-T5, mT5, MADLAD-400 (not UMT5, whose layers each have biases): an encoder, and a decoder that attends to what it gives.
//
// The encoder is t5encoder's. The decoder sees one way, by buckets of distances of its own; each of its layers attends to
// the encoder's text, too, with no bias. Without an output of their own logits are those of the embedding, times
// embedding_length^(-1/2).
// Source: Raffel et al., "Exploring the Limits of Transfer Learning", 2019; GGUF tensor names.
#include "arch/t5.h"

#include "base/exact.h"
#include "base/status.h"

static const gw_decoder_traits gated = {.act = GW_ACT_GELU_TANH,
                                        .still = true,
                                        .cross = true,
                                        .attn_out = "attn_o",
                                        .output_norm = "dec.output_norm.weight"};
static const gw_decoder_traits plain = {.no_gate = true,
                                        .act = GW_ACT_RELU,
                                        .still = true,
                                        .cross = true,
                                        .attn_out = "attn_o",
                                        .output_norm = "dec.output_norm.weight"};

static godwit_status load_decoder(gw_model_def *def, gw_decoder **out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t unread[2] = {GW_T5_BUCKETS, def->h.n_head};
    gw_weight *none = NULL;
    char key[96];
    def->layers_in = "dec.";
    GW_TRY(gw_decoder_load(def, gw_t5_has_gate(def) ? &gated : &plain, out, err));
    gw_decoder *m = *out;
    m->attn_scale = 1.0f;
    if (m->output.w == m->token_embd) m->logit_scale = gw_rsqrt((float)def->h.n_embd);
    GW_TRY(gw_decoder_buckets(def, m, err));
    // Files of the first T5 have it, and nothing ever read it.
    GW_TRY(gw_def_layer_weight(def, 0, "cross_attn_rel_b.weight", true, 2, unread, &none, err));
    if (def->h.decoder_start >= def->h.n_vocab) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u, the vocabulary has %u",
                gw_def_key(def, "decoder_start_token_id", key, sizeof key), def->h.decoder_start,
                def->h.n_vocab);
    }
done:
    return status;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hparams of_encoder;
    gw_decoder *m = NULL, *encoder = NULL;
    gw_model_def *front = gw_arena_alloc(&def->arena, 1, sizeof *front);
    GW_CHECK_ALLOC(front, err, "model");
    GW_TRY(gw_hparams_read_pair(def, &of_encoder, err));
    GW_TRY(load_decoder(def, &m, err));
    const gw_hparams of_decoder = def->h;
    of_encoder.n_vocab = of_decoder.n_vocab;
    def->h = of_encoder;
    status = gw_t5_load_encoder(def, m, &encoder, err);
    def->h = of_decoder;
    if (status != GODWIT_OK) goto done;
    *front =
        (gw_model_def){.host = def->host, .arch = def->arch, .h = of_encoder, .family = encoder};
    m->encoder = front;
done:
    return status;
}

const gw_arch gw_arch_t5 = {
    .name = "t5", .decoder = &gated, .load = load, .build = gw_decoder_build};
