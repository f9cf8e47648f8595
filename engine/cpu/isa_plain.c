// Kernels in plain C: see vec.h. Not where isa_neon.c has what every processor runs.
#include "cpu/kernels.h"
#include "cpu/vec.h"

#if !defined(GW_NEON)
#include "cpu/attention.h"
#include "cpu/elements.h"
#include "cpu/matmul.h"
#include "cpu/moe_route.h"
#include "cpu/recurrent.h"
#include "cpu/rope_store.h"
#include "cpu/rows.h"
#include "cpu/sample.h"
#include "cpu/streams.h"

const gw_cpu_kernels *gw_cpu_plain(void) {
    static const gw_cpu_kernels kernels = GW_CPU_KERNELS("plain");
    return &kernels;
}
#else
const gw_cpu_kernels *gw_cpu_plain(void) {
    return NULL;
}
#endif
