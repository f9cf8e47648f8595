#!/usr/bin/env bash
# render.sh: `godwit render`: the text that a model sees of a conversation. What templates make of
# their values is tests/text/jinja.c's; here it is what comes in, what goes out, and what is wrong.
source "$(dirname "$0")/lib.bash"
have_python || skip_all "NO PYTHON3"
python3 "$root/tests/cli/tiny_gguf.py" talk "$scratch/talk.gguf"
python3 "$root/tests/cli/tiny_gguf.py" chat "$scratch/none.gguf"
templates=$root/tests/golden/text/templates

hi='[{"role": "system", "content": "S"}, {"role": "user", "content": "Grüße\n😀"}]'
printf '%s' "$hi" >"$scratch/hi.json"
wanted=$'<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nGrüße\n😀<|im_end|>\n'
gives 0 render "$scratch/talk.gguf" --messages "$scratch/hi.json"
printf '%s' "$wanted"$'<|im_start|>assistant\n' >"$scratch/wanted"
same "a model's template" "$scratch/wanted" "$scratch/out"
stdin=$scratch/hi.json gives 0 render "$scratch/talk.gguf"
same "messages on stdin" "$scratch/wanted" "$scratch/out"
gives 0 render "$scratch/talk.gguf" --messages "$scratch/hi.json" --json
is "--json" "True" "$(json "$scratch/out" "d['text'].endswith('assistant\n') and '😀' in d['text']")"
gives 0 render "$scratch/talk.gguf" --messages "$scratch/hi.json" --no-generation-prompt
printf '%s' "$wanted" >"$scratch/wanted"
same "--no-generation-prompt" "$scratch/wanted" "$scratch/out"

# A template by itself, in the place of a model or of its own.
gives 0 render "$templates/plain-turns.jinja" --messages "$scratch/hi.json" --vars '{"eos_token": "</s>"}'
printf '<|system|>\nS</s>\n<|user|>\nGrüße\n😀</s>\n<|assistant|>\n' >"$scratch/wanted"
same "a template" "$scratch/wanted" "$scratch/out"
gives 0 render "$scratch/none.gguf" --template "$templates/plain-turns.jinja" --messages "$scratch/hi.json"
printf '<|system|>\nS<|end_of_text|>\n<|user|>\nGrüße\n😀<|end_of_text|>\n<|assistant|>\n' >"$scratch/wanted"
same "a template, the model's tokens" "$scratch/wanted" "$scratch/out"
gives 2 render "$templates/plain-turns.jinja" --template "$templates/plain-turns.jinja"

printf '[{"role": "user", "content": "Hi"}]' >"$scratch/user.json"
printf '[{"type": "function", "function": {"name": "f", "parameters": {"n": 1.50, "big": 1e2}}}]' >"$scratch/tools.json"
printf '{{ tools|tojson }}{{ x }}{{ strftime_now("%%Y")|length }}' >"$scratch/t.jinja"
gives 0 render "$scratch/t.jinja" --messages "$scratch/user.json" --tools "$scratch/tools.json" --vars '{"x": "ü"}'
is "tools and variables" '[{"type": "function", "function": {"name": "f", "parameters": {"n": 1.5, "big": 100.0}}}]ü4' \
    "$(cat "$scratch/out")"

python3 "$root/tests/cli/tiny_gguf.py" named "$scratch/named.gguf"
gives 0 render "$scratch/named.gguf" --messages "$scratch/user.json" --tools "$scratch/tools.json"
is "with tools the template of tools" 'T1<|endoftext|>' "$(cat "$scratch/out")"
gives 0 render "$scratch/named.gguf" --messages "$scratch/user.json"
has "without tools the default one" '^Hi<.im_end.>' "$scratch/out"

# wrong PATTERN TEMPLATE MESSAGES ARG...: an error of that kind, and nothing on stdout.
wrong() {
    printf '%s' "$2" >"$scratch/w.jinja"
    printf '%s' "$3" >"$scratch/w.json"
    gives 1 render "$scratch/w.jinja" --messages "$scratch/w.json" "${@:4}"
    has "$2, $3" "$1" "$scratch/err"
    is "$2, $3: stdout" "" "$(cat "$scratch/out")"
    is "$2, $3: one line" 1 "$(wc -l <"$scratch/err")"
}
wrong 'template line 2: the template refuses these messages: no$' $'\n{{ raise_exception("no") }}' '[]'
wrong "template line 1: 'x' is undefined" '{{ x.y }}' '[]'
wrong 'template line 2: .* is missing' $'\n{% if 1 %}' '[]'
wrong 'more (steps|memory) than a template may' '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}' '[]'
wrong 'messages: JSON, byte 1:' 'x' '[}'
wrong 'messages: no JSON array' 'x' '{}'
wrong 'message 1: no JSON object with a "role"' 'x' '[{"role": "user"}, 7]'

wrong 'no such|No such' 'x' '[]' --tools "$scratch/nowhere"
wrong 'vars: no JSON object' 'x' '[]' --vars '[1]'
gives 1 render "$scratch/none.gguf" --messages "$scratch/user.json"
has "a model without one" 'none.gguf: no chat template .*missing' "$scratch/err"
gives 1 render "$scratch/nowhere.gguf" --messages "$scratch/user.json"
printf '[{"role": "odd", "content": ""}]' >"$scratch/odd.json"
gives 1 render "$scratch/talk.gguf" --messages "$scratch/odd.json" --json
is "--json of an error" True "$(json "$scratch/out" '"odd role" in d["error"]')"
gives 2 render

finish
