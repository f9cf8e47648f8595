#!/usr/bin/env bash
# session.sh: a text that is stopped, saved and gone on with is the text that never stopped; what a
# saved session holds; what is refused, and why; what cannot be written.
source "$(dirname "$0")/lib.bash"
model=$story
prompt="Once upon a time"
s=$scratch/session
n_all=30

# numbers FILE: ids, one a line.
numbers() { tr ' ' '\n' <"$1" | grep -v '^$'; }

# whole ARG...: the text that is not stopped; leaves its ids and logits.
whole() {
    run run "$model" -p "$prompt" -n "$n_all" --ignore-eos --ids --logits "$scratch/whole.logits" "$@"
    is "whole $*: exit code" 0 "$code"
    numbers "$scratch/out" >"$scratch/whole.ids"
}

# parts N SAVE... -- RESUME...: stopped after N tokens; the same ids and logits as the whole.
parts() {
    local n=$1 first=()
    shift
    while [ "$1" != -- ]; do first+=("$1"); shift; done
    shift
    run run "$model" -p "$prompt" -n "$n" --ignore-eos --ids --logits "$scratch/a.logits" --save "$s" "${first[@]}"
    is "$n, ${first[*]}: exit code" 0 "$code"
    numbers "$scratch/out" >"$scratch/ids"
    run run "$model" --resume "$s" -n $((n_all - n)) --ignore-eos --ids --logits "$scratch/b.logits" "$@"
    is "$n, resumed $*: exit code" 0 "$code"
    numbers "$scratch/out" >>"$scratch/ids"
    same "ids, stopped after $n, ${first[*]} / $*" "$scratch/whole.ids" "$scratch/ids"
    cat "$scratch/a.logits" "$scratch/b.logits" >"$scratch/logits"
    same "logits, stopped after $n, ${first[*]} / $*" "$scratch/whole.logits" "$scratch/logits"
}

# --- the same bits

whole --temp 0 --kv f16,q8_0
parts 7 --temp 0 --kv f16,q8_0 --
parts 1 --temp 0 --kv f16,q8_0 -- --device cpu --batch 3
parts 7 --temp 0 --kv f16,q8_0 --save-tokens-only -- --ctx 400
whole --seed 9 --temp 1.2 --top-k 50
parts 7 --seed 9 --temp 1.2 --top-k 50 --device cpu --
parts 29 --seed 9 --temp 1.2 --top-k 50 --

# A chain of one file, and its text; -n 0 saves a prompt.
run run "$model" -p "$prompt" -n 12 --seed 4
cp "$scratch/out" "$scratch/whole"
gives 0 run "$model" -p "$prompt" -n 0 --seed 4 --save "$s"
: >"$scratch/text"
for n in 5 1 6; do
    gives 0 run "$model" --resume "$s" --save "$s" -n "$n"
    head -c -1 "$scratch/out" >>"$scratch/text" # the line end that ends a text
done
echo >>"$scratch/text"
same "a chain of one file" "$scratch/whole" "$scratch/text"

# A prompt is added; without one, stdin is left alone; options go before the file.
printf 'no prompt' >"$scratch/stdin"
stdin=$scratch/stdin gives 0 run "$model" --resume "$s" -n 0 --save "$scratch/same"
same "nothing read, nothing said: the same session" "$s" "$scratch/same"
gives 0 run "$model" --resume "$s" -p " The dog" -n 3 --seed 8 --save "$scratch/more"
is "and nothing is said of it" "" "$(cat "$scratch/err")"
has "the seed that an option gives" 'seed 8; next draw' <(run session inspect "$scratch/more"; cat "$scratch/out")

# --- what it holds

gives 0 session inspect "$s"
has "inspect: model" '^model +Godwit Story \(llama\), 6 layers, fingerprint [0-9a-f]{32}$' "$scratch/out"
has "inspect: numerics" '^numerics +exact, contract 2$' "$scratch/out"
has "inspect: sampling" '^sampling +temp 0.8, .* seed 4; next draw at position [0-9]+$' "$scratch/out"
has "inspect: states" '^states +k +F16 +6 layers of [0-9]+ rows' "$scratch/out"
if have_python; then
    gives 0 session inspect "$s" --json
    cp "$scratch/out" "$scratch/json"
    is "inspect: tokens" "$(json "$scratch/json" 'd["sampling"]["position"]')" "$(json "$scratch/json" 'len(d["tokens"])')"
    is "inspect: bytes" "$(stat -c %s "$s")" "$(json "$scratch/json" 'd["bytes"]')"
    is "inspect: states" "k v logits" "$(json "$scratch/json" '" ".join(x["name"] for x in d["states"])')"
    run run "$model" --resume "$s" -n 2 --json
    is "run --resume --json: tokens before" "$(json "$scratch/json" 'len(d["tokens"])')" \
        "$(json "$scratch/out" 'd["stats"]["n_resumed"]')"
    is "run --resume --json: seed" 4 "$(json "$scratch/out" 'd["params"]["seed"]')"
fi
gives 0 run "$model" -p "$prompt" -n 3 --save "$scratch/few" --save-tokens-only
is "tokens alone are small" True "$([ "$(stat -c %s "$scratch/few")" -lt 600 ] && echo True)"
gives 0 session inspect "$scratch/few"
has "inspect: no states" '^states +none' "$scratch/out"

# An end token is not part of it: the text is at its end again, and a prompt goes on from there.
run run "$model" -p "$prompt" -n 900 --ctx 1000 --temp 0 --json --save "$s"
if have_python && [ "$(json "$scratch/out" 'd["stop"]')" = end ]; then
    n=$(json "$scratch/out" 'len(d["ids"]) + d["stats"]["n_prompt"]')
    run session inspect "$s" --json
    is "an end token is not kept" True "$(json "$scratch/out" "len(d['tokens']) <= $n")"
    gives 0 run "$model" --resume "$s" -n 5
    is "the text is at its end again" "" "$(tr -d '\n' <"$scratch/out")"
    gives 0 run "$model" --resume "$s" -n 5 -p "Then" --ignore-eos --ids
    is "and goes on with a prompt" 5 "$(wc -w <"$scratch/out")"
else
    skip "end token: the story has none in 900 tokens, or NO PYTHON3"
fi

# --- what is refused

gives 0 run "$model" -p "$prompt" -n 3 --save "$s"
gives 1 run "$small" --resume "$s"
has "another model" 'session file: chunk 1 \(MODL\): of another model: Godwit Story' "$scratch/err"
gives 1 run "$model" --resume "$s" --numerics fast
has "other numerics" 'chunk 0 \(SESS\): numerics are exact' "$scratch/err"
gives 1 run "$model" --resume "$s" --kv q8_0
has "another KV format" 'is f16, and stays so' "$scratch/err"
gives 1 run "$model" --resume "$s" --ctx 4
has "a context that is too small" 'do not fit the context of 4' "$scratch/err"
gives 1 run "$model" --resume "$scratch/none"
gives 1 run "$model" --resume "$scratch"
gives 1 run "$model" --resume "$model"
has "no session file" 'does not begin as one' "$scratch/err"
gives 1 session inspect "$model"
gives 1 session inspect "$scratch/none"
bytes=$(stat -c %s "$s")
for at in 3 9 40 200 $((bytes / 2)) $((bytes - 1)); do
    { head -c "$at" "$s"; printf '\125'; tail -c +$((at + 2)) "$s"; } >"$scratch/bad"
    cmp -s "$s" "$scratch/bad" && continue
    gives 1 run "$model" --resume "$scratch/bad" -n 2
    is "byte $at is another: no text" "" "$(cat "$scratch/out")"
    gives 1 session inspect "$scratch/bad"
done
head -c $((bytes - 5)) "$s" >"$scratch/bad"
gives 1 run "$model" --resume "$scratch/bad"
has "cut short" 'cut short\?' "$scratch/err"
{ cat "$s"; echo; } >"$scratch/bad"
gives 1 session inspect "$scratch/bad"
has "bytes behind the end" 'bytes behind its end' "$scratch/err"

# --- what cannot be written

run run "$model" -p "$prompt" -n 6 --temp 0
cp "$scratch/out" "$scratch/text"
if [ -w /dev/full ]; then
    gives 1 run "$model" -p "$prompt" -n 6 --temp 0 --save /dev/full
    has "a full disk is said" 'session: /dev/full: ' "$scratch/err"
    same "a full disk: the text is there" "$scratch/text" "$scratch/out"
fi
mkfifo "$scratch/pipe"
head -c 1 "$scratch/pipe" >"$scratch/read" &
gives 1 run "$model" -p "$prompt" -n 6 --temp 0 --kv f32 --save "$scratch/pipe"
wait
has "a closed pipe is said" 'session: .*/pipe: ' "$scratch/err"
same "a closed pipe: the text is there" "$scratch/text" "$scratch/out"
cat "$scratch/pipe" >"$scratch/read" &
gives 0 run "$model" -p "$prompt" -n 6 --temp 0 --save "$scratch/pipe"
wait
gives 0 session inspect "$scratch/read"
# A file that may not grow: what was there stays, and nothing else is left.
printf old >"$scratch/old"
(
    ulimit -f 8
    exec "$godwit" run "$model" -p "$prompt" -n 6 --temp 0 --save "$scratch/old"
) >"$scratch/out" 2>"$scratch/err" </dev/null
is "no room: exit code" 1 $?
has "no room is said" 'session: .*/old: ' "$scratch/err"
same "no room: the text is there" "$scratch/text" "$scratch/out"
is "no room: what was there stays" old "$(cat "$scratch/old")"
is "no temporary file is left" "" "$(find "$scratch" -name '*.part')"
gives 1 run "$model" -p "$prompt" -n 6 --save "$scratch/none/file"
is "no such folder: said before the text" "" "$(cat "$scratch/out")"
cp "$model" "$scratch/model.gguf"
gives 1 run "$scratch/model.gguf" -p "$prompt" -n 2 --save "$scratch/model.gguf"
same "a model is not written over" "$model" "$scratch/model.gguf"

# A signal ends the text, and what was printed is saved.
rm -f "$s" "$scratch/ids"
env --default-signal=TERM "$godwit" run "$model" -p "$prompt" --ignore-eos --temp 0 --ctx 16384 -n 16000 --ids \
    --save "$s" >"$scratch/ids" 2>"$scratch/err" </dev/null &
pid=$!
for ((i = 0; i < 3000; i++)); do [ -s "$scratch/ids" ] && break; sleep 0.01; done
kill -TERM $pid
wait $pid
is "SIGTERM: exit code" 143 $?
n=$(wc -w <"$scratch/ids")
gives 0 run "$model" --resume "$s" -n 4 --ignore-eos --ids
cat "$scratch/out" >>"$scratch/ids"
run run "$model" -p "$prompt" --ignore-eos --temp 0 --ctx 16384 -n $((n + 4)) --ids
is "SIGTERM: goes on where it stopped" "$(numbers "$scratch/out")" "$(numbers "$scratch/ids")"

finish
