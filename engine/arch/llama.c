// llama: the family of Llama 1 to 3, Mistral, TinyLlama, SmolLM and their kin.
//
//   n = rms_norm(x):  x += Wo attention(rope(Wq n), rope(Wk n), Wv n)
//   m = rms_norm(x):  x += Wdown (silu(Wgate m) * (Wup m))
// Grouped query attention, rope over neighbouring pairs (as GGUF permutes this family's Wq and Wk),
// optional biases, optional sliding window. Heads that are no multiple of 8 get zeros behind.
// Source: Touvron et al., "Llama 2", 2023; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.rope_paired = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_decoder_load(def, &traits, NULL, err) : status;
}

const gw_arch gw_arch_llama = {.name = "llama", .load = load, .build = gw_decoder_build};
