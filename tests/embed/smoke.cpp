// The header as C++ sees it, linked with the installed library.
#include <cstdio>
#include <cstring>

#include <godwit/godwit.h>

int main() {
    auto params = GODWIT_INIT(godwit_context_params);
    godwit_context *context = nullptr;
    godwit_error error = {};
    if (godwit_context_create(&params, &context, &error) != GODWIT_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    auto info = GODWIT_INIT(godwit_device_info);
    uint32_t n = godwit_context_n_devices(context);
    godwit_status status = n ? godwit_context_device_info(context, n - 1, &info, &error) : GODWIT_BUG;
    std::printf("last of %u devices: %s\n", n, info.name);
    godwit_context_destroy(&context);
    // The host's cores are there on every machine, after the others.
    return status != GODWIT_OK || info.type != GODWIT_DEVICE_CPU || context != nullptr;
}
