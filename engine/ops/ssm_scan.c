// ssm_scan: the selective scan of Mamba 2 (ops/recurrence.h), with B as keys, C as queries and D as skip
// y = flush(flush(S^T C) + flush(D * v)). Source: Dao and Gu, "Transformers are SSMs", 2024.
#include "ops/recurrence.h"

static void reference(const gw_reference_args *args) {
    gw_recurrence_reference(args, false);
}

const gw_op gw_op_ssm_scan = {.name = "ssm_scan",
                              .n_inputs_min = 6,
                              .n_inputs_max = 6,
                              .internal = true,
                              .raw_inputs = 32,
                              .strided_inputs = 3,
                              .writes_inputs = true,
                              .infer = gw_recurrence_infer,
                              .launch = gw_recurrence_launch,
                              .n_items = gw_recurrence_n_items,
                              .reference = reference};
