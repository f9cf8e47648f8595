// ernie4_5: the dense models of ERNIE 4.5.
//
// llama by another name.
// Source: ERNIE Team, "ERNIE 4.5 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.rope_paired = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_decoder_load(def, &traits, NULL, err) : status;
}

const gw_arch gw_arch_ernie4_5 = {.name = "ernie4_5", .load = load, .build = gw_decoder_build};
