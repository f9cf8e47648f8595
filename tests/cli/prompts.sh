#!/usr/bin/env bash
# prompts.sh: prompts as people have them: markers, turn ends, line ends, seeds. The models are made
# by tiny_gguf.py: which token follows is a function of the last one, so the right text is known.
source "$(dirname "$0")/lib.bash"
have_python || skip_all "NO PYTHON3"

make() { python3 "$root/tests/cli/tiny_gguf.py" "$1" "$scratch/$2.gguf" "${@:3}"; }
# greedy NAME ARG...
greedy() { gives 0 run "$scratch/$1.gguf" -n 8 --temp 0 --json --device cpu "${@:2}"; }
# answers WHAT TEXT STOP N_PROMPT: of the last run.
answers() {
    is "$1" "$2 $3 $4" "$(json "$scratch/out" 'd["text"], d["stop"], d["stats"]["n_prompt"]' |
        tr -d "(),'")"
}

make chat chat
turn=$'<|start_header_id|>user<|end_header_id|>\n\nab<|eot_id|>'
greedy chat -p "$turn"
answers "markers are text unless asked for" xxxxxxxx tokens 54
has "and that is said" '^godwit: the prompt has .*--parse-special' "$scratch/err"
for device in cpu 0; do
    greedy chat -p "$turn" --parse-special --device "$device"
    answers "markers are tokens, device $device" ab end 11
done
is "markers are tokens: nothing on stderr" "" "$(cat "$scratch/err")"
greedy chat -p "<|begin_of_text|>$turn" --parse-special
answers "the file's BOS is there once" ab end 11
has "and that is said" '^godwit: .* once$' "$scratch/err"
greedy chat -p "<|begin_of_text|><|begin_of_text|>$turn" --parse-special
is "two that were written, and one that is added" 12 \
    "$(json "$scratch/out" 'd["stats"]["n_prompt"]')"
greedy chat -p "ab"
is "no markers: nothing on stderr" "" "$(cat "$scratch/err")"
for _ in $(seq 40); do printf '%s' "$turn"; done >"$scratch/text"
gives 0 perplexity "$scratch/chat.gguf" -f "$scratch/text" --ctx 64 --json --device cpu
plain=$(json "$scratch/out" 'd["tokens"]')
gives 0 perplexity "$scratch/chat.gguf" -f "$scratch/text" --ctx 64 --json --device cpu --parse-special
is "perplexity reads markers, too" True \
    "$(json "$scratch/out" "d['tokens'] * 4 < $plain")"

# What ends a turn ends it, whatever type a converter gave it.
for mark in '<|im_end|>' '[EOT]'; do
    for kind in 1 4; do
        make turn_end turn "$mark" "$kind"
        greedy turn -p a
        answers "$mark of type $kind ends" b end 3
        has "$mark of type $kind is said" "token 263 .*token_type" "$scratch/err"
        is "once" 1 "$(wc -l <"$scratch/err")"
    done
    make turn_end turn "$mark" 3
    greedy turn -p a
    answers "$mark as a control token ends" b end 3
    is "and nothing is said" "" "$(cat "$scratch/err")"
done
make turn_end turn '<odd>' 3
greedy turn -p a
answers "another text is none" babab tokens 3

# No EOS stands behind a text that is gone on from.
make add_eos eos
greedy eos -p a
answers "add_eos" b end 3
gives 0 run "$scratch/eos.gguf" -p "" -n 2 --temp 0 --json --device cpu
is "add_eos, empty prompt" 1 "$(json "$scratch/out" 'd["stats"]["n_prompt"]')"

make bad_id bad
greedy bad -p a
answers "an id past the vocabulary is left out" b end 3
has "and that is said" 'eot_token_id is 264, but the vocabulary has 264 tokens' "$scratch/err"
make no_pre pre
greedy pre -p a
answers "without a pre-tokenizer" b end 1
has "and that is said" 'tokenizer.ggml.pre is missing' "$scratch/err"

# A line end at the end of stdin is none of the prompt's, in either form, once.
make turn_end turn '<|im_end|>' 3
for ends in '3 a' '3 a\n' '3 a\r\n' '4 a\n\n' '4 a\r' '5 a\r\n\r\n'; do
    printf "${ends#* }" >"$scratch/prompt"
    stdin=$scratch/prompt greedy turn
    is "a prompt of '$ends'" "${ends% *}" "$(json "$scratch/out" 'd["stats"]["n_prompt"]')"
done

# A seed that is made up is said, is another each time, and repeats the run.
draw() { gives 0 run "$scratch/chat.gguf" --device cpu -p ab -n 40 --temp 50 --json --ignore-eos "$@"; }
draw --seed -1
first=$(json "$scratch/out" 'd["params"]["seed"]')
ids=$(json "$scratch/out" 'd["ids"]')
has "the seed is said" "^godwit: --seed $first " "$scratch/err"
draw --seed "$first"
is "the seed repeats the run" "$ids" "$(json "$scratch/out" 'd["ids"]')"
is "a seed that was given is not said" "" "$(cat "$scratch/err")"
draw -s-1
is "another one is made up" True "$(json "$scratch/out" "d['params']['seed'] != $first")"
is "and draws otherwise" True "$(json "$scratch/out" "str(d['ids']) != '$ids'")"
draw --seed 18446744073709551615
is "the largest seed" 18446744073709551615 "$(json "$scratch/out" 'd["params"]["seed"]')"
# What tokens were there, and what is asked for by name.
greedy() { gives 0 run "$scratch/chat.gguf" --device cpu -p ab -n 9 --temp 0 --json --ignore-eos "$@"; json "$scratch/out" 'd["ids"]'; }
first=$(greedy)
token=$(json "$scratch/out" 'd["ids"][0]')
is "a token that may not come" False "$(greedy --logit-bias "$token-inf" >/dev/null; json "$scratch/out" "$token in d['ids']")"
is "a token that must come" True "$(greedy --logit-bias 7+1000 >/dev/null; json "$scratch/out" "d['ids'] == [7] * 9")"
is "a penalty spreads what comes" True "$(greedy --presence-penalty 100 >/dev/null; json "$scratch/out" "len(set(d['ids'])) > len(set($first))")"
is "DRY breaks a repeat" True "$(greedy --dry-multiplier 50 --dry-sequence-breaker none >/dev/null; json "$scratch/out" "d['ids'] != $first")"
# What leaves tokens out: as drawn without, with the same seed, the ids are others; and the same on every way.
drawn() { gives 0 run "$story" --device cpu -p Once -n 12 --seed 3 --temp 1.5 --json --top-p 0 --min-p 0 "$@"; json "$scratch/out" 'd["ids"]'; }
first=$(drawn)
for filter in "--typical-p 0.2" "--top-n-sigma 0.5" "--xtc-probability 1 --xtc-threshold 0.001" "--mirostat 2 --mirostat-ent 1"; do
    read -ra words <<<"$filter"
    is "$filter" True "$(drawn "${words[@]}" >/dev/null; json "$scratch/out" "d['ids'] != $first")"
done
is "XTC that is not drawn" "$first" "$(drawn --xtc-threshold 0.001)"
is "mirostat goes without top-k" "$(drawn --mirostat 2)" "$(drawn --mirostat 2 --top-k 1)"
gives 1 run "$story" --device cpu -p Once --mirostat 1
has "mirostat 1" "0 or 2" "$scratch/err"
# Saved and gone on with: mu is in the file.
drawn --mirostat 2 --mirostat-ent 2 --mirostat-lr 1 >/dev/null
whole=$(json "$scratch/out" 'd["ids"]')
drawn --mirostat 2 --mirostat-ent 2 --mirostat-lr 1 -n 5 --save "$scratch/s.gws" >/dev/null
half=$(json "$scratch/out" 'd["ids"]')
gives 0 run "$story" --device cpu --resume "$scratch/s.gws" -p "" -n 7 --json
is "mirostat, saved and resumed" "$whole" "$(json "$scratch/out" "$half + d['ids']")"
# A breaker that two tokens spell: no repeat goes across it.
again() { gives 0 run "$story" --device cpu -p "Lily saw the red dog. Tom saw the red dog. Sue saw the red dog" -n 1 --temp 0 --json "$@"; json "$scratch/out" 'd["ids"]'; }
first=$(again)
is "a repeat" True "$(again --dry-multiplier 50 --dry-sequence-breaker none >/dev/null; json "$scratch/out" "d['ids'] != $first")"
is "another breaker" True "$(again --dry-multiplier 50 --dry-sequence-breaker 'red cat' >/dev/null; json "$scratch/out" "d['ids'] != $first")"
is "a breaker of two tokens" "$first" "$(again --dry-multiplier 50 --dry-sequence-breaker 'red dog')"
is "a breaker that begins inside one" "$first" "$(again --dry-multiplier 50 --dry-sequence-breaker 'ed dog')"
for bias in 7 7+ +7 7+x 7+0x1 7+1001 7-infinity 9999999999+1 x+1; do
    gives 1 run "$scratch/chat.gguf" -p ab --logit-bias "$bias"
    has "bias $bias" 'not ID.V or ID-V' "$scratch/err"
done
gives 1 run "$scratch/chat.gguf" --device cpu -p ab --logit-bias 99999+1
has "a token that is not there" "token 99999, the vocabulary has" "$scratch/err"
gives 2 run "$scratch/chat.gguf" -p ab --logprobs 101

for seed in -2 1.5 -1x 18446744073709551616 ''; do
    gives 2 run "$scratch/chat.gguf" -p ab --seed "$seed"
done

finish
