// Cpu: the host's cores as a device: the launches of a plan in vectors and on several threads.
//
// Owns: the threads (thread_pool.h), the instruction sets (kernels.h) and which launch is cut how. A launch
// whose op has no kernel here runs its reference. Bits are those of the reference, with any number of
// threads and any instruction set. Thread rule: any thread may run launches, one at a time between
// gw_cpu_begin and gw_cpu_end, which lock.
#ifndef GW_CPU_CPU_H
#define GW_CPU_CPU_H

#include "base/threads.h"
#include "graph/op.h"

typedef struct gw_cpu gw_cpu;

typedef struct gw_cpu_params {
    uint32_t n_threads; // 0: as many as are of use, at most GW_MAX_THREADS
    // "plain", "avx2", "avxvnni", "avx512"; "neon", "dotprod", "i8mm"; NULL: the best that the processor has,
    // of those that mask does not name (godwit_device_params); its words are these, or "floor" for all.
    const char *isa, *mask;
    godwit_parallel_fn parallel; // the caller's threads (godwit_device_params); NULL: own ones
    void *parallel_user;
} gw_cpu_params;

// GODWIT_UNSUPPORTED: the processor, or this build, has not the instruction set. GODWIT_INVALID_ARGUMENT: the
// mask names what is none. params may be NULL.
godwit_status gw_cpu_create(const gw_host *host, const gw_cpu_params *params, gw_cpu **out_cpu,
                            godwit_error *err);
void gw_cpu_destroy(gw_cpu **cpu);
const char *gw_cpu_best_isa(void); // that a cpu made without a wish has
const char *gw_cpu_isa(const gw_cpu *cpu);
uint32_t gw_cpu_n_threads(const gw_cpu *cpu);

void gw_cpu_begin(gw_cpu *cpu);
void gw_cpu_end(gw_cpu *cpu);
// gw_parallel_for on the caller's threads where they were given. Locks.
void gw_cpu_for(gw_cpu *cpu, uint32_t n_workers, uint64_t n_items, gw_item_fn fn, void *user);
void gw_cpu_launch(gw_cpu *cpu, const gw_op *op, const gw_reference_args *args);

#endif
