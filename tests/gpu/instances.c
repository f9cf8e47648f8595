// Instances: several at once, the caller's own, none at all; threads; and that validation listens.
#include "gpu/internal.h"

#include "gpu_support.h"

#include <stdlib.h>

static rig r;

static void run_selftest(rig *rig, uint32_t n) {
    gw_buffer *x = make_buffer(rig, GW_BUFFER_UPLOAD, 4 * (uint64_t)n),
              *y = make_buffer(rig, GW_BUFFER_READBACK, 4 * (uint64_t)n);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    cr_assert_eq(gw_recorder_begin(rig->device, 1, &recorder, &rig->err), GODWIT_OK);
    record_selftest(rig, recorder, x, y, n, 3, 4);
    cr_assert_eq(gw_recorder_end(&recorder, &commands, &rig->err), GODWIT_OK);
    uint32_t *in = gw_buffer_mapped(x);
    const uint32_t *out = gw_buffer_mapped(y);
    for (uint32_t i = 0; i < n; i++) in[i] = i;
    run_once(rig, commands);
    for (uint32_t i = 0; i < n; i++) cr_assert_eq(out[i], 3 * i + 4);
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&x);
    gw_buffer_destroy(&y);
}

Test(instances, several_at_once) {
    rig rigs[3];
    for (int i = 0; i < 3; i++) gpu_open(&rigs[i], NULL, NULL);
    gw_device *second = NULL;
    cr_assert_eq(gw_device_open(rigs[0].gpu, 0, NULL, &second, &rigs[0].err), GODWIT_OK);
    for (int i = 0; i < 3; i++) run_selftest(&rigs[i], 1000);
    gpu_close(&rigs[2]); // the last made goes first, the others go on
    run_selftest(&rigs[0], 1000);
    gw_device *first = rigs[0].device;
    rigs[0].device = second;
    run_selftest(&rigs[0], 1000);
    rigs[0].device = first;
    gw_device_release(&second);
    gpu_close(&rigs[0]);
    run_selftest(&rigs[1], 1000);
    gpu_close(&rigs[1]);
}

static void *in_thread(void *user) {
    rig rig = *(const struct rig *)user; // its own error, the same device
    for (int i = 0; i < 5; i++) run_selftest(&rig, 500);
    return NULL;
}

Test(instances, threads_share_a_device) {
    gpu_open(&r, NULL, NULL);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) cr_assert_eq(pthread_create(&threads[i], NULL, in_thread, &r), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    gpu_close(&r);
}

static void *create_in_thread(void *user) {
    godwit_error err;
    gw_gpu *gpu = NULL;
    godwit_status status = gw_gpu_create(user, NULL, &gpu, &err);
    gw_gpu_release(&gpu);
    return status == GODWIT_OK ? user : NULL;
}

Test(instances, threads_may_be_first_together) {
    gw_host host;
    gw_host_init(&host, NULL, NULL, NULL);
    pthread_t threads[4];
    int n_made = 0;
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, create_in_thread, &host);
    for (int i = 0; i < 4; i++) {
        void *made = NULL;
        pthread_join(threads[i], &made);
        n_made += made != NULL;
    }
    cr_assert(n_made == 4 || n_made == 0, "%d", n_made);
}

Test(instances, without_a_driver_say_what_to_install) {
    static const char *const selectors[] = {"VK_ICD_FILENAMES", "VK_DRIVER_FILES"};
    for (int i = 0; i < 2; i++) setenv(selectors[i], "/nonexistent.json", 1);
    gw_host_init(&r.host, NULL, NULL, NULL);
    fails(gw_gpu_create(&r.host, NULL, &r.gpu, &r.err), GODWIT_NO_VULKAN, "mesa-vulkan-drivers");
    cr_assert_null(r.gpu);
}

// Makes an instance and a device as an application that embeds Godwit would have them.
typedef struct owner {
    gw_vk_instance vk;
    gw_vk_device device_vk;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
} owner;

static void owner_make(owner *o, PFN_vkGetInstanceProcAddr get_proc) {
    const float priority = 1;
    uint32_t n = 1;
    VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                             .apiVersion = VK_API_VERSION_1_2};
    VkInstanceCreateInfo instance = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                     .pApplicationInfo = &app};
    PFN_vkCreateInstance create = (PFN_vkCreateInstance)get_proc(NULL, "vkCreateInstance");
    if (create(&instance, NULL, &o->instance) != VK_SUCCESS) cr_skip_test("SKIPPED: no Vulkan");
    cr_assert(gw_loader_instance_table(get_proc, o->instance, &o->vk));
    VkResult result = o->vk.EnumeratePhysicalDevices(o->instance, &n, &o->physical);
    if (result < 0 || n == 0) cr_skip_test("SKIPPED: no Vulkan device");
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo device = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                 .queueCreateInfoCount = 1,
                                 .pQueueCreateInfos = &queue};
    cr_assert_eq(o->vk.CreateDevice(o->physical, &device, NULL, &o->device), VK_SUCCESS);
    cr_assert(gw_loader_device_table(o->vk.GetDeviceProcAddr, o->device, &o->device_vk));
}

Test(instances, of_the_caller_are_used_and_left) {
    PFN_vkGetInstanceProcAddr get_proc = gw_loader_get_proc();
    if (!get_proc) cr_skip_test("SKIPPED: no Vulkan loader");
    static owner o;
    owner_make(&o, get_proc);
    gw_gpu_params params = {.vk_instance = o.instance};
    memcpy(&params.vk_get_instance_proc_addr, &get_proc, sizeof get_proc);
    gw_host_init(&r.host, NULL, NULL, NULL);
    ok(gw_gpu_create(&r.host, &params, &r.gpu, &r.err));
    godwit_device_params device = GODWIT_INIT(godwit_device_params);
    device.vk_device = o.device;
    fails(gw_device_open(r.gpu, 0, &device, &r.device, &r.err), GODWIT_INVALID_ARGUMENT,
          "without its vk_physical_device");
    device.vk_physical_device = &o; // some pointer that is none
    fails(gw_device_open(r.gpu, 0, &device, &r.device, &r.err), GODWIT_INVALID_ARGUMENT,
          "none of the");
    device.vk_physical_device = o.physical;
    device.vk_queue_family = 77;
    fails(gw_device_open(r.gpu, 0, &device, &r.device, &r.err), GODWIT_INVALID_ARGUMENT,
          "family 77 is no compute queue");
    device.vk_queue_family = 0;
    ok(gw_device_open(r.gpu, 0, &device, &r.device, &r.err));
    const gw_caps *caps = gw_device_caps(r.device);
    cr_assert(!caps->fp16 && !caps->int8 && !caps->int_dot, "nobody enabled these");
    run_selftest(&r, 1000);
    gw_device_release(&r.device);
    gw_gpu_release(&r.gpu);
    VkQueue queue;
    o.device_vk.GetDeviceQueue(o.device, 0, 0, &queue);
    cr_assert_eq(o.device_vk.QueueWaitIdle(queue), VK_SUCCESS, "still the caller's");
    o.device_vk.DestroyDevice(o.device, NULL);
    o.vk.DestroyInstance(o.instance, NULL);
}

// The rig asserts silence in every other test; here one mistake must be heard.
Test(instances, validation_counts_a_mistake) {
    gpu_open(&r, NULL, NULL);
    if (!r.gpu->validation) cr_skip_test("SKIPPED: vulkan-validationlayers is not installed");
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = 0};
    VkBuffer buffer = VK_NULL_HANDLE;
    cr_assert_eq(gw_gpu_validation_count(r.gpu), 0, "%s", logged);
    r.device->vk.CreateBuffer(r.device->handle, &info, NULL, &buffer);
    cr_assert_gt(gw_gpu_validation_count(r.gpu), 0);
    cr_assert_not_null(strstr(logged, "validation: "), "%s", logged);
    if (buffer) r.device->vk.DestroyBuffer(r.device->handle, buffer, NULL);
    gw_device_release(&r.device);
    gw_gpu_release(&r.gpu);
}

// And a hazard that only synchronization validation sees: two dispatches without a barrier.
Test(instances, validation_counts_a_missing_barrier) {
    gpu_open(&r, NULL, NULL);
    if (!r.gpu->validation) cr_skip_test("SKIPPED: vulkan-validationlayers is not installed");
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 400),
              *y = make_buffer(&r, GW_BUFFER_DEVICE, 400);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    ok(gw_recorder_begin(r.device, 2, &recorder, &r.err));
    record_selftest(&r, recorder, x, y, 100, 1, 1);
    gw_record_copy(recorder, y, 0, x, 0, 400);
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    cr_assert_gt(gw_gpu_validation_count(r.gpu), 0, "synchronization validation is silent");
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&x);
    gw_buffer_destroy(&y);
    gw_device_release(&r.device);
    gw_gpu_release(&r.gpu);
}

// The system's AMD driver without hardware, where Mesa is: compiles, tells of registers, runs
// nothing and says so.
Test(instances, a_driver_without_hardware_compiles_only) {
    choose_hardwareless_driver();
    gw_host_init(&r.host, NULL, NULL, NULL);
    ok(gw_gpu_create(&r.host, NULL, &r.gpu, &r.err));
    ok(gw_device_open(r.gpu, 0, NULL, &r.device, &r.err));
    cr_assert(gw_device_caps(r.device)->runs_nothing);
    gw_buffer *buffer = NULL;
    fails(gw_buffer_create(r.device, GW_BUFFER_DEVICE, 4, "test", &buffer, &r.err),
          GODWIT_UNSUPPORTED, "runs nothing");
    godwit_kernel_info info;
    ok(gw_kernel_info(r.device, selftest_kernel(&r, 64, 3), &info, &r.err));
    cr_assert(info.registers_vector > 0 && info.code_bytes > 0 && info.spilled == 0);
    cr_assert_gt(info.occupancy, 0);
    gw_device_release(&r.device);
    gw_gpu_release(&r.gpu);
}
