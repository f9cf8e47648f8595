// Handles: what stands behind the public opaque types. Calls here check arguments and translate,
// nothing more.
//
// Ownership: every handle counts its references and holds one on its parent, so that handles may be
// destroyed in any order; the last reference frees.
#ifndef GW_API_HANDLES_H
#define GW_API_HANDLES_H

#include "base/exact.h"
#include "base/status.h"
#include "run/pace.h"
#include "session/session.h"
#include "text/tokenizer.h"

#include <pthread.h>
#include <stdatomic.h>

// Vulkan is loaded when the first caller asks for a device of it (gw_context_gpu), since loading
// runs code of every driver on the machine.
struct godwit_context {
    gw_host host;
    atomic_uint references;
    gw_gpu_params gpu_params; // cache_dir is our copy
    atomic_long gpu_process;  // that asked for Vulkan first; 0: none did
    pthread_mutex_t gpu_lock; // guards gpu_tried and its two results, which then stay
    bool gpu_tried;
    gw_gpu *gpu; // NULL: no Vulkan
    godwit_error no_vulkan;
    gw_pace pace; // of the first GPU beside the cores, where no file keeps it
};

struct godwit_device {
    godwit_context *context;
    atomic_uint references;
    long process; // that opened it: neither drivers nor threads survive a fork
    gw_backend backend;
    gw_pace pace; // of the first GPU and of the cores, where it is one of them
    // Why models are refused: what verification had found of it when it was opened; "" for nothing.
    char failing[480];
};

struct godwit_file {
    godwit_context *context;
    atomic_uint references;
    gw_gguf *gguf;
    pthread_mutex_t def_lock; // of what follows
    gw_model_def *def;        // made when it is asked for first; one for all models of the file
};

struct godwit_tokenizer {
    godwit_file *file;
    gw_tokenizer *tokenizer;
};

struct godwit_model {
    godwit_device *device;
    godwit_file *file;
    atomic_uint references;
    gw_model *model;
    godwit_file *loras[GODWIT_LORA_MAX]; // NULL behind the last one
};

struct godwit_session {
    godwit_model *model;
    gw_session *session;
};

struct godwit_batch {
    godwit_model *model;
    gw_batch *batch;
};

void gw_context_release(godwit_context *context);
// The context's Vulkan, loaded by the first call. GODWIT_NO_VULKAN with what to install; out of
// memory, after which the next call tries again; GODWIT_INVALID_ARGUMENT in a forked process.
godwit_status gw_context_gpu(godwit_context *context, gw_gpu **out_gpu, godwit_error *err);
// In a process that was forked from the one that opened the device: true, and calls on it and on
// what was made on it are GODWIT_INVALID_ARGUMENT with a sentence on that. What is destroyed there
// is left to the end of the process, since a driver's own threads are missing.
bool gw_api_device_is_forked(const godwit_device *device);
godwit_status gw_api_device_check(const godwit_device *device, const char *call, godwit_error *err);
void gw_api_device_release(godwit_device *device);
void gw_api_file_release(godwit_file *file);
// The model that the file describes; lives as long as the file. Any thread.
godwit_status gw_api_file_def(const godwit_file *file, const gw_model_def **out_def,
                              godwit_error *err);
void gw_model_release(godwit_model *model);
// The public handle of a session, which it takes (also on failure).
godwit_status gw_api_session(godwit_model *model, gw_session *made, godwit_session **out_session,
                             godwit_error *err);

// A step with a session's caches, unless it is asked for others (godwit_describe.c).
gw_step_shape gw_api_step_of(const gw_model_def *def, gw_step_kind kind, uint32_t n_tok,
                             uint32_t n_ctx);

// Adds a reference and returns the handle.
#define GW_RETAIN(handle) (atomic_fetch_add(&(handle)->references, 1), (handle))
// True for the one who must free.
#define GW_RELEASE(handle) (atomic_fetch_sub(&(handle)->references, 1) == 1)

// The caller's params over zeros, as long as the caller's struct_size says; NULL gives zeros.
#define GW_PARAMS(type, name, from)                                                                \
    type name = {0};                                                                               \
    if (from)                                                                                      \
    memcpy(&name, (from), (from)->struct_size < sizeof name ? (from)->struct_size : sizeof name)
// The same for results: writes at most what the caller's struct_size says (0, as in a struct of
// zeros: the whole).
#define GW_RESULT(to, from)                                                                        \
    do {                                                                                           \
        size_t size_ = (to)->struct_size;                                                          \
        size_t n_ = size_ && size_ < sizeof(from) ? size_ : sizeof(from);                          \
        memcpy((to), &(from), n_);                                                                 \
        (to)->struct_size = size_;                                                                 \
    } while (0)
// In every call on a device or on what was made on it.
#define GW_WANT_OWN(device, err)                                                                   \
    do {                                                                                           \
        godwit_status forked_ = gw_api_device_check((device), __func__, (err));                    \
        if (forked_ != GODWIT_OK) return forked_;                                                  \
    } while (0)
// For arguments that are there or not; what is wrong with a number gets a sentence of its own.
#define GW_WANT(condition, err)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            return gw_fail((err), GODWIT_INVALID_ARGUMENT, "%s: %s does not hold", __func__,       \
                           #condition);                                                            \
        }                                                                                          \
    } while (0)

#endif
