# lib.bash: what the tests of the command share. Sourced by tests/cli/*.sh.
#
# GODWIT (or GODWIT_BIN): the command. Models are those of the clone: $story, which ships, and $small
# (tests/golden/run.py). GODWIT_DATA: more models, for goldens that not everybody has, else
# ../shared/data beside the clone; what needs them is skipped, and says so.
# A test runs all its checks, prints the ones that fail, and exits 1 where any did, 77 where it
# could not be run (said in capitals).
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
godwit=${GODWIT:-${GODWIT_BIN:-}}
data=${GODWIT_DATA:-$root/../shared/data}
story=$root/models/story-q8_0.gguf
expected=$root/tests/golden/run
small=$expected/small.gguf # F32, 512 tokens, rows of 172, a context of 128
n_checks=0
n_failed=0

skip_all() { printf 'SKIPPED: %s: %s\n' "$(basename "$0")" "$*"; exit 77; }
skip() { printf 'SKIPPED: %s\n' "$*"; }
fail() {
    n_failed=$((n_failed + 1))
    printf 'FAILED: %s\n' "$*"
}

[ -x "$godwit" ] || skip_all "no command: set GODWIT to its path (is '$godwit')"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export GODWIT_CACHE_DIR=$scratch/cache
unset GODWIT_MODEL

# run ARG...: the command with an empty stdin; leaves $code and the files $scratch/out, $scratch/err.
run() {
    "$godwit" "$@" <"${stdin:-/dev/null}" >"$scratch/out" 2>"$scratch/err"
    code=$?
}

# is WHAT EXPECTED ACTUAL
is() {
    n_checks=$((n_checks + 1))
    [ "$2" = "$3" ] || fail "$1: expected '${2:0:300}', is '${3:0:300}'"
}

# has WHAT PATTERN FILE: a line of FILE matches the extended regular expression.
has() {
    n_checks=$((n_checks + 1))
    grep -Eq -- "$2" "$3" || fail "$1: nothing matches '$2' in: $(head -c 300 "$3")"
}

# same WHAT FILE FILE: equal bytes.
same() {
    n_checks=$((n_checks + 1))
    cmp -s "$2" "$3" || fail "$1: $(cmp "$2" "$3" 2>&1)"
}

# gives CODE ARG...: the command ends with CODE; 1 and 2 say so on stderr in lines "godwit: ...".
gives() {
    local expected=$1
    shift
    run "$@"
    is "godwit $*: exit code" "$expected" "$code"
    case $expected in 1 | 2) has "godwit $*: stderr" '^godwit: .' "$scratch/err" ;; esac
}

# json FILE EXPRESSION: prints a Python expression of the parsed file d.
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
have_python() { command -v python3 >/dev/null; }
have_terminal() { python3 -c 'import pty; pty.openpty()' 2>/dev/null; }

# write_imatrix FILE TENSOR N: an importance matrix of one tensor, in llama.cpp's older binary format.
write_imatrix() {
    python3 - "$@" <<'PY'
import struct, sys
n = int(sys.argv[3])
name = sys.argv[2].encode()
open(sys.argv[1], "wb").write(struct.pack("<ii", 1, len(name)) + name + struct.pack("<ii", 2, n)
                              + struct.pack(f"<{n}f", *range(1, n + 1)))
PY
}

finish() {
    printf '%s: %d checks, %d failed\n' "$(basename "$0")" "$n_checks" "$n_failed"
    [ "$n_checks" -gt 0 ] && [ "$n_failed" -eq 0 ]
    exit
}
