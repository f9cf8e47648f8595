#!/usr/bin/env bash
# chat.sh: `godwit chat` and `godwit run --chat`. The model is made by tiny_gguf.py: it answers "ab",
# and one without an end "xxx...", whatever is said.
source "$(dirname "$0")/lib.bash"
have_python || skip_all "NO PYTHON3"
python3 "$root/tests/cli/tiny_gguf.py" talk "$scratch/talk.gguf"
python3 "$root/tests/cli/tiny_gguf.py" talk "$scratch/on.gguf" 0
python3 "$root/tests/cli/tiny_gguf.py" chat "$scratch/none.gguf"
greedy=(--temp 0 --device cpu)

# talk INPUT ARG...: with printf's escapes in INPUT; leaves $code and the files.
talk() {
    printf "$1" >"$scratch/in"
    stdin=$scratch/in run chat "$scratch/talk.gguf" "${greedy[@]}" "${@:2}"
}
messages() { json "$scratch/out" '" ".join(m["role"][0] + ":" + m["content"] for m in d["messages"])'; }

gives 0 run "$scratch/talk.gguf" --chat -p hello "${greedy[@]}"
is "run --chat" ab "$(cat "$scratch/out")"
gives 0 run "$scratch/talk.gguf" --chat -p hello "${greedy[@]}" --json
is "run --chat --json" "('ab', 'end', 24)" "$(json "$scratch/out" 'd["text"], d["stop"], d["stats"]["n_prompt"]')"
gives 0 run "$scratch/talk.gguf" --chat -p hello --system S "${greedy[@]}" --json
is "run --chat --system" 35 "$(json "$scratch/out" 'd["stats"]["n_prompt"]')"
gives 2 run "$scratch/talk.gguf" -p hello --system S
gives 2 run "$scratch/talk.gguf" --chat --no-prompt
gives 1 run "$scratch/none.gguf" --chat -p hello "${greedy[@]}"
has "run --chat without a template" 'no chat template' "$scratch/err"
gives 1 chat "$scratch/none.gguf" "${greedy[@]}"
has "chat without a template" 'no chat template' "$scratch/err"

talk 'hello\n\nyou\n'
is "two turns: exit code" 0 "$code"
is "two turns: answers alone on stdout" $'ab\nab' "$(cat "$scratch/out")"
is "two turns: nothing on stderr" "" "$(cat "$scratch/err")"
talk 'no end'
is "a last line without its end" ab "$(cat "$scratch/out")"
talk ''
is "nothing: exit code and text" "0 " "$code $(cat "$scratch/out")"
talk 'a\\\nb\\\n\nc"""\n"""x\n\n y"""\n"""\nq\n"""\n"""open\n' --ctx 2048 --json
is "turns of several lines" $'u:a\nb\n a:ab u:c""" a:ab u:x\n\n y a:ab u:q a:ab u:open a:ab' "$(messages)"
talk 'a\r\nb\n/system  Be kind. \nc\n' --system S --json
is "system, CR LF" "s:Be kind. u:a a:ab u:b a:ab u:c a:ab" "$(messages)"

talk "a\nb\n/stats\n/save $scratch/saved.json\n"
is "/save: exit code" 0 "$code"
has "what was read is not read again" '; [1-9][0-9]* were there' "$scratch/err"
is "/save: a JSON array" 4 "$(json "$scratch/saved.json" 'len(d)')"
gives 0 render "$scratch/talk.gguf" --messages "$scratch/saved.json"
has "render reads it" '^b<.im_end.>' "$scratch/out"
talk 'c\n/stats\n' --resume "$scratch/saved.json"
is "--resume answers" ab "$(cat "$scratch/out")"
has "--resume has the states" '; [4-9][0-9] were there' "$scratch/err"
rm "$scratch/saved.json.session"
talk "/resume $scratch/saved.json\nc\n/stats\n" --json
is "without the states, too" "u:a a:ab u:b a:ab u:c a:ab" "$(messages)"
has "then all is read anew" '; 0 were there' "$scratch/err"
printf garbage >"$scratch/saved.json.session"
talk "/resume $scratch/saved.json\nc\n" --json
is "states that are damaged" "u:a a:ab u:b a:ab u:c a:ab" "$(messages)"
has "are said to be" 'read anew' "$scratch/err"
printf '{}' >"$scratch/bad.json"
talk "/resume $scratch/bad.json\nx\n"
is "/resume of something else: exit code" 1 "$code"
is "/resume of something else: goes on" ab "$(cat "$scratch/out")"
gives 1 chat "$scratch/talk.gguf" "${greedy[@]}" --resume "$scratch/bad.json"

talk '/regenerate\na\n/regenerate\n/clear\n/nope\n/sav\n/help\nb\n/quit\nc\n' --json
is "/regenerate, /clear, /quit" "u:b a:ab" "$(messages)"
has "nothing to regenerate" 'no answer to give again' "$scratch/err"
has "an unknown command" 'no command /nope' "$scratch/err"
has "one like a known one" 'did you mean /save' "$scratch/err"
has "/help" '^  /regenerate' "$scratch/err"

talk 'a\nb\n/undo\n/undo\n/undo\nc\nd\n/undo\ne\n' --system S --json
is "/undo" "s:S u:c a:ab u:e a:ab" "$(messages)"
has "nothing to undo" 'no turn to take back' "$scratch/err"

# A model with recurrent states says what it would say from the beginning, from checkpoints of any number.
python3 "$root/tests/cli/tiny_gguf.py" talk "$scratch/states.gguf" recurrent
printf 'one and two\n/regenerate\n/stats\nb\n/undo\nc\n/stats\n/regenerate\n/regenerate\n/stats\n' >"$scratch/in"
for every in 16 0 512; do
    stdin=$scratch/in gives 0 chat "$scratch/states.gguf" "${greedy[@]}" -n 40 --json --checkpoint-every $every
    cp "$scratch/out" "$scratch/out.$every"
    cp "$scratch/err" "$scratch/err.$every"
done
is "checkpoints: another number of them" "" "$(cmp "$scratch/out.16" "$scratch/out.0" 2>&1)"
is "checkpoints: the default" "" "$(cmp "$scratch/out.512" "$scratch/out.0" 2>&1)"
again() { sed -n 's/.* were there, \([0-9]*\) of them read again$/\1/p' "$scratch/err.$1" | awk '{ n += $1 } END { print n }'; }
is "without checkpoints all is read again" $((29 + 124 + 137)) "$(again 0)"
is "with them not a third of it" True "$([ "$(again 16)" -lt 97 ] && echo True)"
is "an answer is given again from where its prompt ended" 94 "$(again 512)"
gives 0 run "$scratch/states.gguf" --chat -p 'one and two' "${greedy[@]}" -n 40 --json
is "it is what run --chat says" "$(json "$scratch/out" 'd["text"]')" "$(json "$scratch/out.0" 'd["messages"][1]["content"]')"

printf '%s' "{{ raise_exception('never') if messages|length > 1 else 'x' }}" >"$scratch/no.jinja"
talk 'a\nb\n' --template "$scratch/no.jinja" --json
is "a refused turn: exit code" 1 "$code"
has "a refused turn is said" 'template line 1: .*never' "$scratch/err"
for _ in $(seq 12); do printf 'a line of thirty characters..\n'; done >"$scratch/many"
stdin=$scratch/many gives 0 chat "$scratch/talk.gguf" "${greedy[@]}" -n 8 --ctx 256
is "past the context: all are answered" 12 "$(grep -c '^ab$' "$scratch/out")"
has "past the context: said" 'forgot the oldest turn' "$scratch/err"
printf '%0300d\nb\n' 0 >"$scratch/long"
stdin=$scratch/long gives 1 chat "$scratch/talk.gguf" "${greedy[@]}" --ctx 256
has "a turn too long" '[0-9]+ tokens do not fit the context of 256; --ctx [0-9]+' "$scratch/err"
is "a turn too long: goes on" ab "$(cat "$scratch/out")"
printf 'a\nb\n' >"$scratch/in"
stdin=$scratch/in gives 0 chat "$scratch/on.gguf" "${greedy[@]}" -n 5
is "-n" $'xxxxx\nxxxxx' "$(cat "$scratch/out")"
"$godwit" chat "$scratch/on.gguf" "${greedy[@]}" --ctx 256 <"$scratch/in" 2>/dev/null | head -c 1 >/dev/null
is "a closed pipe" 141 "${PIPESTATUS[0]}"

# Without a terminal a signal ends it: in an answer, and while the next turn is waited for.
mkfifo "$scratch/fifo"
for row in INT:130:on:xxxx TERM:143:on:xxxx INT:130:talk:ab HUP:129:talk:ab; do
    IFS=: read -r signal wanted model text <<<"$row"
    rm -f "$scratch/out"
    env --default-signal=INT,TERM,HUP "$godwit" chat "$scratch/$model.gguf" "${greedy[@]}" --ctx 65536 \
        <"$scratch/fifo" >"$scratch/out" 2>"$scratch/err" &
    pid=$!
    exec 9>"$scratch/fifo"
    echo go >&9
    for _ in $(seq 3000); do grep -q "$text" "$scratch/out" 2>/dev/null && break; sleep 0.01; done
    kill -"$signal" "$pid"
    began=$SECONDS
    wait "$pid"
    is "$signal, $model: exit code" "$wanted" "$?"
    is "$signal, $model: at once" True "$([ $((SECONDS - began)) -le 3 ] && echo True)"
    exec 9>&-
done

# on_terminal STEP...: what is typed, each step when the text before the colon has come.
on_terminal() {
    code=$(python3 - "$scratch/out" "$godwit" "$scratch/on.gguf" "$@" <<'PY'
import os, pty, select, sys
out, godwit, model = sys.argv[1:4]
steps = [s.encode().decode("unicode_escape").encode().split(b":", 1) for s in sys.argv[4:]]
pid, fd = pty.fork()
if pid == 0:
    os.execv(godwit, [godwit, "chat", model, "--temp", "0", "--device", "cpu", "--ctx", "65536"])
got, at = b"", 0
while select.select([fd], [], [], 60)[0]:
    try: piece = os.read(fd, 65536)
    except OSError: break
    if not piece: break
    got += piece
    if steps and steps[0][0] in got[at:]:
        at = len(got)
        os.write(fd, steps.pop(0)[1])
open(out, "wb").write(got)
os.close(fd)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
    )
}
if have_terminal; then
    export TERM=xterm
    on_terminal '> :go\n' 'xxxx:\x03' '> :/stats\n' 'last answer:\x03' 'ends it:again\n' 'xxxx:\x03' '> :/quit\n'
    is "Ctrl-C stops an answer, not the program" 0 "$code"
    is "both answers were stopped" 2 "$(grep -ac 'chat: stopped' "$scratch/out")"
    has "what was said stays" 'messages +2, ' <(tr -d '\r' <"$scratch/out")
    has "colours on a terminal" $'\x1b\\[1;32m> ' "$scratch/out"
    NO_COLOR=1 on_terminal '> :\x04'
    is "Ctrl-D: exit code" 0 "$code"
    is "NO_COLOR" "" "$(grep -a $'\x1b\\[[0-9;]*m' "$scratch/out")"

else
    skip "a terminal: NO PYTHON3, or no pseudo-terminals"
fi

finish
