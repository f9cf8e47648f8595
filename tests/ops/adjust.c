// adjust against its reference, and the reference against the words of llama.cpp's samplers.
#include "support/rig.h"

#include "ops/sample.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N_ROWS = 3, N_TOK = 4, N_ENTRIES = 300 };

static void build(rig_case *c) {
    const uint32_t n = *(const uint32_t *)c->user;
    const uint64_t dims[2] = {N_ROWS, n};
    gw_sample_adjust entries[N_ENTRIES];
    // The second has no row, the third none of the entries, the last more than there are.
    const int32_t heads[N_TOK][GW_SAMPLE_HEAD_WORDS] = {
        {2, 0, 200, 0}, {N_ROWS, 0, 9, 0}, {0, 7, 0, 0}, {1, 200, 1000, 0}};
    for (uint32_t i = 0; i < N_ENTRIES; i++) {
        // Each id once a token; some are outside.
        entries[i] = (gw_sample_adjust){.id = (uint32_t)((uint64_t)(i % 200) * (n + 40) / 200),
                                        .bias = (float)(i % 7) * 0.3f - 1.0f,
                                        .repeat = 0.5f + (float)(i % 11) * 0.17f,
                                        .minus = (float)(i % 5) * 0.21f - 0.3f,
                                        .dry = (float)(i % 3) * 0.8f};
        if (i % 50 == 3) entries[i].bias = -INFINITY;
        if (i % 200 && entries[i].id == (uint64_t)(i % 200 - 1) * (n + 40) / 200)
            entries[i].id = n + i;
    }
    gw_value *in[3] = {rig_state(c, "logits", GODWIT_F32, 2, dims),
                       rig_i32(c, "heads", N_TOK * GW_SAMPLE_HEAD_WORDS, heads[0]),
                       rig_i32(c, "entries", N_ENTRIES * GW_SAMPLE_ADJUST_WORDS,
                               (const int32_t *)(const void *)entries)};
    rig_node(c, &gw_op_adjust, in, 3, NULL, 0)->keep = true;
}

Test(ops, adjust) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {1, 33, 2048, 2049, 10000};
    for (uint32_t i = 0; i < 10; i++) {
        rig_compare(&r, build, &sizes[i % 5], (rig_fill)(i % RIG_N_FILLS), "adjust");
        if (i < 5) rig_compare_tunes(&r, build, &sizes[i], RIG_NORMAL, "adjust");
    }
    rig_close(&r);
}

// llama_sampler_logit_bias, then llama_sampler_penalties, in double.
Test(ops, adjust_reference_is_what_its_words_say) {
    for (int i = 0; i < 1000; i++) {
        const float l = (float)(i * 37 % 101) * 0.37f - 18.0f;
        const gw_sample_adjust e = {.bias = (float)(i % 13) - 6.0f,
                                    .repeat = 1.0f + (float)(i % 9) * 0.1f,
                                    .minus = (float)(i % 4) * 0.6f,
                                    .dry = (float)(i % 6)};
        double want = (double)l + (double)e.bias;
        want = want <= 0 ? want * (double)e.repeat : want / (double)e.repeat;
        want -= (double)e.minus + (double)e.dry;
        const double got = (double)gw_sample_adjusted(l, &e);
        cr_assert(fabs(got - want) <= 1e-5, "%d: %.9g, not %.9g", i, got, want);
    }
    const gw_sample_adjust never = {.bias = -INFINITY, .repeat = 1.0f};
    cr_assert(gw_sample_adjusted(3.0f, &never) == -INFINITY);
}
