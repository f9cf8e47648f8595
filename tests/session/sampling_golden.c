// What depends on the tokens before, against llama.cpp's samplers (tests/golden/sampling.py): mirostat's mu,
// token by token; logits changed by biases, penalties and DRY with breakers of several tokens.
#include "support/draws.h"

#include "session/internal.h"

#include <math.h>
#include <string.h>

enum { MAX_TOKENS = 256, MAX_NUMBERS = 64 };

// Of a session and a batch what sampling looks at.
typedef struct stand {
    gw_host host;
    gw_model_def def;
    gw_model model;
    gw_batch batch;
    gw_session session;
    int32_t ids[MAX_TOKENS];
} stand;

static stand *make_stand(uint32_t n_vocab) {
    stand *s = calloc(1, sizeof *s);
    gw_host_init(&s->host, NULL, NULL, NULL);
    s->def.h.n_vocab = n_vocab;
    s->model.def = &s->def;
    s->batch.host = s->session.host = &s->host;
    s->batch.model = s->session.model = &s->model;
    s->batch.pool.n_slots = 1;
    s->session.batch = &s->batch;
    s->session.ids.items = s->ids;
    return s;
}

static void feed(stand *s, const int32_t *ids, uint32_t n) {
    cr_assert(s->session.n_past + n <= MAX_TOKENS);
    memcpy(s->ids + s->session.n_past, ids, n * sizeof *ids);
    s->session.n_past += n;
    s->session.ids.n = s->session.n_past;
}

static void free_stand(stand *s) {
    gw_vec_deinit(&s->session.mus, &s->host);
    gw_sampling_free(&s->batch);
    free(s);
}

Test(session, mirostat_leaves_what_llama_cpp_leaves) {
    FILE *file = words_open("mirostat");
    uint32_t n_records = 0;
    for (; words_begin(file, "mirostat"); n_records++) {
        godwit_sample_params p = {.mirostat = 2, .temp = (float)words_number(file)};
        p.mirostat_tau = (float)words_number(file);
        p.mirostat_eta = (float)words_number(file);
        const uint32_t n = words_count(file, DRAWS_MAX_LOGITS), steps = words_count(file, 100);
        stand *s = make_stand(n);
        for (uint32_t step = 0; step < steps; step++) {
            float logits[DRAWS_MAX_LOGITS];
            bool want[DRAWS_MAX_LOGITS] = {false};
            draws d = {.logits = logits, .n = n};
            words_floats(file, logits, n);
            for (uint32_t m = words_count(file, n); m > 0; m--)
                want[words_count(file, n - 1)] = true;
            const int32_t chosen = (int32_t)words_count(file, n - 1);
            gw_sampling_control(&s->session, &p, 0, 0, &d.control);
            draws_find(&d);
            for (uint32_t i = 0; i < n; i++)
                cr_assert_eq(d.p[i] > 0.0, want[i], "record %u, step %u, token %u", n_records, step,
                             i);
            cr_assert_eq(gw_mirostat_prepare(&s->session, NULL), GODWIT_OK);
            gw_mirostat_take(&s->session, &p, logits, chosen);
            feed(s, &chosen, 1);
        }
        free_stand(s);
    }
    (void)fclose(file);
    cr_assert_eq(n_records, 3);
}

// Apart from the draw's own number: where it is drawn, tokens are as often the first half as elsewhere.
Test(session, xtc_is_drawn_as_often_as_it_says) {
    enum { POSITIONS = 20000 };
    static const float probabilities[] = {0.0f, 0.03f, 0.5f, 0.9f, 1.0f};
    stand *s = make_stand(8);
    for (size_t k = 0; k < sizeof probabilities / sizeof *probabilities; k++) {
        const double probability = (double)probabilities[k];
        const godwit_sample_params p = {
            .temp = 1.0f, .seed = k, .xtc_probability = probabilities[k], .xtc_threshold = 0.25f};
        int n_drawn = 0, n_low = 0;
        for (uint32_t i = 0; i < POSITIONS; i++) {
            gw_sample_control c;
            gw_sampling_control(&s->session, &p, i, 0, &c);
            cr_assert(c.xtc == 0 || c.xtc == 1u << 22);
            n_drawn += c.xtc != 0;
            n_low += c.xtc && !(gw_philox(c.seed_lo, c.seed_hi, c.position) >> 31);
        }
        const double want = probability * POSITIONS;
        cr_assert(fabs(n_drawn - want) <= 4.0 * sqrt(want * (1.0 - probability)), "%d of %g",
                  n_drawn, want);
        cr_assert(fabs(n_low - n_drawn * 0.5) <= 4.0 * sqrt(n_drawn * 0.25), "%d of %d", n_low,
                  n_drawn);
    }
    const godwit_sample_params off = {.temp = 1.0f, .xtc_probability = 1.0f, .xtc_threshold = 0.6f};
    gw_sample_control c;
    gw_sampling_control(&s->session, &off, 0, 0, &c);
    cr_assert_eq(c.xtc, 0);
    free_stand(s);
}

Test(session, logits_are_changed_as_llama_cpp_changes_them) {
    FILE *file = words_open("history");
    uint32_t n_records = 0, n_changed = 0;
    for (; words_begin(file, "history"); n_records++) {
        godwit_sample_params p = {.repeat_penalty = (float)words_number(file)};
        godwit_logit_bias bias[MAX_NUMBERS];
        int32_t breakers[MAX_NUMBERS], alone[MAX_NUMBERS], tokens[MAX_TOKENS];
        float logits[DRAWS_MAX_LOGITS], want[DRAWS_MAX_LOGITS];
        godwit_error err = {0};
        p.frequency_penalty = (float)words_number(file);
        p.presence_penalty = (float)words_number(file);
        p.penalty_last_n = words_count(file, MAX_TOKENS);
        p.dry_multiplier = (float)words_number(file);
        p.dry_base = (float)words_number(file);
        p.dry_allowed_length = words_count(file, MAX_TOKENS);
        p.dry_last_n = words_count(file, MAX_TOKENS);
        p.n_logit_bias = words_count(file, MAX_NUMBERS);
        for (uint32_t i = 0; i < p.n_logit_bias; i++) {
            bias[i].id = (int32_t)words_number(file);
            bias[i].bias = (float)words_number(file);
        }
        p.logit_bias = bias;
        const uint32_t n_numbers = words_count(file, MAX_NUMBERS);
        words_ids(file, breakers, n_numbers);
        p.dry_breakers = alone;
        p.dry_sequences = breakers;
        // Those of one token are apart.
        for (uint32_t i = 0, first = 0; i < n_numbers; i++) {
            if (breakers[i] != -1) continue;
            if (i - first == 1) alone[p.n_dry_breakers++] = breakers[first];
            for (uint32_t k = first; k <= i && i - first > 1; k++)
                breakers[p.n_dry_sequences++] = breakers[k];
            first = i + 1;
        }
        const uint32_t n_tokens = words_count(file, MAX_TOKENS);
        words_ids(file, tokens, n_tokens);
        const uint32_t n = words_count(file, DRAWS_MAX_LOGITS);
        words_floats(file, logits, n);
        words_floats(file, want, n);

        stand *s = make_stand(n);
        feed(s, tokens, n_tokens);
        gw_sampling_begin(&s->batch);
        cr_assert_eq(gw_sampling_ask(&s->batch, &s->session, &p, &err), GODWIT_OK, "%s",
                     err.message);
        for (size_t i = 0; i < s->batch.asked.adjusts.n; i++) {
            const gw_sample_adjust *adjust = &s->batch.asked.adjusts.items[i];
            const float changed = gw_sample_adjusted(logits[adjust->id], adjust);
            n_changed += changed != logits[adjust->id];
            logits[adjust->id] = changed;
        }
        for (uint32_t i = 0; i < n; i++)
            cr_assert(fabsf(logits[i] - want[i]) <= 1e-5f * fmaxf(1.0f, fabsf(want[i])),
                      "record %u, token %u: %g, not %g", n_records, i, (double)logits[i],
                      (double)want[i]);
        free_stand(s);
    }
    (void)fclose(file);
    cr_assert_eq(n_records, 60);
    cr_assert_gt(n_changed, 200);
}
