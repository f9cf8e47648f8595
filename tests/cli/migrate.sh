#!/usr/bin/env bash
# migrate.sh: a text that is stopped on one driver goes on on another with the same ids and logits, for
# every ordered pair of the drivers at hand and the reference; and what is saved has the same bytes
# everywhere.
source "$(dirname "$0")/lib.bash"
on() { # DRIVER ARG...
    local driver=$1
    shift
    if [ "$driver" = cpu ]; then
        "$godwit" "$@" --device cpu
    else
        "$root/tools/drivers" run "$driver" "$godwit" "$@"
    fi </dev/null >"$scratch/out" 2>"$scratch/err"
    code=$?
}

drivers=(cpu)
here=$("$root/tools/drivers" list)
for driver in lavapipe lavapipe25 swiftshader; do
    grep -q "^$driver=" <<<"$here" && drivers+=("$driver")
done
[ ${#drivers[@]} -gt 1 ] || skip_all "no driver but the reference"
n_on=6 n_vocab=512
args=(run "$small" --ignore-eos --ids)
begin=(-p "Once upon a time" --ctx 120 --kv f16,q8_0)

# stopped NAME N SAMPLING...
stopped() {
    local name=$1 n=$2 from to
    shift 2
    on cpu "${args[@]}" "${begin[@]}" "$@" -n $((n + n_on)) --logits "$scratch/whole.logits"
    is "$name: exit code" 0 "$code"
    tr ' ' '\n' <"$scratch/out" | tail -n $n_on >"$scratch/whole.ids"
    tail -c $((n_on * n_vocab * 4)) "$scratch/whole.logits" >"$scratch/whole.last"
    for from in "${drivers[@]}"; do
        on "$from" "${args[@]}" "${begin[@]}" "$@" -n "$n" --save "$scratch/saved.$from"
        is "$name, saved on $from: exit code" 0 "$code"
        same "$name: files of cpu and $from" "$scratch/saved.cpu" "$scratch/saved.$from"
    done
    for from in "${drivers[@]}"; do
        for to in "${drivers[@]}"; do
            on "$to" "${args[@]}" --resume "$scratch/saved.$from" -n $n_on --logits "$scratch/logits"
            tr ' ' '\n' <"$scratch/out" >"$scratch/ids"
            same "$name, from $from to $to: ids" "$scratch/whole.ids" "$scratch/ids"
            same "$name, from $from to $to: logits" "$scratch/whole.last" "$scratch/logits"
        done
    done
}

stopped "greedy, after 1" 1 --temp 0
stopped "drawn, after 7" 7 --temp 1.1 --seed 5
stopped "greedy, after 64" 64 --temp 0
stopped "drawn, after 64" 64 --temp 1.1 --top-k 60 --seed 6
printf 'drivers: %s\n' "${drivers[*]}"

finish
