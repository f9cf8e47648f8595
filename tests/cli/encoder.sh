#!/usr/bin/env bash
# encoder.sh: run, batch, bench and session of a model with an encoder in front of its decoder (T5), and what such a model
# is refused for.
source "$(dirname "$0")/lib.bash"
cd "$scratch" || exit 1
zstd -dq "$root/tests/golden/families/t5.gguf.zst" -o t5.gguf || { skip "no zstd"; finish; }

ids() { # WHAT ARGS...
    gives 0 run t5.gguf -n 12 --temp 0 --ids "${@:2}"
    cp out "$1.ids"
}
ids cpu -p "hello there" --device cpu
ids reference -p "hello there" --device reference
ids other -p "hello here" --device cpu
same "cpu and reference" cpu.ids reference.ids
is "another text" 1 "$(cmp -s cpu.ids other.ids; echo $?)"
is "as many as were asked for" 12 "$(wc -w <cpu.ids)"

# Saved with states or tokens alone, it goes on, and holds no more than what was printed.
for how in --save-tokens-only ""; do
    gives 0 run t5.gguf -p "hello there" -n 5 --temp 0 --ids --save s $how
    cp out first.ids
    gives 0 run t5.gguf -n 7 --temp 0 --ids --resume s --device reference
    is "goes on ($how)" "$(cat cpu.ids)" "$(cat first.ids out | tr '\n' ' ' | sed 's/ $//')"
done
gives 0 session inspect s
has "inspect: the text" 'the first 13 are an encoder' out
gives 0 session inspect s --json
has "inspect: in JSON" '"n_encoded": 13' out

# A context has the text, what the decoder begins with, and its own.
gives 0 run t5.gguf -p "hello there" -n 12 --temp 0 --ids --ctx 20
is "as many as there is room for" "$(cut -d' ' -f1-6 cpu.ids)" "$(cat out)"
gives 1 run t5.gguf -p "hello there" -n 1 --ctx 13
has "no room" 'does not fit the context of 13' err

# Prompts that begin alike share nothing, and have what they have alone.
printf '{"custom_id":"%s","prompt":"%s","max_tokens":12,"temperature":0}\n' \
    a "hello there" b "hello there, you and I" c "hello here" >in
gives 0 batch t5.gguf --in in --out results --parallel 2
for name in a:cpu c:other; do
    is "batch: ${name%:*}" "$(tr ' ' ',' <"${name#*:}.ids")" \
        "$(grep "\"custom_id\":\"${name%:*}\"" results | sed 's/.*"token_ids":\[\([^]]*\)\].*/\1/')"
done
has "batch: shared" '"shared_tokens":0' results
gives 0 bench t5.gguf -p 8 -n 4 --depth 0,9 -r 2 --parallel 2

for command in "perplexity t5.gguf --file in" "embed t5.gguf -p hello" "chat t5.gguf"; do
    # shellcheck disable=SC2086 # words
    gives 1 $command
done
finish
