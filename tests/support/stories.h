// Stories: the real small models that session and API tests run, and requantized copies of one.
#ifndef GW_TESTS_STORIES_H
#define GW_TESTS_STORIES_H

#include "base/mem.h"

#include <godwit/godwit.h>

// Path of a file of the shared data, or NULL after saying loudly that it is missing.
const char *stories_data(char *path, size_t path_bytes, const char *name);
// Writes a copy of a GGUF with every F32 matrix whose rows allow it in another type, the other
// matrices in F16, vectors as they are.
void stories_requantize(const char *from, const char *to, uint32_t type);
// A whole small file, in fresh memory with a 0 behind it; stops the test when it cannot be read.
char *stories_read(const char *path, size_t *out_n);

// A session on a stories model: all that it stands on.
typedef struct stories_run {
    godwit_context *context;
    godwit_device *device;
    godwit_model *model;
    godwit_session *session;
    int file; // descriptor of the copy, whose name is gone
} stories_run;

// Opens the data file `name`, requantized to type (GODWIT_F32 leaves it as it is), on a device
// (NULL: the best one, not the reference). session may be NULL. Skips the test without data or
// Vulkan.
void stories_open(stories_run *r, const char *which, const char *name, uint32_t type,
                  const godwit_session_params *session);
// Expects that validation, where the environment asks for it, had nothing to say.
void stories_close(stories_run *r);

#endif
