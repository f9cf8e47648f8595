#!/usr/bin/env bash
# quietly.sh: tools/quietly hands on the exit code, keeps the words in the log, shows their end where
# the command fails, and fits its line into a terminal.
set -uo pipefail
quietly=$(cd "$(dirname "$0")/../.." && pwd)/tools/quietly
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
n_failed=0
is() { [ "$2" = "$3" ] || { printf 'FAILED: %s: expected "%s", is "%s"\n' "$@"; n_failed=$((n_failed + 1)); }; }

out=$("$quietly" "$scratch/new/log" Working sh -c 'echo to stdout; echo to stderr >&2' 2>&1)
is "exit code" 0 "$?"
is "nothing is shown" "" "$out"
is "the log has both" "to stdout
to stderr" "$(cat "$scratch/new/log")"
out=$("$quietly" "$scratch/log" Working sh -c 'seq 100; exit 7' 2>&1)
is "exit code of a failure" 7 "$?"
is "the last lines of a failure" "41 100" "$(sed -n '1p;60p' <<<"$out" | paste -sd ' ')"
is "what failed" "Working: failed (7): sh -c seq 100; exit 7; all of it is in $scratch/log" "$(tail -n 1 <<<"$out")"

if command -v python3 >/dev/null; then
    python3 - "$quietly" "$scratch/log" >"$scratch/shown" <<'PY'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:] + ["Working", "sh", "-c", "echo a line that is longer than that; sleep 3"])
shown = b""
try:
    while piece := os.read(fd, 4096): shown += piece
except OSError: pass
print(shown.decode().replace("\r", "\n").replace("\033[K", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
    is "on a terminal: exit code" 0 "$?"
    is "on a terminal: the line, cut to it" "Working, N s: a lin" \
        "$(sed -nE 's/^(Working, )[0-9]+/\1N/p' "$scratch/shown" | head -n 1)"
else
    printf 'SKIPPED: a terminal: NO PYTHON3\n'
fi
exit $((n_failed > 0))
