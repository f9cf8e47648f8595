// micro.h: what the files of micro share: an opened device, buffers, and timing.
#ifndef GODWIT_BENCH_MICRO_H
#define GODWIT_BENCH_MICRO_H

#include "volk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHAPES = 64 };

// VK_KHR_cooperative_matrix, which is newer than the headers of Debian 12.
enum {
    STYPE_MATRIX_FEATURES = 1000506000,
    STYPE_MATRIX_PROPERTIES = 1000506001,
    COMPONENT_FLOAT16 = 0,
    COMPONENT_FLOAT32 = 1,
    COMPONENT_SINT8 = 3,
    COMPONENT_SINT32 = 5,
    SCOPE_SUBGROUP = 3,
};
typedef struct matrix_features {
    VkStructureType sType;
    void *pNext;
    VkBool32 matrices, robust;
} matrix_features;
typedef struct matrix_shape {
    VkStructureType sType;
    void *pNext;
    uint32_t m, n, k;
    int32_t a, b, c, result;
    VkBool32 saturating;
    int32_t scope;
} matrix_shape;
typedef VkResult(VKAPI_PTR *list_shapes_fn)(VkPhysicalDevice, uint32_t *, matrix_shape *);

#define CHECK(call)                                                                                \
    do {                                                                                           \
        VkResult result_ = (call);                                                                 \
        if (result_ < 0) {                                                                         \
            fprintf(stderr, "micro: %s: VkResult %d\n", #call, result_);                           \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    VkDeviceSize bytes;
    void *mapped;
} buffer;

typedef struct gpu {
    VkInstance instance;
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties2 props;
    VkPhysicalDeviceVulkan11Properties props11;
    VkPhysicalDeviceVulkan12Properties props12;
    VkPhysicalDeviceSubgroupSizeControlProperties sizes;
    VkPhysicalDeviceShaderIntegerDotProductProperties dots;
    VkPhysicalDeviceMemoryProperties memory;
    VkDevice device;
    VkQueue queue;
    uint32_t family, timestamp_bits;
    VkCommandPool pool;
    VkCommandBuffer cmd;
    VkQueryPool queries;
    VkFence fence;
    VkDescriptorPool sets;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    matrix_shape shapes[MAX_SHAPES];
    uint32_t n_shapes;
    bool has_matrices, has_dot, has_size_control, small;
    buffer source, sink;
} gpu;

// Ends the program, with a line, where there is no such device.
void open_instance(gpu *g);
void choose_device(gpu *g, const char *name);
// With every feature that kernels of rates and trials ask for.
void open_device(gpu *g);
// For kernels of n_buffers storage buffers and so many bytes of push constants: their layouts, and a
// pool for n_sets.
void make_layouts(gpu *g, uint32_t n_buffers, uint32_t push_bytes, uint32_t n_sets);
buffer make_buffer(const gpu *g, VkDeviceSize bytes, bool on_host);
void fill(const gpu *g, const buffer *b, uint32_t word);
// Wall microseconds of one submit of what is recorded, and its wait.
double submit(const gpu *g);
// Device microseconds of what is recorded between its two timestamps, the least of a few runs.
double run_us(const gpu *g);

int caps(const gpu *g);
int rates(gpu *g);

enum { MAX_BINDINGS = 8, MAX_SETS = 128 };
// One kernel of a file, as the command line describes it.
typedef struct trial {
    const char *path;
    VkSpecializationMapEntry entries[32];
    uint32_t spec[32], n_spec, subgroup, groups[3], push[16], n_push, n_bindings, n_launches;
    VkDeviceSize bytes[MAX_BINDINGS], step[MAX_BINDINGS];
} trial;
bool read_trial(trial *t, int argc, char **argv);
int time_kernel(gpu *g, const trial *t);

#endif
