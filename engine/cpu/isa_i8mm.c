// Kernels in NEON with dots and matrices of bytes: see vec.h; CMakeLists.txt has the options of the compiler.
#include "cpu/kernels.h"
#include "cpu/vec.h"

#if defined(GW_NEON) && defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
#include "cpu/attention.h"
#include "cpu/elements.h"
#include "cpu/matmul.h"
#include "cpu/moe_route.h"
#include "cpu/recurrent.h"
#include "cpu/rope_store.h"
#include "cpu/rows.h"
#include "cpu/sample.h"
#include "cpu/streams.h"

const gw_cpu_kernels *gw_cpu_i8mm(void) {
    static const gw_cpu_kernels kernels = GW_CPU_KERNELS("i8mm");
    return &kernels;
}
#else
const gw_cpu_kernels *gw_cpu_i8mm(void) {
    return NULL;
}
#endif
