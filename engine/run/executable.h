// Executable: from an optimized graph to a program that runs: its plan, memory for what the plan's
// buffers are, the table of it all, the program. One way for whoever has a graph: sessions, graphs of
// the caller's own, sample cases, tests.
#ifndef GW_RUN_EXECUTABLE_H
#define GW_RUN_EXECUTABLE_H

#include "run/run.h"

// What a program works in beside states and weights. Programs that do not run at once may share it:
// it is as large as the largest of them needs.
typedef struct gw_workspace {
    gw_store arena, upload, readback;
    gw_store twin_upload, twin_readback; // of twins
    // Called before memory that programs are bound to is given up: none of them may be run again.
    void (*before_growing)(void *user); // may be NULL
    void *user;
} gw_workspace;

void gw_workspace_destroy(gw_workspace *workspace);

// States: what the graph's GW_STORE_STATE buffers are, in order. All must outlive the program.
typedef struct gw_executable_stores {
    gw_workspace *workspace;
    gw_store *states;
    uint32_t n_states;
    gw_weight_stores *weights; // NULL: the graph reads none
    bool
        twin; // may be submitted before a program that is none has ended: the host writes and reads elsewhere
} gw_executable_stores;

// Plans the graph, whose states are placed, with tune; after it the graph's values say
// where inputs and outputs are.
godwit_status gw_executable_create(const gw_backend *backend, gw_graph *graph, const gw_tune *tune,
                                   const gw_executable_stores *stores, gw_program **out_program,
                                   godwit_error *err);

#endif
