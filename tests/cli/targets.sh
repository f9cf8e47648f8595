#!/usr/bin/env bash
# targets.sh: files that the command writes: never one that it reads, by whatever name; whole or not
# at all; through links; under every name that a file may have.
source "$(dirname "$0")/lib.bash"
model=$small
golden=$root/tests/golden/hf/bytes
cp "$model" "$scratch/model.gguf"
ln "$scratch/model.gguf" "$scratch/hard.gguf"
ln -s model.gguf "$scratch/soft.gguf"
printf 'Once upon a time, there was a little girl. She liked to play in the park with her dog. %.0s' 1 2 3 4 5 6 7 8 \
    >"$scratch/text"
cp "$scratch/text" "$scratch/text.kept"

# refuses CODE NAME ARG...: fails, and says NAME.
refuses() {
    local expected=$1 name=$2
    shift 2
    gives "$expected" "$@"
    has "godwit $*: names the file" "$name" "$scratch/err"
}

# --- inputs

for out in model.gguf hard.gguf soft.gguf; do
    refuses 1 "$out.* same file" quantize "$scratch/model.gguf" "$scratch/$out" q8_0
    refuses 1 "$out.* same file" run "$scratch/model.gguf" -n 2 --device cpu --logits "$scratch/$out"
    refuses 1 "$out.* same file" perplexity "$scratch/model.gguf" -f "$scratch/text" -c 16 --device cpu \
        --logits "$scratch/$out"
done
same "the model stays" "$model" "$scratch/model.gguf"
refuses 1 'text.* same file' perplexity "$scratch/model.gguf" -f "$scratch/text" -c 16 --device cpu \
    --logits "$scratch/text"
stdin=$scratch/text refuses 1 'text.* same file' perplexity "$scratch/model.gguf" -c 16 --device cpu \
    --logits "$scratch/text"
stdin=$scratch/text refuses 1 'text.* same file' run "$scratch/model.gguf" -n 2 --device cpu \
    --logits "$scratch/text"
same "the text stays" "$scratch/text.kept" "$scratch/text"
gives 0 perplexity "$scratch/model.gguf" -f "$scratch/text" -c 16 --device cpu --logits "$scratch/base"
cp "$scratch/base" "$scratch/base.kept"
refuses 1 'base.* same file' perplexity "$scratch/model.gguf" -f "$scratch/text" -c 16 --device cpu \
    --kl-base "$scratch/base" --logits "$scratch/base"
same "the base stays" "$scratch/base.kept" "$scratch/base"

if have_python; then
    write_imatrix "$scratch/matrix.dat" blk.0.attn_q.weight 64
    cp "$scratch/matrix.dat" "$scratch/matrix.kept"
    refuses 1 'matrix\.dat.* same file' quantize "$model" "$scratch/matrix.dat" q4_0 \
        --imatrix "$scratch/matrix.dat"
    same "the matrix stays" "$scratch/matrix.kept" "$scratch/matrix.dat"
fi

cp -r "$golden" "$scratch/folder"
for file in "$scratch"/folder/*; do
    refuses 1 "$(basename "$file").* same file" convert "$scratch/folder" "$file"
done
ln -s folder/model.safetensors "$scratch/weights"
refuses 1 "weights.* same file" convert "$scratch/folder" "$scratch/weights"
refuses 1 "weights.* same file" quantize "$scratch/folder" "$scratch/weights" q8_0
n_checks=$((n_checks + 1))
diff -r "$golden" "$scratch/folder" >/dev/null || fail "the folder is another"
gives 0 convert "$scratch/folder" "$scratch/folder/out.gguf"
gives 0 convert "$scratch/folder" "$scratch/folder/out.gguf"

# --- names

gives 0 quantize "$model" "$scratch/plain.gguf" q8_0
mkdir "$scratch/links"
ln -s ../behind.gguf "$scratch/links/out.gguf"
for i in 1 2; do # first there is nothing behind the link
    gives 0 quantize "$model" "$scratch/links/out.gguf" q8_0
    same "through a link, $i" "$scratch/plain.gguf" "$scratch/behind.gguf"
    is "a link stays one, $i" ../behind.gguf "$(readlink "$scratch/links/out.gguf")"
done
ln -s ../logits "$scratch/links/logits"
gives 0 run "$model" -n 3 --temp 0 --device cpu --logits "$scratch/links/logits"
is "logits through a link" "$((3 * 512 * 4)) ../logits" \
    "$(stat -c %s "$scratch/logits") $(readlink "$scratch/links/logits")"
for n in 241 255; do
    name=$(printf 'n%.0s' $(seq "$n"))
    gives 0 quantize "$model" "$scratch/links/$name" q8_0
    same "a name of $n bytes" "$scratch/plain.gguf" "$scratch/links/$name"
    gives 0 run "$model" -n 3 --temp 0 --device cpu --logits "$scratch/links/$name"
    same "logits with a name of $n bytes" "$scratch/logits" "$scratch/links/$name"
done
name=$(printf 'n%.0s' $(seq 256))
refuses 1 'File name too long' quantize "$model" "$scratch/links/$name" q8_0
refuses 1 'File name too long' run "$model" -n 2 --device cpu --logits "$scratch/links/$name"

cd "$scratch" || exit 1
for out in "" -; do
    refuses 2 'OUT' quantize "$model" "$out" q8_0
    refuses 2 'OUT' convert "$golden" "$out"
    refuses 2 'logits' run "$model" -n 2 --device cpu --logits "$out"
    refuses 2 'logits' perplexity "$model" -f "$scratch/text" -c 16 --device cpu --logits "$out"
done
has "- : what would do" '\./-' "$scratch/err"
gives 0 quantize "$model" ./- q8_0
same "a file of the name -" "$scratch/plain.gguf" ./-
cd "$root" || exit 1

# --- whole or not at all

printf old >"$scratch/kept"
(
    ulimit -f 100 # KiB
    run quantize "$model" "$scratch/kept" f32
    printf '%s\n' "$code" >"$scratch/code"
)
is "quantize over the limit of a file's size: exit code" 1 "$(cat "$scratch/code")"
has "quantize over the limit of a file's size" 'File too large' "$scratch/err"
(
    ulimit -f 100
    run run "$model" -n 200 --temp 0 --ignore-eos --device cpu --logits "$scratch/kept"
    printf '%s\n' "$code" >"$scratch/code"
)
is "logits over the limit of a file's size: exit code" 1 "$(cat "$scratch/code")"
has "logits over the limit of a file's size" 'logits: .*File too large' "$scratch/err"
(
    ulimit -f 100
    run perplexity "$model" -f "$scratch/text" -c 120 --device cpu --logits "$scratch/kept"
    printf '%s\n' "$code" >"$scratch/code"
)
is "base over the limit of a file's size: exit code" 1 "$(cat "$scratch/code")"
has "base over the limit of a file's size" 'logits: .*File too large' "$scratch/err"
is "what was there stays" old "$(cat "$scratch/kept")"
gives 1 run "$model" -n 2 --device cpu --logits "$scratch"
gives 0 run "$model" -n 2 --device cpu --logits /dev/null
is "no temporary file is left" "" "$(find "$scratch" -name '*.part')"

finish
