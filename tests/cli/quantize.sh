#!/usr/bin/env bash
# quantize.sh: `godwit quantize`: what comes out runs, reports, names, Ctrl-C, wrong command lines.
source "$(dirname "$0")/lib.bash"
model=$small
out=$scratch/out.gguf

# A copy in the same format has the same tensors and gives the same text.
gives 0 quantize "$model" "$out" F32
gives 0 run --device cpu "$out" -n 60 --temp 0 --ids
cp "$scratch/out" "$scratch/ids"
run run --device cpu "$model" -n 60 --temp 0 --ids
same "F32 of F32: the same text" "$scratch/ids" "$scratch/out"

# Rows of 172 fit no block of 32; q8_0 and the fallback of ffn_down stay close to the source.
gives 0 quantize "$model" "$out" q8_0 --threads 1
cp "$out" "$scratch/one.gguf"
has "rows that do not fit are summed up" \
    "^godwit: 2 matrices are F16: rows of 172 are no multiple of Q8_0's block of 32; -v names them$" \
    "$scratch/err"
is "in one line" 1 "$(wc -l <"$scratch/err")"
has "totals" '^21 tensors, 611\.2 KiB to [0-9.]+ KiB, .* rmse ' "$scratch/out"
gives 0 quantize "$model" "$out" Q8_0 --threads 5
same "the same bytes on five threads" "$scratch/one.gguf" "$out"
gives 0 inspect "$out"
has "blocks where they fit" 'Q8_0 .* blk\.0\.attn_q\.weight' "$scratch/out"
has "F16 where they do not" 'F16 .* blk\.0\.ffn_down\.weight' "$scratch/out"
has "vectors" 'F32 .* blk\.0\.attn_norm\.weight' "$scratch/out"
has "file type" 'general\.file_type \(u32\): 7$' "$scratch/out"
has "version" 'general\.quantization_version \(u32\): 2$' "$scratch/out"
has "metadata is copied" 'llama\.context_length \(u32\): 128' "$scratch/out"
gives 0 run "$out" -n 60 --temp 0 --ids
cp "$scratch/out" "$scratch/ids"
gives 0 run --device cpu "$out" -n 60 --temp 0 --ids
same "q8_0: the same ids on the default device" "$scratch/ids" "$scratch/out"

# The model that ships, there and back, tells what float64 tells of it (tests/golden/run.py).
gives 0 quantize "$story" "$scratch/f32.gguf" F32
gives 0 quantize "$scratch/f32.gguf" "$scratch/back.gguf" Q8_0
gives 0 run --device cpu "$scratch/back.gguf" -n 20 --temp 0
is "q8_0: how the story begins" "$(head -c 40 "$expected/story.txt")" "$(head -c 40 "$scratch/out")"

gives 0 quantize "$model" "$out" q4_0 --tensor 'output.weight=bf16' --tensor 'blk.?.attn_*=q8_0' -v
has "-v: a tensor with its error" '^F32 +-> Q8_0 +.* rmse [1-9]\.[0-9]+e-0[0-9] +\[64, 64\] +blk\.0\.attn_q\.weight$' "$scratch/out"
has "-v: a rule" '^F32 +-> BF16 .* output\.weight$' "$scratch/out"
has "-v: what does not fit" '-> F16 .* blk\.0\.ffn_down\.weight +\(rows of 172 ' "$scratch/out"
has "-v: no rule" '^F32 +-> Q4_0 .* token_embd\.weight$' "$scratch/out"
gives 0 quantize "$model" "$out" q4_0 --tensor '*_norm.weight=F16'
has "a pattern that changes nothing" "_norm\.weight': no tensor becomes F16; .*: vectors are F32" "$scratch/err"
is "is said once" 1 "$(grep -c 'no tensor becomes' "$scratch/err")"
if have_python; then
    gives 0 quantize "$model" "$out" q4_0 --json
    is "--json: tensors" "21 F32 Q4_0 [512, 64]" "$(json "$scratch/out" \
        '" ".join(str(x) for x in [len(d["tensors"]), *(d["tensors"][0][k] for k in ("from", "to", "shape"))])')"
    is "--json: sums" True "$(json "$scratch/out" \
        'sum(t["bytes"] for t in d["tensors"]) == d["bytes"] and d["rmse"] > 0 and d["n_other"] == 2')"
    is "--json: the error by the weights" True "$(json "$scratch/out" '0.05 < d["relative_rmse"] < 0.1')"
else
    skip "JSON checks: NO PYTHON3"
fi

# An importance matrix of this model, of another, and none.
if have_python; then
    write_imatrix "$scratch/good.dat" blk.0.attn_q.weight 64
    gives 0 quantize "$model" "$out" q4_0 --imatrix "$scratch/good.dat" --json
    is "imatrix: reached its tensor" "['blk.0.attn_q.weight']" \
        "$(json "$scratch/out" '[t["name"] for t in d["tensors"] if t["importance"]]')"
    gives 0 inspect "$out"
    has "imatrix: is named" 'quantize\.imatrix\.file \(string\): .*good\.dat' "$scratch/out"
    gives 0 quantize "$model" "$out" q4_0 --imatrix "$scratch/good.dat"
    has "totals: the error by the weights" ', matrices. rmse [0-9.]+e-0[0-9] \([0-9.]+% of their rms\), ' "$scratch/out"
    has "imatrix: how much it covers" '\(importances for 1 of 16 matrices\)$' "$scratch/out"
    write_imatrix "$scratch/other.dat" blk.99.attn_q.weight 64
    gives 1 quantize "$model" "$out" q4_0 --imatrix "$scratch/other.dat"
    has "imatrix: fits nothing" 'other\.dat: it has no importances for any of 16 matrices' "$scratch/err"
    head -c 100 "$scratch/good.dat" >"$scratch/cut.dat"
    gives 1 quantize "$model" "$out" q4_0 --imatrix "$scratch/cut.dat"
    write_imatrix "$scratch/other.dat" blk.0.attn_q.weight 60
    gives 1 quantize "$model" "$out" q4_0 --imatrix "$scratch/other.dat"
    has "imatrix: of another model" 'attn_q\.weight: .*another model' "$scratch/err"
fi
gives 1 quantize "$model" "$out" q4_0 --imatrix "$model"
has "imatrix: a model is none" 'no importance matrix' "$scratch/err"
gives 1 quantize "$model" "$out" q4_0 --imatrix "$scratch/none.dat"

# A format of what is there already.
gives 0 quantize "$scratch/one.gguf" "$scratch/again.gguf" q8_0
same "the same format again" "$scratch/one.gguf" "$scratch/again.gguf"
gives 0 quantize "$scratch/one.gguf" "$scratch/again.gguf" f32

# Nothing is left of what fails, and what was there stays.
printf old >"$scratch/kept.gguf"
gives 1 quantize "$model" "$scratch/kept.gguf" q4_0 --tensor 'no.such=f16'
has "a pattern that fits nothing" 'no\.such' "$scratch/err"
gives 1 quantize "$scratch/none.gguf" "$scratch/kept.gguf" q4_0
gives 1 quantize "$model" "$scratch/kept.gguf" i8
has "a format that cannot be written: what can" 'can be written: F32, F16' "$scratch/err"
gives 1 quantize "$model" "$scratch/none/out.gguf" q4_0
is "what was there stays" old "$(cat "$scratch/kept.gguf")"
gives 2 quantize "$model" "$out"
gives 2 quantize "$model" "$out" q4_0 q5_0
gives 2 quantize "$model" "$out" q9_9
gives 2 quantize "$model" "$out" q4_0 --tensor x
gives 2 quantize "$model" "$out" q4_0 --tensor =f16
gives 2 quantize "$model" "$out" q4_0 --threads 0
is "no temporary file is left" "" "$(find "$scratch" -name '*.part')"

# Signals in the middle of a file of 4 GiB of zeros (sparse: it takes no room).
if have_python; then
    python3 - "$scratch/big.gguf" <<'PY'
import struct, sys
name = b"token_embd.weight"
head = b"GGUF" + struct.pack("<IQQ", 3, 1, 0)
head += struct.pack("<Q", len(name)) + name + struct.pack("<IQQIQ", 2, 4096, 1 << 18, 0, 0)
with open(sys.argv[1], "wb") as f:
    f.write(head)
    f.truncate((len(head) + 31) // 32 * 32 + (4 << 30))
PY
    for row in INT:130 TERM:143 HUP:129; do
        env --default-signal=INT,TERM,HUP "$godwit" quantize "$scratch/big.gguf" \
            "$scratch/kept.gguf" q8_0 --json >"$scratch/out" 2>"$scratch/err" </dev/null &
        pid=$!
        for ((i = 0; i < 1000; i++)); do
            ls "$scratch"/kept.gguf.*.part >/dev/null 2>&1 && break
            sleep 0.01
        done
        kill -"${row%:*}" "$pid"
        wait "$pid"
        is "${row%:*}: exit code" "${row#*:}" "$?"
        is "${row%:*}: --json" "stopped by signal $((${row#*:} - 128))" \
            "$(json "$scratch/out" 'd["error"]')"
        is "${row%:*}: what was there stays" old "$(cat "$scratch/kept.gguf")"
        is "${row%:*}: no temporary file is left" "" "$(find "$scratch" -name '*.part')"
    done
fi

finish
