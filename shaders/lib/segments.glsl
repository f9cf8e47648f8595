// Segments: tokens of one sequence in a run (engine/ops/recurrent.h). The including kernel has bindings
// segments (int) and the parameters n_tok, n_blocks.
#ifndef GW_LIB_SEGMENTS
#define GW_LIB_SEGMENTS

uint seg_first, seg_n;
int seg_from, seg_to; // -1: none

// False: nothing is to be done.
bool gw_segment(uint i) {
    int first = segments[4u * i], n = segments[4u * i + 1u];
    if (n <= 0 || first < 0 || uint(first) >= p.n_tok) return false;
    seg_first = uint(first);
    seg_n = min(uint(n), p.n_tok - seg_first);
    seg_from = segments[4u * i + 2u];
    seg_to = segments[4u * i + 3u];
    if (seg_from < 0 || uint(seg_from) >= p.n_blocks) seg_from = -1;
    if (seg_to < 0 || uint(seg_to) >= p.n_blocks) seg_to = -1;
    return true;
}

#endif
