// probe.h: Vulkan drivers tried in child processes, where one that aborts or hangs harms nobody.
#ifndef GODWIT_CLI_PROBE_H
#define GODWIT_CLI_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "manifests.h"

typedef enum cli_probe_result {
    CLI_PROBE_WORKS,   // its devices were listed, and the best opened or refused in order
    CLI_PROBE_NOTHING, // no driver, or none with a device here: nothing to go wrong
    CLI_PROBE_FAILS,   // the loader makes no instance
    CLI_PROBE_ENDED,   // it took the process down
    CLI_PROBE_HANGS,
    CLI_PROBE_UNTRIED, // stopped by a signal, or no child could be started
} cli_probe_result;

typedef struct cli_probe {
    const char *manifest; // NULL: those that the environment selects
    cli_probe_result result;
    char reason[CLI_REASON_BYTES]; // "" where it works
} cli_probe;

// Seconds that a driver has to answer.
uint32_t cli_probe_seconds(void);
// All of them at once, in a child each, opened with that mask. Call before this process loads
// Vulkan.
void cli_probe_all(cli_probe *probes, size_t n, const char *mask, uint32_t seconds);

#endif
