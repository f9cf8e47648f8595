// gated_delta_net against its reference, of columns and of several sequences, too; the reference against double, and
// however its tokens are cut.
#include "support/recurrence.h"

Test(ops, gated_delta_net) {
    recurrence_compare(&gw_op_gated_delta_net);
}

Test(ops, gated_delta_net_of_long_runs) {
    recurrence_compare_long(&gw_op_gated_delta_net);
}

Test(ops, gated_delta_net_reference_is_the_recurrence_however_it_is_cut) {
    recurrence_check(&gw_op_gated_delta_net);
}
