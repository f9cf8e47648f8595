// nomic_bert: Nomic Embed 1 and 1.5 (nomic-bert).
//
// bert whose queries and keys turn instead of learned positions, with a gated feed-forward (silu), one
// tensor for q, k and v and no biases.
// Source: Nussbaum et al., "Nomic Embed", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.both_ways = true,
                                         .layer_norm = true,
                                         .no_pre_norm = true,
                                         .sum_norm = true,
                                         .embd_norm = true,
                                         .no_output_norm = true,
                                         .act = GW_ACT_SILU,
                                         .fused_qkv = true};

const gw_arch gw_arch_nomic_bert = {.name = "nomic-bert",
                                    .decoder = &traits,
                                    .load = gw_decoder_load_plain,
                                    .build = gw_decoder_build};
