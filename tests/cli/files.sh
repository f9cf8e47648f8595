#!/usr/bin/env bash
# files.sh: `godwit inspect`, and files that are no models.
source "$(dirname "$0")/lib.bash"
model=$small

printf 'just text\n' >"$scratch/text.gguf"
printf 'GGUF' >"$scratch/magic.gguf"
: >"$scratch/empty.gguf"
mkdir "$scratch/directory.gguf"
head -c 5000 "$model" >"$scratch/cut-header.gguf"
head -c 500000 "$model" >"$scratch/cut-data.gguf"
printf 'GGUF\003\0\0\0\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377' \
    >"$scratch/counts.gguf"
cp "$model" "$scratch/unreadable.gguf"
chmod 0 "$scratch/unreadable.gguf"

for file in text magic empty directory cut-header cut-data counts; do
    for command in inspect run bench; do
        gives 1 "$command" "$scratch/$file.gguf"
        has "$command $file: names the file" "$file" "$scratch/err"
    done
done
for file in /dev/null /dev/zero "$scratch/none.gguf" ""; do
    gives 1 inspect "$file"
    gives 1 run --device cpu -p x "$file"
done
if [ ! -r "$scratch/unreadable.gguf" ]; then
    gives 1 inspect "$scratch/unreadable.gguf"
else
    skip "unreadable file: RUNNING AS ROOT"
fi
if mkfifo "$scratch/fifo.gguf" 2>/dev/null; then
    timeout 20 "$godwit" inspect "$scratch/fifo.gguf" >"$scratch/out" 2>"$scratch/err" </dev/null
    is "inspect a fifo: refused, not waited for" 1 "$?"
fi

gives 0 inspect "$model"
has "inspect: architecture" 'llama' "$scratch/out"
has "inspect: a tensor with its shape" 'F32 .*\[512, 64\].* token_embd\.weight' "$scratch/out"
has "inspect: a key" 'llama\.context_length \(u32\): 128' "$scratch/out"
gives 0 inspect "$model" --graph
has "inspect --graph" 'rms_norm' "$scratch/out"
cp "$scratch/out" "$scratch/graph"
gives 0 inspect "$model" --graph --tokens 7
is "another number of tokens is another graph" 1 "$(cmp -s "$scratch/graph" "$scratch/out"; echo $?)"
gives 0 inspect "$model" --passes
has "inspect --passes" 'rms_norm' "$scratch/out"
has "inspect --passes: the plan" '^# plan: [0-9]+ launches.*a layer: [0-9]+ launches, [0-9]+ barriers' "$scratch/out"
has "inspect --passes: launches" '^[|] matmul\S* +blk\.0\.attn_output' "$scratch/out"
if have_python; then
    gives 0 inspect "$model" --json
    is "inspect --json: tensors" "21 F32" \
        "$(json "$scratch/out" 'str(len(d["tensors"])) + " " + d["tensors"][0]["type"]')"
    is "inspect --json: totals sum up" True "$(json "$scratch/out" \
        'sum(t["bytes"] for t in d["tensors"]) == sum(t["bytes"] for t in d["totals"].values())')"
    gives 0 inspect "$model" --json --graph
    is "inspect --json --graph" True "$(json "$scratch/out" '"rms_norm" in d["graph"]')"
    gives 0 inspect "$model" --json --passes
    is "inspect --json --passes: a line each" True "$(json "$scratch/out" \
        'd["plan"]["n_launches"] == len(d["graph"].split("# plan")[1].splitlines()) - 1')"
    is "inspect --json --passes: barriers" True "$(json "$scratch/out" \
        'd["plan"]["n_barriers"] == d["graph"].split("# plan")[1].count("\n|")')"
    # What inspect says of a file is what run does with it. Heads of 1, which no attention takes.
    gives 0 inspect "$model" --json
    is "inspect --json: it runs" True "$(json "$scratch/out" 'd["runs"]')"
    python3 - "$model" "$scratch/heads.gguf" "$scratch/tokens.gguf" <<'PY'
import struct, sys
b = open(sys.argv[1], "rb").read()
for key, value in ("head_count", 64), ("head_count_kv", 32):
    key = b"llama.attention." + key.encode() + struct.pack("<I", 4)
    at = b.index(key) + len(key)
    b = b[:at] + struct.pack("<I", value) + b[at + 4:]
key = b"llama.rope.dimension_count" + struct.pack("<I", 4)
at = b.index(key) + len(key)
open(sys.argv[2], "wb").write(b[:at] + struct.pack("<I", 1) + b[at + 4:])
b = open(sys.argv[1], "rb").read()
key = b"tokenizer.ggml.model" + struct.pack("<IQ", 8, 5)
open(sys.argv[3], "wb").write(b.replace(key + b"llama", key + b"lamma"))
PY
    for name in heads tokens; do
        gives 0 inspect "$scratch/$name.gguf"
        is "inspect $name: does not run" 0 "$(grep -c 'nothing: it runs' "$scratch/out")"
        grep -m 1 "$name.gguf: " "$scratch/out" >"$scratch/said"
        gives 1 run "$scratch/$name.gguf" -n 1 -p x --device cpu
        is "run $name: the same reason" "$(sed 's/^ *//' "$scratch/said")" \
            "$(sed 's/^godwit: //' "$scratch/err")"
        gives 0 inspect "$scratch/$name.gguf" --json
        is "inspect $name --json: does not run" False "$(json "$scratch/out" 'd["runs"]')"
    done
else
    skip "JSON checks: NO PYTHON3"
fi

finish
