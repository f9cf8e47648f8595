// baichuan: Baichuan 1 and 2, 7B and 13B.
//
// llama; the large ones, known by their 40 layers, have a bias of distances (ALiBi) in the place of rope.
// Source: Yang et al., "Baichuan 2", 2023; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.no_window = true, .rope_paired = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { LARGE = 40 };
    static const float most = 64.0f;
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    float max_bias = 0.0f;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_key(def, "attention.max_alibi_bias", 0.0f, most,
                          def->h.n_layer == LARGE ? 8.0f : 0.0f, &max_bias, err));
    def->h.ropes[0].still = max_bias != 0.0f;
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    if (max_bias != 0.0f) GW_TRY(gw_decoder_slopes(def, max_bias, m, err));
done:
    return status;
}

const gw_arch gw_arch_baichuan = {.name = "baichuan", .load = load, .build = gw_decoder_build};
