# batch.bash: what the tests of `godwit batch` share. Sourced by tests/cli/batch*.sh.
source "$(dirname "$0")/lib.bash"
have_python || skip_all "NO PYTHON3"
model=$story
in=$scratch/in.jsonl
out=$scratch/out.jsonl

# lines FILE EXPRESSION: prints a Python expression of the objects d of a file, one a line.
lines() {
    python3 -c 'import json,sys; d=[json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]; print(eval(sys.argv[2]))' "$@"
}
# results FILE: id, text, tokens and reason of each line, in the order of ids.
results() {
    lines "$1" '"\n".join(sorted(json.dumps([x["custom_id"]] + [x.get(k) for k in ("text", "token_ids", "finish_reason", "error")]) for x in d))'
}
# batch CODE ARG...: from $in to $out, which is not there before.
batch() {
    local expected=$1
    shift
    rm -f "$out"
    gives "$expected" batch "$model" --in "$in" --out "$out" "$@"
}
