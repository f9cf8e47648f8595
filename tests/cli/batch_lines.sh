#!/usr/bin/env bash
# batch_lines.sh: `godwit batch`: lines that are wrong harm no other; one that is killed goes on with
# what is missing; an output that cannot be written, or is something else.
source "$(dirname "$0")/batch.bash"

# --- lines that are wrong

python3 - "$in" <<'PY'
import json, sys
good = {"prompt": "Once", "max_tokens": 3, "temperature": 0}
JSON, TYPE, RANGE, FIELD, DOUBLE = "invalid_json", "invalid_type", "out_of_range", "unknown_field", "duplicate_custom_id"
lines = [
    ("ok", json.dumps(good).encode() + b"\r"), (JSON, b"oops"), (JSON, b"[1]"), (JSON, b'{"prompt":"a"'), (JSON, b'{"prompt":"a","prompt":"b"}'),
    (JSON, b'{"prompt":"\xff\xfe"}'), (JSON, b'{"prompt":"\\ud800"}'), (JSON, b"[" * 100000), (JSON, b"\x00\x01"), (JSON, b'{"prompt":"a"}{"prompt":"b"}'),
    (RANGE, b'{"prompt":"a","seed":99999999999999999999}'), (RANGE, b'{"prompt":"a","temperature":1e999}'),
]
fields = [
    ("missing_prompt", {"prompt": None}), (TYPE, {"prompt": 3}), (TYPE, {"prompt": ["a"]}), (FIELD, {"max_token": 3}), (FIELD, {"": 3}),
    (TYPE, {"custom_id": 3}), (RANGE, {"custom_id": ""}), (RANGE, {"custom_id": "x" * 1025}), (RANGE, {"custom_id": "a\0b"}),
    (TYPE, {"max_tokens": "3"}), (TYPE, {"max_tokens": 3.5}), (TYPE, {"max_tokens": True}), (RANGE, {"max_tokens": -1}), (RANGE, {"max_tokens": 2 ** 31}),
    (TYPE, {"temperature": "0"}), (RANGE, {"temperature": -0.1}), (RANGE, {"temperature": 100.1}), (RANGE, {"top_p": 1.1}), (RANGE, {"min_p": -1}),
    (TYPE, {"top_k": 1.5}), (RANGE, {"top_k": -1}), (RANGE, {"seed": -1}), (TYPE, {"seed": 1.5}), (TYPE, {"seed": "1x"}), (TYPE, {"seed": ""}),
    (RANGE, {"seed": "18446744073709551616"}), (TYPE, {"stop": 3}), (TYPE, {"stop": [3]}), (TYPE, {"stop": {}}), (RANGE, {"stop": ""}), (RANGE, {"stop": ["a"] * 17}),
    (RANGE, {"repeat_penalty": 101}), (TYPE, {"presence_penalty": "1"}), (RANGE, {"repeat_last_n": 0}), (TYPE, {"logit_bias": [1]}), (RANGE, {"dry_base": 0.5}),
    (RANGE, {"mirostat": 1}), (RANGE, {"mirostat": 3}), (RANGE, {"typical_p": 2}), (TYPE, {"xtc_probability": "1"}), (RANGE, {"mirostat_eta": 1.5}),
    (TYPE, {"logit_bias": {"x": 1}}), (TYPE, {"logit_bias": {"5": True}}), (TYPE, {"logit_bias": {"5": 1001}}), ("ok", {"logit_bias": {"5": False, "6": 3}}),
    ("prompt_too_long", {"prompt": "a b " * 4000}), ("ok", {"stop": []}), ("ok", {"stop": None, "seed": None, "max_tokens": None, "custom_id": None}),
    ("ok", {"prompt": "a\0b"}), ("ok", {"custom_id": "x" * 1024}), ("ok", {"temperature": 100, "top_p": 1, "min_p": 1, "top_k": 2 ** 31 - 1}),
    ("ok", {"custom_id": "dup"}), (DOUBLE, {"custom_id": "dup"}), (DOUBLE, {"custom_id": "dup", "prompt": 3}), ("ok", {"custom_id": "last"}),
]
lines += [(code, json.dumps({**good, **f}).encode()) for code, f in fields]
with open(sys.argv[1], "wb") as file, open(sys.argv[1] + ".codes", "w") as codes:
    file.write(b"\xef\xbb\xbf")
    for i, (code, line) in enumerate(lines):
        # An empty line counts, and is none; the last one needs no line end.
        file.write((b"\n" if i else b"") + line + (b"\n \r" if i == 20 else b""))
        print(code, i + 1 + (i > 20), file=codes)
PY
batch 1 --parallel 4
lines "$out" '"\n".join("%s %d" % (x["error"]["code"], x["error"]["line"]) for x in d if "error" in x)' >"$scratch/codes"
same "lines that are wrong, and why, in their order" <(grep -v '^ok ' "$in.codes") "$scratch/codes"
is "all others have their text" "$(grep -c '^ok ' "$in.codes")" "$(lines "$out" 'sum("text" in x for x in d)')"
is "an error has its custom_id" "dup dup" \
    "$(lines "$out" '" ".join(x["custom_id"] for x in d if x.get("error", {}).get("code") == "duplicate_custom_id")')"
is "or its number" line-2 "$(lines "$out" '[x["custom_id"] for x in d if x.get("error", {}).get("line") == 2][0]')"
has "it is said" '^godwit: batch: [0-9]+ of [0-9]+ prompts failed' "$scratch/err"
cp "$out" "$scratch/first"
gives 1 batch "$scratch/none.gguf" --in "$in" --out "$out" --json
same "again: nothing is done twice, and no model is needed" "$scratch/first" "$out"
is "again: all are there" 0 "$(json "$scratch/out" 'd["prompts"]["all"] - d["prompts"]["done_before"]')"
grep -v '"dup"' "$scratch/first" >"$out"
grep '"dup"' "$scratch/first" | grep error | head -n 1 >>"$out"
gives 1 batch "$model" --in "$in" --out "$out"
same "a line that is missing beside its double" <(results "$scratch/first") <(results "$out")
{
    head -c 70000000 /dev/zero | tr '\0' a
    printf '\n{"prompt":"Once","max_tokens":1}\n'
} >"$in"
batch 1
is "a line of 70 MB" "line_too_long 1" \
    "$(lines "$out" '"%s %d" % ([x["error"]["code"] for x in d if "error" in x][0], sum("text" in x for x in d))')"
: >"$in"
batch 0
is "no prompt: no line" "" "$(cat "$out")"

# --- killed, and gone on with

python3 - >"$in" <<'PY'
import json
for i in range(24):
    start = "Once upon a time there was a little girl who lived in a small house near the big green forest" if i % 2 else "The dog"
    print(json.dumps({**({} if i % 5 == 0 else {"custom_id": f"p{i}"}), "prompt": start + " and %d" % (i // 4), "max_tokens": 8 + i % 7, "seed": i}))
PY
batch 0 --parallel 4
results "$out" >"$scratch/expected"

# until_lines N: until $out has so many lines, or a minute.
until_lines() {
    local i
    for ((i = 0; i < 6000; i++)); do
        [ -e "$out" ] && [ "$(wc -l <"$out")" -ge "$1" ] && return
        sleep 0.01
    done
    fail "no $1 lines in a minute"
}

for after in 1 5 9; do
    rm -f "$out"
    "$godwit" batch "$model" --in "$in" --out "$out" --parallel 4 >/dev/null 2>&1 </dev/null &
    pid=$!
    until_lines "$after"
    kill -9 "$pid"
    { wait "$pid"; } 2>/dev/null
    is "killed after $after: whole lines alone" "" "$(tail -c 1 "$out" | tr -d '\n')"
    [ "$after" -eq 1 ] || truncate -s -20 "$out" # as if in the middle of a line
    cp "$out" "$scratch/cut"
    n_whole=$(wc -l <"$scratch/cut")
    gives 0 batch "$model" --in "$in" --out "$out" --parallel $((after % 4 + 1))
    same "killed after $after: the same lines in the end" "$scratch/expected" <(results "$out")
    same "killed after $after: what was there stays" <(head -n "$n_whole" "$scratch/cut") <(head -n "$n_whole" "$out")
done

# SIGTERM and Ctrl-C: what has ended is there.
cp "$in" "$scratch/all"
{
    echo '{"prompt":"Once","max_tokens":1}'
    for i in 1 2 3; do echo '{"prompt":"Once","max_tokens":16000}'; done
} >"$in"
for row in TERM:143 INT:130; do
    rm -f "$out"
    env --default-signal=TERM,INT "$godwit" batch "$model" --in "$in" --out "$out" --parallel 2 --ctx 16384 \
        --ignore-eos >/dev/null 2>"$scratch/err" </dev/null &
    pid=$!
    until_lines 1
    kill -"${row%:*}" "$pid"
    wait "$pid"
    is "${row%:*}: exit code" "${row#*:}" $?
    has "${row%:*}: the summary" 'not done: the same command goes on with them$' "$scratch/err"
    is "${row%:*}: what has ended is there" line-1 "$(lines "$out" '" ".join(x["custom_id"] for x in d)')"
done
cp "$scratch/all" "$in"

# --- where the output cannot be written, or is something else

if [ -w /dev/full ]; then
    gives 1 batch "$model" --in "$in" --out /dev/full
    has "a full disk is said" '^godwit: /dev/full: No space' "$scratch/err"
fi
rm -f "$out"
(
    ulimit -f 1 # KiB
    exec "$godwit" batch "$model" --in "$in" --out "$out" --device cpu
) >"$scratch/out" 2>"$scratch/err" </dev/null
is "no room: exit code" 1 $?
has "no room is said" '^godwit: .*out.jsonl: File too large' "$scratch/err"
is "no room: whole lines alone" True "$(lines "$out" 'len(d) > 0 and all("text" in x for x in d)')"
gives 0 batch "$model" --in "$in" --out "$out"
same "no room: gone on with" "$scratch/expected" <(results "$out")
mkfifo "$scratch/pipe"
head -n 1 "$scratch/pipe" >"$scratch/read" &
gives 1 batch "$model" --in "$in" --out "$scratch/pipe"
wait
has "a closed pipe is said" '^godwit: .*pipe: Broken pipe' "$scratch/err"
"$godwit" batch "$model" --in "$in" --out - 2>"$scratch/err" </dev/null | head -n 1 >"$scratch/read"
is "nobody reads stdout: exit code" 141 "${PIPESTATUS[0]}"
has "nobody reads stdout: said" '^godwit: stdout: Broken pipe' "$scratch/err"
is "nobody reads stdout: a whole line came" 1 "$(lines "$scratch/read" 'len(d)')"
for other in "$model" "$root/README.md" "$in"; do
    cp "$other" "$scratch/other"
    gives 1 batch "$model" --in "$in" --out "$scratch/other"
    has "no results: said" 'is no result of `godwit batch`' "$scratch/err"
    same "no results: it stays as it is" "$other" "$scratch/other"
done
printf 'a line without an end' >"$scratch/other"
gives 1 batch "$model" --in "$in" --out "$scratch/other"
is "nor does a text that is no line" 'a line without an end' "$(cat "$scratch/other")"
cp "$in" "$scratch/other"
gives 1 batch "$model" --in "$scratch/other" --out "$scratch/other"
has "the input is not the output" 'is the same file as' "$scratch/err"
same "the input stays" "$in" "$scratch/other"
gives 1 batch "$model" --in "$scratch/none" --out "$scratch/new"
gives 1 batch "$model" --in "$scratch" --out "$scratch/new"
gives 1 batch "$model" --in "$in" --out "$scratch/none/new"
gives 1 batch "$scratch/none.gguf" --in "$in" --out "$scratch/new" --json
is "no model: JSON says so" True "$(json "$scratch/out" '"none.gguf" in d["error"]')"
if command -v flock >/dev/null; then
    rm -f "$out"
    flock "$out" "$godwit" batch "$model" --in "$in" --out "$out" >/dev/null 2>"$scratch/err" </dev/null
    is "two processes: exit code" 1 $?
    has "two processes: said" 'another process writes to it' "$scratch/err"
fi

# --- the command line

rm -f "$out"
gives 2 batch "$model"
gives 2 batch "$model" --in "$in"
gives 2 batch "$model" --out "$out"
gives 2 batch "$model" --in "$in" --out ''
gives 2 batch "$model" --in "$in" --out - --json
gives 2 batch "$model" --in "$in" --out "$out" --parallel 0
gives 2 batch "$model" --in "$in" --out "$out" --parallel 513
is "wrong usage leaves no file" "" "$(ls "$out" 2>/dev/null)"

# Progress on a terminal.
if have_terminal; then
    sed -i 's/"max_tokens": [0-9]*/"max_tokens": 60/' "$in"
    python3 - "$scratch/screen" "$godwit" batch "$model" --in "$in" --out "$out" --parallel 2 <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[2], sys.argv[2:])
got = b""
while True:
    try: piece = os.read(fd, 65536)
    except OSError: break
    if not piece: break
    got += piece
open(sys.argv[1], "wb").write(got)
os.waitpid(pid, 0)
PY
    has "progress" '[0-9]+ of 24 prompts, [12] at work, [0-9.]+ tokens/s' "$scratch/screen"
    has "and the summary" 'prompts +24: 24 done' "$scratch/screen"
else
    skip "progress: NO PSEUDO-TERMINALS"
fi

finish
