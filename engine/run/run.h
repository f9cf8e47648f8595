// Run: the two walkers of a plan, Vulkan and the host, behind one face.
//
// Owns: what a plan's buffers are in memory (stores), a plan made ready to run (program), and the
// choice of kernel shapes for a device (tune). Both walkers take the same flat list of launches;
// the Vulkan one records it once and replays it, the reference calls each launch's plain-C twin in
// order. Thread rules: a backend is immutable; stores and programs belong to one thread at a time.
#ifndef GW_RUN_RUN_H
#define GW_RUN_RUN_H

#include "cpu/cpu.h"
#include "gpu/gpu.h"
#include "graph/plan.h"

#include <stdatomic.h>

typedef struct gw_backend {
    const gw_host *host;
    gw_device *device; // NULL: the host
    gw_cpu *cpu;       // without a device: its cores; NULL: the reference
    gw_tune tune;
    bool tuned; // tune has what was measured on the device
    // For tests: what gw_weights_go_wide takes for free memory; 0: what is.
    uint64_t memory_free;
    // For verdicts: each launch is cut into a few pieces, a submit each, as one is that is expected to take long.
    bool in_pieces;
} gw_backend;

// Kernel shapes for a device's capabilities; NULL: the reference, which ignores them.
void gw_tune_for(const gw_caps *caps, gw_tune *out_tune);
// Those of a GPU as most are, without limits on bindings: for plans that are looked at, not run.
void gw_tune_for_gpu(gw_tune *out_tune);
// The i-th shape worth trying; NULL past the end. Not every one fits every device.
const struct gw_matmul_tune *gw_tune_candidate(bool is_float, gw_tokens tokens, uint32_t i);
// Whether a shape is one that the kernel can have, within the device's limits.
bool gw_tune_fits(const gw_caps *caps, const struct gw_matmul_tune *shape);
// Gives matmul the shape that asks least of a driver; false where it had that before.
bool gw_tune_shrink(gw_tune *tune);
// Takes a choice over; every shape of it fits.
void gw_tune_choose(gw_tune *tune, const gw_choice *choice);

// --- stores --------------------------------------------------------------------------------------

typedef struct gw_store {
    const gw_backend *backend;
    gw_buffer *buffer; // Vulkan
    uint8_t *bytes;    // reference
    uint64_t n_bytes;
} gw_store;

// n_bytes 0 makes an empty store; so does a failure. Contents are zero, but of WEIGHTS. owner: static
// text for the memory report.
godwit_status gw_store_create(const gw_backend *backend, gw_buffer_kind kind, uint64_t n_bytes,
                              const char *owner, gw_store *out_store, godwit_error *err);
void gw_store_destroy(gw_store *store);
godwit_status gw_store_write(gw_store *store, uint64_t offset, const void *data, uint64_t n_bytes,
                             godwit_error *err);
godwit_status gw_store_read(gw_store *store, uint64_t offset, void *out_data, uint64_t n_bytes,
                            godwit_error *err);
// Between two places of one store that do not overlap.
godwit_status gw_store_copy(gw_store *store, uint64_t from, uint64_t to, uint64_t n_bytes,
                            godwit_error *err);
godwit_status gw_store_fill(gw_store *store, uint64_t offset, uint64_t n_bytes, uint64_t granule,
                            gw_fill_fn fill, void *user, godwit_error *err);
// Each byte of n_bytes becomes this one.
godwit_status gw_store_set(gw_store *store, uint64_t offset, uint64_t n_bytes, uint8_t byte,
                           godwit_error *err);

// --- weights -------------------------------------------------------------------------------------

enum { GW_MAX_WEIGHT_STORES = 64 };

typedef struct gw_weight_stores {
    gw_store stores[GW_MAX_WEIGHT_STORES];
    uint32_t n_stores;
    uint64_t n_bytes, n_host_bytes; // of all, of those in host memory
    uint64_t n_wide_bytes;          // of those of grids that are kept wide
    gw_placement placement;         // which weights these are, and where each lies
    struct gw_scrub *scrub;         // checksums of what was written (run/scrub.h)
} gw_weight_stores;

typedef struct gw_store_sizes {
    uint64_t bytes[GW_MAX_WEIGHT_STORES];
    bool in_host[GW_MAX_WEIGHT_STORES];
    uint32_t n;
} gw_store_sizes;

// Of how many layers, from the last one on, experts must lie in host memory, so that all else takes at
// most room bytes; where even that is more, of all. Layers without experts count.
uint32_t gw_weights_host_layers(gw_weight *const *weights, uint64_t n_weights, uint64_t room);
// Whether a backend lays weights of grids out wide (quant/wide.h): on the cores, where all weights together then
// take at most three quarters of the memory that is free. The rest is for KV caches, activations and others' work.
bool gw_weights_go_wide(const gw_backend *backend, gw_weight *const *weights, uint64_t n_weights);
// Lays weights out for a backend, matrices of experts of the last n_host_layers in host memory:
// placement says where each of them goes. Any of a model's weights, each once; of joined ones the list
// has the parts, all of them in their order.
godwit_status gw_weights_place(const gw_backend *backend, gw_weight *const *weights,
                               uint64_t n_weights, uint32_t n_host_layers, bool is_wide,
                               gw_placement *placement, gw_store_sizes *out_sizes,
                               godwit_error *err);
// The same, wide where it goes, and makes the stores and uploads, repacking on the way. A tensor with NaN or infinity is
// refused by name. The weights must outlive the stores. progress may be NULL.
godwit_status gw_weights_upload(const gw_backend *backend, gw_weight *const *weights,
                                uint64_t n_weights, uint32_t n_host_layers,
                                godwit_progress_fn progress, void *user,
                                gw_weight_stores *out_stores, godwit_error *err);
void gw_weight_stores_destroy(gw_weight_stores *stores);
// Semantics: godwit_model_scrub in godwit.h. report is filled in any case. Any thread, one at a
// time: it locks. Programs may run on the stores meanwhile.
godwit_status gw_weights_scrub(gw_weight_stores *stores, uint64_t max_bytes,
                               godwit_scrub_report *report, godwit_error *err);

// --- programs ------------------------------------------------------------------------------------

typedef struct gw_program gw_program;

// What a plan's buffer numbers stand for: arena, upload, readback, states, weights.
typedef struct gw_store_table {
    gw_store *stores[GW_STORE_WEIGHTS + GW_MAX_WEIGHT_STORES];
} gw_store_table;

// Takes the plan (also on failure). Stores must outlive the program.
godwit_status gw_program_create(const gw_backend *backend, gw_plan **plan,
                                const gw_store_table *table, gw_program **out_program,
                                godwit_error *err);
void gw_program_destroy(gw_program **program);
const gw_plan *gw_program_plan(const gw_program *program);
// Runs it and waits. stop: NULL, or what ends it between two submits with GODWIT_CANCELLED once it is
// true; what it wrote is then not to be used.
godwit_status gw_program_run(gw_program *program, const atomic_bool *stop, godwit_error *err);
// The same as two calls, so that runs may stand behind one another on the device: they run in the order
// in which they were submitted, and each sees what those before it wrote. Between the two, no other call
// on the program, and what it reads and writes is left alone. is_ready: whether it can be submitted: on
// a device, not submitted already, and run before if there is a watchdog, which the first runs are cut
// for. Where either fails, nothing of the run is under way any more.
bool gw_program_is_ready(const gw_program *program);
godwit_status gw_program_submit(gw_program *program, godwit_error *err);
godwit_status gw_program_wait(gw_program *program, godwit_error *err);
const gw_store_table *gw_program_table(const gw_program *program);
gw_device *gw_program_device(const gw_program *program); // NULL: the reference
// Makes one launch that reads weights again, with the reference, of what its inputs hold after a
// run and of the weights in the file; GODWIT_CORRUPT where a bit of the result differs. The plan
// was made with tune.keep_values; choice: any number. Exact numerics only. Host memory: the
// launch's weights.
godwit_status gw_guard_check(const gw_program *program, uint32_t choice, godwit_error *err);
// Times of the last run's launches, of a plan made with tune.time_launches: [launches of the plan]
// nanoseconds each. False where the device has no timestamps.
bool gw_program_launch_ns(const gw_program *program, uint64_t *out_ns);
// Device time of the last run by timestamps; 0 where there are none.
uint64_t gw_program_device_ns(const gw_program *program);

// The walkers (internal to run/).
// cpu: NULL: the reference. out_ns: [launches] or NULL.
godwit_status gw_host_run(gw_cpu *cpu, const gw_plan *plan, const gw_store_table *table,
                          uint64_t *out_ns, const atomic_bool *stop, godwit_error *err);
// Workgroups of a launch: those from base on.
typedef struct gw_piece {
    size_t launch;
    uint32_t base[3], groups[3];
} gw_piece;
godwit_status gw_vulkan_record(gw_device *device, const gw_plan *plan, const gw_store_table *table,
                               const gw_piece *pieces, size_t n, gw_commands **out_commands,
                               godwit_error *err);

#endif
