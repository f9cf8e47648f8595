#!/usr/bin/env bash
# usage.sh: command lines that are right, wrong, and nearly right; reports that are valid JSON.
source "$(dirname "$0")/lib.bash"

for word in --version -V -v version; do
    gives 0 $word
    has "$word" '^godwit [0-9]+\.[0-9]+\.[0-9]+$' "$scratch/out"
done
gives 0 help
cp "$scratch/out" "$scratch/overview"
gives 0
same "godwit alone is its help" "$scratch/overview" "$scratch/out"
is "and nothing else" "" "$(cat "$scratch/err")"
has "it has an example" '^Try: godwit run ' "$scratch/out"
for command in run batch embed rerank devices inspect kernels bench session quantize convert; do
    gives 0 help
    has "help names $command" "^  $command " "$scratch/out"
    gives 0 help "$command"
    has "help $command" "^Usage: godwit $command" "$scratch/out"
    cp "$scratch/out" "$scratch/help"
    gives 0 "$command" --help
    same "$command --help is help $command" "$scratch/help" "$scratch/out"
done

gives 2 rnu
has "a near command" 'did you mean `godwit run`' "$scratch/err"
gives 2 help rnu
gives 2 xyzzy
gives 2 run --sed 1
has "a near option" 'did you mean --seed' "$scratch/err"
gives 2 inspect
gives 2 inspect a b
gives 2 devices x
gives 2 devices --seed 1
gives 2 devices --json=1
gives 2 run -n
gives 2 run -Z
gives 2 story.gguf
has "a model alone: how to run it" 'did you mean `godwit run story.gguf`' "$scratch/err"
gives 2 -p Once
has "an option alone: a command comes first" 'as in `godwit run -p`' "$scratch/err"

# What is known from llama.cpp: the same, or what is meant here.
for word in -ngl -tb -fa -ub -ctk -hf -cnv -sm --threads-batch --n-gpu-layers --flash-attn=on --mlock --cpu-moe; do
    gives 2 run "$word" 1
    has "$word: what to do" "^godwit: run: no option ${word%=*}: .*(leave it out|see --|see .godwit|name a|run goes on)" "$scratch/err"
done
gives 2 quantize a b q4_0x
has "a near number format" 'did you mean Q4_0\?$' "$scratch/err"
gives 2 run --model a b
has "two models" 'two models: b and --model a$' "$scratch/err"
gives 2 run -p a -f b
gives 2 run -p a --no-prompt
gives 2 run --guard 1 --numerics fast
gives 2 run --save-tokens-only
gives 2 run --save-tokens-only --save a --numerics fast
gives 2 run --save a --logits a
gives 2 run --save -
gives 2 session a
gives 2 session show a
gives 2 bench -c 64 -p 65
gives 2 bench -c 64 -n 64
gives 2 bench -c 64 --depth 32 -p 1,33
for bad in "-n -1" "-n 1x" "-n 0x10" "-n 99999999999" "-n +1" "--temp x" "--temp -1" "--temp nan" \
    "--temp inf" "--temp 100.1" "--temp 1001" "--ctx 16777217" "--top-p 1.5" "--seed 18446744073709551616" "--seed -2" "--ctx 0" "--kv f64" "--kv f16," "--kv ,f16" "--kv f16,q8_0,f16" \
    "--numerics wild" "--batch 0"; do
    read -r option value <<<"$bad"
    gives 2 run "$option" "$value"
    has "$bad: names the option" "^godwit: run: --" "$scratch/err"
done
gives 2 run -n ' 1'
gives 2 run -n ''
gives 2 bench -r 0

gives 1 run --device no-such-device "$scratch/none.gguf"
gives 1 run "$scratch/none.gguf"
has "a missing file is named" 'none\.gguf' "$scratch/err"
gives 1 kernels --device no-such-device
has "a missing device is named, and those that are there" \
    "no-such-device': no device's name or driver contains that; there are: .*[0-9] cpu" "$scratch/err"
gives 1 kernels --device 99
has "a missing index is named, and those that are there" '^godwit: device 99: .*there are: .*[0-9] cpu$' "$scratch/err"
# Ranges are said before anything is opened: this model is not there.
gives 2 run --temp 500 "$scratch/none.gguf"
is "temp: its one range" 'godwit: run: --temp 500: not a number from 0 to 100' "$(cat "$scratch/err")"
gives 1 run --temp 100 "$scratch/none.gguf"
for device in cpu CPU Cpu; do
    gives 0 kernels --device $device
done
gives 1 kernels --mask no-such-mask
gives 1 kernels --device cpu --mask no-such-mask
has "masks of the cpu are named" '^godwit: cpu: mask: "no-such-mask" is not .* or floor for all$' "$scratch/err"
gives 0 kernels --device cpu --mask floor

gives 0 devices
has "devices lists the cpu" '^\[[0-9]+\] .*cpu' "$scratch/out"
if have_python; then
    gives 0 devices --json
    is "the last device is the cpu" cpu "$(json "$scratch/out" 'd["devices"][-1]["type"]')"
    is "indices count" True \
        "$(json "$scratch/out" '[x["index"] for x in d["devices"]] == list(range(len(d["devices"])))')"
    # Where none is named: the first, unless that is software. $GODWIT_DEVICE names one; --device counts more.
    is "one default" 1 "$(json "$scratch/out" 'sum(x["default"] for x in d["devices"])')"
    expected=$(json "$scratch/out" '(d["devices"][0] if d["devices"][0]["type"] != "software" else d["devices"][-1])["name"]')
    is "the default is no software driver" "$expected" \
        "$(json "$scratch/out" '[x for x in d["devices"] if x["default"]][0]["name"]')"
    taken() { run run "$story" -n 1 --temp 0 --json "$@" && json "$scratch/out" "d['device']['name']"; }
    is "run takes the default" "$expected" "$(unset GODWIT_DEVICE; taken)"
    is "run takes GODWIT_DEVICE" reference "$(GODWIT_DEVICE=reference taken)"
    is "run takes --device before it" cpu "$(GODWIT_DEVICE=reference taken --device cpu)"
    (unset GODWIT_DEVICE; "$godwit" run "$story" -n 1 --stats >/dev/null 2>"$scratch/err")
    has "run says why" '^taken for +(no GPU; |no Vulkan device|the best GPU)' "$scratch/err"
    gives 0 devices
    is "devices says why, once" 1 "$(grep -c '^    default ' "$scratch/out")"
    for n in 1 3; do
        gives 0 run "$story" -n 1 --device cpu --stats --threads $n
        has "--threads $n" "^device .*threads: $n " "$scratch/err"
    done
    gives 2 run --threads 257
    # A loader that finds no driver: the reference is left, with a reason. Both names of the
    # variable, for older and newer loaders.
    VK_ICD_FILENAMES=/nonexistent.json VK_DRIVER_FILES=/nonexistent.json run devices --json
    is "devices without a driver: exit code" 0 "$code"
    is "without a driver one device is left" 1 "$(json "$scratch/out" 'len(d["devices"])')"
    is "without a driver there is a reason" True "$(json "$scratch/out" 'len(d["no_vulkan_reason"]) > 0')"
    gives 0 kernels --device cpu --json
    is "kernels --json parses" True "$(json "$scratch/out" 'd["n_kernels"] == len(d["kernels"])')"
else
    skip "JSON checks: NO PYTHON3"
fi

# A command that fails says so in JSON, too: what stderr says, once.
if have_python; then
    for words in "run $scratch/none.gguf" "run --device no-such-device" "bench $scratch/none.gguf" \
        "perplexity -f $scratch/none" "inspect $scratch/none.gguf" "kernels --device no-such-device" \
        "verify --device no-such-device" "quantize $scratch/none.gguf $scratch/out.gguf q8_0" \
        "convert $scratch/none $scratch/out.gguf" "quantize a b q9" "devices --no-such" "run --seed x"; do
        # shellcheck disable=SC2086
        run $words --json
        n_checks=$((n_checks + 1))
        [ "$code" -ge 1 ] && [ "$code" -le 2 ] || fail "$words --json: exit code $code"
        is "$words --json: the error" "$(tail -n 1 "$scratch/err")" \
            "godwit: $(json "$scratch/out" 'd["error"] if list(d) == ["error"] else d')"
    done
fi

# Without a place to keep what is known: said, unless it was asked for.
GODWIT_CACHE_DIR=/dev/null/none gives 0 devices
has "no cache directory: says so" '^godwit: cache directory /dev/null/none cannot be written: ' "$scratch/err"
(unset GODWIT_CACHE_DIR XDG_CACHE_HOME HOME; exec "$godwit" devices >/dev/null 2>"$scratch/err")
has "no home: says so" '^godwit: cache directory \(none is named\): .*\(HOME is not set\)$' "$scratch/err"
(unset GODWIT_CACHE_DIR XDG_CACHE_HOME; cd "$scratch"; HOME=relative exec "$godwit" devices >/dev/null 2>"$scratch/err")
has "relative home: says so" '^godwit: cache directory \(none is named\): .*\(HOME is no absolute path\)$' "$scratch/err"
if [ -c /dev/full ]; then
    GODWIT_CACHE_DIR=/dev/full gives 0 devices
    is "a device as the cache directory: one line" 1 "$(grep -c /dev/full "$scratch/err")"
    has "a device as the cache directory: says so" '^godwit: cache directory /dev/full is no directory: ' "$scratch/err"
fi
GODWIT_CACHE_DIR='' gives 0 devices
is "no cache directory wanted: says nothing" "" "$(cat "$scratch/err")"

# A full disk below it, where a test may make one: drivers lose what they compiled without a word.
mkdir "$scratch/disk"
if unshare -rm true 2>/dev/null && unshare -rm mount -t tmpfs -o size=16k none "$scratch/disk" 2>/dev/null; then
    unshare -rm bash -c 'mount -t tmpfs -o size=16k none "$1" && { head -c 1M /dev/zero >"$1/fill"
        GODWIT_CACHE_DIR=$1/cache exec "$2" devices; }' _ "$scratch/disk" "$godwit" >"$scratch/out" 2>"$scratch/err"
    has "full disk: says so" "^godwit: cache directory $scratch/disk/cache is on a full disk " "$scratch/err"
else
    skip "cache on a full disk: NO NAMESPACES to mount one in"
fi

# Nobody reads, or nobody can: no crash, no message but the reason.
(sleep 0.2; exec "$godwit" devices 2>"$scratch/err"; ) | true
is "closed pipe: exit code" 141 "${PIPESTATUS[0]}"
is "closed pipe: says nothing" "" "$(cat "$scratch/err")"
if [ -w /dev/full ]; then
    "$godwit" devices >/dev/full 2>"$scratch/err"
    is "full disk: exit code" 1 "$?"
    has "full disk: says so" '^godwit: stdout: ' "$scratch/err"
fi
"$godwit" devices >&- 2>"$scratch/err"
is "closed stdout: exit code" 1 "$?"

finish
