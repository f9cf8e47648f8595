// jina_bert_v2: Jina Embeddings 2 and its rerankers (jina-bert-v2).
//
// bert without positions: scores are less by the distance of a key to either side, as each head has it; a gated
// feed-forward (gelu), whose gate and up are one tensor or two.
// Source: Guenther et al., "Jina Embeddings 2", 2023; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits one = {.both_ways = true,
                                      .layer_norm = true,
                                      .no_pre_norm = true,
                                      .sum_norm = true,
                                      .embd_norm = true,
                                      .no_output_norm = true,
                                      .act = GW_ACT_GELU,
                                      .still = true,
                                      .fused_gate_up = true};
static const gw_decoder_traits two = {.both_ways = true,
                                      .layer_norm = true,
                                      .no_pre_norm = true,
                                      .sum_norm = true,
                                      .embd_norm = true,
                                      .no_output_norm = true,
                                      .act = GW_ACT_GELU,
                                      .still = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    const bool has_gate = gw_gguf_find_tensor(def->gguf, "blk.0.ffn_gate.weight") != NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, has_gate ? &two : &one, &m, err));
    GW_TRY(gw_decoder_slopes(def, 8.0f, m, err));
done:
    return status;
}

const gw_arch gw_arch_jina_bert_v2 = {
    .name = "jina-bert-v2", .decoder = &one, .load = load, .build = gw_decoder_build};
