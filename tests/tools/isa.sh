#!/usr/bin/env bash
# isa.sh: bench/isa counts what machine code does in a loop, and finds what is fused in exact kernels.
# The code is made up: a loop of two units, in a loop that adds to it.
set -uo pipefail
isa=$(cd "$(dirname "$0")/../.." && pwd)/bench/isa
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
n_failed=0
is() { [ "$2" = "$3" ] || { printf 'FAILED: %s: expected "%s", is "%s"\n' "$@"; n_failed=$((n_failed + 1)); }; }

# kernel ROW SPILLS [INSTRUCTION]...: 16 dots that multiply, 2 that add up, and what is given.
kernel() {
    local i row=$1 spills=$2
    printf 'Compute Shader\ndisasm:\nBB0:\n\tv_mov_b32_e32 v9, 0\t; 7e\nBB1:\n\tv_add_u32_e32 v8, v8, v7\n'
    printf '\ts_mov_b32 s9, 0x1010101\n\ts_mov_b32 s8, 0x1010101\n\ts_mov_b32 s8, s7\nBB2:\n'
    for ((i = 0; i < 15; i++)); do printf '\tv_dot4_i32_iu8 v1, v2, v3, v1 neg_lo:[1,1,0]\t; cc\n'; done
    printf '\tv_dot4_i32_iu8 v1, v2, s8, v1\n\tv_dot4_i32_iu8 v1, v2, s9, v1\n\tv_dot4_i32_iu8 v1, v2, 0x1010101, v1\n'
    shift 2
    [ $# -eq 0 ] || printf '\t%s\t; 00\n' "$@"
    printf '\tbuffer_load_b128 v[4:7], v3, s[4:7], 0 offen\n\ts_cbranch_scc0 BB2\nBB3:\n\tv_mul_f32 v1, v1, v2\n'
    printf '\ts_cbranch_scc0 BB1\nBB4:\n\ts_endpgm\n%-40s %6s %6s %6s %8s %7s %5s %9s\n' "$row" 48 128 "$spills" 1808 8192 16 40.24
}
count() { "$isa" --read "$scratch/code" >"$scratch/said" 2>&1; }
row() { grep -F "| $1 |" "$scratch/said" | tr -d ' '; }

# 18 dots and 6 more; two units; around them an addition and a multiplication.
{
    echo 'device Null hardware'
    kernel 'matmul.dot.q4_0 64,1,2' 0 'v_mul_f32_e32 v1, v2, v3' 'v_dual_mul_f32 v1, v2, v3 :: v_dual_add_f32 v4, v5, v6' \
        'v_add_f32_e32 v1, v1, v2' 'v_fma_mix_f32 v1, v2, v3, neg(0) op_sel_hi:[1,0,0]' \
        'v_fma_mix_f32 v1, v2, 1.0, v3 op_sel_hi:[1,0,0]' 'v_fma_mix_f32 v1, v2, v3, 0'
} >"$scratch/code"
count
is "right code: exit code" 0 "$?"
is "right code: the row" '|matmul.dot.q4_064,1,2|48|16|0|1808|27|24|dot|2|12.0|2|-|0|' "$(row 'matmul.dot.q4_0 64,1,2')"
is "right code: summary" '1 kernels, 0 with spills, 0 exact ones with fused operations' "$(tail -n 1 "$scratch/said")"

# As it is printed where there is no disassembler.
sed -E 's/^\tv_dot4_i32_iu8 v1, v2, s9, v1/\t v1: %7:v[1] = v_dot4_i32_iu8 %5:v[2], %9:s[9], %7:v[1]/
    s/^\ts_mov_b32 s9, (.*)/\t s1: %9:s[9] = s_mov_b32 \1/; s/^\tv_mul_f32_e32 v1, v2, v3.*/\t v1: (precise)%3:v[1] = v_mul_f32 %5:v[2], %6:v[3]/
    s/^(BB[0-9]+):/\1/; s/(cbranch_scc0) /\1 block:/' "$scratch/code" >"$scratch/program"
mv "$scratch/program" "$scratch/code"
count
is "the other form: the row" '|matmul.dot.q4_064,1,2|48|16|0|1808|27|24|dot|2|12.0|2|-|0|' "$(row 'matmul.dot.q4_0 64,1,2')"

for fused in 'v_fma_f32 v1, v2, v3, v4' 'v_fmac_f32_e32 v1, v2, v3' 'v_dual_fmac_f32 v1, v2, v3 :: v_dual_mov_b32 v5, 0' \
    'v_fma_mix_f32 v1, v2, v3, v4 op_sel_hi:[1,0,0]' 'v_pk_fma_f16 v1, v2, v3, v4' 'v_fma_f32 v1, v2, v3, 2.0' \
    'v_wmma_f32_16x16x16_f16 v[4:11], v[20:27], v[28:35], v[4:11]' 'v_dot2_f32_f16 v1, v2, v3, v4' \
    'v_fmaak_f32 v1, v2, v3, 0x3f000000'; do
    kernel 'matmul.dot.q4_0 64' 0 "$fused" >"$scratch/code"
    count
    is "$fused: exit code" 1 "$?"
    is "$fused: said" 'matmul.dot.q4_0 64: 1 fused' "$(tail -n 1 "$scratch/said")"
done
kernel 'matmul.coopmat_fast.f16 64' 0 'v_fma_f32 v1, v2, v3, v4' >"$scratch/code"
count
is "fused in fast numerics: exit code" 0 "$?"
kernel 'matmul.dot.q4_0 64' 3 >"$scratch/code"
count
is "spills: exit code" 1 "$?"
kernel 'matmul.dot.q4_0 64' 0 | sed '/^\t/d' >"$scratch/code"
count
is "no machine code: exit code" 1 "$?"
: >"$scratch/code"
count
is "nothing at all: exit code" 1 "$?"
[ $n_failed -eq 0 ]
