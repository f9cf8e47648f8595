// Position bias: what models add to scores by the distance of a key, in the place of rope.
//
// Slopes (ALiBi): of n heads, a power of two, head h has 2^(-max_bias (h + 1) / n); of others the first have those of
// the next smaller power of two, the rest every second one of twice as many.
// Source: Press et al., "Train Short, Test Long", 2021.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/status.h"

// biased_attention reads no q8_0.
static void keep_floats(gw_model_def *def) {
    for (size_t i = 0; i < def->states.n; i++) def->states.items[i].no_q8 = true;
}

godwit_status gw_decoder_slopes(gw_model_def *def, float max_bias, gw_decoder *m,
                                godwit_error *err) {
    const uint32_t n = def->h.n_head;
    uint32_t n_first = 1;
    float *slopes = NULL;
    godwit_status status = gw_def_made(def, n, &slopes, &m->bias.w, err);
    if (status != GODWIT_OK) return status;
    while (n_first <= n / 2) n_first *= 2;
    for (uint32_t h = 0; h < n; h++) {
        const float of = h < n_first ? (float)(2 * (h + 1)) : (float)(2 * (h - n_first) + 1);
        const float power = gw_div(max_bias * of, (float)(2 * n_first));
        slopes[h] = -gw_exp2(0.0f - power);
    }
    m->bias.n = 1;
    m->bias.slopes = true;
    keep_floats(def);
    return GODWIT_OK;
}
