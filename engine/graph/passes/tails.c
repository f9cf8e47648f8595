// Tails: work that a launch before does as well, on devices whose workgroups can tell which of them ends
// last. The graph stays as it is; only launches are fewer.
//
// A node is the tail of the one that makes its input where that one's op takes it (gw_op.takes_tail),
// and where it may come that early: what else it reads is there before, and nothing that it writes is
// anybody's but its own.
#include "graph/op.h"

static bool reads(const gw_node *node, const gw_value *value) {
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        if (node->inputs[k] && gw_value_root(node->inputs[k]) == value) return true;
    }
    return false;
}

// Whether node `at` reads nothing that a node between `from` and it makes.
static bool may_come_after(const gw_graph *graph, size_t at, size_t from) {
    if (graph->nodes.items[at]->op->writes_inputs) return false;
    for (size_t i = from + 1; i < at; i++) {
        const gw_node *between = graph->nodes.items[i];
        for (uint32_t k = 0; k < GW_MAX_OUTPUTS && between->outputs[k]; k++) {
            if (reads(graph->nodes.items[at], between->outputs[k])) return false;
        }
    }
    return true;
}

static void find_tail(gw_graph *graph, size_t from, const gw_tune *tune) {
    gw_node *node = graph->nodes.items[from];
    for (size_t i = from + 1; i < graph->nodes.n && !node->tail; i++) {
        gw_node *next = graph->nodes.items[i];
        if (next->is_tail || !reads(next, node->outputs[0])) continue;
        if (!node->op->takes_tail(node, next, tune) || !may_come_after(graph, i, from)) continue;
        node->tail = next;
        next->is_tail = true;
    }
}

void gw_pass_tails(gw_graph *graph, const gw_tune *tune) {
    for (size_t i = 0; i < graph->nodes.n; i++) {
        graph->nodes.items[i]->tail = NULL;
        graph->nodes.items[i]->is_tail = false;
    }
    for (size_t i = 0; i < graph->nodes.n && tune->counts; i++) {
        const gw_node *node = graph->nodes.items[i];
        if (node->op->takes_tail && node->outputs[0] && !node->is_tail) find_tail(graph, i, tune);
    }
}
