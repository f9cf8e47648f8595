// smollm3: SmolLM 3.
//
// llama, but every fourth layer does not turn queries and keys.
// Source: Bakouch et al., "SmolLM3", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.rope_paired = true};
enum { PERIOD = 4 }; // GGUF has no key for it

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t still = 0;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_hparams_add_rope(def, def->h.ropes[0].base, &still, err));
    def->h.ropes[still].still = true;
    for (uint32_t i = PERIOD - 1; i < def->h.n_layer; i += PERIOD) def->h.layers[i].rope = still;
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_smollm3 = {.name = "smollm3", .load = load, .build = gw_decoder_build};
