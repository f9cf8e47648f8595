// bandwidth.h: how fast this host's cores read its memory, as the ceiling for a device on them.
#ifndef GODWIT_CLI_BANDWIDTH_H
#define GODWIT_CLI_BANDWIDTH_H

#include <stdint.h>

// Bytes a second, all cores reading at once, the best of a few passes; takes about half a second.
// 0 where it could not be measured.
double cli_host_read_bandwidth(void);
// Threads that are worth starting, 1 to 256.
uint32_t cli_n_cores(void);

#endif
