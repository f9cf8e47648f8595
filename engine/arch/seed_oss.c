// seed_oss: Seed-OSS.
//
// qwen2; the feed-forward's norm has the name of another.
// Source: ByteDance Seed Team, "Seed-OSS", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.ffn_norm = "post_attention_norm"};

const gw_arch gw_arch_seed_oss = {.name = "seed_oss",
                                  .decoder = &traits,
                                  .load = gw_decoder_load_plain,
                                  .build = gw_decoder_build};
