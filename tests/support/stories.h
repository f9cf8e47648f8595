// Stories: the small models that session and API tests run, and requantized copies of one.
#ifndef GW_TESTS_STORIES_H
#define GW_TESTS_STORIES_H

#include "base/mem.h"

#include <godwit/godwit.h>

// Path of a file of the foreign data, or NULL after saying loudly that it is missing.
const char *stories_data(char *path, size_t path_bytes, const char *name);
// Path of the small F32 model that comes with the tests (tests/golden/run.py): 2 layers, 64 wide,
// 8 heads of 8 (4 for keys and values), feed forward 172, 512 tokens, context 128.
const char *stories_small(char *path, size_t path_bytes);
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

// Opens the data file `name` (NULL: the small model), requantized to type (GODWIT_F32 leaves it as
// it is), on a device (NULL: the best one, not the reference). session may be NULL. Skips the test
// without data or Vulkan.
void stories_open(stories_run *r, const char *which, const char *name, uint32_t type,
                  const godwit_session_params *session);
// Expects that validation, where the environment asks for it, had nothing to say.
void stories_close(stories_run *r);

// The best device and the reference beside it. Opening skips the test without Vulkan; closing expects
// what stories_close does.
typedef struct stories_pair {
    godwit_context *context;
    godwit_device *gpu, *cpu;
} stories_pair;
void stories_open_pair(stories_pair *pair);
void stories_close_pair(stories_pair *pair);
// From now on steps on this device are planned with the kernels and shapes that GPUs get, as far as it
// can run them; false: it cannot.
bool stories_plan_as_for_gpus(godwit_device *device);

#endif
