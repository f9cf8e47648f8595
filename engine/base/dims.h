// Dims: sizes as text, for messages.
#ifndef GW_BASE_DIMS_H
#define GW_BASE_DIMS_H

#include <stddef.h>
#include <stdint.h>

// "4096, 128", cut at the buffer's end; "" where n_dims is 0.
void gw_dims_text(uint32_t n_dims, const uint64_t *dims, char *text, size_t text_bytes);

#endif
