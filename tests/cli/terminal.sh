#!/usr/bin/env bash
# terminal.sh: on a terminal a prompt is asked for, progress is one line that fits, and text stays
# what it is. The terminal is a pseudo one, of as many columns as a check asks for.
source "$(dirname "$0")/lib.bash"
export TERM=xterm
have_terminal || skip_all "NO PYTHON3, or no pseudo-terminals"
model=$root/models/story-q8_0.gguf
[ -e "$model" ] || skip_all "NO MODEL $model"

# on_terminal COLUMNS INPUT ARG...: the command with all three on a terminal; INPUT (with \n and \x04)
# is typed once "Prompt: " is there. Leaves $code and what the terminal got in $scratch/out.
on_terminal() {
    code=$(python3 - "$scratch/out" "$godwit" "$@" <<'PY'
import fcntl, os, pty, select, struct, sys, termios
out, godwit, columns, typed = sys.argv[1:5]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(columns), 0, 0))
    os.execv(godwit, [godwit] + sys.argv[5:])
got = b""
while True:
    if typed and b"Prompt: " in got:
        os.write(fd, typed.encode().decode("unicode_escape").encode())
        typed = ""
    if not select.select([fd], [], [], 60)[0]: break
    try: piece = os.read(fd, 65536)
    except OSError: break
    if not piece: break
    got += piece
os.close(fd)
open(out, "wb").write(got)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
    )
}
# What stands on the screen in the end: each line as it was written over last.
screen() { sed -e 's/\r$//' -e 's/.*\r//' -e 's/\x1b\[K//g' "$scratch/out"; }
# The widest line that was written over, in columns.
widest() { grep -ao $'\r[^\r\x1b]*\x1b' "$scratch/out" | awk '{ n = length($0) - 2; if (n > most) most = n } END { print most + 0 }'; }

ask=(run "$model" -n 8 --temp 0)
gives 0 "${ask[@]}" -p 'Once upon a time'
expected=$(cat "$scratch/out")

on_terminal 80 'Once upon a time\n' "${ask[@]}"
is "a line is asked for: exit code" 0 "$code"
is "a line is asked for" "Prompt: Once upon a time
$expected" "$(screen)"
is "nothing is written over behind the text" "" "$(tail -n 1 "$scratch/out" | grep -a $'upon.*\x1b')"
on_terminal 80 '\x04' "${ask[@]}"
is "no line comes: exit code" 1 "$code"
has "no line comes: says so" '^godwit: run: no prompt; --no-prompt starts from nothing' "$scratch/out"
gives 0 "${ask[@]}" -p $'One day\na dog'
expected=$(cat "$scratch/out")
on_terminal 80 'One day\na dog\n' "${ask[@]}"
is "lines that are pasted are one prompt" "$expected" "$(screen | tail -n "$(wc -l <<<"$expected")")"

gives 0 "${ask[@]}" -p ''
expected=$(cat "$scratch/out")
for none in --no-prompt --prompt=; do
    on_terminal 80 '' "${ask[@]}" "$none"
    is "$none: nothing is asked for" "$expected" "$(screen)"
done
printf 'Once upon a time\n' >"$scratch/prompt"
gives 0 "${ask[@]}" -f "$scratch/prompt"
stdin=$scratch/prompt run "${ask[@]}"
is "-f is as stdin" "$(cat "$scratch/out")" "$("$godwit" "${ask[@]}" -f "$scratch/prompt")"

# A first start compiles kernels; a terminal of 24 columns.
for command in "run $model -p Once -n 4" "bench $model -r 2 -p 64 -n 32" "verify --quick" \
    "quantize $model $scratch/q.gguf q4_0" "kernels"; do
    rm -rf "$GODWIT_CACHE_DIR"
    # shellcheck disable=SC2086
    on_terminal 24 '' $command
    is "$command: exit code" 0 "$code"
    is "$command: progress fits 24 columns" True "$([ "$(widest)" -le 23 ] && echo True)"
    is "$command: no progress is left" "" "$(screen | grep -E 'compiling|upload| left |[0-9] of [0-9]+$')"
done
on_terminal 60 '' help run
is "help fits a terminal of 60 columns" "" "$(tr -d '\r' <"$scratch/out" | awk 'length($0) > 60 && NF > 1')"
rm -rf "$GODWIT_CACHE_DIR"
TERM=dumb on_terminal 80 '' "${ask[@]}" -p Once
is "a dumb terminal gets no progress" "" "$(grep -a $'\x1b' "$scratch/out")"
finish
