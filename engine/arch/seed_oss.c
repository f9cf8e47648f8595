// seed_oss: Seed-OSS.
//
// qwen2; the feed-forward's norm has the name of another.
// Source: ByteDance Seed Team, "Seed-OSS", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.ffn_norm = "post_attention_norm"};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_decoder_load(def, &traits, NULL, err) : status;
}

const gw_arch gw_arch_seed_oss = {.name = "seed_oss", .load = load, .build = gw_decoder_build};
