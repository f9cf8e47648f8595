// apertus: Apertus 8B and 70B.
//
// Rope over halves of a head, head norms; a feed-forward without a gate, whose activation is xielu with
// numbers of each layer. Files have alphas before their softplus.
// Source: Swiss AI, "Apertus", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/status.h"
#include "ops/ops.h"

static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_HEAD, .no_gate = true, .act = GW_ACT_XIELU};

// A number of each layer, or one of all.
static godwit_status number_of(const gw_model_def *def, const char *key, uint32_t layer, float *out,
                               godwit_error *err) {
    const gw_gguf_value *value = gw_gguf_find(def->gguf, key);
    double number = 0.0;
    if (!value) return gw_fail(err, GODWIT_MALFORMED, "key %s: missing", key);
    const bool array = value->type == GW_GGUF_ARRAY;
    if (array && value->n_items != def->h.n_layer) {
        return gw_fail(err, GODWIT_MALFORMED, "key %s: an array of %llu items for %u layers", key,
                       (unsigned long long)value->n_items, def->h.n_layer);
    }
    godwit_status status = gw_gguf_item_f64(value, array ? layer : 0, &number, err);
    if (status != GODWIT_OK) return status;
    if (number < -(double)GW_XIELU_MAX || number > (double)GW_XIELU_MAX / 2) {
        return gw_fail(err, GODWIT_MALFORMED, "key %s: %g of layer %u; at most %g is supported",
                       key, number, layer, (double)GW_XIELU_MAX / 2);
    }
    *out = (float)number;
    return GODWIT_OK;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_decoder_load_plain(def, err));
    m = def->family;
    for (uint32_t i = 0; i < def->h.n_layer; i++) {
        float *x = m->layers[i].xielu;
        GW_TRY(number_of(def, "xielu.alpha_p", i, &x[0], err));
        GW_TRY(number_of(def, "xielu.alpha_n", i, &x[1], err));
        GW_TRY(number_of(def, "xielu.beta", i, &x[2], err));
        GW_TRY(number_of(def, "xielu.eps", i, &x[3], err));
        if (x[3] > 0.0f)
            GW_FAIL(err, GODWIT_MALFORMED, "key xielu.eps: %g of layer %u; it is not above 0",
                    (double)x[3], i);
        x[0] = gw_softplus(x[0]);
        x[1] = x[2] + gw_softplus(x[1]);
    }
done:
    return status;
}

const gw_arch gw_arch_apertus = {
    .name = "apertus", .decoder = &traits, .load = load, .build = gw_decoder_build};
