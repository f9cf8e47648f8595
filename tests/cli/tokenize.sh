#!/usr/bin/env bash
# tokenize.sh: `godwit tokenize`: texts as ids and back. That the ids are right is tests/text's.
source "$(dirname "$0")/lib.bash"
have_python || skip_all "NO PYTHON3"
python3 "$root/tests/cli/tiny_gguf.py" chat "$scratch/bpe.gguf"

# ids WHAT WANTED TEXT ARG...: with printf's escapes in TEXT.
ids() {
    printf "$3" >"$scratch/in"
    stdin=$scratch/in gives 0 tokenize "$scratch/bpe.gguf" "${@:4}"
    is "$1" "$2" "$(cat "$scratch/out")"
}
ids "a text, and what stands in front" "258 256 99" abc
ids "--no-special" "256 99" abc --no-special
ids "nothing" 258 ""
ids "nothing at all" "" "" --no-special
ids "a line end is text" "256 10" 'ab\n' --no-special
ids "a byte 0 and a bad one are text" "97 0 255" 'a\x00\xff' --no-special
ids "markers are text" "258 60 124 101 111 116 95 105 100 124 62" '<|eot_id|>'
ids "--parse-special" "256 262 256" 'ab<|eot_id|>ab' --no-special --parse-special
printf 'ab c' >"$scratch/in"
stdin=$scratch/in gives 0 tokenize "$scratch/bpe.gguf" --json
is "--json" "[258, 256, 32, 99]" "$(json "$scratch/out" 'd["ids"]')"

# back TEXT IDS: --detokenize
back() {
    printf '%s' "$2" >"$scratch/in"
    stdin=$scratch/in gives 0 tokenize "$scratch/bpe.gguf" --detokenize
    is "back: $2" "$1" "$(cat "$scratch/out")"
}
back abc '256 99'
back abc ' [256,
99] '
back '' ''
back 'é' '195 169'
stdin=$scratch/in gives 0 tokenize "$scratch/bpe.gguf" --detokenize --json
is "--detokenize --json" "('é', [195, 169])" "$(json "$scratch/out" 'd["text"], d["ids"]')"
for bad in 263 -1 1.5 x 99999999999 '97x'; do
    printf '%s' "97 $bad" >"$scratch/in"
    stdin=$scratch/in gives 1 tokenize "$scratch/bpe.gguf" --detokenize
    has "$bad is no id" 'is no id of this vocabulary, which are 0 to 262' "$scratch/err"
done
head -c 300000 "$root/README.md" >"$scratch/in"
stdin=$scratch/in gives 0 tokenize "$story" --no-special
cp "$scratch/out" "$scratch/ids"
stdin=$scratch/ids gives 0 tokenize "$story" --detokenize
same "there and back" "$scratch/in" "$scratch/out"
gives 2 tokenize "$story" --detokenize --no-special
gives 2 tokenize
gives 1 tokenize "$scratch/nowhere.gguf"

vocabulary=$data/vocab/ggml-vocab-gpt-2.gguf
if [ -e "$vocabulary" ]; then
    printf 'Hello World' >"$scratch/in"
    stdin=$scratch/in gives 0 tokenize "$vocabulary"
    is "a vocabulary alone" "15496 2159" "$(cat "$scratch/out")"
else
    skip "a vocabulary alone: $vocabulary is missing"
fi

finish
