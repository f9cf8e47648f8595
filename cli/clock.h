// clock.h: time and memory of this process, as the operating system counts them.
#ifndef GODWIT_CLI_CLOCK_H
#define GODWIT_CLI_CLOCK_H

#include <stdint.h>

uint64_t cli_now_ns(void);
// That all threads of this process have computed for.
uint64_t cli_cpu_ns(void);
// Since the process was started (fork, so loading and linking count); to 10 ms, the kernel's tick.
uint64_t cli_process_age_ns(void);
// The most memory that was resident at once; 0 where the system does not say.
uint64_t cli_peak_rss_bytes(void);
// n in t as a rate a second; 0 for no time.
double cli_rate(double n, uint64_t t_ns);

#endif
