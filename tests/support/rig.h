// Rig: runs one small graph on the reference, on the host's cores and on the Vulkan device, and wants
// the same bits.
//
// A case is a function that builds a graph with the rig's helpers; it is called once for each
// backend and must build the same both times (data come from a seed). Everything kept, every output
// and every state is compared. The device is the best one that the environment's ICD gives; without
// one the rig says so, loudly.
#ifndef GW_TESTS_RIG_H
#define GW_TESTS_RIG_H

#include "ops/ops.h"
#include "run/executable.h"
#include "support/lanes.h"

// What random floats look like.
typedef enum rig_fill {
    RIG_NORMAL, // -2 .. 2
    RIG_ZEROS,  // +0 and -0
    RIG_HUGE,   // up to 1e12
    RIG_TINY,   // around the flush threshold 2^-40
    RIG_MIXED,  // magnitudes from 2^-39 to 2^20, zeros, exact powers of two
    RIG_N_FILLS,
} rig_fill;

typedef struct rig_input {
    gw_value *value;
    const void *data;
} rig_input;

typedef struct rig_case {
    gw_graph graph;
    gw_vec(rig_input) inputs;
    gw_vec(gw_weight *) weights;
    uint64_t state_bytes;
    uint32_t seed;
    rig_fill fill;
    const void *user;
} rig_case;

typedef void (*rig_build)(rig_case *c);

// Masks that cases are run under beside the device as it is, where the environment has
// GODWIT_TEST_MASKS: "floor" each, the others in turns, so that an op with some cases sees each.
enum { RIG_N_MASKS = 8 };
// The cores by each instruction set that they have, with some number of threads.
enum { RIG_N_CPUS = 5 };

typedef struct rig {
    gw_host host;
    gw_gpu *gpu;
    gw_device *device;
    gw_backend vulkan, reference;
    gw_backend masked[RIG_N_MASKS]; // device NULL: not opened
    gw_backend cpus[RIG_N_CPUS];    // cpu NULL: not there
    lanes_modules lanes;
    uint32_t n_compared, n_tuned;
} rig;

// False (after a loud line) without a device. Where the environment has GODWIT_TEST_LANES, a workgroup's
// invocations go by other numbers (support/lanes.h), and the cores, which have none, are left out.
bool rig_open(rig *r);
// The same with that order; of the module `without` barrier number `barrier` is left out.
bool rig_open_lanes(rig *r, lanes_order order, const char *without, uint32_t barrier,
                    uint32_t *out_n_barriers);
void rig_close(rig *r);
// Fails the test with label, and the first difference. Runs with the device's own tuning.
void rig_compare(rig *r, rig_build build, const void *user, rig_fill fill, const char *label);
// Two cases on the reference: the same results, byte by byte.
void rig_same(rig *r, rig_build build, const void *a, const void *b, rig_fill fill,
              const char *label);
// Whether this driver is to see the i-th shape of many that differ in what is compiled: all, but
// where GODWIT_TEST_TUNES_IN_TURNS is K/N, of each N the K-th, from 0.
bool rig_sees(size_t i);
// The same over every tuning of rig_tunes.
void rig_compare_tunes(rig *r, rig_build build, const void *user, rig_fill fill, const char *label);

// Whether in some of these tunings, with plain modules, the results are others than the reference's.
bool rig_is_wrong(rig *r, rig_build build, const void *user, rig_fill fill);

// --- for build functions -------------------------------------------------------------------------

uint32_t rig_random(rig_case *c);
float rig_float(rig_case *c);
gw_value *rig_f32(rig_case *c, const char *name, uint32_t n_dims, const uint64_t *dims);
// The same as columns of a wider one, `before` of them in front and some behind.
gw_value *rig_columns(rig_case *c, const char *name, uint32_t n_dims, const uint64_t *dims,
                      uint64_t before);
gw_value *rig_i32(rig_case *c, const char *name, uint32_t n, const int32_t *data);
gw_value *rig_state(rig_case *c, const char *name, uint32_t dtype, uint32_t n_dims,
                    const uint64_t *dims);
// Random weights quantized to format; rows 0 makes a vector.
gw_value *rig_weight(rig_case *c, const gw_format *format, uint64_t rows, uint64_t cols);
gw_value *rig_weight_of(rig_case *c, const gw_format *format, uint32_t n_dims,
                        const uint64_t *dims);
gw_value *rig_node(rig_case *c, const gw_op *op, gw_value *const *inputs, uint32_t n_inputs,
                   const void *attrs, size_t attr_bytes);
// A node whose output is kept.
void rig_output(rig_case *c, const gw_op *op, gw_value *const *inputs, uint32_t n_inputs,
                const void *attrs, size_t attr_bytes);

#endif
