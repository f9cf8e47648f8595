// Findings: which kernels of this machine's devices are wrong, kept from one process to the next.
//
// Owns three kinds of files in the caller's cache directory. quirks.txt, for people to read and to
// edit, has the rows; a row applies where vendor, device, driver, release and build match:
//
//     10005:0000 13 22.3.6 2289618009c3b20b disable matmul.dot/q4_0 word 3 of 185: wanted ...
//     VENDOR:DEVICE DRIVER RELEASE BUILD disable|fails MODULE[/FORMAT] REASON
//
// "disable" takes a variant away, "fails" says that an op's plain kernel is wrong. "*" stands for
// any device, release or build; rows with a "*" are a person's and stay. <key>.verified says that a
// device was checked, when, and how many rows came of it; the key is a hash of the pipeline cache's
// key and the build. <key>.tuned and <key>.pace are what was measured there, texts of run/choice.c
// and run/pace.c. What is foreign, damaged or cut is ignored: the device then is unverified. Files are written anew and
// renamed. A masked device is another one, and so is the caller's own: no file is kept of it. What
// no file keeps is kept in memory, for the life of the gpu. <key>.trying and <key>.killed are
// trial.c's.
#include "base/status.h"
#include "gpu/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

enum { FILE_BYTES_MAX = 1 << 20, LINE_BYTES = 512, RECORD_BYTES = 512, SUM_BYTES = 21 };

static uint64_t digest_of(uint64_t hash, const gw_shader *table, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        hash = XXH64(table[i].name, strlen(table[i].name), hash);
        if (table[i].words)
            hash = XXH64(table[i].words, (size_t)table[i].n_words * sizeof *table[i].words, hash);
        else if (table[i].packed && (i == 0 || table[i].packed != table[i - 1].packed))
            hash = XXH64(table[i].packed, table[i].packed_bytes, hash);
    }
    return hash;
}

uint64_t gw_shader_digest(const gw_gpu *gpu) {
    uint32_t n = 0;
    const gw_shader *table = gw_shader_table(&n);
    uint64_t hash = digest_of(0, table, n);
    return gpu ? digest_of(hash, gpu->override, gpu->n_override) : hash;
}

// --- a list of findings

const char gw_finding_did_not_run[] = "did not run, twice";

bool gw_findings_add(gw_findings *list, const gw_finding *finding) {
    for (uint32_t i = 0; i < list->n; i++) {
        gw_finding *old = &list->items[i];
        if (strcmp(old->module, finding->module) != 0) continue;
        if (!old->label[0] || strcmp(old->label, finding->label) == 0) return true;
        if (list->n < GW_MAX_FINDINGS) continue;
        old->label[0] = '\0'; // no room for each label: all of them
        return true;
    }
    if (list->n == GW_MAX_FINDINGS) return false;
    list->items[list->n++] = *finding;
    return true;
}

static bool is_variant(const gw_finding *finding) {
    return strchr(finding->module, '.') != NULL;
}

const gw_finding *gw_findings_dead_end(const gw_findings *list) {
    for (uint32_t i = 0; i < list->n; i++)
        if (!is_variant(&list->items[i])) return &list->items[i];
    return NULL;
}

void gw_findings_text(const gw_findings *list, char *text, size_t text_bytes) {
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < list->n; i++) {
        const gw_finding *f = &list->items[i];
        if (!is_variant(f)) continue;
        int n = snprintf(text + at, text_bytes - at, "%s%s%s%s -> %.*s", at ? ", " : "", f->module,
                         f->label[0] ? "/" : "", f->label, (int)strcspn(f->module, "."), f->module);
        if (n < 0 || (size_t)n >= text_bytes - at) {
            text[at] = '\0';
            return;
        }
        at += (size_t)n;
    }
}

// --- files

static bool read_all(int fd, char *text, size_t n) {
    for (size_t at = 0; at < n;) {
        const ssize_t got = read(fd, text + at, n - at);
        if (got <= 0 && !(got < 0 && errno == EINTR)) return false;
        if (got > 0) at += (size_t)got;
    }
    return true;
}

// The file's text, terminated, with *out_bytes for the caller to free. NULL and true where there is
// no file or an empty one, NULL and false (with a line in the log) where there is one that cannot
// be read.
static bool read_text(const gw_gpu *gpu, const char *path, char **out_text, size_t *out_bytes) {
    struct stat st;
    *out_text = NULL;
    // O_NONBLOCK: a named pipe would hold us here until somebody writes to it.
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return true;
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_BYTES_MAX;
    const bool empty = ok && st.st_size == 0;
    if (ok && !empty) {
        const size_t n = (size_t)st.st_size;
        char *text = gw_alloc(gpu->host, n + 1, 1);
        ok = text && read_all(fd, text, n);
        if (ok) {
            *out_text = text;
            *out_bytes = n + 1;
        } else {
            gw_free(gpu->host, text, n + 1);
        }
    }
    if (fd >= 0) close(fd);
    if (!ok)
        gw_log(gpu->host, GODWIT_LOG_WARN,
               "%s: cannot be read (no permission, no regular file, over %d bytes, or out of "
               "memory); left as it is",
               path, FILE_BYTES_MAX);
    return ok;
}

static bool write_text(const gw_gpu *gpu, const char *path, const char *text, size_t n) {
    godwit_error err = {0};
    char reason[128];
    if (gw_cache_save(gpu, path, NULL, 0, text, n, &err) == GODWIT_OK) return true;
    gw_errno_text((int)err.driver_code, reason, sizeof reason);
    gw_log(gpu->host, GODWIT_LOG_WARN, "%s: not written: %s", path,
           err.driver_code ? reason : err.message);
    return false;
}

static bool path_of(const gw_gpu *gpu, const char *name, char path[GW_PATH_BYTES]) {
    if (!gpu->cache_dir) return false;
    int n = snprintf(path, GW_PATH_BYTES, "%s/%s", gpu->cache_dir, name);
    return n > 0 && n < GW_PATH_BYTES;
}

// --- quirks.txt

// What the first four words of a row of this device are.
static void row_of(const gw_gpu *gpu, const gw_adapter *a, gw_quirk_row *out) {
    memset(out, 0, sizeof *out);
    snprintf(out->device, sizeof out->device, "%x:%04x", a->info.vendor_id,
             a->info.device_id & 0xffffu);
    snprintf(out->driver, sizeof out->driver, "%u", a->info.driver_id);
    snprintf(out->release, sizeof out->release, "%u.%u.%u", (unsigned)(a->release >> 40 & 0xffffu),
             (unsigned)(a->release >> 20 & 0xfffffu), (unsigned)(a->release & 0xfffffu));
    snprintf(out->build, sizeof out->build, "%016llx", (unsigned long long)gw_shader_digest(gpu));
}

static void finding_of(const gw_quirk_row *r, gw_finding *out) {
    size_t slash = strcspn(r->name, "/");
    memset(out, 0, sizeof *out);
    snprintf(out->module, sizeof out->module, "%.*s", (int)(slash < 31 ? slash : 31), r->name);
    if (r->name[slash]) snprintf(out->label, sizeof out->label, "%.15s", r->name + slash + 1);
    snprintf(out->reason, sizeof out->reason, "%.119s", r->reason);
    for (char *c = out->reason; *c; c++)
        if (*c < ' ' || *c > '~') *c = '?';
}

static const char crash_reason[] = "the process ended while it ran, twice";

// As gw_findings_add, but a row of one label stays beside one of all labels: each is taken back by
// itself.
static bool add_row(gw_findings *list, const gw_finding *finding) {
    for (uint32_t i = 0; i < list->n; i++) {
        const gw_finding *old = &list->items[i];
        if (strcmp(old->module, finding->module) == 0 && strcmp(old->label, finding->label) == 0)
            return true;
    }
    if (list->n == GW_MAX_FINDINGS) return gw_findings_add(list, finding);
    list->items[list->n++] = *finding;
    return true;
}

// Rows of this device; returns how many of them we wrote. *out_n_left: those without room.
static uint32_t read_rows(const gw_gpu *gpu, const gw_adapter *a, gw_findings *out,
                          uint32_t *out_n_left) {
    char path[GW_PATH_BYTES], *text;
    const char *line;
    size_t bytes = 0, n_line;
    gw_quirk_row device, r;
    uint32_t n_ours = 0;
    *out_n_left = 0;
    if (!path_of(gpu, "quirks.txt", path) || !read_text(gpu, path, &text, &bytes) || !text)
        return 0;
    row_of(gpu, a, &device);
    for (const char *at = text; gw_quirk_row_next(&at, text + bytes - 1, &line, &n_line);) {
        gw_finding finding;
        if (!gw_quirk_row_parse(line, n_line, &r) || !gw_quirk_row_matches(&r, &device)) continue;
        finding_of(&r, &finding);
        finding.given = !gw_quirk_row_is_ours(&r, &device);
        finding.crashed = !finding.given && strcmp(finding.reason, crash_reason) == 0;
        if (!gw_quirk_row_names_kernel(gpu, &finding, &r)) continue;
        *out_n_left += !add_row(out, &finding);
        n_ours += !finding.given;
    }
    gw_free(gpu->host, text, bytes);
    return n_ours;
}

// Warnings of lines that say nothing, the first few of them.
static void warn_of_lines(const gw_gpu *gpu, const char *path, const char *text, size_t n) {
    enum { SHOWN = 8 };
    const char *line;
    size_t n_line;
    uint32_t number = 0, n_bad = 0;
    gw_quirk_row r, build;
    snprintf(build.build, sizeof build.build, "%016llx", (unsigned long long)gw_shader_digest(gpu));
    for (const char *at = text; gw_quirk_row_next(&at, text + n, &line, &n_line);) {
        gw_finding finding;
        number++;
        if (gw_quirk_row_parse(line, n_line, &r) && gw_quirk_row_is_of_build(&r, &build)) {
            finding_of(&r, &finding);
            (void)gw_quirk_row_names_kernel(gpu, &finding, &r);
        }
        if (!r.problem[0] || n_bad++ >= SHOWN) continue;
        gw_log(gpu->host, GODWIT_LOG_WARN, "%s:%u: ignored: %s", path, number, r.problem);
    }
    if (n_bad > SHOWN)
        gw_log(gpu->host, GODWIT_LOG_WARN, "%s: %u more lines are ignored", path, n_bad - SHOWN);
}

void gw_quirks_check(gw_gpu *gpu, gw_kernel_known_fn knows) {
    char path[GW_PATH_BYTES], *text;
    size_t bytes = 0;
    gpu->knows_kernel = knows;
    if (!path_of(gpu, "quirks.txt", path) || !read_text(gpu, path, &text, &bytes) || !text) return;
    warn_of_lines(gpu, path, text, bytes - 1);
    gw_free(gpu->host, text, bytes);
    gw_findings *list = gw_alloc(gpu->host, 1, sizeof *list);
    for (uint32_t i = 0; list && i < gpu->n_adapters; i++) {
        uint32_t n_left = 0;
        list->n = 0;
        (void)read_rows(gpu, &gpu->adapters[i], list, &n_left);
        if (n_left)
            gw_log(gpu->host, GODWIT_LOG_WARN,
                   "%s: over %d rows of device %s; the last %u are ignored", path, GW_MAX_FINDINGS,
                   gpu->adapters[i].info.name, n_left);
    }
    gw_free(gpu->host, list, sizeof *list);
}

static const char head[] =
    "# Kernels that gave wrong results on this machine, or took a process down, written by\n"
    "# Godwit's self-check and by `godwit verify`, read when a device is opened.\n"
    "# VENDOR:DEVICE DRIVER RELEASE BUILD disable|fails MODULE[/FORMAT] REASON\n"
    "# * stands for any. Delete a row to try again.\n";

// The new text of quirks.txt, at most room bytes: all lines of others as they are, then ours.
// Returns its length; *out_rows: rows of ours; *out_same: neither now nor before was there any.
static size_t make_rows(const gw_quirk_row *device, const char *old, size_t n_old,
                        const gw_findings *list, char *text, size_t room, uint32_t *out_rows,
                        bool *out_same) {
    const char *line;
    size_t n = 0, n_line;
    gw_quirk_row r;
    *out_same = true;
    *out_rows = 0;
    if (n_old == 0) n = (size_t)snprintf(text, room, "%s", head);
    for (const char *at = old; n_old && gw_quirk_row_next(&at, old + n_old, &line, &n_line);) {
        if (gw_quirk_row_parse(line, n_line, &r) && gw_quirk_row_is_ours(&r, device)) {
            *out_same = false;
            continue;
        }
        memcpy(text + n, line, n_line);
        text[n + n_line] = '\n';
        n += n_line + 1;
    }
    for (uint32_t i = 0; i < list->n; i++) {
        const gw_finding *f = &list->items[i];
        if (f->given) continue;
        n += (size_t)snprintf(text + n, room - n, "%s %s %s %s %s %s%s%s %s\n", device->device,
                              device->driver, device->release, device->build,
                              is_variant(f) ? "disable" : "fails", f->module,
                              f->label[0] ? "/" : "", f->label, f->reason);
        ++*out_rows;
        *out_same = false;
    }
    return n;
}

// False where quirks.txt does not say now what list says; it then is as it was.
static bool write_rows(const gw_gpu *gpu, const gw_adapter *a, const gw_findings *list,
                       uint32_t *out_rows) {
    char path[GW_PATH_BYTES], *old;
    size_t old_bytes = 0;
    gw_quirk_row device;
    bool same;
    *out_rows = 0;
    if (!path_of(gpu, "quirks.txt", path) || !read_text(gpu, path, &old, &old_bytes)) return false;
    const size_t room = sizeof head + old_bytes + (size_t)list->n * LINE_BYTES + 2;
    char *text = gw_alloc(gpu->host, room, 1);
    bool ok = text != NULL;
    row_of(gpu, a, &device);
    if (ok) {
        size_t n =
            make_rows(&device, old, old ? old_bytes - 1 : 0, list, text, room, out_rows, &same);
        ok = same || write_text(gpu, path, text, n);
    }
    gw_free(gpu->host, text, room);
    gw_free(gpu->host, old, old_bytes);
    return ok;
}

// --- the record

static uint64_t record_key(const gw_gpu *gpu, const gw_adapter *a) {
    gw_cache_key key;
    gw_cache_key_init(a, &key);
    return XXH64(key.bytes, sizeof key.bytes, gw_shader_digest(gpu));
}

bool gw_findings_path(const gw_gpu *gpu, const gw_adapter *a, const char *kind,
                      char path[GW_PATH_BYTES]) {
    char name[40];
    if (!gpu->cache_dir) return false;
    snprintf(name, sizeof name, "%016llx.%s", (unsigned long long)record_key(gpu, a), kind);
    return path_of(gpu, name, path);
}

static bool record_path(const gw_gpu *gpu, const gw_adapter *a, char path[GW_PATH_BYTES]) {
    return gw_findings_path(gpu, a, "verified", path);
}

static void encode_record(uint64_t key, bool full, const char *date, uint32_t n_rows,
                          char text[RECORD_BYTES]) {
    int n = snprintf(text, RECORD_BYTES,
                     "godwit verified 1\nkey %016llx\nlevel %s\ndate %.10s\nrows %u\n",
                     (unsigned long long)key, full ? "full" : "self-check", date, n_rows);
    snprintf(text + n, RECORD_BYTES - (size_t)n, "sum %016llx\n",
             (unsigned long long)XXH64(text, (size_t)n, key));
}

// Sets level and date where the record is whole, this device's, and its rows are there.
static void read_record(const gw_gpu *gpu, const gw_adapter *a, uint32_t n_rows, gw_findings *out) {
    char path[GW_PATH_BYTES], again[RECORD_BYTES], level[16] = "", date[11] = "", *text;
    size_t bytes = 0;
    unsigned rows = 0;
    if (!record_path(gpu, a, path) || !read_text(gpu, path, &text, &bytes) || !text) return;
    const char *at = strchr(text, '\n');
    at = at ? strchr(at + 1, '\n') : NULL;
    bool ok = at && sscanf(at, " level %15s date %10s rows %u", level, date, &rows) == 3;
    bool full = strcmp(level, "full") == 0;
    if (ok) encode_record(record_key(gpu, a), full, date, rows, again);
    // What is written again is the same, or it was not written by us for this device.
    if (ok && strcmp(text, again) == 0 && rows <= n_rows) {
        out->level = full ? GODWIT_VERIFIED_FULL : GODWIT_VERIFIED_SELF_CHECK;
        snprintf(out->date, sizeof out->date, "%s", date);
    } else {
        gw_log(gpu->host, GODWIT_LOG_INFO, "%s: ignored: damaged, foreign, or its rows are gone",
               path);
    }
    gw_free(gpu->host, text, bytes);
}

static void today(char date[12]) {
    time_t now = time(NULL);
    struct tm tm;
    if (!gmtime_r(&now, &tm)) memset(&tm, 0, sizeof tm);
    snprintf(date, 12, "%04u-%02u-%02u", (unsigned)(tm.tm_year + 1900) % 10000u,
             (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u);
}

bool gw_device_keeps_findings(const gw_device *device) {
    return device->gpu->cache_dir && device->masks == device->adapter->quirks;
}

// False where the files do not say now what list says.
static bool keep_in_files(const gw_device *device, const gw_findings *list) {
    char path[GW_PATH_BYTES], text[RECORD_BYTES];
    const gw_gpu *gpu = device->gpu;
    uint32_t n = 0;
    if (!gw_device_keeps_findings(device) || !record_path(gpu, device->adapter, path)) return false;
    if (!write_rows(gpu, device->adapter, list, &n)) {
        unlink(path); // an earlier record would speak for kernels that are wrong now
        return false;
    }
    if (list->level == GODWIT_UNVERIFIED) return true;
    encode_record(record_key(gpu, device->adapter), list->level == GODWIT_VERIFIED_FULL, list->date,
                  n, text);
    return write_text(gpu, path, text, strlen(text));
}

// What the gpu remembers of such a device; under the lock. NULL: nothing.
static gw_checked *find_checked(const gw_device *device) {
    gw_checked *c = device->gpu->checked;
    const uint64_t build = c ? gw_shader_digest(device->gpu) : 0;
    while (c && (c->adapter != device->adapter || c->masks != device->masks || c->build != build))
        c = c->next;
    return c;
}

// list NULL: files say it.
static void keep_in_memory(gw_device *device, const gw_findings *list) {
    gw_gpu *gpu = device->gpu;
    pthread_mutex_lock(&gpu->checked_lock);
    gw_checked *c = find_checked(device);
    if (!c && list) c = gw_alloc(gpu->host, 1, sizeof *c);
    if (c && !c->adapter) {
        c->adapter = device->adapter;
        c->masks = device->masks;
        c->build = gw_shader_digest(gpu);
        c->next = gpu->checked;
        gpu->checked = c;
    }
    if (c && list) c->findings = *list;
    if (c && !list) memset(&c->findings, 0, sizeof c->findings);
    pthread_mutex_unlock(&gpu->checked_lock);
}

void gw_checked_deinit(gw_gpu *gpu) {
    while (gpu->checked) {
        gw_checked *c = gpu->checked;
        gpu->checked = c->next;
        gw_free(gpu->host, c, sizeof *c);
    }
}

void gw_device_remember(gw_device *device, gw_findings *list, bool keep) {
    if (!list->date[0]) today(list->date);
    pthread_mutex_lock(&device->findings_lock);
    for (uint32_t i = 0; i < device->findings.n; i++) {
        const gw_finding *f = &device->findings.items[i];
        if (f->given || f->crashed) (void)gw_findings_add(list, f);
    }
    device->findings = *list;
    if (keep) keep_in_memory(device, keep_in_files(device, list) ? NULL : list);
    pthread_mutex_unlock(&device->findings_lock);
}

void gw_device_findings(gw_device *device, gw_findings *out) {
    pthread_mutex_lock(&device->findings_lock);
    *out = device->findings;
    pthread_mutex_unlock(&device->findings_lock);
}

void gw_findings_to_info(const gw_findings *list, godwit_device_info *info) {
    const gw_finding *dead_end = gw_findings_dead_end(list);
    const bool full = list->level == GODWIT_VERIFIED_FULL;
    const char *how = list->n ? (full ? "verified, routed around" : "self-check, routed around")
                              : (full ? "verified" : "self-check ok");
    gw_findings_text(list, info->routed, sizeof info->routed);
    info->verification = dead_end ? GODWIT_VERIFICATION_FAILED : list->level;
    if (dead_end)
        snprintf(info->verified, sizeof info->verified, "FAILED: %s%s%s", dead_end->module,
                 dead_end->label[0] ? "/" : "", dead_end->label);
    else if (list->level == GODWIT_UNVERIFIED)
        snprintf(info->verified, sizeof info->verified, "not verified");
    else
        snprintf(info->verified, sizeof info->verified, "%s %s", how, list->date);
}

// --- what was measured

static void kept_head(const gw_gpu *gpu, const gw_adapter *a, const char *kind,
                      char head[RECORD_BYTES]) {
    snprintf(head, RECORD_BYTES, "godwit %s 1\nkey %016llx\n", kind,
             (unsigned long long)record_key(gpu, a));
}

static void kept_sum(const char *text, size_t n, char sum[SUM_BYTES + 1]) {
    snprintf(sum, SUM_BYTES + 1, "sum %016llx\n", (unsigned long long)XXH64(text, n, 0));
}

static char *read_kept(const gw_gpu *gpu, const gw_adapter *a, const char *kind,
                       size_t *out_bytes) {
    char path[GW_PATH_BYTES], head[RECORD_BYTES], sum[SUM_BYTES + 1], *text;
    if (!gw_findings_path(gpu, a, kind, path) || !read_text(gpu, path, &text, out_bytes) || !text)
        return NULL;
    kept_head(gpu, a, kind, head);
    size_t n = strlen(text), n_head = strlen(head);
    bool whole = n + 1 == *out_bytes && n >= n_head + SUM_BYTES;
    if (whole) kept_sum(text, n - SUM_BYTES, sum);
    if (!whole || memcmp(text, head, n_head) != 0 || strcmp(text + n - SUM_BYTES, sum) != 0) {
        gw_log(gpu->host, GODWIT_LOG_INFO, "%s: ignored: damaged or foreign", path);
        gw_free(gpu->host, text, *out_bytes);
        return NULL;
    }
    n -= n_head + SUM_BYTES;
    memmove(text, text + n_head, n);
    text[n] = '\0';
    return text;
}

char *gw_device_kept(const gw_device *device, const char *kind, size_t *out_bytes) {
    if (!gw_device_keeps_findings(device)) return NULL;
    return read_kept(device->gpu, device->adapter, kind, out_bytes);
}

char *gw_gpu_kept(const gw_gpu *gpu, uint32_t index, const char *kind, gw_caps *out_caps,
                  size_t *out_bytes) {
    if (index >= gpu->n_adapters) return NULL;
    const gw_adapter *a = &gpu->adapters[index];
    gw_caps_init(a, a->quirks, out_caps);
    return read_kept(gpu, a, kind, out_bytes);
}

void gw_device_keep(gw_device *device, const char *kind, const char *text) {
    char path[GW_PATH_BYTES], head[RECORD_BYTES];
    const gw_gpu *gpu = device->gpu;
    if (!gw_device_keeps_findings(device)) return;
    if (!gw_findings_path(gpu, device->adapter, kind, path)) return;
    kept_head(gpu, device->adapter, kind, head);
    size_t n_head = strlen(head), n_text = strlen(text), n = n_head + n_text + SUM_BYTES + 1;
    char *all = gw_alloc(gpu->host, n, 1);
    if (!all) return;
    memcpy(all, head, n_head);
    memcpy(all + n_head, text, n_text);
    kept_sum(all, n_head + n_text, all + n_head + n_text);
    (void)write_text(gpu, path, all, n - 1);
    gw_free(gpu->host, all, n);
}

// --- all of it

void gw_findings_load(const gw_gpu *gpu, const gw_adapter *a, gw_findings *out) {
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < a->effects.n_disabled; i++) {
        gw_finding finding = {.given = true};
        snprintf(finding.module, sizeof finding.module, "%s", a->effects.disabled[i]->module);
        snprintf(finding.reason, sizeof finding.reason, "quirk %s", a->effects.disabled[i]->name);
        (void)gw_findings_add(out, &finding);
    }
    uint32_t n_left = 0, n_ours = read_rows(gpu, a, out, &n_left);
    read_record(gpu, a, n_ours, out);
}

// The finding of a module in all formats.
static gw_finding *find_whole(gw_findings *list, const char *module) {
    for (uint32_t i = 0; i < list->n; i++) {
        gw_finding *f = &list->items[i];
        if (!f->label[0] && strcmp(f->module, module) == 0) return f;
    }
    return NULL;
}

static void take_left_trial(gw_device *device) {
    gw_trial trial;
    uint32_t n = 0;
    const bool left = gw_trial_left(device->gpu, device->adapter, &trial);
    const bool second = gw_trial_is_second(device, &trial);
    if (!left) return;
    if (!second) {
        gw_log(device->host, GODWIT_LOG_INFO,
               "device %s: the process ended while %s was tried; it is tried once more",
               device->adapter->info.name, trial.module);
        gw_trial_settle(device, &trial, true);
        return;
    }
    gw_finding finding = {.crashed = true};
    snprintf(finding.module, sizeof finding.module, "%s", trial.module);
    snprintf(finding.reason, sizeof finding.reason, "%s", crash_reason);
    gw_finding *same = find_whole(&device->findings, finding.module);
    if (!same) (void)gw_findings_add(&device->findings, &finding);
    if (same && !same->given) *same = finding;
    gw_log(device->host, GODWIT_LOG_WARN,
           "device %s: %s is not used from here on: %s; delete its row in %s/quirks.txt to try it "
           "again",
           device->adapter->info.name, finding.module, crash_reason, device->gpu->cache_dir);
    gw_trial_settle(device, &trial,
                    write_rows(device->gpu, device->adapter, &device->findings, &n));
}

static void recall(gw_device *device) {
    gw_findings *list = &device->findings;
    gw_gpu *gpu = device->gpu;
    pthread_mutex_lock(&gpu->checked_lock);
    const gw_checked *c = find_checked(device);
    for (uint32_t i = 0; c && i < c->findings.n; i++)
        (void)gw_findings_add(list, &c->findings.items[i]);
    if (c && list->level == GODWIT_UNVERIFIED) {
        list->level = c->findings.level;
        memcpy(list->date, c->findings.date, sizeof list->date);
    }
    pthread_mutex_unlock(&gpu->checked_lock);
}

void gw_device_load_findings(gw_device *device) {
    gw_findings_load(device->gpu, device->adapter, &device->findings);
    // What files speak of is the device without masks.
    const bool masked = device->masks != device->adapter->quirks;
    if (masked) device->findings.level = GODWIT_UNVERIFIED;
    if (!masked) take_left_trial(device);
    recall(device);
}
