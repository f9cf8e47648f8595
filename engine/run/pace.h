// Pace: how fast a GPU reads weights, beside the host's cores, and which of them is to be taken.
//
// Decoding reads all weights for each token, so what counts is the bytes of weights that a product of
// one token reads in a second. It is measured once for a GPU, driver, build and number of threads, of a
// matrix that few caches hold, and kept in the cache directory.
#ifndef GW_RUN_PACE_H
#define GW_RUN_PACE_H

#include "run/run.h"

// Bytes of weights a second; 0: not measured.
typedef struct gw_pace {
    uint64_t device, cores;
    char which_cores[32]; // "avx512 2": instruction set and threads
} gw_pace;

// Whether the cores are clearly faster, so that the device is not taken unless it is named.
bool gw_pace_prefers_cores(const gw_pace *pace);

// Measures both: some tens of ms where the kernels are compiled. backend: a GPU's. A device that cannot be measured (without room, or made to run nothing) leaves
// zeros, which is no error; losing it is one.
godwit_status gw_pace_measure(const gw_backend *backend, const gw_cpu_params *cores,
                              gw_pace *out_pace, godwit_error *err);
// Whether it is one beside the cores that so many threads take now.
bool gw_pace_is_of(const gw_pace *pace, uint32_t n_threads);
void gw_pace_keep(gw_device *device, const gw_pace *pace);
void gw_pace_forget(gw_device *device);
// What is kept of a device that need not be open, beside so many threads; false where nothing is.
bool gw_pace_kept(const gw_gpu *gpu, const gw_host *host, uint32_t index, uint32_t n_threads,
                  gw_pace *out_pace);

#endif
