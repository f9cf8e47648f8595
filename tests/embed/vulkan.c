// A program of somebody else that uses Vulkan itself, by the loader's names or by volk's, beside
// libgodwit.a: each must get its own. Also names that are Godwit's inside.
#include <stdio.h>
#include <string.h>

#if defined(WITH_VOLK)
#define VOLK_IMPLEMENTATION
#include <volk.h>
#else
#include <vulkan/vulkan.h>
#endif

#include <godwit/godwit.h>

int gw_alloc(void);
int gw_alloc(void) {
    return 1;
}
const char *gw_gguf_open(void);
const char *gw_gguf_open(void) {
    return "mine";
}

static VkResult use_vulkan(void) {
    uint32_t version = 0, n = 0;
    VkInstance instance = VK_NULL_HANDLE;
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
#if defined(WITH_VOLK)
    if (volkInitialize() != VK_SUCCESS) return VK_SUCCESS; // no loader to be had
#endif
    VkResult result = vkEnumerateInstanceVersion(&version);
    if (result != VK_SUCCESS) return result;
    result = vkCreateInstance(&info, NULL, &instance);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) return VK_SUCCESS; // no driver
    if (result != VK_SUCCESS) return result;
#if defined(WITH_VOLK)
    volkLoadInstance(instance);
#endif
    result = vkEnumeratePhysicalDevices(instance, &n, NULL);
    printf("Vulkan %u.%u, %u devices\n", VK_API_VERSION_MAJOR(version),
           VK_API_VERSION_MINOR(version), n);
    vkDestroyInstance(instance, NULL);
    return result;
}

static godwit_status use_godwit(godwit_error *error) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    // Opening a device checks some of its kernels, so much of Vulkan is called.
    godwit_status status = godwit_context_create(NULL, &context, error);
    if (status == GODWIT_OK) status = godwit_device_open(context, "0", NULL, &device, error);
    if (status == GODWIT_OK) printf("godwit: %u devices\n", godwit_context_n_devices(context));
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    return status;
}

int main(void) {
    godwit_error error = {GODWIT_OK, 0, ""};
    if (use_vulkan() != VK_SUCCESS) return 1;
    if (use_godwit(&error) != GODWIT_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    if (use_vulkan() != VK_SUCCESS) return 1;
    return gw_alloc() == 1 && !strcmp(gw_gguf_open(), "mine") ? 0 : 3;
}
