// Host memory: what the machine has, and what an allocation can hope for. Linux grants more than
// there is and kills later, so whoever allocates much asks first.
#ifndef GW_BASE_HOST_MEMORY_H
#define GW_BASE_HOST_MEMORY_H

#include <stdint.h>

// Physical memory; 0 where the system does not say.
uint64_t gw_host_memory_bytes(void);
// What is free, page cache included, and no more than a container leaves; 0 where the system does not say.
uint64_t gw_host_memory_free(void);
// What the limit of the control group at a mount, a container's own, leaves, page cache included; UINT64_MAX: none.
uint64_t gw_host_memory_group_free(const char *mount);
// Asks for large pages where memory that nobody has written yet spans them whole: weights are then
// loaded with a five-hundredth of the page faults. Does nothing where the system has none.
void gw_host_memory_large_pages(void *at, uint64_t n_bytes);

#endif
