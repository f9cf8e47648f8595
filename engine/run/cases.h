// Cases: small sample graphs of every op in every number format, with data that tell.
//
// The one place that knows how to set an op up by itself: `godwit kernels` compiles the kernels of
// these graphs, `godwit verify` and the self-check run them on a device and on the reference. Few
// and small, but awkward: sizes that no tile divides, rows of huge, tiny, mixed and zero values
// (both signs) side by side, weight blocks of random bytes. Data come from a seed and shapes from
// this table alone, so that the results are the same bits on every device.
#ifndef GW_RUN_CASES_H
#define GW_RUN_CASES_H

#include "graph/op.h"
#include "run/run.h"

typedef struct gw_case gw_case;

// A row of the table. Rows of one op and one label are neighbours: they are one verdict.
typedef struct gw_case_row {
    const gw_op *op;
    const char *label; // what the op is tried on; NULL: each number format of weights
    void (*build)(gw_case *c);
    uint32_t arg[4];      // the build function's
    uint32_t matmul_tune; // the gw_tokens whose shape of matmul is used, whatever the tokens
    bool quick;           // part of the self-check
} gw_case_row;

// The i-th row; NULL past the end.
const gw_case_row *gw_case_row_at(uint32_t i);
enum { GW_CASE_MANY_TOKENS = 64 }; // a prompt, for which every variant is worth it

// Whether the self-check of what tune chooses tries the row with this format (NULL where the row
// has none).
bool gw_case_is_quick(const gw_case_row *row, const gw_format *format, const gw_tune *tune);
// Whether it is of what variants with tails do (gw_matmul_has_tails) and others have no part in.
bool gw_case_is_of_tails(const gw_case_row *row);

// What a case computes with.
typedef enum gw_case_data {
    GW_CASE_AWKWARD,    // all that the contract allows
    GW_CASE_MODEST,     // zeros and numbers of -2 .. 2: fast numerics promise nothing of others
    GW_CASE_MAGNITUDES, // those without their signs: a sum of products of them is what errors of
                        // fast numerics are measured against
} gw_case_data;

typedef struct gw_case_input {
    gw_value *value;
    const void *data;
} gw_case_input;

struct gw_case {
    const gw_case_row *row;
    const gw_format *format; // NULL where the row has a label
    gw_graph graph;
    gw_vec(gw_case_input) inputs;
    gw_vec(gw_weight *) weights;
    gw_placement placement; // of those in name only
    uint64_t state_bytes;
    gw_case_data data;
    uint32_t seed;
    uint32_t fills;       // bits of the kinds of values that rows take turns in
    bool in_name_only;    // weights and inputs without data: for plans that are not run
    godwit_error *err;    // the caller's
    godwit_status status; // the first failure: calls after it do nothing
};

// Builds the graph of a row and runs the passes. err must outlive the case. Blocks of integer
// formats are any bits, whatever data says.
godwit_status gw_case_create(gw_case *c, const gw_host *host, const gw_case_row *row,
                             const gw_format *format, gw_case_data data, bool in_name_only,
                             godwit_error *err);
void gw_case_destroy(gw_case *c);
// The plan of a case: backend's tune, with the row's choice of matmul shape.
godwit_status gw_case_plan(gw_case *c, const gw_tune *tune, gw_plan **out_plan, godwit_error *err);

// The kernels of the number of tokens that the case's row stands for.
gw_tune gw_case_tune(const gw_case *c, const gw_tune *tune);

// All results of a run, one behind the other: what is kept, outputs, states.
typedef struct gw_case_result {
    const gw_host *host;
    uint8_t *bytes;
    uint64_t n_bytes;
} gw_case_result;
// A case whose weights lie in a backend's memory, for runs with one tune after another. row and
// format must outlive it.
typedef struct gw_loaded_case gw_loaded_case;
godwit_status gw_case_load(const gw_backend *backend, const gw_case_row *row,
                           const gw_format *format, gw_case_data data, gw_loaded_case **out_case,
                           godwit_error *err);
void gw_case_unload(gw_loaded_case **c);
// best_ns: NULL: runs once. Else once to warm up, then again and again until budget_ns have passed,
// at least once; the shortest time, the device's own where it has timestamps.
godwit_status gw_case_run_loaded(gw_loaded_case *c, const gw_tune *tune, uint64_t budget_ns,
                                 uint64_t *best_ns, gw_case_result *out_result, godwit_error *err);
// A block of random bits whose numbers are all finite and below limit in magnitude: a block with
// NaN or infinity is refused at load, and of sums that overflow nothing is promised. From
// gw_philox(key[0], key[1], (*counter)++).
void gw_case_random_block(const gw_format *format, const uint32_t key[2], uint32_t *counter,
                          float limit, uint8_t *block);
// The product of a matrix by vectors, for measuring.
gw_case_row gw_case_product(gw_tokens tokens, uint32_t n_tok, uint32_t n_rows, uint32_t n_cols);
// Makes everything, runs it once, reads it back.
godwit_status gw_case_run(const gw_backend *backend, const gw_case_row *row,
                          const gw_format *format, gw_case_data data, gw_case_result *out_result,
                          godwit_error *err);
void gw_case_result_free(gw_case_result *result);

#endif
