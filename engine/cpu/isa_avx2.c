// Kernels in AVX2: see vec.h; CMakeLists.txt has the options of the compiler.
#include "cpu/kernels.h"
#include "cpu/vec.h"

#if GW_LANES == 8
#include "cpu/matmul.h"

const gw_cpu_kernels *gw_cpu_avx2(void) {
    static const gw_cpu_kernels kernels = {.name = "avx2", .matmul = gw_matmul_rows};
    return &kernels;
}
#else
const gw_cpu_kernels *gw_cpu_avx2(void) {
    return NULL;
}
#endif
