// Threads: one bounded parallel-for.
//
// The library starts threads where a caller asks for more than one, and to load weights, in calls
// that are work on the host from end to end. Nothing outlives a call, there are no globals and no pool: the cost of
// starting threads is paid each time, so items should be milliseconds of work.
#ifndef GW_BASE_THREADS_H
#define GW_BASE_THREADS_H

#include "godwit/godwit.h"

#include <stdint.h>

enum { GW_MAX_THREADS = GODWIT_THREADS_MAX };

// worker: 0 to n_threads - 1, no two calls at once have the same. Must not fail: an item writes
// down what went wrong for the caller to find.
typedef void (*gw_item_fn)(void *user, uint64_t item, uint32_t worker);

// Calls fn for each item below n_items, in any order, on at most n_threads threads, of which the
// caller's own is one; returns when all are done. Where the system refuses threads, fewer work.
void gw_parallel_for(uint32_t n_threads, uint64_t n_items, gw_item_fn fn, void *user);

// Processors of this machine, at least 1.
uint32_t gw_n_processors(void);

#endif
