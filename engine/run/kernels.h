// Kernels: compiling every kernel that this build may launch on a device.
#ifndef GW_RUN_KERNELS_H
#define GW_RUN_KERNELS_H

#include "run/run.h"

// each may be NULL. Semantics: godwit_device_compile_all in godwit.h.
godwit_status gw_kernels_compile(const gw_backend *backend, godwit_kernel_fn each, void *user,
                                 godwit_error *err);

#endif
