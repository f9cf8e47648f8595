// Position bias: what models add to scores by the distance of a key, in the place of rope.
//
// Slopes (ALiBi): of n heads, a power of two, head h has 2^(-max_bias (h + 1) / n); of others the first have those of
// the next smaller power of two, the rest every second one of twice as many.
// Buckets (T5): distances have numbers of a table, near ones each its own, farther ones more and more together.
// Source: Press et al., "Train Short, Test Long", 2021; Raffel et al., T5, 2019.
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

// Of one way, distances 0 to 15 are a bucket each, then 16 * 2^(3 k / 16) begins another. Of both, 0 to 7, then
// 8 * 2^(k / 2); keys behind have 16 more.
static uint32_t bucket_of(int32_t distance, bool both_ways) {
    static const uint8_t begins[] = {19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113};
    const uint32_t n = (uint32_t)(distance < 0 ? -distance : distance);
    uint32_t bucket = n < 8 ? n : 8;
    if (!both_ways) {
        bucket = n < 16 ? n : 16;
        for (size_t k = 0; k < sizeof begins; k++) bucket += n >= begins[k];
        return bucket;
    }
    for (uint32_t k = 1; k < 8 && n >= 8; k++) bucket += n * n >= 64u << k;
    return distance > 0 ? bucket + 16 : bucket;
}

godwit_status gw_decoder_buckets(gw_model_def *def, gw_decoder *m, godwit_error *err) {
    enum { N_BUCKETS = 32, FAR = 128 };
    godwit_status status = GODWIT_OK;
    const bool both = def->h.both_ways;
    const uint32_t n_bias = both ? 2 * FAR + 1 : FAR + 1; // from distance -FAR on
    const uint64_t n = def->h.n_head, dims[2] = {N_BUCKETS, n};
    float *bias = NULL, *numbers = gw_arena_alloc(&def->arena, N_BUCKETS * n, sizeof *numbers);
    gw_weight *table = NULL;
    GW_CHECK_ALLOC(numbers, err, "model");
    GW_TRY(gw_def_layer_weight(def, 0, "attn_rel_b.weight", false, 2, dims, &table, err));
    const gw_format *format = table->format;
    const uint64_t n_bytes = N_BUCKETS * n / format->block * format->block_bytes;
    uint8_t *scratch = gw_arena_alloc(&def->arena, n_bytes, 1);
    const uint8_t *bytes = NULL;
    GW_CHECK_ALLOC(scratch, err, "model");
    GW_TRY(gw_source_view(&table->source, 0, n_bytes, scratch, &bytes, err));
    gw_format_dequantize(format, bytes, N_BUCKETS * n, numbers);
    GW_TRY(gw_def_made(def, n * n_bias, &bias, &m->bias.w, err));
    for (uint64_t h = 0; h < n; h++)
        for (uint32_t i = 0; i < n_bias; i++)
            bias[h * n_bias + i] = numbers[bucket_of((int32_t)i - FAR, both) * n + h];
    m->bias.n = n_bias;
    m->bias.zero = FAR;
    keep_floats(def);
done:
    return status;
}
