// Thread pool: threads that are made once and share out the items of one piece of work after another.
//
// Between pieces that follow each other closely threads wait awake; after some tens of microseconds
// they sleep. The caller works, too, and waits for items, not for threads: one that the system gives
// no time holds nobody up that has not taken an item.
#ifndef GW_CPU_THREAD_POOL_H
#define GW_CPU_THREAD_POOL_H

#include "base/mem.h"
#include "base/threads.h"

typedef struct gw_thread_pool gw_thread_pool;

// n_threads: 1 to GW_MAX_THREADS, the caller's own among them. Where the system refuses threads,
// fewer work. parallel: what runs the work on threads of somebody else's, so that none is made here;
// NULL: nobody. NULL: out of memory.
gw_thread_pool *gw_thread_pool_create(const gw_host *host, uint32_t n_threads,
                                      godwit_parallel_fn parallel, void *parallel_user);
void gw_thread_pool_destroy(gw_thread_pool **pool);
uint32_t gw_thread_pool_n_threads(const gw_thread_pool *pool);

typedef void (*gw_thread_pool_fn)(void *user, uint32_t item);
enum { GW_THREAD_POOL_MAX_ITEMS = (1 << 24) - 1 };
// Calls fn for each item below n_items, in any order, and returns when all are done. One call at a
// time.
void gw_thread_pool_run(gw_thread_pool *pool, uint32_t n_items, gw_thread_pool_fn fn, void *user);
// gw_parallel_for (base/threads.h) on the same threads, if they are somebody else's.
void gw_thread_pool_for(gw_thread_pool *pool, uint32_t n_workers, uint64_t n_items, gw_item_fn fn,
                        void *user);

// Threads that are of use: processors that this process may run on, one of those that share a core,
// no more than its cgroup's quota gives. At least 1.
uint32_t gw_threads_wanted(void);
// Processors, rounded up, that the control groups which `groups` names (/proc/self/cgroup) leave, as
// folders of `mount` say, of version 1 or 2; UINT32_MAX: no group has a quota.
uint32_t gw_threads_quota(const char *groups, const char *mount);

#endif
