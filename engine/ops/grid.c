// Grid: folding a long 1-d grid into what a device allows.
#include "ops/ops.h"

void gw_launch_grid(gw_launch *launch, const gw_tune *tune, uint64_t n) {
    uint64_t max = tune->max_groups[0] ? tune->max_groups[0] : 65535;
    uint64_t rows = (n + max - 1) / max;
    launch->groups[0] = (uint32_t)((n + rows - 1) / rows);
    launch->groups[1] = (uint32_t)rows;
    launch->groups[2] = 1;
}
