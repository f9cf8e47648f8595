// cache_dir.h: the environment that the command reads, and the directory of its caches.
#ifndef GODWIT_CLI_CACHE_DIR_H
#define GODWIT_CLI_CACHE_DIR_H

// NULL where the variable is not set, and for all of them in a process with more rights than its
// user has: there they would be somebody else's way to name files.
const char *cli_getenv(const char *name);
// Before Vulkan is loaded: a relative XDG_CACHE_HOME is ignored, as its specification asks, by
// drivers, too, which would put a folder where the command was called.
void cli_ignore_relative_cache_home(void);
// The directory, made where it was not there; NULL: there is none. The first call says, once, what
// is wrong with it.
const char *cli_cache_dir(void);

#endif
