// Dims: see dims.h.
#include "base/dims.h"

#include <stdio.h>

void gw_dims_text(uint32_t n_dims, const uint64_t *dims, char *text, size_t text_bytes) {
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < n_dims && n < text_bytes; i++) {
        n += (size_t)snprintf(text + n, text_bytes - n, "%s%llu", i ? ", " : "",
                              (unsigned long long)dims[i]);
    }
}
