#!/usr/bin/env bash
# run.sh: `godwit run` against ids, text and logits that other programs computed in float64 (see
# tests/golden/run.py), on the reference and on the default device.
source "$(dirname "$0")/lib.bash"

# What is expected of $model: files with ids, text, and the logits of the first steps.
greedy() {
    run run "$model" -n "$n_steps" --temp 0 --ignore-eos "$@"
    is "greedy $*: exit code" 0 "$code"
}

check_golden() {
    greedy --ids --logits "$scratch/logits" --kv f32 "$@"
    same "ids $*" "$ids" "$scratch/out"
    is "ids $*: nothing on stderr" "" "$(cat "$scratch/err")"
    is "logits $*: bytes" $((n_steps * n_vocab * 4)) "$(stat -c %s "$scratch/logits")"
    greedy "$@"
    { cat "$text"; echo; } >"$scratch/text"
    same "text $*" "$scratch/text" "$scratch/out"
}

# The logits of the first steps, to a bound far above fp32 rounding of these models and far below
# their gaps.
check_logits() {
    n_checks=$((n_checks + 1))
    python3 - "$scratch/logits" "$logits" <<'PY' || fail "logits"
import struct, sys
b = open(sys.argv[2], "rb").read()
a, b = (struct.unpack(f"<{len(b) // 4}f", x) for x in (open(sys.argv[1], "rb").read(len(b)), b))
worst = max(abs(x - y) for x, y in zip(a, b))
print(f"logits: largest difference from float64 {worst:.2e}")
sys.exit(not worst < 1e-3)
PY
}

check_json() {
    greedy --json --ids --stats "$@"
    cp "$scratch/out" "$scratch/json"
    is "json $*: ids" "$(tr ' ' , <"$ids")" \
        "$(json "$scratch/json" '",".join(map(str, d["ids"]))')"
    is "json $*: text" "$(cat "$text")" "$(json "$scratch/json" 'd["text"]')"
    is "json $*: stop" tokens "$(json "$scratch/json" 'd["stop"]')"
    is "json $*: speed" True "$(json "$scratch/json" 'd["stats"]["decode_tokens_per_s"] > 0')"
    is "json $*: peak memory" True "$(json "$scratch/json" 'd["stats"]["peak_rss_bytes"] > 1 << 20')"
    has "stats $*" '^first token +[0-9]+ ms' "$scratch/err"
}

check_all() {
    local device
    for device in "--device cpu" ""; do
        check_golden $device
        if have_python; then
            check_logits
            check_json $device
        else
            skip "logits and JSON: NO PYTHON3"
        fi
    done
}

# The model that ships, its weights as they are in F32: without the rounding of activations.
gives 0 quantize "$story" "$scratch/f32.gguf" F32
model=$scratch/f32.gguf n_steps=32 n_vocab=2048
ids=$expected/story.ids.txt text=$expected/story.txt logits=$expected/story.logits.f32
check_all

llm=$data/llm
if [ -r "$llm/stories260K.gguf" ]; then
    model=$llm/stories260K-ctx2048.gguf n_steps=200 n_vocab=512
    ids=$llm/stories260K.expected.ids.txt text=$llm/stories260K.expected.txt
    logits=$llm/stories260K.logits16.f32
    check_all
else
    skip "stories260K against llama2.c: NO DATA at $data"
fi

# As it ships, with activations in 8 bits.
model=$story
gives 0 run -n 32 --temp 0 --ignore-eos --logits "$scratch/logits"
cp "$scratch/out" "$scratch/text"
is "the default model: how its story begins" "$(head -c 40 "$expected/story.txt")" \
    "$(head -c 40 "$scratch/out")"
gives 0 run "$model" -n 32 --temp 0 --ignore-eos --logits "$scratch/reference" --device reference
same "the default model: text on the reference" "$scratch/text" "$scratch/out"
same "the default model: logits on the reference" "$scratch/reference" "$scratch/logits"

# The same draws everywhere and each time, and others with another seed.
prompt="Once upon a time, there was a dog"
run run "$model" -p "$prompt" -n 40 --seed 7
cp "$scratch/out" "$scratch/sampled"
run run "$model" -p "$prompt" -n 40 --seed 7 --device cpu
same "sampling: reference and default device" "$scratch/sampled" "$scratch/out"
run run "$model" -p "$prompt" -n 40 --seed 7 --mask floor --batch 3
same "sampling: as a lesser device, in other batches" "$scratch/sampled" "$scratch/out"
run run "$model" -p "$prompt" -n 40 --seed 8
is "sampling: another seed" 1 "$(cmp -s "$scratch/sampled" "$scratch/out"; echo $?)"
printf '%s\n' "$prompt" >"$scratch/prompt"
stdin=$scratch/prompt run run "$model" -n 40 --seed 7
same "prompt on stdin" "$scratch/sampled" "$scratch/out"
GODWIT_MODEL=$model run run -p "$prompt" -n 40 --seed 7
same "GODWIT_MODEL" "$scratch/sampled" "$scratch/out"
run run "$model" -p "$prompt" -n 40 --seed 7 --kv f16
same "an f16 cache is the default" "$scratch/sampled" "$scratch/out"
for kv in f16 f32,f32 q8_0 F16,q8_0 q8_0,f32; do
    run run "$small" -n 20 --temp 0 --ids --json --kv "$kv"
    is "--kv $kv: exit code" 0 "$code"
    named=${kv,,}
    [ "$named" = f32,f32 ] && named=f32
    has "--kv $kv: named in JSON" "\"kv\": ?\"$named\"" "$scratch/out"
done
run run "$model" -n 0
is "no tokens: exit code" 0 "$code"
is "no tokens: no text" "" "$(cat "$scratch/out")"

# Context: this model was trained for 128 tokens.
run run "$small" -n 200 --temp 0 --ids --ignore-eos
is "past the context: exit code" 0 "$code"
is "past the context: as many as fit" 127 "$(wc -w <"$scratch/out")"
has "past the context: says what helps" '--ctx 201' "$scratch/err"
run run "$small" -n 200 --temp 0 --ids --ignore-eos --ctx 201
same "--ctx 201 holds all" "$expected/small.ids.txt" "$scratch/out"
has "--ctx 201: says that it is past the training" 'trained' "$scratch/err"
run run "$small" -n 2 --temp 0 --ctx 201
has "--ctx 201: and says so when few are asked for" "context of 201 tokens is past the 128" "$scratch/err"
gives 1 run "$model" -p "$prompt" --ctx 4
has "prompt past the context" '--ctx [0-9]+' "$scratch/err"
gives 1 run "$model" -n 2 --logits "$scratch/none/logits"
[ -w /dev/full ] && gives 1 run "$model" -n 2 --logits /dev/full

# Experts in host memory: the same ids; reports say how many bytes.
if command -v zstd >/dev/null; then
    zstd -dcq "$root/tests/golden/families/qwen3moe.gguf.zst" >"$scratch/moe.gguf"
    ids() { gives 0 run "$scratch/moe.gguf" --no-prompt -n 8 --temp 0 --ids --stats "$@"; }
    for device in cpu 0; do
        ids --device $device
        cp "$scratch/out" "$scratch/ids"
        is "--device $device: no experts in host memory" 0 "$(grep -c 'host memory' "$scratch/err")"
        for n in 1 1000; do
            ids --device $device --host-experts $n
            same "--host-experts $n, --device $device: ids" "$scratch/ids" "$scratch/out"
            has "--host-experts $n: stats" '^experts +[1-9][0-9.]* KiB of the weights lie in host memory$' \
                "$scratch/err"
        done
        ids --device $device --host-experts 0
        is "--host-experts 0" 0 "$(grep -c 'host memory' "$scratch/err")"
    done
    gives 0 inspect "$scratch/moe.gguf"
    has "inspect says what can stay there" '^experts +[0-9.]+ MiB of weights' "$scratch/out"
else
    skip "experts in host memory: NO ZSTD"
fi
gives 2 run "$model" --host-experts -1

finish
