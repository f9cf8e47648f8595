// Kernels in AVX2: see vec.h; CMakeLists.txt has the options of the compiler.
#include "cpu/kernels.h"
#include "cpu/vec.h"

#if GW_LANES == 8
#include "cpu/attention.h"
#include "cpu/elements.h"
#include "cpu/matmul.h"
#include "cpu/moe_route.h"
#include "cpu/recurrent.h"
#include "cpu/rope_store.h"
#include "cpu/rows.h"
#include "cpu/sample.h"
#include "cpu/streams.h"

const gw_cpu_kernels *gw_cpu_avx2(void) {
    static const gw_cpu_kernels kernels = GW_CPU_KERNELS("avx2");
    return &kernels;
}
#else
const gw_cpu_kernels *gw_cpu_avx2(void) {
    return NULL;
}
#endif
