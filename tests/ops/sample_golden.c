// sample against llama.cpp's samplers and transformers' (tests/golden/sampling.py): the same tokens are left,
// with their probabilities.
#include "support/draws.h"

#include <math.h>

static uint32_t in_2_24(double x) {
    return (uint32_t)((float)x * 16777216.0f);
}

Test(ops, sample_leaves_what_llama_cpp_and_transformers_leave) {
    FILE *file = words_open("filters");
    uint32_t n_records = 0;
    double worst = 0.0;
    for (; words_begin(file, "filter"); n_records++) {
        float logits[DRAWS_MAX_LOGITS];
        double want[DRAWS_MAX_LOGITS] = {0};
        draws d = {.logits = logits};
        d.control.inv_temp = 1.0f / (float)words_number(file);
        d.control.top_n_sigma = (float)words_number(file);
        d.control.top_k = words_count(file, DRAWS_MAX_LOGITS);
        d.control.typical_p = in_2_24(words_number(file));
        d.control.top_p = in_2_24(words_number(file));
        d.control.min_p = (float)words_number(file);
        d.control.xtc = in_2_24(words_number(file));
        d.n = words_count(file, DRAWS_MAX_LOGITS);
        words_floats(file, logits, d.n);
        for (uint32_t m = words_count(file, d.n); m > 0; m--) {
            const uint32_t id = words_count(file, d.n - 1);
            want[id] = words_number(file);
        }
        draws_find(&d);
        for (uint32_t i = 0; i < d.n; i++) {
            cr_assert_eq(d.p[i] > 0.0, want[i] > 0.0, "record %u, token %u: %g, not %g", n_records,
                         i, d.p[i], want[i]);
            worst = fmax(worst, fabs(d.p[i] - want[i]));
        }
    }
    (void)fclose(file);
    cr_assert_eq(n_records, 150);
    // What is between two draws, at both ends.
    cr_assert_lt(worst, 1e-4);
}
