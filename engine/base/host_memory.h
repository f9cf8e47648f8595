// Host memory: what the machine has, and what an allocation can hope for. Linux grants more than
// there is and kills later, so whoever allocates much asks first.
#ifndef GW_BASE_HOST_MEMORY_H
#define GW_BASE_HOST_MEMORY_H

#include <stdint.h>

// Physical memory; 0 where the system does not say.
uint64_t gw_host_memory_bytes(void);
// What is free, page cache included; 0 where the system does not say.
uint64_t gw_host_memory_free(void);

#endif
