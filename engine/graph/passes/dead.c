// Dead values: removes nodes that nothing kept depends on.
// A node lives when its output is kept (a graph's output), or it writes state, or a living node
// reads its output. One walk from the back.
#include "graph/op.h"

godwit_status gw_pass_dead(gw_graph *graph, godwit_error *err) {
    (void)err;
    for (size_t i = graph->nodes.n; i-- > 0;) {
        const gw_node *node = graph->nodes.items[i];
        bool used = !node->output || node->output->keep || node->output->kind != GW_VALUE_COMPUTED;
        for (size_t k = i + 1; k < graph->nodes.n && !used; k++) {
            const gw_node *reader = graph->nodes.items[k];
            for (uint32_t n = 0; n < reader->n_inputs; n++) {
                used |= reader->inputs[n] && gw_value_root(reader->inputs[n]) == node->output;
            }
        }
        if (!used) gw_graph_remove(graph, i);
    }
    return GODWIT_OK;
}
