// The shape of a tile of lib/matmul_tile.glsl: what lib/planes.glsl must know before.
#ifdef GW_COOPMAT
layout(constant_id = 4) const uint LANES = 32u; // of a subgroup
layout(constant_id = 5) const uint M = 16u;     // 8 or 16
layout(constant_id = 6) const uint N = 16u;     // 8 or 16
layout(constant_id = 7) const uint K = 16u;     // 8, 16 or 32
layout(constant_id = 8) const uint ROW_GROUPS = 2u; // subgroups of a workgroup over rows
layout(constant_id = 9) const uint TOK_GROUPS = 4u; // and over tokens
layout(constant_id = 10) const uint ROW_TILES = 4u;
layout(constant_id = 11) const uint TOK_TILES = 2u;
layout(constant_id = 12) const uint BLOCK_GROUPS = 1u; // and over blocks
const uint TILE_ROWS = M * ROW_TILES * ROW_GROUPS, TILE_TOKS = N * TOK_TILES * TOK_GROUPS;
const uint GROUP_LANES = LANES * ROW_GROUPS * TOK_GROUPS;
#else
layout(constant_id = 4) const uint ROW_LANES = 8u;
layout(constant_id = 5) const uint TOK_LANES = 16u;
layout(constant_id = 6) const uint ROWS = 8u;
layout(constant_id = 7) const uint COLS = 4u;
const uint BLOCK_GROUPS = 1u;
const uint TILE_ROWS = ROW_LANES * ROWS, TILE_TOKS = TOK_LANES * COLS;
const uint GROUP_LANES = ROW_LANES * TOK_LANES;
#endif

const uint STEP = 2u; // units
// Units that an invocation stages in a step
const uint W_EACH = (TILE_ROWS * STEP + GROUP_LANES - 1u) / GROUP_LANES;
const uint X_EACH = (2u * TILE_TOKS * STEP + GROUP_LANES - 1u) / GROUP_LANES; // and fours of them of activations
#define GW_AHEAD W_EACH
