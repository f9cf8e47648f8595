// Story: see story.c.
#ifndef GW_TESTS_STORY_H
#define GW_TESTS_STORY_H

#include "gpu/gpu.h"

#include <godwit/godwit.h>

// A module table that stands in for the embedded one (tests/faults.cmake); NULL: none.
typedef const gw_shader *(*table_fn)(uint32_t *out_n);

extern char story_dir[64]; // the cache directory
extern godwit_error story_err;
#define STORY_OK(call) cr_assert((call) == GODWIT_OK, "%s", story_err.message)

void story_make_dir(void);
void story_remove_dir(void);

// Greedy tokens and the last logits.
enum { STORY_STEPS = 6 };
typedef struct story {
    int32_t ids[STORY_STEPS];
    float logits[1 << 16];
} story;

// False where there is no Vulkan.
bool story_open_device(table_fn fault, const char *which, godwit_self_check when,
                       bool allow_failing, godwit_context **context, godwit_device **device);
void story_info(const godwit_device *device, godwit_device_info *info);
void story_tell(godwit_context *context, godwit_device *device, story *out);
// All of it in a context of its own; skips the test where there is no Vulkan.
void story_tell_with(table_fn fault, const char *which, godwit_self_check when, story *out,
                     godwit_device_info *info);

#endif
