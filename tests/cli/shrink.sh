#!/usr/bin/env bash
# shrink.sh: a model's file that is cut short or overwritten while it is in use: an error that names
# it, where it was still to be read, and never a signal.
source "$(dirname "$0")/lib.bash"
model=$root/models/story-q8_0.gguf

# Cuts the file to SIZE when the first text is there: all weights have been read by then.
cut_after_first() { # SIZE ARG...
    cp "$model" "$scratch/m.gguf"
    "$godwit" run "$scratch/m.gguf" -p Once -n 60 --temp 0 --ignore-eos "${@:2}" 2>"$scratch/err" </dev/null |
        { IFS= read -r -d ' ' -t 60 _ || [ "$?" -gt 0 ]; truncate -s "$1" "$scratch/m.gguf"; cat >/dev/null; }
    code=${PIPESTATUS[0]}
}
for device in "--device cpu" ""; do
    for size in 1000 1000000; do
        cut_after_first $size --scrub $device
        is "run $device cut to $size: what it needs is in memory" 0 "$code"
        cut_after_first $size --guard 1 --ids $device
        is "run --guard 1 $device cut to $size: an error" 1 "$code"
        has "run --guard $device: names tensor and file" \
            "^godwit: guard: tensor .*m\.gguf: the file shrank from [0-9]* to $size bytes" "$scratch/err"
    done
done

# At any moment: whatever comes of it, it is no signal.
head -c 3000 "$root/models/story.md" >"$scratch/text"
at_once() { # WHAT DELAY ARG...
    local what=$1 delay=$2
    shift 2
    cp "$model" "$scratch/m.gguf"
    "$godwit" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    local pid=$!
    sleep "$delay"
    truncate -s 700000 "$scratch/m.gguf"
    wait $pid
    code=$?
    is "$what cut after $delay s: ends by itself" yes "$([ $code -le 1 ] && echo yes || echo $code)"
    [ $code = 0 ] || has "$what: names the file" 'm\.gguf' "$scratch/err"
    is "$what: nothing half-written is left" 0 "$(find "$scratch" -name '*.part' | wc -l)"
}
for delay in 0.00 0.02 0.04 0.1; do
    at_once run $delay run "$scratch/m.gguf" -p Once -n 5 --device cpu
    at_once perplexity $delay perplexity "$scratch/m.gguf" -c 32 -n 32 -f "$scratch/text"
    at_once quantize $delay quantize "$scratch/m.gguf" "$scratch/q.gguf" Q4_K
done
finish
