#!/usr/bin/env bash
# run.sh: `godwit run` on stories260K against text that another program wrote (karpathy's llama2.c;
# the ids and logits were computed in float64), on the reference and on the default device.
source "$(dirname "$0")/lib.bash"
llm=$data/llm
model=$llm/stories260K-ctx2048.gguf
[ -r "$model" ] || skip_all "NO TEST DATA at $data: set GODWIT_DATA"

# $1: the option for a device, or none.
greedy() {
    run run "$model" -n 200 --temp 0 --ignore-eos "$@"
    is "greedy $*: exit code" 0 "$code"
}

check_golden() {
    greedy --ids --logits "$scratch/logits" --kv f32 "$@"
    same "ids $*" "$llm/stories260K.expected.ids.txt" "$scratch/out"
    is "ids $*: nothing on stderr" "" "$(cat "$scratch/err")"
    is "logits $*: bytes" $((200 * 512 * 4)) "$(stat -c %s "$scratch/logits")"
    greedy "$@"
    { cat "$llm/stories260K.expected.txt"; echo; } >"$scratch/text"
    same "text $*" "$scratch/text" "$scratch/out"
}

# The logits of 16 steps, to a bound far above fp32 rounding of this model and far below its gaps.
check_logits() {
    n_checks=$((n_checks + 1))
    python3 - "$scratch/logits" "$llm/stories260K.logits16.f32" <<'PY' || fail "logits"
import struct, sys
a, b = (struct.unpack("<8192f", open(p, "rb").read(32768)) for p in sys.argv[1:])
worst = max(abs(x - y) for x, y in zip(a, b))
print(f"logits: largest difference from float64 {worst:.2e}")
sys.exit(not worst < 1e-3)
PY
}

check_json() {
    greedy --json --ids --stats "$@"
    cp "$scratch/out" "$scratch/json"
    is "json $*: ids" "$(tr ' ' , <"$llm/stories260K.expected.ids.txt")" \
        "$(json "$scratch/json" '",".join(map(str, d["ids"]))')"
    is "json $*: text" "$(cat "$llm/stories260K.expected.txt")" "$(json "$scratch/json" 'd["text"]')"
    is "json $*: stop" tokens "$(json "$scratch/json" 'd["stop"]')"
    is "json $*: speed" True "$(json "$scratch/json" 'd["stats"]["decode_tokens_per_s"] > 0')"
    is "json $*: peak memory" True "$(json "$scratch/json" 'd["stats"]["peak_rss_bytes"] > 1 << 20')"
    has "stats $*" '^first token +[0-9]+ ms' "$scratch/err"
}

for device in "--device cpu" ""; do
    check_golden $device
    if have_python; then
        check_logits
        check_json $device
    else
        skip "logits and JSON: NO PYTHON3"
    fi
done

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
run run "$model" -n 0
is "no tokens: exit code" 0 "$code"
is "no tokens: no text" "" "$(cat "$scratch/out")"

# Context: the other file of the same weights states 128 tokens.
run run "$llm/stories260K.gguf" -n 200 --temp 0 --ids --ignore-eos
is "past the context: exit code" 0 "$code"
is "past the context: as many as fit" 127 "$(wc -w <"$scratch/out")"
has "past the context: says what helps" '--ctx 201' "$scratch/err"
run run "$llm/stories260K.gguf" -n 200 --temp 0 --ids --ignore-eos --ctx 201
same "--ctx 201 holds all" "$llm/stories260K.expected.ids.txt" "$scratch/out"
has "--ctx 201: says that it is past the training" 'trained' "$scratch/err"
run run "$llm/stories260K.gguf" -n 2 --temp 0 --ctx 201
has "--ctx 201: and says so when few are asked for" "context of 201 tokens is past the 128" "$scratch/err"
gives 1 run "$model" -p "$prompt" --ctx 4
has "prompt past the context" '--ctx [0-9]+' "$scratch/err"
gives 1 run "$model" -n 2 --logits "$scratch/none/logits"
[ -w /dev/full ] && gives 1 run "$model" -n 2 --logits /dev/full

finish
