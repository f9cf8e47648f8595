#!/usr/bin/env bash
# batch.sh: many prompts from a file have the text that each has alone, however many are worked on at
# once; what they begin with in common is worked on once.
source "$(dirname "$0")/batch.bash"

# Prompts that begin alike for some tokens, for more than a page of 256, and not at all; all ways to
# choose tokens; more than one length.
python3 - >"$in" <<'PY'
import json
start = "Once upon a time there was a little girl who lived in a small house near the big green forest"
page = " ".join([start + ", and every day she went out to play with her friends."] * 14)
prompts = [(start + ".", {}), ("The dog", {"temperature": 0}), (start + " with", {"seed": 7, "temperature": 1.3, "mirostat": 2, "mirostat_tau": 3, "mirostat_eta": 0.25}),
           (page + " One", {"temperature": 0, "max_tokens": 6}), (start, {"temperature": 0}), (page + " Then", {"max_tokens": 9}),
           ("", {"max_tokens": 5}), (page, {"seed": 18446744073709551615, "top_k": 20}), ("x", {"top_p": 0.5, "min_p": 0, "dry_multiplier": 2, "dry_base": 1.5, "xtc_probability": 0.7, "xtc_threshold": 0.05}),
           (start + " with a cat", {"max_tokens": 1, "logit_bias": {"308": -5.5, "11": False}}), ("Tom \u00e9 \U0001f600", {"temperature": 2, "seed": 3, "typical_p": 0.7, "top_n_sigma": 1.5}),
           (start + ".", {"seed": 11, "repeat_penalty": 1.2, "frequency_penalty": 0.5, "presence_penalty": -0.25, "repeat_last_n": 9})]
for i, (prompt, settings) in enumerate(prompts):
    line = {"custom_id": f"p{i}", "prompt": prompt, "max_tokens": 12 + i % 5, **settings}
    if line.get("seed", 0) > 2 ** 63: line["seed"] = str(line["seed"])
    print(json.dumps(line, ensure_ascii=i % 2 == 0))
PY

# What `run` gives for each line of $in.
alone() {
    python3 - "$godwit" "$model" "$in" "$@" <<'PY'
import json, subprocess, sys
names = {"max_tokens": "-n", "temperature": "--temp", "top_p": "--top-p", "min_p": "--min-p", "top_k": "--top-k", "seed": "--seed",
         "repeat_penalty": "--repeat-penalty", "frequency_penalty": "--frequency-penalty", "presence_penalty": "--presence-penalty",
         "repeat_last_n": "--repeat-last-n", "dry_multiplier": "--dry-multiplier", "dry_base": "--dry-base",
         "mirostat": "--mirostat", "mirostat_tau": "--mirostat-ent", "mirostat_eta": "--mirostat-lr", "typical_p": "--typical-p",
         "top_n_sigma": "--top-n-sigma", "xtc_probability": "--xtc-probability", "xtc_threshold": "--xtc-threshold"}
for line in open(sys.argv[3], encoding="utf-8"):
    q = json.loads(line)
    words = [w for k, name in names.items() if k in q for w in (name, str(q[k]))]
    for token, value in q.get("logit_bias", {}).items():
        words += ["--logit-bias", token + ("-inf" if value is False else "%+g" % value)]
    got = json.loads(subprocess.run([sys.argv[1], "run", sys.argv[2], "--json", "-p", q["prompt"], *words, *sys.argv[4:]],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    print(json.dumps({"custom_id": q["custom_id"], "text": got["text"], "token_ids": got["ids"],
                      **({"logprobs": got["logprobs"]} if "logprobs" in got else {}),
                      "finish_reason": "stop" if got["stop"] == "end" else "length"}))
PY
}
alone >"$scratch/alone"
is "run: 12 texts" 12 "$(wc -l <"$scratch/alone")"
results "$scratch/alone" >"$scratch/expected"
for n in 1 3 8; do
    batch 0 --parallel "$n"
    results "$out" >"$scratch/got"
    same "$n at once: what each has alone" "$scratch/expected" "$scratch/got"
    is "$n at once: what begins alike is shared" "5 2" \
        "$(lines "$out" '"%d %d" % (sum(16 <= x["usage"]["shared_tokens"] < 256 for x in d), sum(x["usage"]["shared_tokens"] > 256 for x in d))')"
done
batch 0
same "as many as fit: the same" "$scratch/expected" <(results "$out")
has "as many as fit: no more than there are" ' 12 streams' "$scratch/err"
batch 0 --parallel 3 --device cpu --batch 7 --kv f16
same "on cpu: the same" "$scratch/expected" <(results "$out")
batch 0 --parallel 5 --kv f16,q8_0 --ctx 1000
alone --kv f16,q8_0 --ctx 1000 >"$scratch/alone"
same "another KV cache: what each has alone" <(results "$scratch/alone") <(results "$out")

# Log probabilities: in a batch what each has alone, the same on cpu.
logprobs() { lines "$1" '"\n".join(sorted(x["custom_id"] + str(x["logprobs"]) for x in d))'; }
alone --logprobs 2 >"$scratch/alone"
batch 0 --parallel 3 --logprobs 2 --device cpu
same "log probabilities: what each has alone" <(logprobs "$scratch/alone") <(logprobs "$out")
is "of each token, with two others" True "$(lines "$out" 'all(len(x["logprobs"]) == len(x["token_ids"]) and all(p["id"] == t and len(p["top"]) == 2 and p["logprob"] <= p["top"][0]["logprob"] <= 0 for p, t in zip(x["logprobs"], x["token_ids"])) for x in d)')"

# Pipes; the summary as JSON.
"$godwit" batch "$model" --in - --out - <"$in" >"$scratch/piped" 2>"$scratch/err"
is "pipes: exit code" 0 $?
same "pipes: the same" "$scratch/expected" <(results "$scratch/piped")
batch 0 --json
is "--json: prompts" "12 12 0" "$(json "$scratch/out" '"%d %d %d" % (d["prompts"]["all"], d["prompts"]["done"], d["prompts"]["failed"])')"
is "--json: tokens" "$(lines "$out" 'sum(x["usage"]["prompt_tokens"] for x in d), sum(len(x["token_ids"]) for x in d), sum(x["usage"]["shared_tokens"] for x in d)')" \
    "$(json "$scratch/out" '(d["tokens"]["prompt"], d["tokens"]["completion"], d["tokens"]["shared"])')"
is "usage: completion_tokens are those of token_ids" True "$(lines "$out" 'all(x["usage"]["completion_tokens"] == len(x["token_ids"]) for x in d)')"

# A start of more than 400 tokens is worked on once, also where one prompt is worked on at a time.
python3 - >"$in" <<'PY'
import json
for i in range(12):
    print(json.dumps({"prompt": "Once there was a dog. " * 70 + "It was number %d" % i, "max_tokens": 2, "temperature": 0}))
PY
for n in 1 5; do
    batch 0 --parallel "$n"
    is "one start, $n at once: all but the first share it" 11 "$(lines "$out" 'sum(x["usage"]["shared_tokens"] > 400 for x in d)')"
done

# Of a model with recurrent states, too: up to where they part, with the states of that place.
python3 "$root/tests/cli/tiny_gguf.py" talk "$scratch/states.gguf" recurrent
sed 's/"temperature": 0/"temperature": 1/; s/"max_tokens": 2/"max_tokens": 9/' "$in" >"$scratch/in.states"
story=$model model=$scratch/states.gguf
cp "$scratch/in.states" "$in"
batch 0 --parallel 1 --device cpu --checkpoint-every 0 --ctx 2000
texts() { lines "$out" '"\n".join(sorted(x["custom_id"] + x["text"] for x in d))'; }
texts >"$scratch/texts"
for n in 1 5; do
    batch 0 --parallel "$n" --device cpu --ctx 2000
    is "recurrent states, $n at once: all but the first share the start" 11 "$(lines "$out" 'sum(x["usage"]["shared_tokens"] > 1500 for x in d)')"
    same "recurrent states, $n at once: the same text" "$scratch/texts" <(texts)
done
model=$story

# --- stop strings, and the ends of characters

cat >"$in" <<'JSON'
{"custom_id":"whole","prompt":"Once upon a time","temperature":0,"max_tokens":40}
{"custom_id":"one","prompt":"Once upon a time","temperature":0,"max_tokens":40,"stop":"girl"}
{"custom_id":"two","prompt":"Once upon a time","temperature":0,"max_tokens":40,"stop":["named","a cheer"]}
{"custom_id":"none","prompt":"Once upon a time","temperature":0,"max_tokens":40,"stop":["no such words","zzz"]}
{"custom_id":"first","prompt":"Once upon a time","temperature":0,"max_tokens":40,"stop":[" "]}
JSON
batch 0 --parallel 2
lines "$out" '"\n".join(x["text"] for x in d if x["custom_id"] == "whole")' >"$scratch/whole"
# of ID EXPRESSION: of the object x of that id.
of() { lines "$out" "[$2 for x in d if x['custom_id'] == '$1'][0]"; }
for row in "one:girl" "two:a cheer" "first: "; do
    is "stop ${row%%:*}: the text before it" \
        "$(python3 -c 'import sys; t=open(sys.argv[1]).read(); print(repr(t[:t.index(sys.argv[2])]))' "$scratch/whole" "${row#*:}")" \
        "$(of "${row%%:*}" 'repr(x["text"])')"
    is "stop ${row%%:*}: the reason" stop "$(of "${row%%:*}" 'x["finish_reason"]')"
done
is "stop none: the whole text" "$(of whole 'repr(x["text"])')" "$(of none 'repr(x["text"])')"
is "stop: tokens are the first of the whole's" True \
    "$(lines "$out" 'all(x["token_ids"] == next(y for y in d if y["custom_id"] == "whole")["token_ids"][:len(x["token_ids"])] for x in d)')"

python3 "$root/tests/cli/tiny_gguf.py" euro "$scratch/euro.gguf"
python3 "$root/tests/cli/tiny_gguf.py" chat "$scratch/chat.gguf"
model=$scratch/euro.gguf
cat >"$in" <<'JSON'
{"custom_id":"6","prompt":"a","max_tokens":6}
{"custom_id":"4","prompt":"a","max_tokens":4}
{"custom_id":"stop","prompt":"a","max_tokens":9,"stop":"€€"}
{"custom_id":"full","prompt":"a","max_tokens":100000}
JSON
batch 0 --temp 0
is "characters of three tokens" '€€' "$(of 6 'x["text"]')"
is "a character that is cut, as run gives it" \
    "$("$godwit" run "$model" -p a -n 4 --temp 0 2>"$scratch/err")" "$(of 4 'x["text"]')"
is "a stop string of several tokens" " 6" "$(of stop 'x["text"] + " %d" % len(x["token_ids"])')"
is "a full context" "length 256" \
    "$(of full 'x["finish_reason"] + " %d" % sum(x["usage"][k] for k in ("prompt_tokens", "completion_tokens"))')"
model=$scratch/chat.gguf
printf '{"prompt":"<|eot_id|>","max_tokens":9}\n{"prompt":"<|eot_id|> ","max_tokens":3}\n' >"$in"
batch 0 --temp 0
is "control tokens in a prompt are said once" 1 "$(grep -c 'with --parse-special$' "$scratch/err")"
batch 0 --temp 0 --parse-special
is "an end token ends it" "ab stop" "$(of line-1 'x["text"] + " " + x["finish_reason"]')"
batch 0 --temp 0 --parse-special --ignore-eos
is "or not" "length 9" "$(of line-1 'x["finish_reason"] + " %d" % len(x["token_ids"])')"

finish
