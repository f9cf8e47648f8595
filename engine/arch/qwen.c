// qwen: the first Qwen.
//
// llama with rope over halves of a head and one tensor for q, k and v, with its bias. Keys count gate and
// up of the feed-forward together.
// Source: Bai et al., "Qwen Technical Report", 2023; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.no_window = true, .fused_qkv = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[96];
    GW_TRY(gw_hparams_read(def, err));
    if (def->h.n_ff % 2) {
        GW_FAIL(err, GODWIT_MALFORMED, "key %s: %u is not even",
                gw_def_key(def, "feed_forward_length", key, sizeof key), def->h.n_ff);
    }
    def->h.n_ff /= 2;
    for (uint32_t i = 0; i < def->h.n_layer; i++) def->h.layers[i].n_ff /= 2;
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_qwen = {.name = "qwen", .load = load, .build = gw_decoder_build};
