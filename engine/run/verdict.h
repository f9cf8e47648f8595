// Verdict: one op on one label (a number format, a cache type), in each variant that is tried.
//
// Runs the sample rows (cases.h) on the reference and on a device, and compares. Nothing here is
// shared: judges of different devices may work on different verdicts at once.
#ifndef GW_RUN_VERDICT_H
#define GW_RUN_VERDICT_H

#include "graph/variant.h"
#include "run/cases.h"

enum { GW_VERDICT_MAX_ROWS = 8 };

// Who judges.
typedef struct gw_judge {
    gw_backend reference;
    gw_backend device; // its tune says what is tried; without a device: the reference alone
    bool quick;        // what the tune chooses, instead of all that it allows
    bool alone;        // no other is at work in this process: a crash has one cause
    uint64_t suspects; // bits of variants that a quick judge tries as well
    // Of the same device: what another handle is opened from, in place of one on which something
    // did not run; NULL where there is none. Handles that were opened so are the judge's.
    gw_device *origin;
    bool owns_handle;
    uint32_t n_renewed;
} gw_judge;

typedef struct gw_verdicts {
    const gw_case_row *rows[GW_VERDICT_MAX_ROWS];
    uint32_t n_rows;
    const gw_format *format; // NULL where the rows have a label
    godwit_verdict items[GW_VARIANT_COUNT + 1];
    uint32_t n;
    gw_vec(uint64_t) hashes; // of results, for the digest
    godwit_status status;    // what ended it before its end, with its error
    godwit_error error;
} gw_verdicts;

// How many verdicts these rows come to. A quick judge may need one more a variant that is wrong.
uint32_t gw_verdicts_expected(const gw_judge *judge, const gw_verdicts *v);
// A kernel that is wrong is a verdict. That one did not run is one, too, where it does so once more
// on a fresh handle on which another kernel runs; a device that loses or refuses all of them says
// nothing of any. v->status is of what ends all work: memory, such a device.
void gw_verdicts_take(gw_judge *judge, gw_verdicts *v);
// Releases what the judge has opened.
void gw_judge_release(gw_judge *judge);
void gw_verdicts_free(const gw_host *host, gw_verdicts *v);

#endif
