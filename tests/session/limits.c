// Limits: a chunk of a prompt whose activations pass what the device binds is refused with what to
// do, and the session goes on with smaller ones.
#include "api/handles.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <string.h>

enum { LONG = 256, SHORT = 32, MAX_RANGE = 150000 }; // a feed forward of LONG tokens takes 176,128

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static void too_large_a_batch(const char *which) {
    stories_run r;
    int32_t ids[LONG];
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = LONG;
    params.n_batch = LONG;
    stories_open(&r, which, NULL, GODWIT_Q8_0, &params);
    r.device->backend.tune.max_range = MAX_RANGE;
    for (int i = 0; i < LONG; i++) ids[i] = 1 + i;
    cr_assert_eq(godwit_session_feed(r.session, ids, LONG, &err), GODWIT_UNSUPPORTED, "%s",
                 err.message);
    static const char *const words[] = {"matmul: ", "ffn", "176128", "150000", "n_batch"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        cr_assert(strstr(err.message, words[i]), "%s is not in: %s", words[i], err.message);
    }
    for (int at = 0; at < LONG; at += SHORT) {
        MUST(godwit_session_feed(r.session, ids + at, SHORT, &err));
    }
    cr_assert_eq(godwit_session_n_past(r.session), LONG);
    stories_close(&r);
}

Test(limits, too_large_a_batch_on_the_reference) {
    too_large_a_batch("cpu");
}

Test(limits, too_large_a_batch_on_the_device) {
    too_large_a_batch(NULL);
}
