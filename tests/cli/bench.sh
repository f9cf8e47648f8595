#!/usr/bin/env bash
# bench.sh: `godwit bench`: what it says of a context that is too long, and that a terminal sees it
# work.
source "$(dirname "$0")/lib.bash"
model=$story

short=$root/tests/golden/arch/mha.gguf # 64 tokens of context
gives 0 bench "$short" --device cpu -p 64 -n 63 -r 1
is "within the model's context: nothing is said" "" "$(cat "$scratch/err")"
gives 0 bench "$short" --device cpu -p 4 -n 64 -r 1
has "past the model's context" \
    '^godwit: context of 65 tokens is past the 64 that the model was trained for$' "$scratch/err"
is "no progress where no terminal is" 1 "$(wc -l <"$scratch/err")"

# on_terminal FILE ARG...: the command with a terminal for stderr; FILE gets what it shows.
on_terminal() {
    python3 - "$@" <<'PY'
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
shown = b""
while True:
    try:
        piece = os.read(ours, 4096)
    except OSError: # the other end is closed
        break
    if not piece:
        break
    shown += piece
open(sys.argv[1], "wb").write(shown.replace(b"\r", b"\n"))
sys.exit(p.wait())
PY
}
if have_terminal; then
    export TERM=xterm
    on_terminal "$scratch/shown" "$godwit" bench "$model" --device reference -p 64 -n 120 -r 2
    is "on a terminal: exit code" 0 "$?"
    has "the warm-up shows" '^warm-up, decode: [1-9][0-9]* of 120 tokens' "$scratch/shown"
    has "repetitions show" '^repetition [12] of 2, decode: [0-9]+ of 120 tokens' "$scratch/shown"
    is "the line is taken off" "$(printf '\033[K')" "$(tail -n 1 "$scratch/shown")"
else
    skip "a terminal: NO PYTHON3, or no pseudo-terminals"
fi

finish
