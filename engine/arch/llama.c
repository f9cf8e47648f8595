// llama: the family of Llama 1 to 3, Mistral, TinyLlama, SmolLM and their kin.
//
//   n = rms_norm(x):  x += Wo attention(rope(Wq n), rope(Wk n), Wv n)
//   m = rms_norm(x):  x += Wdown (silu(Wgate m) * (Wup m))
// Grouped query attention, rope over neighbouring pairs (as GGUF permutes this family's Wq and Wk),
// optional biases, optional sliding window; Mixtral: experts in the place of feed-forwards. Heads that are no multiple of 8 get zeros behind.
// Source: Touvron et al., "Llama 2", 2023; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true};
static const gw_decoder_traits traits = {.rope_paired = true, .experts = &experts};

const gw_arch gw_arch_llama = {
    .name = "llama", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
