// godwit.h: the whole public interface of libgodwit.
//
// Godwit runs quantized models on any Vulkan 1.2 device, and gives the same bits on each of them
// and in plain C. The way through this page:
//
//   context    one per user of the library: allocator, log, the Vulkan instance. No globals.
//   device     a GPU of that context, or "cpu", the host's cores, or "reference", plain C.
//   file       an open, checked model file: metadata and tensors. Touches no device.
//   tokenizer  text <-> token ids, from a file.
//   model      weights of a file on a device: immutable, shared by any number of sessions.
//   session    one timeline of tokens over a model: its KV cache, position and sampler.
//   graph      a computation of your own, from the same ops that models are made of.
//
// Rules, everywhere:
// - Every call that can fail returns godwit_status and takes an optional godwit_error last, which
//   the caller owns. The library never aborts, exits, prints, reads the environment or installs
//   signal handlers. (The Vulkan loader and drivers below it read their own environment.)
// - Params structs: NULL means all defaults; a zero field means that field's default; set the size
//   with GODWIT_INIT(type), e.g. godwit_session_params p = GODWIT_INIT(godwit_session_params);
// - create/destroy, open/close. destroy takes the address of the handle, accepts NULL, writes NULL.
//   Children hold their parents, so handles may be destroyed in any order.
// - Thread-safety: context, device, file, model and tokenizer may be used from any number of
//   threads at once. A session or a graph belongs to one thread at a time, but for
//   godwit_*_cancel.
// - Handles of devices, and of what is made on them, do not survive a fork: in the child each call on
//   them is GODWIT_INVALID_ARGUMENT, and destroying them frees nothing. Nor does Vulkan: once it is
//   loaded the child may open "cpu" alone. So fork before devices are listed or opened, or exec.
// - Tensors: dims outermost first, dense rows. Strings: UTF-8. Counts n_x, sizes x_bytes, times x_ns.
// History: 0.1 first interface.
#ifndef GODWIT_H
#define GODWIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GODWIT_VERSION_MAJOR 0
#define GODWIT_VERSION_MINOR 1
#define GODWIT_VERSION_PATCH 0

#if defined(GODWIT_STATIC)
#define GODWIT_API
#else
#define GODWIT_API __attribute__((visibility("default")))
#endif
#define GODWIT_NODISCARD __attribute__((warn_unused_result))
// A params struct with its size set and every field at its default.
#ifdef __cplusplus
#define GODWIT_INIT(type)                                                                          \
    type {                                                                                         \
        sizeof(type)                                                                               \
    }
#else
#define GODWIT_INIT(type) ((type){.struct_size = sizeof(type)})
#endif

// --- Status --------------------------------------------------------------------------------------

// X(name, sentence, what the caller can do)
#define GODWIT_STATUS_TABLE(X)                                                                     \
    X(OK, "success", "go on")                                                                      \
    X(INVALID_ARGUMENT, "an argument is out of its range", "mend the call")                        \
    X(OUT_OF_MEMORY, "host memory ran out", "free some and repeat")                                \
    X(OUT_OF_DEVICE_MEMORY, "device memory ran out", "smaller context or model, another device")   \
    X(IO, "the operating system refused a file operation", "check path and rights")                \
    X(MALFORMED, "a file breaks its format's rules", "get the file again")                         \
    X(UNSUPPORTED, "well-formed, but not something this build runs", "see the message")            \
    X(NO_VULKAN, "no Vulkan loader or driver on this machine", "install one, or use device cpu")   \
    X(NOT_FOUND, "nothing of that name", "list what there is")                                     \
    X(DEVICE_LOST, "the device was reset or removed", "open it again, or go on elsewhere")         \
    X(DRIVER, "the driver returned an error", "see driver_code")                                   \
    X(CANCELLED, "stopped by godwit_*_cancel or a callback", "go on or destroy")                   \
    X(CONTEXT_FULL, "the session's context has no room", "longer context, or start anew")          \
    X(BUG, "a broken invariant inside Godwit", "please report the message")                        \
    X(CORRUPT, "memory no longer holds what was written to it", "open the model again")

typedef enum godwit_status {
#define GODWIT_STATUS_ENUM(name, sentence, advice) GODWIT_##name,
    GODWIT_STATUS_TABLE(GODWIT_STATUS_ENUM)
#undef GODWIT_STATUS_ENUM
} godwit_status;

// Filled on failure, untouched on success. No allocation, no thread-local behind it.
typedef struct godwit_error {
    godwit_status status;
    int32_t driver_code; // VkResult or errno where one was the cause, else 0
    char message[512];   // "what failed: object: why, with numbers; what would work"
} godwit_error;

// "OUT_OF_MEMORY" / "host memory ran out". Never NULL, static.
GODWIT_API const char *godwit_status_name(godwit_status status);
GODWIT_API const char *godwit_status_sentence(godwit_status status);
// "0.1.0", static.
GODWIT_API const char *godwit_version(void);

// --- Context -------------------------------------------------------------------------------------

// One function for all: new_bytes 0 frees, ptr NULL allocates. Aligned for any type; returns NULL
// when out of memory (ptr then stays valid). May be called from any thread.
typedef struct godwit_allocator {
    void *user;
    void *(*realloc)(void *user, void *ptr, size_t old_bytes, size_t new_bytes);
} godwit_allocator;

typedef enum godwit_log_level {
    GODWIT_LOG_DEBUG,
    GODWIT_LOG_INFO,
    GODWIT_LOG_WARN
} godwit_log_level;
// A line without its newline; valid during the call. May come from any thread; it may not call back
// into the context.
typedef void (*godwit_log_fn)(void *user, godwit_log_level level, const char *line);
// Long work tells how far it is. Return false to stop it: the call then gives GODWIT_CANCELLED.
typedef bool (*godwit_progress_fn)(void *user, const char *what, uint64_t done, uint64_t total);
// Text or bytes in pieces, not terminated. Return false to stop.
typedef bool (*godwit_write_fn)(void *user, const char *text, size_t n_bytes);
// Up to n_bytes, the next, into out. Returns how many: 0 at the end, SIZE_MAX: they cannot be read.
typedef size_t (*godwit_read_fn)(void *user, void *out, size_t n_bytes);

typedef struct godwit_context godwit_context;

typedef struct godwit_context_params {
    size_t struct_size;
    const godwit_allocator *allocator; // NULL: malloc family; copied
    godwit_log_fn log;                 // NULL: silent
    void *log_user;
    // A directory for the pipeline cache and what was measured of a device; NULL: none is kept.
    const char *cache_dir;
    bool validation; // ask for VK_LAYER_KHRONOS_validation with synchronization checks
    // The caller's own instance (VkInstance, PFN_vkGetInstanceProcAddr); NULL: Godwit makes one.
    // It must outlive the context and have been created for Vulkan 1.2 or later.
    void *vk_instance;
    void *vk_get_instance_proc_addr;
    // Before a kernel is compiled: what is its name, done those that its device has, total 0. May
    // come from any thread, and must not call the library.
    godwit_progress_fn progress;
    void *progress_user;
} godwit_context_params;

// Succeeds without Vulkan, too: then "cpu" is the one device. Vulkan's loader and drivers, whose code
// then runs in this process, are loaded when devices are first listed or a GPU is first opened.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_context_create(const godwit_context_params *params,
                                                                godwit_context **out_context,
                                                                godwit_error *error);
GODWIT_API void godwit_context_destroy(godwit_context **context);
// Validation messages seen so far (0 unless params.validation).
GODWIT_API uint64_t godwit_context_validation_count(const godwit_context *context);
// Why there is no Vulkan device, with what to install, else "". Lives as the context; loads Vulkan.
GODWIT_API const char *godwit_context_no_vulkan_reason(const godwit_context *context);

// --- Devices -------------------------------------------------------------------------------------

typedef enum godwit_device_type {
    GODWIT_DEVICE_REFERENCE, // plain C
    GODWIT_DEVICE_SOFTWARE,  // a Vulkan driver that runs on the host's cores
    GODWIT_DEVICE_INTEGRATED,
    GODWIT_DEVICE_DISCRETE,
    GODWIT_DEVICE_VIRTUAL,
    GODWIT_DEVICE_OTHER,
    GODWIT_DEVICE_CPU, // the host's cores, without a driver
} godwit_device_type;

// What is known of a device's kernels with this driver and this build.
typedef enum godwit_verification {
    GODWIT_UNVERIFIED,          // nothing: not opened before, or cache_dir keeps nothing of it
    GODWIT_VERIFIED_SELF_CHECK, // the short check of the first open was right, or routed around
    GODWIT_VERIFIED_FULL,       // the same of godwit_device_verify
    GODWIT_VERIFICATION_FAILED, // an op's plain kernel is wrong: models are refused
} godwit_verification;

// Everything is as the driver reports it, before quirks.
typedef struct godwit_device_info {
    size_t struct_size;
    char name[256];
    char vendor[64], driver[256]; // driver: name and version text
    uint32_t vendor_id, device_id, driver_id, driver_version;
    uint32_t api_major, api_minor, api_patch;
    godwit_device_type type;
    uint64_t memory_bytes;        // the largest device-local heap
    uint64_t memory_budget_bytes; // what the driver says is free now; 0 when it does not say
    uint64_t host_memory_bytes;   // physical memory of the machine
    uint32_t n_heaps;
    struct {
        uint64_t bytes, budget_bytes;
        bool device_local;
    } heaps[16];
    uint32_t subgroup_size, subgroup_size_min, subgroup_size_max;
    bool subgroup_arithmetic, subgroup_shuffle, subgroup_size_control;
    bool fp16, int8, int16, int64, storage_8bit, storage_16bit;
    bool int_dot, int_dot_accelerated;
    bool cooperative_matrix, cooperative_matrix_int8, cooperative_matrix_fp16;
    bool matrix_kernels_left_out; // it has cooperative matrices, this build no kernels for them
    bool buffer_device_address, timeline_semaphore, external_host_memory, memory_budget, uma;
    bool pipeline_executable_properties;
    uint32_t max_workgroup_invocations, max_shared_bytes, max_push_constant_bytes;
    uint64_t max_storage_buffer_range, max_allocation_bytes, min_storage_buffer_align;
    double timestamp_period_ns; // 0: no timestamps
    char quirks[512];           // comma-separated names of the quirk rows that apply; "" for none
    godwit_verification verification;
    char verified[96]; // the same in words: "self-check ok 2026-11-25", "not verified", ...
    char routed[256];  // variants that are wrong here, "matmul.dot -> matmul, ..."; "" for none
    // tuned: kernels are (of one that is not open: would be) chosen by what was measured.
    bool tuned, is_default; // is_default: taken where none is named
    // Of the first GPU and of "cpu": bytes of weights a second for one token, as measured; 0: not.
    uint64_t gpu_pace, cpu_pace;
} godwit_device_info;

typedef struct godwit_device godwit_device;

// When godwit_device_open runs the self-check, a few kernels against the reference.
typedef enum godwit_self_check {
    // For a device, driver and build; where cache_dir keeps nothing of it (there is none, it cannot
    // be written, the device has masks or is the caller's own): for a context.
    GODWIT_SELF_CHECK_ONCE,
    GODWIT_SELF_CHECK_NEVER,  // what is known from before still counts
    GODWIT_SELF_CHECK_ALWAYS, // at each open
} godwit_self_check;

// Calls f(arg, i) once for each i below n, on any threads, in any order, at once or one after the
// other, and returns when all have returned, which wait for none of the others. A thread that is in a
// call of the library calls it, one at a time a device; it may not call the library.
typedef void (*godwit_parallel_fn)(void *user, uint32_t n, void (*f)(void *, uint32_t), void *arg);

typedef struct godwit_device_params {
    size_t struct_size;
    // Masks capabilities, to run as a lesser device: comma-separated among
    // subgroup, dot, fp16, int8, storage16, storage8, coopmat, budget; of "cpu" avx512, avxvnni, avx2 (arm64:
    // i8mm, dotprod); "floor" masks them all.
    const char *mask;
    // The caller's own device on params.vk_instance; NULL: Godwit makes one. Needs a compute queue
    // that nobody else submits to while Godwit does.
    void *vk_physical_device;
    void *vk_device;
    uint32_t vk_queue_family, vk_queue_index;
    godwit_self_check self_check;
    bool allow_failing; // open models also where verification failed
    uint32_t n_threads; // of "cpu", the caller's among them; 0: one a physical core it may use
    godwit_parallel_fn parallel; // of "cpu": the caller's threads; NULL: Godwit's own
    void *parallel_user;
} godwit_device_params;

// Vulkan devices first (best first), then "cpu"; "reference" is not listed.
GODWIT_API uint32_t godwit_context_n_devices(const godwit_context *context);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_context_device_info(const godwit_context *context,
                                                                     uint32_t index,
                                                                     godwit_device_info *out_info,
                                                                     godwit_error *error);
// which: "cpu", "reference", a number an index, else part of a name (any case). NULL: the best GPU, or
// "cpu" where there is none or that is slower (measured once); with a mask or vk_device that of Vulkan.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_device_open(godwit_context *context,
                                                             const char *which,
                                                             const godwit_device_params *params,
                                                             godwit_device **out_device,
                                                             godwit_error *error);
GODWIT_API void godwit_device_close(godwit_device **device);
// Info of the opened device, masks and quirks applied, budget of this moment.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_device_get_info(const godwit_device *device,
                                                                 godwit_device_info *out_info,
                                                                 godwit_error *error);

typedef struct godwit_memory_row {
    char owner[48]; // weights, kv, activations, step, staging, ...
    uint64_t bytes, n_allocations;
} godwit_memory_row;
// What Godwit holds on the device, by owner. Writes at most n_rows, returns how many there are.
GODWIT_API uint32_t godwit_device_memory(const godwit_device *device, godwit_memory_row *rows,
                                         uint32_t n_rows);

// One compiled kernel: what the driver says of it. Statistics need
// VK_KHR_pipeline_executable_properties; fields that the driver does not give are -1.
typedef struct godwit_kernel_info {
    char name[64]; // op and variant
    int64_t registers_vector, registers_scalar, spilled, code_bytes, shared_bytes, occupancy;
    uint64_t compile_ns;
} godwit_kernel_info;
typedef void (*godwit_kernel_fn)(void *user, const godwit_kernel_info *info);
// Compiles every kernel variant that this device may choose; works on a driver that runs nothing.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_device_compile_all(godwit_device *device,
                                                                    godwit_kernel_fn each,
                                                                    void *user,
                                                                    godwit_error *error);

// What was found of one kernel: an op on a number format in one variant, against the reference.
typedef struct godwit_verdict {
    const char *op;      // "matmul"
    const char *label;   // "q4_0": a number format of weights, or of a cache, or what else differs
    const char *variant; // "matmul.dot"; "matmul" is the plain one, which every device can run
    bool passed;         // the same bits; of fast numerics: within their bound (docs/NUMERICS.md)
    bool fast;           // a variant of fast numerics
    float error;         // of one that passed: the largest error, as a part of the bound
    uint64_t index;      // of the first 32-bit word of the results that differs
    uint32_t wanted_bits, got_bits;
    char message[160]; // the same in words, or why the kernel did not run; "" when passed
    uint64_t n_done, n_total;
} godwit_verdict;
// Strings live during the call. Return false to stop.
typedef bool (*godwit_verdict_fn)(void *user, const godwit_verdict *verdict);

// What was measured of one product: a number format of weights by so many tokens.
typedef struct godwit_kernel_choice {
    const char *label;      // the number format
    uint32_t n_tokens;      // 1, few or many: stands for all of its kind
    const char *variant;    // the fastest, "matmul.dot"; "matmul" is the plain one
    bool fast;              // of fast numerics: chosen in those alone, beside an exact one
    uint64_t ns, before_ns; // of the product: with this choice, and before (fast: the exact one)
    uint64_t n_done, n_total;
} godwit_kernel_choice;
// Strings live during the call. Return false to stop.
typedef bool (*godwit_kernel_choice_fn)(void *user, const godwit_kernel_choice *choice);

typedef struct godwit_verify_params {
    size_t struct_size;
    bool quick;                          // the self-check alone
    bool forget;                         // keep nothing of it in the context's cache_dir
    bool no_measure;                     // verdicts alone
    godwit_kernel_choice_fn each_choice; // user is godwit_device_verify's; NULL: nobody looks
    // That work at once on a software driver, each on a handle of its own, 8 at most; 0: the
    // caller's alone. Callbacks come from the caller's thread, in the same order, always.
    uint32_t n_threads;
} godwit_verify_params;

typedef struct godwit_verify_report {
    size_t struct_size;
    uint32_t n_verdicts, n_failed;
    bool failing;     // an op's plain kernel is wrong: there is no other to use; like routed and
                      // line also by what an earlier check found and this one did not look at
    uint64_t digest;  // over all results: the same on every device that is right, and on "cpu"
    uint64_t ns;      // wall
    char build[48];   // version and digest of the embedded kernels
    char routed[256]; // "matmul.dot -> matmul, ...": variants not used from the next open on
    char line[768];   // all of it for a bug report: device, driver, build, digest
} godwit_verify_report;

// Runs every op in every number format and variant that this device may choose, and compares with
// the plain-C reference bit for bit, or where the variant is of fast numerics within their bound. A
// wrong kernel is no failure of the call: see the report. What it finds is kept in the context's
// cache_dir: the next godwit_device_open takes other variants. What does not run is tried once more on
// another handle of the device. Then, unless quick, some seconds are spent to measure which of the
// right kernels are fastest here, and that is kept, too. each may be NULL.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_device_verify(godwit_device *device,
                                                               const godwit_verify_params *params,
                                                               godwit_verdict_fn each, void *user,
                                                               godwit_verify_report *out_report,
                                                               godwit_error *error);

// --- Files ---------------------------------------------------------------------------------------

// Number formats by their GGUF type numbers: X(name, number).
// clang-format off
#define GODWIT_DTYPES(X)                                                                           \
    X(F32, 0) X(F16, 1) X(Q4_0, 2) X(Q4_1, 3) X(Q5_0, 6) X(Q5_1, 7) X(Q8_0, 8) X(Q2_K, 10)         \
    X(Q3_K, 11) X(Q4_K, 12) X(Q5_K, 13) X(Q6_K, 14) X(IQ2_XXS, 16) X(IQ2_XS, 17) X(IQ3_XXS, 18)    \
    X(IQ1_S, 19) X(IQ4_NL, 20) X(IQ3_S, 21) X(IQ2_S, 22) X(IQ4_XS, 23) X(I8, 24) X(I32, 26)        \
    X(IQ1_M, 29) X(BF16, 30) X(TQ1_0, 34) X(TQ2_0, 35) X(MXFP4, 39) X(NVFP4, 40) X(Q1_0, 41)       \
    X(Q2_0, 42)
// clang-format on
// GODWIT_F32, GODWIT_Q4_K, ...
typedef enum godwit_dtype {
#define GODWIT_DTYPE_ENUM(name, number) GODWIT_##name = number,
    GODWIT_DTYPES(GODWIT_DTYPE_ENUM)
#undef GODWIT_DTYPE_ENUM
} godwit_dtype;
// "Q8_0"; "type 99" style names are not made: NULL for a number that Godwit does not know.
GODWIT_API const char *godwit_dtype_name(godwit_dtype dtype);

#define GODWIT_MAX_DIMS 8

typedef struct godwit_file godwit_file;

typedef struct godwit_tensor_info {
    size_t struct_size;
    const char *name; // lives as long as the file
    godwit_dtype dtype;
    const char *dtype_name; // also for types that Godwit cannot run yet
    uint32_t n_dims;
    uint64_t dims[GODWIT_MAX_DIMS]; // outermost first
    uint64_t bytes;
    uint64_t offset; // from its file's start
} godwit_tensor_info;

typedef struct godwit_metadata_info {
    size_t struct_size;
    const char *key;       // lives as long as the file
    const char *type_name; // "u32", "string", "array of f32"
    uint64_t n_items;      // 1 but for arrays
} godwit_metadata_info;

// Opens and checks a GGUF file (v2, v3, little-endian), or the first of a split model's, which
// opens the others. Metadata is copied (at most 256 MiB a file), the rest read when it is needed,
// from the files as they were: of one that was cut short or written to since, that is GODWIT_IO.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_open(godwit_context *context,
                                                           const char *path, godwit_file **out_file,
                                                           godwit_error *error);
GODWIT_API void godwit_file_close(godwit_file **file);
// Path of a split model's file `index`, of any other that of file 0; NULL past the last.
GODWIT_API const char *godwit_file_part(const godwit_file *file, uint32_t index);
GODWIT_API uint64_t godwit_file_n_tensors(const godwit_file *file);
GODWIT_API uint64_t godwit_file_n_metadata(const godwit_file *file);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_tensor(const godwit_file *file,
                                                             uint64_t index,
                                                             godwit_tensor_info *out_info,
                                                             godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_metadata(const godwit_file *file,
                                                               uint64_t index,
                                                               godwit_metadata_info *out_info,
                                                               godwit_error *error);
// Value of a key as text: at most n_max items of an array, then "...". Writes a terminated string
// of at most text_bytes, returns the length it would take.
GODWIT_API size_t godwit_file_metadata_text(const godwit_file *file, uint64_t index, uint64_t n_max,
                                            char *text, size_t text_bytes);
// GODWIT_OK where this build opens a model and a tokenizer of the file, on a device that has room;
// else the first thing that would fail, as godwit_model_open or godwit_tokenizer_create say it. The
// weights are not read: whether all are finite shows when they are uploaded.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_check(const godwit_file *file,
                                                            godwit_error *error);
// Architecture, hyper-parameters, and what of this file would not run and why, in lines.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_describe(const godwit_file *file,
                                                               godwit_write_fn write, void *user,
                                                               godwit_error *error);
// The graph of one step of n_tokens; with passes, before and after each pass.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_print_graph(const godwit_file *file,
                                                                  uint32_t n_tokens, bool passes,
                                                                  godwit_write_fn write, void *user,
                                                                  godwit_error *error);

typedef struct godwit_plan_info {
    size_t struct_size;
    uint32_t n_launches, n_barriers;             // of a step, on a GPU
    uint32_t n_layer_launches, n_layer_barriers; // of its second layer, or the only one
} godwit_plan_info;
// The launches of a step of n_tokens as they are planned with F16 caches of the trained context,
// where a device binds every weight whole; print: a line each, behind "|" where a barrier is first.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_plan(const godwit_file *file,
                                                           uint32_t n_tokens,
                                                           godwit_plan_info *out_info,
                                                           godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_file_print_plan(const godwit_file *file,
                                                                 uint32_t n_tokens,
                                                                 godwit_write_fn write, void *user,
                                                                 godwit_error *error);

// --- Other number formats ------------------------------------------------------------------------

// A format for the tensors whose names fit a pattern, * and ? as in a shell.
typedef struct godwit_tensor_rule {
    const char *pattern;
    godwit_dtype dtype;
} godwit_tensor_rule;

// What became of a tensor. Strings live during the call.
typedef struct godwit_converted_tensor {
    size_t struct_size;
    const char *name;
    uint32_t n_dims;
    uint64_t dims[GODWIT_MAX_DIMS];  // outermost first
    const char *from_name, *to_name; // of the number formats
    uint64_t from_bytes, to_bytes;
    const char *why;           // it got another format than was asked for; "": it did not
    bool has_importance;       // the importance matrix has an entry for it
    double mean_squared_error; // of what was written against the source; 0 where bytes were copied
    double mean_square;        // of the source; 0 of what is no weights
} godwit_converted_tensor;
typedef void (*godwit_converted_fn)(void *user, const godwit_converted_tensor *tensor);

typedef struct godwit_quantize_params {
    size_t struct_size;
    godwit_dtype dtype;              // for the matrices; zero is F32
    const godwit_tensor_rule *rules; // before dtype; the first that fits a name counts
    size_t n_rules;
    // Importance matrix (llama.cpp's, GGUF or older binary); NULL: none, and no IQ2_XXS, IQ2_XS,
    // IQ1_S or IQ1_M, which need one.
    const char *imatrix_path;
    uint32_t n_threads;          // at most GODWIT_THREADS_MAX; 0: the calling thread alone
    godwit_progress_fn progress; // bytes of the source; from the calling thread
    void *progress_user;
    godwit_converted_fn each; // after each tensor, in order
    void *each_user;
    const char
        *base; // of an adapter's folder: that of its model; NULL: as adapter_config.json says
} godwit_quantize_params;
#define GODWIT_THREADS_MAX 256

typedef struct godwit_quantize_result {
    size_t struct_size;
    uint64_t n_tensors, n_elements, from_bytes, to_bytes;
    uint64_t n_other;                 // matrices that got another format than was asked for
    uint64_t n_matrices, n_important; // of weights; those that the importance matrix knows
} godwit_quantize_result;

// Writes a GGUF file of the same model in other number formats. Vectors are F32, a few small
// sensitive matrices (norms, routers, positions) too unless a rule names them; a matrix whose rows
// are no multiple of the format's block gets the next better format that fits; tensors that are no
// weights, and metadata, are copied. The bytes do not depend on n_threads. out_path appears whole
// or not at all, a symbolic link is written through; one of the files that are read is refused, by
// whatever name. Of a split model one file is made. out_result may be NULL.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_quantize(
    godwit_context *context, const godwit_file *file, const godwit_quantize_params *params,
    const char *out_path, godwit_quantize_result *out_result, godwit_error *error);

// The same from a Hugging Face folder (config.json, *.safetensors, and tokenizer.json, tokenizer.model
// or *.tiktoken) of a class that docs/FAMILIES.md names. Byte-level BPE wants a pre-tokenizer that
// Godwit knows; what it does not is GODWIT_UNSUPPORTED, as is a setting that would have to be left
// out. The importance matrix goes by the names that tensors get. A file that is written and cannot be
// run is an error, too: which key or tensor is at fault. A folder of PEFT's (adapter_config.json and
// adapter_model.safetensors) becomes a LoRA adapter, named by the config.json of its model.
GODWIT_API GODWIT_NODISCARD godwit_status
godwit_convert(godwit_context *context, const char *folder, const godwit_quantize_params *params,
               const char *out_path, godwit_quantize_result *out_result, godwit_error *error);

// --- Tokenizer -----------------------------------------------------------------------------------

typedef struct godwit_tokenizer godwit_tokenizer;

GODWIT_API GODWIT_NODISCARD godwit_status godwit_tokenizer_create(const godwit_file *file,
                                                                  godwit_tokenizer **out_tokenizer,
                                                                  godwit_error *error);
GODWIT_API void godwit_tokenizer_destroy(godwit_tokenizer **tokenizer);
GODWIT_API uint32_t godwit_tokenizer_n_tokens(const godwit_tokenizer *tokenizer);
// -1 where the vocabulary has none.
GODWIT_API int32_t godwit_tokenizer_bos(const godwit_tokenizer *tokenizer);
GODWIT_API int32_t godwit_tokenizer_eos(const godwit_tokenizer *tokenizer);
// True for tokens that end a generation (eos, eot).
GODWIT_API bool godwit_tokenizer_is_end(const godwit_tokenizer *tokenizer, int32_t token);
typedef struct godwit_encode_params {
    size_t struct_size;
    bool no_special;    // leave out the BOS/EOS that the file asks for
    bool parse_special; // read the texts of control tokens as these tokens
    bool no_eos;        // leave out the EOS alone: the text is gone on from
    const char *pair;   // a second text behind the first, as models that score pairs learned them
    size_t pair_bytes;
} godwit_encode_params;
// Text of n_bytes to ids. Invalid UTF-8 is read as U+FFFD per bad byte where the vocabulary cannot
// spell bytes. Writes at most n_max ids; *out_n is how many there are, also when that is more.
GODWIT_API GODWIT_NODISCARD godwit_status
godwit_tokenizer_encode(const godwit_tokenizer *tokenizer, const char *text, size_t n_bytes,
                        const godwit_encode_params *params, int32_t *out_ids, size_t n_max,
                        size_t *out_n, godwit_error *error);
// Streaming decoder: never gives half a character. Zero-initialise, one for a stream.
typedef struct godwit_decoder {
    char pending[8];
    uint32_t n_pending;
    bool started;
} godwit_decoder;
// The text that token adds, as whole UTF-8 characters, at most text_bytes - 1 and terminated; token
// -1 flushes what is pending (as U+FFFD). *out_bytes: its length. 512 bytes are always enough but
// for longer pieces, for which GODWIT_INVALID_ARGUMENT says the length.
GODWIT_API GODWIT_NODISCARD godwit_status
godwit_tokenizer_decode(const godwit_tokenizer *tokenizer, godwit_decoder *decoder, int32_t token,
                        char *text, size_t text_bytes, size_t *out_bytes, godwit_error *error);

// --- Chat templates ------------------------------------------------------------------------------

typedef struct godwit_chat_params {
    size_t struct_size;
    const char *messages;      // JSON: [{"role": "user", "content": "Hi"}, ...]
    const char *tools;         // a JSON array; NULL: none
    const char *variables;     // a JSON object of what else the template asks for; NULL: nothing
    const char *chat_template; // its Jinja source; NULL: the file's
    const char *name;          // of a file's several; NULL: "tool_use" for tools, else the default
    bool no_generation_prompt; // end behind the last message
    int64_t now_s;             // for dates in it: local time, s since 1970; 0: now, in UTC
} godwit_chat_params;
// What a model sees of a conversation, as the transformers library renders it: to encode with
// parse_special and no_special. file: may be NULL with a chat_template. GODWIT_INVALID_ARGUMENT
// where the template refuses the messages, GODWIT_NOT_FOUND where there is none,
// GODWIT_UNSUPPORTED where it takes more steps, memory or output than a template may.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_chat_render(godwit_context *context,
                                                             const godwit_file *file,
                                                             const godwit_chat_params *params,
                                                             godwit_write_fn write, void *user,
                                                             godwit_error *error);

// What a text becomes, or a pair of texts (godwit_batch_embed).
typedef enum godwit_pooling {
    GODWIT_POOLING_MODEL, // as the file says, else MEAN where tokens see both ways, else LAST
    GODWIT_POOLING_NONE,  // a row for each token
    GODWIT_POOLING_MEAN,  // of all tokens
    GODWIT_POOLING_CLS,   // of the first
    GODWIT_POOLING_LAST,
    GODWIT_POOLING_RANK, // scores of a pair (godwit_encode_params.pair), as the classifier has them
} godwit_pooling;

// --- Models --------------------------------------------------------------------------------------

typedef struct godwit_model godwit_model;

enum { GODWIT_LORA_MAX = 16 };
#define GODWIT_LORA_SCALE_MAX 1000.0f

// A LoRA adapter, a GGUF file of general.type "adapter": y = W x becomes y = W x + B (A x) * factor,
// with factor = scale * alpha / rank. Matrices of plain products alone: adapters of experts or of the
// token embedding are GODWIT_UNSUPPORTED.
typedef struct godwit_lora {
    const godwit_file *file; // the model holds it
    float scale;             // 0: 1
} godwit_lora;

typedef struct godwit_model_params {
    size_t struct_size;
    godwit_progress_fn progress; // upload
    void *progress_user;
    const godwit_lora *loras; // [n_loras], at most GODWIT_LORA_MAX; all are applied, in this order
    uint32_t n_loras;
    // Of the last so many layers, experts lie in host memory and are read from there, at the bus's
    // speed; the bits are the same. 0: of as many as do not fit the device; -1: of none.
    int32_t host_experts;
    // The block behind the layers that predicts the token after the next one is loaded, too: sessions guess
    // by it (n_draft). GODWIT_UNSUPPORTED where the file has none, or of a family whose block is not run.
    bool mtp;
} godwit_model_params;

typedef struct godwit_model_info {
    size_t struct_size;
    char architecture[64];
    char name[128];
    uint32_t n_layer, n_embd, n_head, n_head_kv, n_ff, n_vocab, n_ctx_train;
    uint64_t n_params, weights_bytes; // bytes, on the device and in host memory
    uint64_t load_ns;
    bool both_ways;           // each token sees all of its text: embeddings and scores, no sessions
    godwit_pooling pooling;   // MODEL: the file names none
    uint32_t n_out, n_labels; // numbers of an embedding, of scores (0: none)
    uint64_t host_weights_bytes; // of weights_bytes, those in host memory (host_experts)
    // Of weights_bytes, on "cpu": IQ1 to IQ3 that take 4.2 bits a weight there, in place of the file's 1.6 to 3.4, to be
    // fast; 0: of no such format, or memory was short (three quarters of what is free are taken at most).
    uint64_t wide_weights_bytes;
    // With which a decoder behind an encoder begins (T5; see "Sessions"); -1: there is no encoder.
    int32_t decoder_start;
} godwit_model_info;

// Weights are repacked on as many threads as there are processors, at most 16, which allocate nothing
// and have ended when it returns.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_model_open(godwit_device *device,
                                                            const godwit_file *file,
                                                            const godwit_model_params *params,
                                                            godwit_model **out_model,
                                                            godwit_error *error);
GODWIT_API void godwit_model_close(godwit_model **model);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_model_get_info(const godwit_model *model,
                                                                godwit_model_info *out_info,
                                                                godwit_error *error);

typedef struct godwit_scrub_report {
    size_t struct_size;
    uint64_t n_bytes;     // checked by this call
    uint64_t total_bytes; // what a round over all weights checks
    uint64_t n_passes;    // rounds since the model was opened
} godwit_scrub_report;

// Checks weights on the device against the checksums that were taken when they were loaded. Goes
// on where the last call stopped, for at least max_bytes (0: one whole round) in pieces of at most
// 4 MiB. GODWIT_CORRUPT names the tensor, the device and the place; the next call goes on behind
// it. out_report may be NULL and is filled also then. Sessions may run at the same time.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_model_scrub(godwit_model *model,
                                                             uint64_t max_bytes,
                                                             godwit_scrub_report *out_report,
                                                             godwit_error *error);

// --- Sessions ------------------------------------------------------------------------------------

typedef enum godwit_numerics {
    GODWIT_EXACT = 0, // the same bits on every device
    GODWIT_FAST = 1,  // half-float matrix units for F32, F16 and BF16 weights where the device has
                      // them, for 16 tokens and more; else the same as exact: stats say which
} godwit_numerics;

// Number formats of the KV cache, of keys and of values each. Bytes an element: 2, 4 and 1.1.
// docs/NUMERICS.md has what each costs; values in Q8_0 beside keys in F16 cost next to nothing.
typedef enum godwit_kv {
    GODWIT_KV_F16 = 0,
    GODWIT_KV_F32 = 1,
    GODWIT_KV_Q8_0 = 2,
} godwit_kv;

// Of a model with an encoder in front of its decoder (T5) the first feed or queue of an empty session is the
// encoder's text, all of it, with the EOS that it ends with: it is worked on at once, and then the decoder's first
// token, info.decoder_start, which is the session's next one. What is fed or chosen from there on is the
// decoder's. The session has them all in n_past and n_ctx (info.n_ctx_train is of both together); truncate keeps all
// of the text or none; penalties and DRY see the decoder's tokens alone; no rows of logits are kept of a text.
typedef struct godwit_session godwit_session;

typedef struct godwit_session_params {
    size_t struct_size;
    uint32_t n_ctx;       // tokens of context; 0: the model's own, capped at GODWIT_CTX_DEFAULT_MAX
    uint32_t n_batch;     // tokens of a prompt worked on at once; 0: the device's choice. Any gives
                          // the same bits.
    godwit_kv kv_k, kv_v; // of keys, of values
    godwit_numerics numerics;
    // n > 0: of every n-th run that reads weights, one product is made again by the plain-C
    // reference out of the file's weights; GODWIT_CORRUPT where a bit differs, GODWIT_IO where the
    // file was changed. Exact numerics only.
    uint32_t guard;
    bool time_launches; // for godwit_session_launch_times; a step takes longer
    // Of a batch: sessions it has at most (0: 8), and tokens of all of them together (0: n_seq *
    // n_ctx), in pages of 256; what sessions share counts once.
    uint32_t n_seq, kv_tokens;
    // Of models with recurrent states (convolution tails, matrices of heads), else ignored: every n
    // tokens, at the ends of prompts (16 tokens and more), where sessions go back to and where they part
    // they are kept as a checkpoint; 0: none are. At most n_checkpoints in all sessions (0: 4 a session, as
    // far as a 16th of the weights' bytes holds them, 2 at least); then those of the far past go first.
    // Their memory is taken at once: checkpoint_bytes.
    uint32_t checkpoint_every, n_checkpoints;
    // n > 0: behind a token that is chosen up to n more (at most GODWIT_DRAFT_MAX) are guessed and worked on
    // in the same run; session_step gives those that it chooses without one. The tokens are the same: exact
    // numerics only. Memory: n rows of logits more a session.
    uint32_t n_draft;
} godwit_session_params;
#define GODWIT_DRAFT_MAX       15
#define GODWIT_CTX_DEFAULT_MAX 4096
#define GODWIT_CTX_MAX         (1 << 24)

typedef struct godwit_logit_bias {
    int32_t id;
    float bias; // -INFINITY: never chosen
} godwit_logit_bias;

// Zeros are "off"; temp 0 is greedy. Order (llama.cpp's): bias, penalties, DRY, top-n-sigma, top-k, typical,
// top-p, min-p, XTC, each of what the one before it left; then a draw at temperature.
typedef struct godwit_sample_params {
    size_t struct_size;
    float temp; // at most GODWIT_TEMP_MAX
    uint32_t top_k;
    float top_p; // 0 to 1, as min_p
    float min_p;
    uint64_t seed;                       // the draw is a function of (seed, position) alone
    const godwit_logit_bias *logit_bias; // [n_logit_bias], added; of an id there twice, the sum
    uint32_t n_logit_bias, n_logprobs;   // n_logprobs: 1 + N for godwit_session_logprobs
    // Of tokens among the last penalty_last_n (0: 64), prompts' included: logits above 0 are divided by
    // repeat_penalty, others multiplied; frequency_penalty is taken off for each time that a token is
    // there, presence_penalty once.
    float repeat_penalty, frequency_penalty, presence_penalty;
    uint32_t penalty_last_n;
    // DRY: a token that would make a repeat of n >= dry_allowed_length (0: 2) tokens longer, among the
    // last dry_last_n (0: all), loses dry_multiplier * dry_base (0: 1.75) ^ (n - dry_allowed_length).
    // No repeat goes across the tokens dry_breakers [n_dry_breakers], which lose nothing, nor across one of
    // dry_sequences [n_dry_sequences]: ids of several tokens each, -1 behind each.
    float dry_multiplier, dry_base;
    uint32_t dry_allowed_length, dry_last_n, n_dry_breakers;
    const int32_t *dry_breakers;
    const int32_t *dry_sequences;
    uint32_t n_dry_sequences; // numbers, the -1 too
    // 2: mirostat's second algorithm in place of top-n-sigma to XTC. A token may be mu bits of surprise, at
    // temperature; mu begins at 2 mirostat_tau (0: 5), and after each token goes down by mirostat_eta (0: 0.1;
    // to 1) times what that one's surprise, among those left, is above mirostat_tau. mu is the session's.
    uint32_t mirostat;
    float mirostat_tau, mirostat_eta;
    float top_n_sigma; // leaves logits from the largest - top_n_sigma * their standard deviation on
    float typical_p;   // 0 to 1: the shortest run of those whose surprise is nearest to the entropy
    // With this probability, drawn from (seed, position) too: of those with at least xtc_threshold (0: 0.1;
    // above 0.5: off) all but the least likely are left out.
    float xtc_probability, xtc_threshold;
} godwit_sample_params;
#define GODWIT_TEMP_MAX 100.0f
#define GODWIT_PENALTY_MAX                                                                         \
    100.0f // of all, dry_multiplier's, top_n_sigma, mirostat_tau; frequency and presence also below 0
#define GODWIT_BIAS_MAX       1000.0f // -INFINITY apart, to both sides
#define GODWIT_LOGIT_BIAS_MAX 1024
#define GODWIT_LOGPROBS_MAX   101

typedef struct godwit_session_stats {
    size_t struct_size;
    uint64_t n_prompt, n_decoded;               // tokens
    uint64_t prompt_ns, decode_ns;              // wall
    uint64_t device_ns;                         // by timestamps; 0 where there are none
    uint64_t n_submits, n_launches, n_barriers; // the latter two of one decode step
    uint64_t decode_weight_bytes;               // weights read by one decode step
    uint64_t activation_bytes, kv_bytes;
    bool fast;          // any kernel that is not exact ran
    uint64_t n_guarded; // products that guard made again
    uint64_t n_shared;  // tokens of prompts that another session of the batch had worked on
    uint64_t n_replayed, replay_ns;           // tokens worked on again after going back; wall
    uint64_t n_checkpoints, checkpoint_bytes; // of this session; of its batch's, a part of kv_bytes
    uint64_t n_drafted, n_accepted;           // tokens that were guessed (n_draft), and chosen then
} godwit_session_stats;

GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_create(godwit_model *model,
                                                                const godwit_session_params *params,
                                                                godwit_session **out_session,
                                                                godwit_error *error);
GODWIT_API void godwit_session_destroy(godwit_session **session);
// Tokens of context, and how many of them are used.
GODWIT_API uint32_t godwit_session_n_ctx(const godwit_session *session);
GODWIT_API uint32_t godwit_session_n_past(const godwit_session *session);
// These tokens: writes at most n_max, returns how many there are.
GODWIT_API size_t godwit_session_tokens(const godwit_session *session, int32_t *out_ids,
                                        size_t n_max);
// Appends tokens and computes the logits of the last one. ids: [n_ids].
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_feed(godwit_session *session,
                                                              const int32_t *ids, size_t n_ids,
                                                              godwit_error *error);
// The same, and keeps the logits of the last n_rows (1 to n_ids) of these tokens, at most 1 GiB,
// for godwit_session_logits_row, until tokens are appended or forgotten. In exact numerics they are
// what feeding token by token gives.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_feed_rows(godwit_session *session,
                                                                   const int32_t *ids, size_t n_ids,
                                                                   size_t n_rows,
                                                                   godwit_error *error);
// Row 0 is of the oldest token. out_logits: [n_vocab] f32.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_logits_row(const godwit_session *session,
                                                                    size_t row, float *out_logits,
                                                                    size_t n_logits,
                                                                    godwit_error *error);
// Chooses a token from the last logits, on the device. Does not append it.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_sample(godwit_session *session,
                                                                const godwit_sample_params *params,
                                                                int32_t *out_token,
                                                                godwit_error *error);
// sample + feed in one submit: *out_token is chosen, appended, and its successor's logits computed.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_step(godwit_session *session,
                                                              const godwit_sample_params *params,
                                                              int32_t *out_token,
                                                              godwit_error *error);
typedef struct godwit_logprob {
    int32_t id;
    float logprob; // natural, of the logits as the model gives them
} godwit_logprob;
// Of the token chosen last, with n_logprobs: its own, then the likeliest N. Writes at most n_max, returns
// how many there are.
GODWIT_API size_t godwit_session_logprobs(const godwit_session *session, godwit_logprob *out,
                                          size_t n_max);
// The last logits. logits: [n_vocab] f32.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_logits(godwit_session *session,
                                                                float *out_logits, size_t n_logits,
                                                                godwit_error *error);
// Forgets all tokens past the first n_keep. A model with recurrent states goes back to the newest
// checkpoint before them, or to the beginning, and works on the tokens from there again, to the same bits in
// exact numerics. Where that fails (GODWIT_CANCELLED, GODWIT_OUT_OF_MEMORY, ...) the others are forgotten all
// the same, and the next call that needs the states goes on with it.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_truncate(godwit_session *session,
                                                                  uint32_t n_keep,
                                                                  godwit_error *error);
// From any thread: the running or next call returns GODWIT_CANCELLED at the next chunk of tokens;
// the session stays usable at the tokens it had finished.
GODWIT_API void godwit_session_cancel(godwit_session *session);
// Time on the device of the launches of one kernel for one node of every layer.
typedef struct godwit_launch_time {
    char kernel[32], node[48]; // "matmul.dot.q4_k", "blk.*.ffn_up"
    uint64_t n_launches, ns;
    uint64_t weight_bytes; // read by these launches
} godwit_launch_time;
// What was run since the last call, of a session with time_launches, in the order of a step. out:
// [n_max]; *out_n is how many rows there are: none are given, or forgotten, where that is more.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_launch_times(godwit_session *session,
                                                                      godwit_launch_time *out,
                                                                      size_t n_max, size_t *out_n,
                                                                      godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_get_stats(const godwit_session *session,
                                                                   godwit_session_stats *out_stats,
                                                                   godwit_error *error);

// --- Batches -------------------------------------------------------------------------------------
//
// Sessions that are worked on together: a step of many reads the weights once. Each has its own
// tokens, length, sampling and end; its bits are those that it has alone. A batch and its sessions
// belong to one thread at a time.

typedef struct godwit_batch godwit_batch;

typedef struct godwit_batch_stats {
    size_t struct_size;
    uint32_t n_seq, n_sessions, page_tokens, n_pages, n_free_pages; // n_seq: at most
    uint64_t kv_bytes, activation_bytes;
    uint64_t n_checkpoints, checkpoint_bytes; // that there are now; memory of all, in kv_bytes
} godwit_batch_stats;

// params: of all sessions; n_seq and kv_tokens are read here alone.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_batch_create(godwit_model *model,
                                                              const godwit_session_params *params,
                                                              godwit_batch **out_batch,
                                                              godwit_error *error);
// Its sessions stay, and its memory with them.
GODWIT_API void godwit_batch_destroy(godwit_batch **batch);
// A new, empty session. What is fed to it first is taken from another session of the batch as far as
// that begins with the same tokens (stats.n_shared); of recurrent states to its end, or a checkpoint.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_batch_join(godwit_batch *batch,
                                                            godwit_session **out_session,
                                                            godwit_error *error);
// A second session at the same place; memory is copied where the two differ later.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_fork(godwit_session *session,
                                                              godwit_session **out_session,
                                                              godwit_error *error);
// godwit_session_feed, left to steps of the batch: each works on n_batch tokens of such prompts at most.
// feed, sample, logits and session_step work them off first; truncate and cancel drop them.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_queue(godwit_session *session,
                                                               const int32_t *ids, size_t n_ids,
                                                               godwit_error *error);
// godwit_session_step for n different sessions of the batch. params: [n], NULL: all greedy; out_tokens:
// [n], GODWIT_TOKEN_PENDING of one at its prompt, -1 where the logits are not finite: it is as before,
// without logits. On failure sessions of runs that had ended have theirs: godwit_session_n_past tells.
#define GODWIT_TOKEN_PENDING (-2)
GODWIT_API GODWIT_NODISCARD godwit_status godwit_batch_step(godwit_batch *batch,
                                                            godwit_session *const *sessions,
                                                            const godwit_sample_params *params,
                                                            size_t n, int32_t *out_tokens,
                                                            godwit_error *error);
typedef struct godwit_embed_params {
    size_t struct_size;
    godwit_pooling pooling;
    bool raw; // else each row but scores gets the length 1
} godwit_embed_params;
// n_ids[i] tokens of each text, all in ids one behind the other, to rows of numbers: out [n_texts,
// info.n_out]; of NONE [all tokens, n_embd]; of RANK [n_texts, n_labels]; n_out: numbers that out has
// room for, exactly these. Short texts share a run (n_batch tokens), and have the bits that they have
// alone. Of decoders, too. A text has at most n_ctx tokens, and nothing of it is kept.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_batch_embed(
    godwit_batch *batch, const godwit_embed_params *params, const int32_t *ids, const size_t *n_ids,
    size_t n_texts, float *out, size_t n_out, godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_batch_get_stats(const godwit_batch *batch,
                                                                 godwit_batch_stats *out_stats,
                                                                 godwit_error *error);

// --- Session files -------------------------------------------------------------------------------
//
// A sequence written down on one device goes on on any other with the same bits. docs/SESSION.md
// has the file byte by byte; it does not depend on device, kernels or n_batch.

// The states of one name in a session file: keys, values, the last logits.
typedef struct godwit_saved_state {
    char name[16], dtype_name[16]; // "k", "v", "logits"; "F16"
    uint32_t n_layers;
    uint64_t n_rows, n_bytes, stored_bytes; // of all layers; stored: compressed
} godwit_saved_state;

typedef struct godwit_session_info {
    size_t struct_size;
    uint32_t version, contract; // of the file's format; of numerics (docs/NUMERICS.md)
    godwit_numerics numerics;
    godwit_kv kv_k, kv_v;
    uint32_t n_ctx, n_tokens;
    bool tokens_only, has_logits; // has_logits: a token can be chosen without feeding one first
    // The next draw is that of position n_tokens. What it points at lives as the session; NULL without.
    godwit_sample_params sampling;
    char architecture[64], model[128], fingerprint[40]; // of its contents, in hexadecimal
    uint32_t n_layer, n_vocab, n_states;
    godwit_saved_state states[8];
    uint64_t n_bytes, n_chunks;
    uint32_t n_loras;   // adapters that the model had; one that goes on must have the same
    uint32_t n_encoded; // of the tokens, the text of an encoder in front of the decoder
} godwit_session_info;

// sampling: what chooses the tokens, for who goes on; NULL is greedy. tokens_only: without states,
// for a small file; loading it feeds the tokens again, in exact numerics alone. The model's
// fingerprint reads its whole file, once a model: GODWIT_IO where that changed. GODWIT_CANCELLED
// where write returns false; the session stays as it is.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_save(godwit_session *session,
                                                              const godwit_sample_params *sampling,
                                                              bool tokens_only,
                                                              godwit_write_fn write, void *user,
                                                              godwit_error *error);
// A new session at the place where that one was saved; reads no byte behind the file's end. params:
// as of godwit_session_create, but that n_ctx 0 is the file's and kv_k, kv_v are the file's always;
// numerics must be the file's. GODWIT_MALFORMED where a bit of the file is wrong,
// GODWIT_UNSUPPORTED where it is of another model, contract, numerics or version; the message names
// chunk and field. out_info may be NULL.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_load(
    godwit_model *model, const godwit_session_params *params, godwit_read_fn read, void *user,
    godwit_session **out_session, godwit_session_info *out_info, godwit_error *error);
// The same, joining a batch, whose numerics and KV formats must be the file's.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_batch_load(godwit_batch *batch,
                                                            godwit_read_fn read, void *user,
                                                            godwit_session **out_session,
                                                            godwit_session_info *out_info,
                                                            godwit_error *error);
// What a file holds, all of it checked, without its model. out_tokens: [n_max], the first of them.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_session_inspect(godwit_context *context,
                                                                 godwit_read_fn read, void *user,
                                                                 int32_t *out_tokens, size_t n_max,
                                                                 godwit_session_info *out_info,
                                                                 godwit_error *error);

// --- Graphs of your own --------------------------------------------------------------------------

typedef struct godwit_graph godwit_graph;
typedef uint32_t godwit_value; // a tensor of a graph, by its number

// One attribute of an op, by name: .i for integers, .f for floats; see docs/OPS.md for each op's.
typedef struct godwit_attr {
    const char *name;
    int64_t i;
    float f;
} godwit_attr;

GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_create(godwit_device *device,
                                                              godwit_graph **out_graph,
                                                              godwit_error *error);
GODWIT_API void godwit_graph_destroy(godwit_graph **graph);
// A tensor written before each run. dtype: F32 or I32.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_input(godwit_graph *graph, const char *name,
                                                             godwit_dtype dtype, uint32_t n_dims,
                                                             const uint64_t *dims,
                                                             godwit_value *out_value,
                                                             godwit_error *error);
// A constant, copied at compile: data in dtype's own (GGUF) layout, bytes checked.
GODWIT_API GODWIT_NODISCARD godwit_status
godwit_graph_constant(godwit_graph *graph, const char *name, godwit_dtype dtype, uint32_t n_dims,
                      const uint64_t *dims, const void *data, size_t data_bytes,
                      godwit_value *out_value, godwit_error *error);
// An op by its one name ("matmul", "rms_norm", ...).
GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_op(
    godwit_graph *graph, const char *op, const godwit_value *inputs, uint32_t n_inputs,
    const godwit_attr *attrs, uint32_t n_attrs, godwit_value *out_value, godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_output(godwit_graph *graph,
                                                              godwit_value value,
                                                              godwit_error *error);
// Runs the passes, plans, uploads constants, records. No more changes after it.
GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_compile(godwit_graph *graph,
                                                               godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_write(godwit_graph *graph,
                                                             godwit_value input, const void *data,
                                                             size_t data_bytes,
                                                             godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_run(godwit_graph *graph,
                                                           godwit_error *error);
GODWIT_API GODWIT_NODISCARD godwit_status godwit_graph_read(godwit_graph *graph,
                                                            godwit_value output, void *out_data,
                                                            size_t data_bytes, godwit_error *error);
// Shape of a value: dims [GODWIT_MAX_DIMS].
GODWIT_API GODWIT_NODISCARD godwit_status
godwit_graph_shape(const godwit_graph *graph, godwit_value value, godwit_dtype *out_dtype,
                   uint32_t *out_n_dims, uint64_t *out_dims, godwit_error *error);

#ifdef __cplusplus
}
#endif

#endif
