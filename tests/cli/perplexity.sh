#!/usr/bin/env bash
# perplexity.sh: `godwit perplexity`: figures against what Python makes of the written logits, and
# bases that do not fit.
source "$(dirname "$0")/lib.bash"
model=$small
text=$expected/text.txt

# The model that ships, against float64 (tests/golden/run.py): its weights in F32, and as it is, with
# activations in 8 bits.
if have_python; then
    n_checks=$((n_checks + 1))
    gives 0 quantize "$story" "$scratch/f32.gguf" F32
    gives 0 perplexity "$scratch/f32.gguf" -f "$text" -c 64 --kv f32 --device cpu --json --logits "$scratch/base"
    cp "$scratch/out" "$scratch/f32.json"
    gives 0 perplexity "$story" -f "$text" -c 64 --kv f32 --json --kl-base "$scratch/base"
    python3 - "$expected/story.json" "$scratch/f32.json" "$scratch/out" <<'PY' || fail "perplexity of the story model"
import json, sys
want, f32, own = (json.load(open(p)) for p in sys.argv[1:])
off = [abs(x["perplexity"] / want["perplexity"] - 1) for x in (f32, own)]
print(f"perplexity: F32 {off[0]:.1e} off float64, Q8_0 {off[1]:.1e}, divergence {own['kl_divergence']:.1e}")
sys.exit(not (off[0] < 1e-5 and off[1] < 0.01 and own["kl_divergence"] < 1e-3
              and f32["scored"] == want["n_scored"]))
PY
else
    skip "perplexity against float64: NO PYTHON3"
fi

head -c 900 "$text" >"$scratch/text"
head -c 900 "$text" | tr 'e' 'a' >"$scratch/other"
read_it=(perplexity "$model" -f "$scratch/text" -c 64 -n 80)

gives 0 "${read_it[@]}" --device cpu --logits "$scratch/base" --json
cp "$scratch/out" "$scratch/cpu.json"
gives 0 "${read_it[@]}" --logits "$scratch/device" --json
same "the same logits on the device and in plain C" "$scratch/base" "$scratch/device"

gives 0 quantize "$model" "$scratch/small.gguf" Q4_0
gives 0 perplexity "$scratch/small.gguf" -f "$scratch/text" -c 64 -n 80 --logits "$scratch/small" \
    --kl-base "$scratch/base" --json
cp "$scratch/out" "$scratch/small.json"
gives 0 "${read_it[@]}" --kl-base "$scratch/base"
has "a model is not far from itself" 'divergence +0\.000000' "$scratch/out"
has "and has the same best tokens" 'same top +100\.00' "$scratch/out"

if have_python; then
    is "figures are those of the written logits" ok "$(python3 - "$scratch" <<'PY'
import json, math, struct, sys
def read(path):
    b = open(path, "rb").read()
    v, n = struct.unpack_from("<II", b, 8)
    assert b[:8] == b"GWLOGIT1" and len(b) == 16 + 4 * n + 4 * n * v and n == 80
    ids = struct.unpack_from(f"<{n}i", b, 16)
    rows = [struct.unpack_from(f"<{v}f", b, 16 + 4 * n + 4 * v * i) for i in range(n)]
    logs = []
    for r in rows:
        total = math.log(math.fsum(math.exp(x) for x in r))
        logs.append([x - total for x in r])
    return ids, logs
def near(a, b): assert abs(a - b) <= 1e-6 * abs(b), (a, b)
d = sys.argv[1]
ids, base = read(d + "/base")
ids2, small = read(d + "/small")
assert ids == ids2
def ppl(logs): return math.exp(-math.fsum(l[i] for l, i in zip(logs, ids)) / len(ids))
a, b = json.load(open(d + "/cpu.json")), json.load(open(d + "/small.json"))
near(a["perplexity"], ppl(base))
near(b["perplexity"], ppl(small))
near(b["base_perplexity"], ppl(base))
kl = [math.fsum(math.exp(p) * (p - q) for p, q in zip(x, y)) for x, y in zip(base, small)]
near(b["kl_divergence"], math.fsum(kl) / len(kl))
near(b["kl_divergence_max"], max(kl))
assert b["kl_divergence"] > 1e-5
top = [max(range(len(x)), key=x.__getitem__) == max(range(len(y)), key=y.__getitem__) for x, y in zip(base, small)]
near(b["same_top"], sum(top) / len(top))
print("ok")
PY
    )"
else
    skip "figures against Python: NO PYTHON3"
fi

gives 1 perplexity "$model" -f "$scratch/other" -c 64 -n 80 --kl-base "$scratch/base"
has "a base of another text" 'of another text' "$scratch/err"
gives 1 perplexity "$model" -f "$scratch/text" -c 32 -n 80 --kl-base "$scratch/base"
gives 1 perplexity "$model" -f "$scratch/text" --kl-base "$scratch/text"
has "a base that is no base, or a text too short" 'base|window' "$scratch/err"
head -c 5000 "$scratch/base" >"$scratch/cut"
gives 1 "${read_it[@]}" --kl-base "$scratch/cut"
has "a base that ends too early" 'ends too early' "$scratch/err"
# A NaN among the logits of the third scored token: 16 + 4 * 80 bytes, two rows of 512, 7 more.
cp "$scratch/base" "$scratch/nan"
printf '\0\0\300\177' | dd of="$scratch/nan" bs=1 seek=$((336 + 4 * (2 * 512 + 7))) conv=notrunc \
    2>"$scratch/err" || fail "dd: $(cat "$scratch/err")"
gives 1 "${read_it[@]}" --kl-base "$scratch/nan" --json
has "a base with a NaN" 'nan: logits of scored token 2 are not all finite' "$scratch/err"
is "and no figure is given" 0 "$(grep -c perplexity "$scratch/out")"
gives 1 perplexity "$model" -f "$scratch/none"
has "a text that is not there" 'none: No such file' "$scratch/err"
gives 1 perplexity "$model" -f /dev/null
has "an empty text" 'window' "$scratch/err"
gives 2 perplexity "$model" -f "$scratch/text" -c 3
printf '%s' "$(head -c 900 "$text")" >"$scratch/text"
timeout 60 "$godwit" "${read_it[@]:0:2}" -c 64 -n 80 <"$scratch/text" >"$scratch/out" 2>"$scratch/err"
is "a text from stdin" 0 "$?"

finish
