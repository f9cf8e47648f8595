#!/usr/bin/env bash
# fastest.sh: a GPU that is slower than the cores is not taken in silence, and what is taken is said
# with the reason. A software driver passes for a GPU here, which makes a slow one.
source "$(dirname "$0")/lib.bash"
inject=${GODWIT_INJECT_DIR:-}
[ -n "$inject" ] || skip_all "no layer: set GODWIT_INJECT_DIR"
"$godwit" devices >"$scratch/out" 2>&1
grep -q Vulkan "$scratch/out" || skip_all "no Vulkan device"
unset GODWIT_DEVICE
export NODEVICE_SELECT=1 VK_LAYER_PATH="$inject" VK_INSTANCE_LAYERS=VK_LAYER_GODWIT_inject INJECT_TYPE=1
rm -rf "$GODWIT_CACHE_DIR"

gives 0 devices
grep -q '^    type *integrated' "$scratch/out" || skip_all "no layer in $inject"
has "devices: nothing is known" '^    default +the best GPU, not measured against the cores$' "$scratch/out"

words='for a token the GPU reads [0-9.]+ GB/s of weights, the cores [0-9.]+$'
for i in first second; do
    gives 0 run "$story" -n 2 --temp 0 --stats
    has "$i run: the cores" '^device +cpu, ' "$scratch/err"
    has "$i run: why" "^taken for +faster than the GPU, .*: $words" "$scratch/err"
    # Only the first one measures.
    grep '^taken for' "$scratch/err" >"$scratch/$i"
done
cmp -s "$scratch/first" "$scratch/second" || fail "measured twice: $(cat "$scratch/first" "$scratch/second")"
gives 0 devices
has "devices: why" "^    default +faster than the GPU, .*: $words" "$scratch/out"
is "devices: one default" 1 "$(grep -c '^    default ' "$scratch/out")"

# Who names it gets it.
gives 0 run "$story" -n 2 --temp 0 --stats --device 0
has "--device 0" '^device .*(integrated)' "$scratch/err"
finish
