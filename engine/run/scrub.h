// Scrub: checksums of weights from the moment they are written, and the check of them later.
//
// Memory of a device may lose bits without a sign of it, and a model then goes on with slightly
// wrong weights. So each run of words that is written (quants, scales, a format's table) is cut
// into pieces of at most GW_SCRUB_PIECE_BYTES, each with a checksum of the words as the host made
// them; gw_scrub_check computes it anew where the words lie: with shaders/checksum.comp on a
// device, in plain C for the reference. Thread rules: begun by one thread at a time;
// gw_scrub_check locks.
#ifndef GW_RUN_SCRUB_H
#define GW_RUN_SCRUB_H

#include "run/run.h"

enum { GW_SCRUB_PIECE_BYTES = 4 << 20 };

// The sum over words[0..n), of which the first has that index. Sums of parts are added up, mod 2^64,
// in any order. What is found by it: see shaders/checksum.comp, whose twin this is.
uint64_t gw_checksum(const void *words, uint64_t n, uint32_t index);

typedef struct gw_scrub gw_scrub;

godwit_status gw_scrub_create(const gw_backend *backend, gw_scrub **out_scrub, godwit_error *err);
void gw_scrub_destroy(gw_scrub **scrub);
// A run of n_bytes, whole words, is about to be written at this place; part: static text, "rows".
// The weight must live as long as the scrub.
godwit_status gw_scrub_begin(gw_scrub *scrub, const gw_weight *weight, const char *part,
                             uint32_t store, uint64_t offset, uint64_t n_bytes, godwit_error *err);
// Of that run words [at, at + n), as they are written: each once, in any order, from any thread.
void gw_scrub_add(gw_scrub *scrub, uint64_t at, const void *words, uint64_t n);
// Whether a run of words begins there.
bool gw_scrub_covers(const gw_scrub *scrub, uint32_t store, uint64_t offset);
godwit_status gw_scrub_check(gw_scrub *scrub, gw_store *stores, uint64_t max_bytes,
                             godwit_scrub_report *report, godwit_error *err);

#endif
