// Measure: which kernels of matmul are fastest on a device, found by trying.
//
// All exact variants and all shapes give the same bits, so the choice is free. Products of random
// weights are timed in each number format for one token, a few and many: first in the candidate
// shapes (tune.c), one format of each kind standing for all; then, with the best shapes, in each
// variant that the device offers. What is clearly faster than the present choice takes its place.
// A kernel whose result is not that of the present choice is never taken.
#ifndef GW_RUN_MEASURE_H
#define GW_RUN_MEASURE_H

#include "run/run.h"

// What was found for a format and a number of tokens. Return false to stop.
typedef struct gw_measured {
    const gw_format *format;
    uint32_t n_tok;
    uint32_t variant;       // GW_VARIANT_PLAIN: the plain module
    bool fast;              // of fast numerics: beside an exact one
    uint64_t before_ns, ns; // a product, before and after
    uint64_t n_done, n_total;
} gw_measured;
typedef bool (*gw_measured_fn)(void *user, const gw_measured *measured);

// Tries what backend's tune allows, beginning with its choice. GODWIT_CANCELLED when each returns
// false. Some seconds; what does not fit into GW_MEASURE_S keeps the present choice.
// formats: bits of GW_FMT_* that are tried; 0: all.
godwit_status gw_measure(const gw_backend *backend, uint64_t formats, gw_measured_fn each,
                         void *user, gw_choice *out_choice, godwit_error *err);
enum { GW_MEASURE_S = 15 };

// The choice as text, in host memory (freed with gw_free, *out_bytes), and back. A line that says
// nothing this build and this device know makes the whole text count for nothing.
char *gw_choice_text(const gw_host *host, const gw_choice *choice, size_t *out_bytes);
bool gw_choice_parse(const gw_caps *caps, const char *text, gw_choice *inout_choice);

// What the cache directory keeps for the backend's device, into its tune (then it is tuned);
// nothing where there is none. Whether a device that is not opened would be given such. And the way
// there.
void gw_choice_load(gw_backend *backend);
bool gw_choice_is_kept(const gw_gpu *gpu, const gw_host *host, uint32_t index);
void gw_choice_keep(gw_device *device, const gw_choice *choice);

#endif
