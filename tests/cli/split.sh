#!/usr/bin/env bash
# split.sh: a model in several files is the model; what is missing of it is named.
source "$(dirname "$0")/lib.bash"
have_python || skip_all "NO PYTHON3"
whole=$root/models/story-q8_0.gguf
python3 "$root/tests/cli/split_gguf.py" "$whole" "$scratch/m" 3
part() { echo "$scratch/m-0000$1-of-00003.gguf"; }
printf 'Once upon a time there was a little bird who could not fly. One day she met a fox.' >"$scratch/text"

ids=(-p 'Once upon a time' -n 12 --temp 0 --ids)
gives 0 run "$whole" "${ids[@]}"
cp "$scratch/out" "$scratch/ids"
for with in "" "--scrub" "--guard 1" "--device cpu --guard 2"; do
    gives 0 run "$(part 1)" "${ids[@]}" $with
    same "the whole's ids, run $with" "$scratch/ids" "$scratch/out"
done
gives 0 perplexity "$whole" -f "$scratch/text" -c 16
grep ^perplexity "$scratch/out" >"$scratch/figures"
gives 0 perplexity "$(part 1)" -f "$scratch/text" -c 16
grep ^perplexity "$scratch/out" | cmp -s - "$scratch/figures"
is "the whole's perplexity" 0 "$?"
gives 0 quantize "$whole" "$scratch/whole-q4.gguf" Q4_0
gives 0 quantize "$(part 1)" "$scratch/joined.gguf" Q4_0
same "quantize makes one file of all" "$scratch/whole-q4.gguf" "$scratch/joined.gguf"
gives 0 inspect "$(part 1)"
has "inspect: how many files" '^files +3' "$scratch/out"
has "inspect: it runs" 'nothing: it runs' "$scratch/out"
has "inspect: the tensors of all" '^tensors: 56' "$scratch/out"

for command in "run -p a" inspect "quantize" "perplexity -f $scratch/text"; do
    read -ra words <<<"$command"
    rest=()
    [ "$command" != quantize ] || rest=("$scratch/x.gguf" Q8_0)
    gives 1 "${words[0]}" "$(part 2)" "${rest[@]}" "${words[@]:1}"
    has "$command of another part: the first is named" "file 2 of 3.*$(part 1)" "$scratch/err"
done
# No part of what is read is written to.
cksum "$scratch"/m-* >"$scratch/sums"
gives 1 quantize "$(part 1)" "$(part 3)" Q8_0
gives 1 perplexity "$(part 1)" -f "$scratch/text" -c 16 --logits "$(part 2)"
cksum "$scratch"/m-* >"$scratch/after"
same "the parts are as they were" "$scratch/sums" "$scratch/after"

mv "$(part 3)" "$scratch/away.gguf"
for command in "run -p a" inspect; do
    read -ra words <<<"$command"
    gives 1 "${words[0]}" "$(part 1)" "${words[@]:1}"
    has "$command without a part: it is named" "cannot open: $(part 3)" "$scratch/err"
done
head -c 100000 "$scratch/away.gguf" >"$(part 3)"
gives 1 run "$(part 1)" -p a
has "a part cut short: it is named" "$(part 3): .*truncated" "$scratch/err"
finish
