// GPU: Vulkan 1.2 compute; knows nothing of models.
//
// Owns: loader and instance (gw_gpu), devices, capabilities after masks and quirks, buffers,
// compiled kernels with their on-disk cache, recording, submission, timestamps. The idea: one
// queue, one recorded command buffer that is replayed; buffers are few and large; whoever wants a
// smaller piece binds an offset. Vulkan's own headers are included by engine/gpu/*.c and by nobody
// else through this header. Thread rules: gw_gpu and gw_device may be shared (submissions, kernel
// compilation and memory accounting are locked inside); a recorder or gw_commands belongs to one
// thread at a time. Errors: out of memory, device loss and driver codes come out as statuses with
// the VkResult in driver_code; after GODWIT_DEVICE_LOST every call on that device gives it again,
// destroy still works.
#ifndef GW_GPU_GPU_H
#define GW_GPU_GPU_H

#include "base/mem.h"

typedef struct gw_gpu gw_gpu;
typedef struct gw_device gw_device;
typedef struct gw_buffer gw_buffer;
typedef struct gw_kernel gw_kernel;
typedef struct gw_recorder gw_recorder;
typedef struct gw_commands gw_commands;
typedef struct gw_shader gw_shader;

enum {
    GW_KERNEL_MAX_BINDINGS = 8,
    GW_FLOOR_STORAGE_RANGE = 128 << 20, // maxStorageBufferRange of the weakest device
    GW_KERNEL_MAX_DESCRIPTORS = 3 * GW_KERNEL_MAX_BINDINGS,
    GW_KERNEL_MAX_SPEC = 16,
    GW_KERNEL_MAX_PUSH_BYTES = 128, // Vulkan's guaranteed minimum
};

// --- instance ------------------------------------------------------------------------------------

typedef struct gw_gpu_params {
    bool validation;
    const char *cache_dir; // may be NULL
    void *vk_instance;     // the caller's, or NULL
    void *vk_get_instance_proc_addr;
} gw_gpu_params;

// GODWIT_NO_VULKAN with what to install where no loader, no driver or no Vulkan 1.2 device is
// found; GODWIT_INVALID_ARGUMENT in a process that was forked after Vulkan was loaded.
godwit_status gw_gpu_create(const gw_host *host, const gw_gpu_params *params, gw_gpu **out_gpu,
                            godwit_error *err);
// Reference counted: devices retain their gpu.
void gw_gpu_release(gw_gpu **gpu);
uint32_t gw_gpu_n_devices(const gw_gpu *gpu); // ranked: discrete, integrated, virtual, software
godwit_status gw_gpu_device_info(const gw_gpu *gpu, uint32_t index, godwit_device_info *out_info,
                                 godwit_error *err);
uint64_t gw_gpu_validation_count(const gw_gpu *gpu);

// --- device --------------------------------------------------------------------------------------

// A shape of cooperative matrices: m x k times k x n; all 0: none that kernels know.
typedef struct gw_coopmat_shape {
    uint32_t m, n, k;
} gw_coopmat_shape;

// What kernels choose by: queried features minus masks minus quirks.
typedef struct gw_caps {
    bool subgroup_arithmetic, subgroup_shuffle; // in compute, with subgroup_size below
    bool int_dot, int_dot_accelerated;
    bool fp16, storage_16bit, storage_8bit, int8;
    bool coopmat;
    // Workgroups of a launch see what others wrote before they counted themselves: the memory model's
    // device scope, which drivers promise where the hardware has it.
    bool device_scope;
    // What variants of kernels need (engine/graph/variants.def):
    bool unrolled_dot;  // int_dot, and the driver compiles long kernels in a moment
    bool unrolled_fp16; // that, and fp16 with DenormPreserve 16, so that widening is exact
    bool texel_dot;     // texel buffers of max_texel_bytes, and int_dot
    gw_coopmat_shape coopmat_int8; // bytes to int32; m, n: 8 or 16, k: 8, 16 or 32
    gw_coopmat_shape coopmat_fp16; // halves to fp32; m, n: 8 or 16, k: 8 or 16
    bool slow_loads;               // of storage buffers, against texel buffers
    bool software;                 // runs on the host's cores (VK_PHYSICAL_DEVICE_TYPE_CPU)
    // A driver without hardware: compiles, executes nothing (found by trying), refuses submits.
    bool runs_nothing;
    uint32_t subgroup_size;
    // A watchdog may reset the device after so much work in one submit; 0: none (software).
    uint32_t submit_ms;
    uint32_t cores; // that run workgroups; 0: the driver does not tell
    uint32_t max_workgroup_invocations, max_shared_bytes, max_groups_x, max_groups_y, max_groups_z;
    uint64_t max_storage_buffer_range; // of one binding
    uint64_t max_texel_bytes;  // of one binding seen as words; max_storage_buffer_range at most
    uint64_t max_buffer_bytes; // of one buffer (allocation and buffer size limits)
    uint32_t storage_align;    // of offsets of bindings, however they are seen
} gw_caps;

godwit_status gw_device_open(gw_gpu *gpu, uint32_t index, const godwit_device_params *params,
                             gw_device **out_device, godwit_error *err);
// Another handle on the same device with the same masks, for work beside it: the kernels that it
// compiles end up in the first one's cache. It knows no findings. UNSUPPORTED for a caller's own
// VkDevice.
godwit_status gw_device_open_twin(gw_device *device, gw_device **out_twin, godwit_error *err);
void gw_device_release(gw_device **device);
gw_device *gw_device_retain(gw_device *device);
const gw_caps *gw_device_caps(const gw_device *device);
bool gw_device_is_lost(const gw_device *device);
const gw_host *gw_device_host(const gw_device *device);
godwit_status gw_device_info(const gw_device *device, godwit_device_info *out_info,
                             godwit_error *err);
uint32_t gw_device_memory(const gw_device *device, godwit_memory_row *rows, uint32_t n_rows);
// For tests: modules that stand in for embedded ones of the same name, on devices opened after
// this. The table must outlive gpu. No call of the public interface leads here.
void gw_gpu_override_shaders(gw_gpu *gpu, const gw_shader *table, uint32_t n);
// For tests: the n-th submit from now (1 = next) reports device loss, the n-th device allocation
// reports out of memory; 0 = off.
void gw_device_inject(gw_device *device, uint32_t lose_at_submit, uint32_t fail_at_alloc);
// For tests: a pace that no run changes; 0: as it is without.
void gw_device_inject_pace(gw_device *device, uint64_t fs);
// For tests: what gw_device_room says, and at most what a buffer of WEIGHTS may have; 0: as it is without.
void gw_device_inject_room(gw_device *device, uint64_t bytes);
// Femtoseconds that a multiply-add takes, launches of all kinds taken together: a cautious guess by the
// kind of device until runs have said it. Any thread.
uint64_t gw_device_pace(const gw_device *device);
void gw_device_learn_pace(gw_device *device, uint64_t fs);

// --- findings ------------------------------------------------------------------------------------

// What verification found of a kernel of this device: a variant ("matmul.dot") that is not to be
// used, or an op ("matmul") whose plain kernel is wrong.
typedef struct gw_finding {
    char module[32];
    char label[16]; // number format; "": any
    char reason[120];
    bool given;   // not by verification but by a person or by quirks.def: no check takes it back
    bool crashed; // the process ended while the variant ran, twice: not tried again
} gw_finding;

// How the reason begins where a kernel did not run at all, each time that it was tried.
extern const char gw_finding_did_not_run[];

enum { GW_MAX_FINDINGS = 128 };

// All that is known of a device, from this process or from the cache directory.
typedef struct gw_findings {
    godwit_verification level; // of the last check, whatever it found
    char date[12];             // of it, "2026-11-25"
    gw_finding items[GW_MAX_FINDINGS];
    uint32_t n;
} gw_findings;

// Adds what is not in the list yet. Where it is full but knows the module under another label, that
// row becomes one for the whole module. False: no room.
bool gw_findings_add(gw_findings *list, const gw_finding *finding);
// The first one of a plain kernel, which no other can stand in for; NULL: none.
const gw_finding *gw_findings_dead_end(const gw_findings *list);
// "matmul.dot/q4_0 -> matmul, ..." of the others; "" for none.
void gw_findings_text(const gw_findings *list, char *text, size_t text_bytes);
void gw_device_findings(gw_device *device, gw_findings *out);
// Replaces what is known, but for what is given or crashed, and dates it unless it has a date;
// keep: also in the cache directory, in place of what an earlier check wrote there, or where that
// cannot be, in memory, for devices that are opened later on the same gpu with the same masks.
void gw_device_remember(gw_device *device, gw_findings *list, bool keep);
// Before a variant's module is tried, and with NULL when that is over: a process that ends in
// between leaves a mark, which makes it a suspect from the next open on, and the second time a
// finding.
void gw_device_trial(gw_device *device, const char *module);
// Whether that module, or with NULL any, is to be tried again before it is used.
bool gw_device_suspects(gw_device *device, const char *module);
// After a check that tried what there is.
void gw_device_acquit(gw_device *device);
// False without a cache directory, and for a device with masks, which is not the one that files
// speak of.
bool gw_device_keeps_findings(const gw_device *device);
// Whether an op ("matmul") or variant ("matmul.dot") is there, for the label where that is not "".
typedef bool (*gw_kernel_known_fn)(const char *module, const char *label);
// Warns of lines of quirks.txt that say nothing, naming file and line. Rows of kernels that knows
// does not know count for nothing from then on. Call once, before devices are opened.
void gw_quirks_check(gw_gpu *gpu, gw_kernel_known_fn knows);
// Where files are kept; NULL: nowhere.
const char *gw_device_cache_dir(const gw_device *device);
// What was measured on this device with this driver and build, as text in lines, out of the cache
// directory; kind: "tuned", "pace". NULL: nothing, or it is damaged. The caller frees *out_bytes of it.
char *gw_device_kept(const gw_device *device, const char *kind, size_t *out_bytes);
// The same of a device that is not opened, with the capabilities that it would have.
char *gw_gpu_kept(const gw_gpu *gpu, uint32_t index, const char *kind, gw_caps *out_caps,
                  size_t *out_bytes);
void gw_device_keep(gw_device *device, const char *kind, const char *text);
// XXH64 over all modules, names and words: which kernels this build has.
uint64_t gw_shader_digest(const gw_gpu *gpu);

// --- buffers -------------------------------------------------------------------------------------

typedef enum gw_buffer_kind {
    GW_BUFFER_DEVICE, // device-local, not mapped unless that is free (UMA, software)
    // The same, but not zeroed: whoever makes it writes all that is read of it. On software drivers
    // WEIGHTS lie in large pages; STATES in small ones, which are there once they are written.
    GW_BUFFER_WEIGHTS,
    GW_BUFFER_STATES,
    // Not zeroed either, in host memory that kernels read over the bus; where all memory is one, as WEIGHTS.
    GW_BUFFER_HOST_WEIGHTS,
    GW_BUFFER_UPLOAD,   // host-visible coherent, written by the host each step, read by kernels
    GW_BUFFER_READBACK, // host-visible, cached where there is such memory, written by kernels
} gw_buffer_kind;

// owner: static text for the memory report. Contents are zero, but of both WEIGHTS and STATES. Refused with
// GODWIT_OUT_OF_DEVICE_MEMORY before anything is touched when bytes pass the budget (driver's, else
// heap, else physical memory).
godwit_status gw_buffer_create(gw_device *device, gw_buffer_kind kind, uint64_t bytes,
                               const char *owner, gw_buffer **out_buffer, godwit_error *err);
void gw_buffer_destroy(gw_buffer **buffer);
uint64_t gw_buffer_bytes(const gw_buffer *buffer);
// Bytes that WEIGHTS can hope for now; UINT64_MAX where HOST_WEIGHTS lie in the same memory.
uint64_t gw_device_room(gw_device *device);
// Mapped memory: always for UPLOAD and READBACK, NULL for DEVICE memory that is not mapped.
// Coherent, or made so by gw_commands_submit / gw_commands_wait.
void *gw_buffer_mapped(gw_buffer *buffer);
// Copies between host and any buffer through staging in chunks; waits for completion.
godwit_status gw_buffer_write(gw_buffer *buffer, uint64_t offset, const void *data, uint64_t bytes,
                              godwit_error *err);
godwit_status gw_buffer_read(gw_buffer *buffer, uint64_t offset, void *out_data, uint64_t bytes,
                             godwit_error *err);
// Streaming write: fill is called for consecutive pieces and writes straight into staging (or,
// once, into the mapped buffer), so that weights are repacked on their way. Two staging chunks in flight.
typedef godwit_status (*gw_fill_fn)(void *user, uint64_t at, void *dst, uint64_t bytes,
                                    godwit_error *err);
// granule: each piece but the last is a multiple of it (a row, a block); at most GW_STAGING_BYTES.
godwit_status gw_buffer_fill(gw_buffer *buffer, uint64_t offset, uint64_t bytes, uint64_t granule,
                             gw_fill_fn fill, void *user, godwit_error *err);
enum { GW_STAGING_BYTES = 8 << 20 };

// --- kernels -------------------------------------------------------------------------------------

// One SPIR-V module embedded by the build; engine/gpu sees the table through gw_shader_table().
struct gw_shader {
    const char *name;      // "matmul", or "matmul.dot" for a feature variant
    const uint32_t *words; // NULL: they are packed (gw_shader_words)
    uint32_t n_words;
    uint32_t n_bindings; // buffers 0..n-1, all in set 0
    uint32_t push_bytes;
    // A bit for each descriptor: i, binding i as a storage buffer; GW_KERNEL_MAX_BINDINGS + i, as
    // texels of a word (R32_UINT); twice that + i, as texels of four (R32G32B32A32_UINT).
    uint32_t descriptors;
    bool subgroups; // it counts on whole subgroups of caps.subgroup_size
    const uint8_t *
        packed; // a zstd frame of frame_words words, some modules'; this one's begin at frame_first
    uint32_t packed_bytes, frame_words, frame_first;
};
const gw_shader *gw_shader_table(uint32_t *out_n);
// "<stem>[.<suffix>][.<format>]": the module of that format, or the one for any. NULL: none.
const gw_shader *gw_shader_find(const char *name);
// Whether "<stem>.<suffix>" is there, in one module or in one a format.
bool gw_shader_is_built(const char *module);

// The kernel for a module and its specialization constants (constant_id 0..n_spec-1; by convention
// of shaders/, ids 0, 1, 2 are the workgroup size). Compiled at first use, then shared for the
// device's life.
godwit_status gw_kernel_get(gw_device *device, const char *shader_name, const uint32_t *spec,
                            uint32_t n_spec, gw_kernel **out_kernel, godwit_error *err);
// Statistics of a kernel, through VK_KHR_pipeline_executable_properties where there (else -1s).
// Capturing statistics costs compile time, so kernels are compiled without; this compiles the one
// that is asked about once more.
godwit_status gw_kernel_info(gw_device *device, const gw_kernel *kernel,
                             godwit_kernel_info *out_info, godwit_error *err);

// --- recording -----------------------------------------------------------------------------------

typedef struct gw_binding {
    gw_buffer *buffer;
    uint64_t offset,
        bytes; // offset: a multiple of caps.storage_align; bytes <= max_storage_buffer_range
} gw_binding;

godwit_status gw_recorder_begin(gw_device *device, uint32_t n_dispatches_max,
                                gw_recorder **out_recorder, godwit_error *err);
// base: the first workgroup, NULL for 0; what a kernel sees as gl_NumWorkGroups is groups.
godwit_status gw_record_dispatch(gw_recorder *recorder, gw_kernel *kernel,
                                 const gw_binding *bindings, uint32_t n_bindings, const void *push,
                                 uint32_t push_bytes, const uint32_t base[3],
                                 const uint32_t groups[3], godwit_error *err);
// Everything before is finished and visible to everything after (compute and transfer).
void gw_record_barrier(gw_recorder *recorder);
void gw_record_copy(gw_recorder *recorder, gw_buffer *src, uint64_t src_offset, gw_buffer *dst,
                    uint64_t dst_offset, uint64_t bytes);
void gw_record_fill_zero(gw_recorder *recorder, gw_buffer *dst, uint64_t offset, uint64_t bytes);
// A timestamp after all work before it; read back with gw_commands_timestamps. At most
// n_dispatches_max + 1 of them.
void gw_record_timestamp(gw_recorder *recorder);
// Ends recording; the recorder is consumed also on failure. The commands make host writes before a
// submit visible to kernels, and kernels' writes visible to the host after the wait.
godwit_status gw_recorder_end(gw_recorder **recorder, gw_commands **out_commands,
                              godwit_error *err);
void gw_recorder_discard(gw_recorder **recorder);
// Replays; may be submitted again after its wait.
godwit_status gw_commands_submit(gw_commands *commands, godwit_error *err);
godwit_status gw_commands_wait(gw_commands *commands, godwit_error *err);
// Nanoseconds since the first timestamp of the last run, n of them; 0 where there are no
// timestamps.
uint32_t gw_commands_timestamps(const gw_commands *commands, uint64_t *out_ns, uint32_t n);
void gw_commands_destroy(gw_commands **commands);

#endif
