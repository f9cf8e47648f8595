// jina_bert_v3: Jina Embeddings 3 (jina-bert-v3).
//
// bert whose queries and keys turn instead of learned positions, with one tensor for q, k and v. What a
// task adds is an adapter, a file of its own.
// Source: Sturua et al., "jina-embeddings-v3", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.both_ways = true,
                                         .layer_norm = true,
                                         .no_pre_norm = true,
                                         .sum_norm = true,
                                         .embd_norm = true,
                                         .no_output_norm = true,
                                         .no_gate = true,
                                         .act = GW_ACT_GELU,
                                         .fused_qkv = true};

const gw_arch gw_arch_jina_bert_v3 = {.name = "jina-bert-v3",
                                      .decoder = &traits,
                                      .load = gw_decoder_load_plain,
                                      .build = gw_decoder_build};
