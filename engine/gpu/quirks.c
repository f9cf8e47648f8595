// Quirks: rows of data about drivers, matched by driver id and version.
//
// Owns the matcher; the rows are in quirks.def. No other file of the library knows a vendor.
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>

static const gw_quirk quirk_rows[] = {
#define V(major, minor, patch)     GW_DRIVER_VERSION(major, minor, patch)
#define ANY_RELEASE                0, UINT64_MAX
#define UP_TO(major, minor, patch) 0, V(major, minor, patch)
#define GW_QUIRK_ROW(name, vendor, driver, releases, effect, number, module, reason, source)       \
    {#name, vendor, driver, releases, effect, reason, source, number, module},
#include "gpu/quirks.def"
#undef GW_QUIRK_ROW
#undef ANY_RELEASE
#undef UP_TO
#undef V
};

static const struct {
    uint32_t id;
    const char *name;
} vendors[] = {
#define GW_VENDOR(id, name) {id, name},
#include "gpu/quirks.def"
#undef GW_VENDOR
};

const gw_quirk *gw_quirk_table(uint32_t *out_n) {
    *out_n = sizeof quirk_rows / sizeof *quirk_rows;
    return quirk_rows;
}

uint64_t gw_quirk_release(const char *driver_info, uint32_t driver_version) {
    static const char digits[] = "0123456789";
    for (const char *at = driver_info; *(at += strcspn(at, digits)); at += strspn(at, digits)) {
        unsigned major = 0, minor = 0, patch = 0;
        // "LLVM 15" alone is no release; two numbers with a point between them are.
        if (sscanf(at, "%5u.%5u.%5u", &major, &minor, &patch) >= 2)
            return GW_DRIVER_VERSION(major, minor, patch);
    }
    return GW_DRIVER_VERSION(VK_API_VERSION_MAJOR(driver_version),
                             VK_API_VERSION_MINOR(driver_version),
                             VK_API_VERSION_PATCH(driver_version));
}

static bool quirk_applies(const gw_quirk *row, const godwit_device_info *info, uint64_t release) {
    return row->driver_id == info->driver_id &&
           (row->vendor_id == 0 || row->vendor_id == info->vendor_id) &&
           release >= row->version_min && release <= row->version_max;
}

// The stricter of two numbers, where 0 is none.
static uint32_t least(uint32_t a, uint32_t b) {
    return a == 0 || (b && b < a) ? b : a;
}

static void add_effect(const gw_quirk *row, gw_quirk_effects *out) {
    const uint32_t room = sizeof out->disabled / sizeof *out->disabled;
    out->bits |= row->effect;
    if (row->effect & GW_QUIRK_CAP_INVOCATIONS)
        out->max_invocations = least(out->max_invocations, row->number);
    if (row->effect & GW_QUIRK_SPLIT_SUBMITS) out->submit_ms = least(out->submit_ms, row->number);
    if (row->effect & GW_QUIRK_DISABLE_VARIANT && out->n_disabled < room)
        out->disabled[out->n_disabled++] = row;
}

void gw_quirks_match(const gw_quirk *rows, uint32_t n_rows, const godwit_device_info *info,
                     uint64_t release, char *text, size_t text_bytes, gw_quirk_effects *out) {
    size_t n = 0;
    text[0] = '\0';
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < n_rows; i++) {
        if (!quirk_applies(&rows[i], info, release)) continue;
        add_effect(&rows[i], out);
        int added = snprintf(text + n, text_bytes - n, "%s%s", n ? "," : "", rows[i].name);
        // A list that is cut stays cut at the last whole name.
        if (added < 0 || (size_t)added >= text_bytes - n)
            text[n] = '\0';
        else
            n += (size_t)added;
    }
}

void gw_vendor_name(uint32_t vendor_id, char *text, size_t text_bytes) {
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
        if (vendors[i].id == vendor_id) {
            snprintf(text, text_bytes, "%s", vendors[i].name);
            return;
        }
    snprintf(text, text_bytes, "vendor 0x%04x", vendor_id);
}
