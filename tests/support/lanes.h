// Lanes: the library's modules as they would be if the invocations of a workgroup had other numbers.
//
// Software drivers run a workgroup's invocations one after another, some at a time, up to a barrier. So what
// one leaves for a later one is there without the barrier, too, and a test sees nothing. With their numbers
// turned round, the later one comes first.
#ifndef GW_TESTS_LANES_H
#define GW_TESTS_LANES_H

#include "gpu/gpu.h"

typedef enum lanes_order {
    LANES_AS_THEY_ARE,
    LANES_REVERSED,   // n - 1 - i
    LANES_TRANSPOSED, // i % 8 * (n / 8) + i / 8: neighbours, which drivers run at once, apart
    LANES_BOTH,       // that, reversed
    LANES_N_ORDERS,
} lanes_order;

typedef struct lanes_modules {
    gw_shader *table;
    uint32_t n;
} lanes_modules;

// "reversed", "transposed", "both"; NULL: as they are.
lanes_order lanes_order_of(const char *name);
// All modules of the build, but those that count on subgroups as they are. Of the module `without`, if one is
// named, barrier number `barrier` is left out; *out_n_barriers: how many it has.
lanes_modules lanes_make(lanes_order order, const char *without, uint32_t barrier,
                         uint32_t *out_n_barriers);
void lanes_free(lanes_modules *modules);

#endif
