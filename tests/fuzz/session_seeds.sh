#!/usr/bin/env bash
# Makes tests/fuzz/corpus/session/: saved sessions of a tiny model, whole and of tokens alone, in each
# number format of the KV cache.
#
#   session_seeds.sh <godwit> <tests/fuzz/corpus/session>
set -euo pipefail
godwit=$1 out=$2
model=$(dirname "$0")/../golden/run/small.gguf
mkdir -p "$out"
for kv in f32 f16 q8_0 f16,q8_0; do
    "$godwit" run "$model" --device cpu --no-prompt -n 3 --ctx 16 --kv "$kv" --ids --save "$out/${kv/,/-}" >/dev/null
done
"$godwit" run "$model" --device cpu --no-prompt -n 5 --ctx 16 --ids --seed 9 --save "$out/tokens" --save-tokens-only >/dev/null
