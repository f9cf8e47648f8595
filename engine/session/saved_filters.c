// Saved filters: what leaves tokens out before a draw, beside SMPL's, as a session file has it (saved.h).
#include "session/saved.h"

#include "base/exact.h"
#include "file/reader.h"
#include "file/session_file.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(godwit_sample_params, field)
static const size_t floats[] = {AT(top_n_sigma),   AT(typical_p),    AT(xtc_probability),
                                AT(xtc_threshold), AT(mirostat_tau), AT(mirostat_eta)};
enum { N_FLOATS = sizeof floats / sizeof *floats };
enum { AT_MIROSTAT = 24, AT_HAS_MU = 28, AT_MU = 32, AT_ZEROS = 36 };

bool gw_saved_has_filters(const godwit_sample_params *p) {
    return p && (p->top_n_sigma != 0.0f || p->typical_p != 0.0f || p->xtc_probability != 0.0f ||
                 p->mirostat != 0);
}

void gw_saved_filters_put(const godwit_sample_params *p, const float *mu, uint8_t *out) {
    memset(out, 0, GW_SAVED_FILTERS_BYTES);
    for (size_t i = 0; i < N_FLOATS; i++) {
        float value;
        memcpy(&value, (const char *)p + floats[i], sizeof value);
        gw_put_le32(out + 4 * i, gw_bits(value));
    }
    gw_put_le32(out + AT_MIROSTAT, p->mirostat);
    gw_put_le32(out + AT_HAS_MU, mu != NULL);
    gw_put_le32(out + AT_MU, mu ? gw_bits(*mu) : 0);
}

bool gw_saved_filters_get(const uint8_t *bytes, godwit_sample_params *p, bool *out_has_mu,
                          float *out_mu) {
    bool ok = true;
    for (size_t i = 0; i < N_FLOATS; i++) {
        const float value = gw_from_bits(gw_le32(bytes + 4 * i));
        memcpy((char *)p + floats[i], &value, sizeof value);
    }
    p->mirostat = gw_le32(bytes + AT_MIROSTAT);
    *out_has_mu = gw_le32(bytes + AT_HAS_MU) != 0;
    *out_mu = gw_from_bits(gw_le32(bytes + AT_MU));
    ok &= gw_le32(bytes + AT_HAS_MU) <= 1 && (gw_bits(*out_mu) & GW_INF_BITS) != GW_INF_BITS;
    ok &= *out_has_mu || gw_bits(*out_mu) == 0;
    for (size_t i = AT_ZEROS; i < GW_SAVED_FILTERS_BYTES; i++) ok &= bytes[i] == 0;
    return ok && gw_saved_has_filters(p);
}
