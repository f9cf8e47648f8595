// gated_delta_net: linear attention by the gated delta rule (ops/recurrence.h): what a state takes up is the
// value less what it had at that key
// Source: Yang et al., "Gated Delta Networks", 2024.
#include "ops/recurrence.h"

static void reference(const gw_reference_args *args) {
    gw_recurrence_reference(args, true);
}

const gw_op gw_op_gated_delta_net = {.name = "gated_delta_net",
                                     .n_inputs_min = 5,
                                     .n_inputs_max = 5,
                                     .internal = true,
                                     .strided_inputs = 3,
                                     .writes_inputs = true,
                                     .infer = gw_recurrence_infer,
                                     .launch = gw_recurrence_launch,
                                     .n_items = gw_recurrence_n_items,
                                     .reference = reference};
