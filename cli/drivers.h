// drivers.h: Vulkan drivers that would take the command down, or hang it, are found and left out.
//
// A driver is code that Vulkan's loader runs in this process, also that of hardware which is not
// here. Before a set of manifests is used for the first time it is tried in a child process; once
// it worked, that is kept in the cache directory, and a start costs nothing more. A start that ends
// before its device is open takes that back.
#ifndef GODWIT_CLI_DRIVERS_H
#define GODWIT_CLI_DRIVERS_H

#include "manifests.h"

// Call before devices are listed or one that is not "cpu" is opened. Tries the drivers where that
// is due (each by itself: each_time), with the mask that devices are opened with, leaves out of
// this process's environment those that do harm, and says so. False: stopped by a signal.
bool cli_drivers_prepare(const char *mask, bool each_time);
// Devices were listed, or one was opened or refused in order.
void cli_drivers_worked(void);
// What prepare found.
const cli_manifests *cli_drivers_found(void);

#endif
