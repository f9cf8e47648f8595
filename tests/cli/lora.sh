#!/usr/bin/env bash
# lora.sh: --lora of run, perplexity, batch, chat and embed, and sessions that were made with it.
source "$(dirname "$0")/lib.bash"
cd "$scratch" || exit 1
golden=$root/tests/golden/lora
zstd -dq "$golden/llama.gguf.zst" -o base.gguf || { skip "no zstd"; finish; }
cp "$golden/first.gguf" a.gguf
cp "$golden/second.gguf" b.gguf

ids() { # WHAT ARGS...: prints the ids that run makes
    gives 0 run base.gguf -p ab -n 6 --temp 0 --ids "${@:2}"
    cp out "$1.ids"
}
differ() { # A B
    is "$1 and $2 differ" 1 "$(cmp -s "$1.ids" "$2.ids"; echo $?)"
}
ids plain
ids both --lora a.gguf --lora b.gguf:0.5
ids zero --lora a.gguf:0
ids one --lora a.gguf
ids one_scaled --lora a.gguf:1.0
cp a.gguf a.gguf:2
ids colon --lora a.gguf:2
differ plain both
same "plain, zero" plain.ids zero.ids
same "one, one_scaled" one.ids one_scaled.ids
same "one, colon" one.ids colon.ids

# Sessions: the same adapters go on, others do not.
gives 0 run base.gguf -p ab -n 3 --temp 0 --ids --lora a.gguf --lora b.gguf:0.5 --save s
head -n 1 out >first.ids
gives 0 run base.gguf -n 3 --temp 0 --ids --resume s --lora a.gguf --lora b.gguf:0.5
is "goes on as if it had not stopped" "$(tr '\n' ' ' <both.ids)" "$(cat first.ids out | tr '\n' ' ')"
gives 1 run base.gguf -n 3 --resume s
has "without: says so" 'made with 2 LoRA adapters, the model here has 0' err
gives 1 run base.gguf -n 3 --resume s --lora a.gguf --lora b.gguf
has "another scale: says so" 'scale 0.5; the one here' err
gives 0 session inspect s
has "inspect: adapters" 'adapters     2' out

printf 'ab ab ab ab ab ab ab ab\n' >text
gives 0 perplexity base.gguf -c 8 -f text --lora a.gguf --json
grep perplexity out >with.json
gives 0 perplexity base.gguf -c 8 -f text --json
is "perplexity: another one" 1 "$(cmp -s <(grep perplexity out) with.json; echo $?)"
printf '{"custom_id": "x", "prompt": "ab"}\n' >in.jsonl
gives 0 batch base.gguf -i in.jsonl -o out.jsonl --temp 0 -n 6 --lora a.gguf
is "batch: the ids of run" "$(tr " " , <one.ids)" "$(sed 's/.*"token_ids":\[\([^]]*\).*/\1/' out.jsonl)"
gives 0 embed base.gguf -p ab --lora a.gguf
cp out with.embed
gives 0 embed base.gguf -p ab
is "embed: another one" 1 "$(cmp -s out with.embed; echo $?)"

gives 1 run base.gguf -p a --lora base.gguf
has "no adapter: says so" 'base.gguf: key general.type is not' err
gives 1 run base.gguf -p a --lora none.gguf
has "no file: named" 'none.gguf' err
gives 1 run "$small" -p a --lora a.gguf
has "of another model: names the tensor" 'a.gguf: tensor blk.0.attn_q.weight.lora_a: shapes' err
gives 1 run a.gguf -p a
has "alone: says what it is for" 'LoRA adapter.*--lora' err
finish
