// Launch times: what each kernel of a session's steps takes, summed over its layers.
//
// A row stands for the launches of one kernel for nodes that differ only in the number of their
// layer: "matmul.dot.q4_k blk.*.ffn_up". Timing puts a barrier behind every launch, so the sum is
// more than what a step takes without it.
#include "session/internal.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

// "blk.12.attn_q" to "blk.*.attn_q".
static void without_layer(const char *node, char *out, size_t n) {
    size_t k = 0;
    while (*node && k + 1 < n) {
        bool digit = *node >= '0' && *node <= '9';
        bool whole = digit && k && out[k - 1] == '.';
        if (whole) {
            const char *end = node;
            while (*end >= '0' && *end <= '9') end++;
            if (*end == '.') {
                out[k++] = '*';
                node = end;
                continue;
            }
        }
        out[k++] = *node++;
    }
    out[k] = 0;
}

static godwit_launch_time *row_of(gw_batch *b, const gw_launch *launch) {
    char node[sizeof b->launch_times.items[0].node];
    without_layer(launch->node, node, sizeof node);
    for (size_t i = 0; i < b->launch_times.n; i++) {
        godwit_launch_time *row = &b->launch_times.items[i];
        if (strcmp(row->kernel, launch->shader) == 0 && strcmp(row->node, node) == 0) return row;
    }
    godwit_launch_time *row = gw_vec_push(&b->launch_times, b->host);
    if (!row) return NULL;
    snprintf(row->kernel, sizeof row->kernel, "%s", launch->shader);
    snprintf(row->node, sizeof row->node, "%s", node);
    return row;
}

godwit_status gw_batch_add_launch_times(gw_batch *b, const gw_program *program, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_plan *plan = gw_program_plan(program);
    size_t n = plan->launches.n;
    if (!b->time_launches || n == 0) return GODWIT_OK;
    uint64_t *ns = gw_alloc(b->host, n, sizeof *ns);
    GW_CHECK_ALLOC(ns, err, "times of launches");
    if (!gw_program_launch_ns(program, ns)) goto done;
    for (size_t i = 0; i < n; i++) {
        godwit_launch_time *row = row_of(b, &plan->launches.items[i]);
        GW_CHECK_ALLOC(row, err, "times of launches");
        row->n_launches++;
        row->ns += ns[i];
        row->weight_bytes += plan->launches.items[i].weight_bytes;
    }
done:
    gw_free(b->host, ns, n * sizeof *ns);
    return status;
}

size_t gw_session_take_launch_times(gw_session *session, godwit_launch_time *out, size_t n_max) {
    gw_batch *b = gw_session_batch(session);
    size_t n = b->launch_times.n;
    if (n > n_max) return n;
    if (n) memcpy(out, b->launch_times.items, n * sizeof *out);
    b->launch_times.n = 0;
    return n;
}
