// Kernels in AVX2 with AVX-VNNI: see vec.h; CMakeLists.txt has the options of the compiler.
#include "cpu/kernels.h"
#include "cpu/vec.h"

#if GW_LANES == 8 && defined(__AVXVNNI__)
#include "cpu/attention.h"
#include "cpu/elements.h"
#include "cpu/matmul.h"
#include "cpu/moe_route.h"
#include "cpu/recurrent.h"
#include "cpu/rope_store.h"
#include "cpu/rows.h"
#include "cpu/sample.h"
#include "cpu/streams.h"

const gw_cpu_kernels *gw_cpu_avxvnni(void) {
    static const gw_cpu_kernels kernels = GW_CPU_KERNELS("avxvnni");
    return &kernels;
}
#else
const gw_cpu_kernels *gw_cpu_avxvnni(void) {
    return NULL;
}
#endif
