// command-r: Command R, Aya 23 and Expanse.
//
// cohere2 without windows: all layers turn queries and keys, and see all keys. Command R+, which norms heads of
// q and k by a weight for each head, is not among them.
// Source: Cohere, "Command R", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.no_window = true,
                                         .rope_paired = true,
                                         .layer_norm = true,
                                         .parallel = true,
                                         .no_ffn_norm = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    static const float most = 0x1p20f;
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    if (gw_gguf_find_tensor(def->gguf, "blk.0.attn_q_norm.weight"))
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "tensor blk.0.attn_q_norm.weight: heads with norms of their own are not supported");
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    GW_TRY(gw_decoder_key(def, "logit_scale", 0.0f, most, 0.0f, &m->logit_scale, err));
done:
    return status;
}

const gw_arch gw_arch_command_r = {.name = "command-r", .load = load, .build = gw_decoder_build};
