// gemma: Gemma 1 and CodeGemma.
//
// llama with rope over halves of a head, GeGLU (with tanh), and embeddings times sqrt(n_embd). The 1
// that its norms add to their weights is in the file's weights.
// Source: Gemma Team, "Gemma", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/status.h"

static const gw_decoder_traits traits = {.act = GW_ACT_GELU_TANH};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    m->embd_scale = gw_sqrt((float)def->h.n_embd);
done:
    return status;
}

const gw_arch gw_arch_gemma = {.name = "gemma", .load = load, .build = gw_decoder_build};
