#!/usr/bin/env bash
# convert.sh: `godwit convert` on the folders of tests/golden/hf: the logits are those of
# transformers, the keys as its configuration says, also as the gguf package reads them.
source "$(dirname "$0")/lib.bash"
golden=$root/tests/golden/hf
out=$scratch/out.gguf

# near FILE FILE BOUND: as many floats, each step's largest difference below BOUND of its largest.
near() {
    n_checks=$((n_checks + 1))
    python3 - "$@" <<'PY' || fail "logits: $*"
import struct, sys
a, b = (open(p, "rb").read() for p in sys.argv[1:3])
assert len(a) == len(b) and a, (len(a), len(b))
a, b = (struct.unpack(f"<{len(x) // 4}f", x) for x in (a, b))
n = len(a) // 6
worst = max(max(abs(x - y) for x, y in zip(a[i:i + n], b[i:i + n])) / max(map(abs, b[i:i + n]))
            for i in range(0, len(a), n))
print(f"logits: {sys.argv[2].rsplit('/', 1)[1]}: largest relative difference {worst:.1e}")
sys.exit(not worst < float(sys.argv[3]))
PY
}

# keys FILE FILE.json: the key values that the package gguf reads.
keys() {
    n_checks=$((n_checks + 1))
    python3 - "$@" <<'PY' || fail "keys: $*"
import json, sys
from gguf import GGUFReader
fields = GGUFReader(sys.argv[1]).fields
bad = 0
for key, want in json.load(open(sys.argv[2])).items():
    got = fields[key].contents() if key in fields else None
    near = isinstance(want, float) and got is not None and abs(got - want) <= 1e-6 * abs(want)
    if got != want and not near:
        print(f"{key}: {got!r}, not {want!r}")
        bad += 1
sys.exit(bad > 0)
PY
}

logits() { # DEVICE-OPTIONS...
    gives 0 run "$out" -p "$(cat "$golden/$case.prompt")" -n 6 --temp 0 --ignore-eos --kv f32 \
        --logits "$scratch/logits" "$@"
}

for case in bytes spm plain biases; do
    gives 0 convert "$golden/$case" "$out" --type F32
    has "$case: totals" '^[0-9]+ tensors, ' "$scratch/out"
    logits --device cpu
    if have_python; then near "$scratch/logits" "$golden/$case.f32" 1e-3; fi
    cp "$scratch/logits" "$scratch/reference"
    logits
    same "$case: the default device" "$scratch/reference" "$scratch/logits"
    if have_python && python3 -c 'import gguf' 2>/dev/null; then
        keys "$out" "$golden/$case.json"
    else
        skip "keys as the gguf package reads them: IT IS NOT INSTALLED"
    fi
    # In one step or in two: the same bytes.
    gives 0 convert "$golden/$case" "$scratch/direct.gguf" --type Q8_0
    gives 0 quantize "$out" "$scratch/two.gguf" Q8_0
    gives 0 inspect "$scratch/direct.gguf"
    cp "$scratch/out" "$scratch/direct.txt"
    gives 0 inspect "$scratch/two.gguf"
    is "$case: convert to Q8_0 is convert and quantize" \
        "$(sed 1d "$scratch/direct.txt")" "$(sed 1d "$scratch/out")"
    same "$case: the same file either way" "$scratch/direct.gguf" "$scratch/two.gguf"
    gives 0 quantize "$golden/$case" "$scratch/folder.gguf" Q8_0
    same "$case: quantize takes the folder, too" "$scratch/direct.gguf" "$scratch/folder.gguf"
done

# Settings that mean less, or more, than they say, as transformers takes them.
if have_python; then
    for settings in "$golden"/settings.*.json; do
        name=$(basename "$settings" .json)
        case=$(json "$settings" 'd["_case"]')
        mkdir "$scratch/$name"
        cp "$golden/$case"/* "$settings" "$scratch/$name"
        mv "$scratch/$name/$name.json" "$scratch/$name/config.json"
        gives 0 convert "$scratch/$name" "$out" --type F32
        logits --device cpu
        near "$scratch/logits" "$golden/$name.f32" 1e-3
    done
else
    skip "settings as transformers takes them: NO PYTHON3"
fi

gives 0 convert "$golden/bytes" "$out"
gives 0 inspect "$out"
has "F16 unless told otherwise" 'F16 .* blk\.0\.attn_q\.weight' "$scratch/out"
has "vectors are F32" 'F32 .* blk\.0\.attn_norm\.weight' "$scratch/out"
has "the divisors of llama3" 'F32 .* rope_freqs\.weight' "$scratch/out"
has "the chat template" 'tokenizer\.chat_template \(string\): ' "$scratch/out"
gives 0 convert "$golden/bytes/" "$out" --tensor 'blk.1.*=q8_0' --threads 2 --json
if have_python; then
    is "--json" "F32 Q8_0" "$(json "$scratch/out" '" ".join([d["tensors"][5]["from"],
        next(t["to"] for t in d["tensors"] if t["name"] == "blk.1.attn_q.weight")])')"
fi

if have_python; then
    gives 0 convert "$golden/bytes" "$scratch/f32.gguf" --type F32 --json
    n_cols=$(json "$scratch/out" 'next(t["shape"][1] for t in d["tensors"] if t["name"] == "blk.1.ffn_up.weight")')
    write_imatrix "$scratch/matrix.dat" blk.1.ffn_up.weight "$n_cols"
    gives 0 convert "$golden/bytes" "$scratch/plain.gguf" --type Q4_0
    gives 0 convert "$golden/bytes" "$scratch/direct.gguf" --type Q4_0 --imatrix "$scratch/matrix.dat" --json
    is "imatrix: reached its tensor" "['blk.1.ffn_up.weight']" \
        "$(json "$scratch/out" '[t["name"] for t in d["tensors"] if t["importance"]]')"
    gives 0 quantize "$scratch/f32.gguf" "$scratch/two.gguf" Q4_0 --imatrix "$scratch/matrix.dat"
    same "imatrix: the same file either way" "$scratch/direct.gguf" "$scratch/two.gguf"
    write_imatrix "$scratch/matrix.dat" blk.1.ffn_up.weight $((n_cols + 1))
    gives 1 convert "$golden/bytes" "$out" --type Q4_0 --imatrix "$scratch/matrix.dat"
else
    skip "importance matrices: NO PYTHON3"
fi

printf old >"$out"
gives 1 convert "$scratch/none" "$out"
has "no folder: says so" "none: No such file or directory" "$scratch/err"
mkdir "$scratch/bare"
gives 1 convert "$scratch/bare" "$out"
has "an empty folder: what one has" 'config\.json' "$scratch/err"
gives 1 convert "$golden/bytes/config.json" "$out"
gives 1 convert "$golden/bytes" "$out" --type i8
gives 1 convert "$golden/bytes" "$scratch/none/out.gguf"
gives 2 convert "$golden/bytes"
gives 2 convert "$golden/bytes" "$out" --type q9
gives 1 convert "$golden/bytes" "$out" --imatrix "$scratch/none"
gives 2 quantize "$golden/bytes/model.safetensors" "$out" q8_0
has "a part of a folder: what to name" 'name the folder' "$scratch/err"
is "what was there stays" old "$(cat "$out")"
is "no temporary file is left" "" "$(find "$scratch" -name '*.part')"

finish
