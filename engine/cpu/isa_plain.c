// Kernels in plain C: see vec.h; CMakeLists.txt has the options of the compiler.
#include "cpu/kernels.h"
#include "cpu/matmul.h"

const gw_cpu_kernels *gw_cpu_plain(void) {
    static const gw_cpu_kernels kernels = {.name = "plain", .matmul = gw_matmul_rows};
    return &kernels;
}
