// Mixtures of experts on the host's cores: moe_matmul by products of matmul.
#ifndef GW_CPU_MOE_H
#define GW_CPU_MOE_H

#include "base/mem.h"
#include "cpu/cpu.h"

// product: makes a launch of matmul, over all threads; false: it cannot.
void gw_cpu_moe_matmul(gw_cpu *cpu, const gw_host *host, const gw_reference_args *args,
                       bool (*product)(gw_cpu *cpu, const gw_reference_args *args));

#endif
