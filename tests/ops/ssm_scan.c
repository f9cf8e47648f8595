// ssm_scan against its reference, of columns and of several sequences, too; the reference against double, and
// however its tokens are cut.
#include "support/recurrence.h"

Test(ops, ssm_scan) {
    recurrence_compare(&gw_op_ssm_scan);
}

Test(ops, ssm_scan_of_long_runs) {
    recurrence_compare_long(&gw_op_ssm_scan);
}

Test(ops, ssm_scan_reference_is_the_recurrence_however_it_is_cut) {
    recurrence_check(&gw_op_ssm_scan);
}
