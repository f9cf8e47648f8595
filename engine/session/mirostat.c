// Mirostat: of the second algorithm (Basu et al., 2020; as llama.cpp has it) what each token that is chosen
// moves: mu, bits of surprise that a token may have. It begins at twice tau, and belongs to a position and the
// token before it: going back, forking, saving and choosing once more give the mu that was there.
#include "session/internal.h"

#include "base/exact_math.h"

#define TAU 5.0f
#define ETA 0.1f

bool gw_mirostat_is_on(const godwit_sample_params *p) {
    return p && p->mirostat && p->temp >= GW_SAMPLE_COLDEST;
}

static float tau_of(const godwit_sample_params *p) {
    return p->mirostat_tau != 0.0f ? p->mirostat_tau : TAU;
}

static bool is_there(const gw_session *s, const gw_mu *mu) {
    if (mu->position > s->n_past) return false;
    return mu->position == 0 || s->ids.items[mu->position - 1] == mu->token;
}

bool gw_mirostat_mu(const gw_session *s, float *out_mu) {
    size_t n = s->mus.n;
    while (n && !is_there(s, &s->mus.items[n - 1])) n--;
    if (n) *out_mu = s->mus.items[n - 1].mu;
    return n != 0;
}

// The token behind them may be fed once more.
void gw_mirostat_truncate(gw_session *s, uint32_t n_keep) {
    while (s->mus.n && s->mus.items[s->mus.n - 1].position > n_keep + 1) s->mus.n--;
}

godwit_status gw_mirostat_set(gw_session *s, gw_mu mu, godwit_error *err) {
    while (s->mus.n && s->mus.items[s->mus.n - 1].position >= mu.position) s->mus.n--;
    gw_mu *item = gw_vec_push(&s->mus, s->host);
    if (!item) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: mirostat");
    *item = mu;
    return GODWIT_OK;
}

godwit_status gw_mirostat_prepare(gw_session *s, godwit_error *err) {
    if (!gw_vec_push(&s->mus, s->host))
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: mirostat");
    s->mus.n--;
    return GODWIT_OK;
}

static float mu_of(const gw_session *s, const godwit_sample_params *p) {
    float mu;
    return gw_mirostat_mu(s, &mu) ? mu : 2.0f * tau_of(p);
}

uint32_t gw_mirostat_least(const gw_session *s, const godwit_sample_params *p) {
    const float share = gw_exp2(0.0f - mu_of(s, p)) * 4294967296.0f;
    if (!(share < 4294967296.0f)) return UINT32_MAX;
    return share < 1.0f ? 1 : (uint32_t)share;
}

void gw_mirostat_take(gw_session *s, const godwit_sample_params *p, const float *logits,
                      int32_t token) {
    const uint32_t n = s->model->def->h.n_vocab;
    const float inv_temp = 1.0f / p->temp, mu = mu_of(s, p);
    const float eta = p->mirostat_eta != 0.0f ? p->mirostat_eta : ETA;
    uint32_t key = 0;
    uint64_t total = 0, kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t own = gw_sample_key(logits[i]);
        if (own > key) key = own;
    }
    const float max = gw_sample_logit(key);
    for (uint32_t i = 0; i < n; i++) total += gw_sample_weight((logits[i] - max) * inv_temp);
    const uint32_t least = gw_sample_least(total, gw_mirostat_least(s, p));
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t weight = gw_sample_weight((logits[i] - max) * inv_temp);
        if (weight >= least) kept += weight;
    }
    const uint32_t own = gw_sample_weight((logits[token] - max) * inv_temp);
    const float nats = gw_ln(gw_sample_float(kept)) - gw_ln((float)own);
    const float off = nats * 1.44269504f - tau_of(p);
    // gw_mirostat_prepare made room.
    (void)gw_mirostat_set(s, (gw_mu){s->n_past + 1, token, mu - eta * off}, NULL);
}
