// Rope tables: cos and sin of each pair's angle, on the host.
//
// Everything is double + - * / in a fixed order (no libm), so that two hosts make the same table,
// bit for bit. Scaling kinds as GGUF metadata names them: none, linear (positions divided by a
// factor), yarn (Peng et al., "YaRN", 2023), and divisors per pair (rope_freqs.weight, which is how
// Llama 3's scaling is stored).
#include "arch/arch.h"

#include "base/exact.h"
#include "base/host_math.h"
#include "base/status.h"

static const double PI = 3.14159265358979323846;

static double host_floor(double x) {
    double t = (double)(int64_t)x;
    return t > x ? t - 1.0 : t;
}

// cos and sin for 0 <= x < 2^31: whole quarter turns are taken off with pi/2 in two parts, Taylor
// for the rest.
static void host_cos_sin(double x, double *out_cos, double *out_sin) {
    const double half_pi_hi = 1.57079632673412561417, half_pi_lo = 6.07710050650619224932e-11;
    double k = host_floor(x / (PI * 0.5) + 0.5);
    double r = (x - k * half_pi_hi) - k * half_pi_lo, r2 = r * r;
    double c = 1.0, s = r, term = 1.0, odd = r;
    for (int n = 1; n < 11; n++) {
        term = term * r2 / (double)((2 * n - 1) * (2 * n)) * -1.0;
        odd = odd * r2 / (double)((2 * n) * (2 * n + 1)) * -1.0;
        c = c + term;
        s = s + odd;
    }
    switch ((int64_t)k & 3) {
    case 0:
        *out_cos = c, *out_sin = s;
        break;
    case 1:
        *out_cos = -s, *out_sin = c;
        break;
    case 2:
        *out_cos = -c, *out_sin = -s;
        break;
    default:
        *out_cos = s, *out_sin = -c;
        break;
    }
}

// YaRN: the pair at which a rotation happens n_turns times over the original context.
static double yarn_pair(const gw_rope *r, double n_turns) {
    double ratio = (double)r->ctx_orig / (n_turns * 2.0 * PI);
    return (double)r->n_rot * gw_host_log(ratio) / (2.0 * gw_host_log((double)r->base));
}

static void apply_yarn(const gw_rope *r, gw_rope_freqs *f) {
    double low = yarn_pair(r, r->yarn_beta_fast), high = yarn_pair(r, r->yarn_beta_slow);
    if (!r->yarn_between_pairs) {
        low = host_floor(low);
        high = -host_floor(-high);
    }
    low = low < 0.0 ? 0.0 : low;
    high = high > (double)r->n_rot - 1.0 ? (double)r->n_rot - 1.0 : high;
    double width = high - low < 0.001 ? 0.001 : high - low;
    for (uint32_t i = 0; i < f->n_pairs; i++) {
        double ramp = ((double)i - low) / width;
        ramp = ramp < 0.0 ? 0.0 : ramp > 1.0 ? 1.0 : ramp;
        double keep = (1.0 - ramp) * r->yarn_ext_factor;
        double scaled = f->freqs[i] / r->factor;
        f->freqs[i] = scaled * (1.0 - keep) + f->freqs[i] * keep;
    }
    // Longer contexts have more keys to tell apart: the paper's temperature, on both q and k.
    double sharper = 0.0;
    if (r->factor > 1.0f && r->yarn_ext_factor > 0.0f) {
        sharper = 0.1 * gw_host_log((double)r->factor);
    }
    // Of models that have scaled q and k by themselves.
    double done = 1.0 + (sharper > 0.0 ? r->yarn_log_mul * sharper : 0.0);
    f->magnitude = r->attn_factor * (1.0 + sharper) / done;
}

static const gw_gguf_tensor *divisors_for(const gw_rope *r, uint32_t n_ctx) {
    return r->long_freqs && n_ctx > r->ctx_orig ? r->long_freqs : r->freqs;
}

bool gw_rope_is_same(const gw_rope *r, uint32_t a, uint32_t b) {
    return divisors_for(r, a) == divisors_for(r, b);
}

static godwit_status divide(gw_rope_freqs *f, const gw_gguf_tensor *tensor, godwit_error *err) {
    uint8_t scratch[sizeof f->freqs / 2];
    const uint8_t *divisors = NULL;
    godwit_status status =
        gw_source_view(&tensor->source, 0, f->n_pairs * 4, scratch, &divisors, err);
    if (status != GODWIT_OK) return gw_note(err, status, "tensor %s", tensor->name);
    for (uint32_t i = 0; i < f->n_pairs; i++) {
        float divisor;
        memcpy(&divisor, divisors + 4 * i, 4);
        if (!(divisor > GW_MIN_ROPE_DIVISOR && divisor < GW_MAX_ROPE_DIVISOR)) {
            return gw_fail(err, GODWIT_MALFORMED,
                           "tensor %s: item %u is not a divisor between 1e-6 and 2e30",
                           tensor->name, i);
        }
        f->freqs[i] = f->freqs[i] / (double)divisor;
    }
    return GODWIT_OK;
}

godwit_status gw_rope_freqs_of(const gw_rope *r, uint32_t n_ctx, gw_rope_freqs *out_freqs,
                               godwit_error *err) {
    gw_rope_freqs *f = out_freqs;
    const gw_gguf_tensor *divisors = divisors_for(r, n_ctx);
    *f = (gw_rope_freqs){.n_pairs = r->n_rot / 2, .magnitude = 1.0};
    if (f->n_pairs > sizeof f->freqs / sizeof *f->freqs) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "rope.dimension_count %u is above 1024", r->n_rot);
    }
    if (r->scaling == GW_ROPE_YARN && !(r->base > 1.0f)) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "rope.freq_base is %g; yarn scaling needs more than 1", (double)r->base);
    }
    if (r->still) return GODWIT_OK;
    f->magnitude = r->attn_factor;
    double log_base = gw_host_log((double)r->base);
    for (uint32_t i = 0; i < f->n_pairs; i++)
        f->freqs[i] = gw_host_exp(-2.0 * (double)i / (double)r->n_rot * log_base);
    if (divisors) {
        godwit_status status = divide(f, divisors, err);
        if (status != GODWIT_OK) return status;
    }
    for (uint32_t i = 0; i < f->n_pairs && r->scaling == GW_ROPE_LINEAR; i++)
        f->freqs[i] = f->freqs[i] / (double)r->factor;
    if (r->scaling == GW_ROPE_YARN) apply_yarn(r, f);
    return GODWIT_OK;
}

float gw_q_scale_at(const gw_hparams *h, uint32_t position) {
    const double n = (double)((position + h->q_scale_from) / h->q_scale_length);
    return gw_flush((float)(1.0 + (double)h->q_scale * gw_host_log(1.0 + n)));
}

void gw_rope_row(const gw_rope_freqs *freqs, uint32_t position, float *out) {
    for (uint32_t i = 0; i < freqs->n_pairs; i++) {
        double c, s;
        host_cos_sin((double)position * freqs->freqs[i], &c, &s);
        out[2 * i] = gw_flush((float)(c * freqs->magnitude));
        out[2 * i + 1] = gw_flush((float)(s * freqs->magnitude));
    }
}
