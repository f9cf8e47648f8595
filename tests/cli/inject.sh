#!/usr/bin/env bash
# inject.sh: what fails under the command says so, and leaves nothing behind that is not true: the
# n-th Vulkan call, file operation or allocation (tests/inject), or a kill, of a first run and of
# `verify --quick`. No signal; exit 0 with the right text, or 1 with a line; no finding of a kernel;
# and the next run is right.
#
# GODWIT_INJECT_SECONDS: begin no more after that many, the sample's order is mixed; default 45.
# GODWIT_INJECT=all: 150 Vulkan calls x 4 errors of both commands, some of a full `verify` ("full"),
# 150 allocations, each file operation; GODWIT_INJECT="vk run vkQueueSubmit 3 -4 1;...": these.
source "$(dirname "$0")/lib.bash"
inject=${GODWIT_INJECT_DIR:-}
[ -n "$inject" ] || skip_all "no objects to inject with: set GODWIT_INJECT_DIR"
"$godwit" devices >"$scratch/out" 2>&1
grep -q Vulkan "$scratch/out" || skip_all "no Vulkan device"
export NODEVICE_SELECT=1 # Mesa's own layer crashes where it is refused something
layer=(VK_LAYER_PATH="$inject" VK_INSTANCE_LAYERS=VK_LAYER_GODWIT_inject)
run_args=(run -n 3 -p "Once upon" --temp 0)
errors=(-1 -2 -3 -4)
cache=$GODWIT_CACHE_DIR

# begin COMMAND ENV...: with empty caches; leaves $code, $scratch/out and $scratch/err.
begin() {
    local args=("${run_args[@]}")
    [ "$1" = verify ] && args=(verify --quick)
    [ "$1" = full ] && args=(verify --no-measure)
    shift
    env "$@" timeout -k 5 300 "$godwit" "${args[@]}" </dev/null >"$scratch/out" 2>"$scratch/err"
    code=$?
}

# --- what is right, and how many calls there are

begin run
is "the first run" 0 "$code"
cp "$scratch/out" "$scratch/text"
begin verify
digest=$(tail -n 1 "$scratch/out" | grep -o 'digest .*')
n_vk=0
for command in run verify; do
    rm -rf "$cache"
    begin "$command" "${layer[@]}" INJECT_COUNT="$scratch/vk.$command"
    n_vk=$((n_vk + 1))
    [ -s "$scratch/vk.$command" ] || n_vk=-9
    rm -rf "$cache"
    begin "$command" LD_PRELOAD="$inject/libinject_calls.so" INJECT_CALLS="$scratch/calls.$command"
done
has_layer=$((n_vk > 0))
[ "$has_layer" = 1 ] || skip "Vulkan calls: no layer in $inject"
has_calls=0
[ -s "$scratch/calls.run" ] && has_calls=1
[ "$has_calls" = 1 ] || skip "file operations and allocations: no object in $inject that goes with $godwit"

# Of a full verify: by the reference, once.
digest_of_all() {
    [ -s "$scratch/digest" ] || "$godwit" verify -d cpu | tail -n 1 | grep -o 'digest .*' >"$scratch/digest"
    cat "$scratch/digest"
}

count_of() { awk -v n="$2" '$1 == n { print $2 }' "$scratch/$1"; } # FILE NAME

# --- every function of the engine that gives a VkResult can be failed

header=/usr/include/vulkan/vulkan_core.h
if [ "$has_layer" = 1 ] && [ -r "$header" ]; then
    for name in $(grep -oE '^ +X\([A-Z][A-Za-z0-9]+\)' "$root/engine/gpu/internal.h" | tr -d ' X()' | grep -v DebugUtils); do
        grep -qE "^typedef VkResult \(VKAPI_PTR \*PFN_vk$name\)" "$header" || continue
        is "tests/inject/layer.c wraps vk$name" 1 "$(grep -c "^vk$name " "$scratch/vk.run")"
    done
fi

# --- one case: KIND COMMAND CALL AT HOW STICKY

vk_case() { begin "$1" "${layer[@]}" INJECT_CALL="$2" INJECT_AT="$3" INJECT_ERROR="$4" INJECT_STICKY="$5"; }
io_case() {
    begin "$1" LD_PRELOAD="$inject/libinject_calls.so" INJECT_IO_CALL="$2" INJECT_IO_AT="$3" \
        INJECT_IO_ERRNO="$4" INJECT_STICKY="$5"
}
alloc_case() { begin "$1" LD_PRELOAD="$inject/libinject_calls.so" INJECT_ALLOC_AT="$3" INJECT_STICKY="$5"; }
kill_case() {
    "$godwit" "${run_args[@]}" </dev/null >"$scratch/out" 2>"$scratch/err" &
    local pid=$!
    sleep "$3"
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    code=killed
}

# Rows that say something of a kernel; a driver that refuses a call each time has earned its own.
rows() {
    [ -f "$cache/quirks.txt" ] || return 0
    if [ "$1" = 1 ]; then
        grep -vE '^#|^$|did not run, twice: ' "$cache/quirks.txt"
    else
        grep -vE '^#|^$' "$cache/quirks.txt"
    fi
}

one() {
    local kind=$1 command=$2 sticky=$6 what="$*"
    rm -rf "$cache"
    "${kind}_case" "${@:2}"
    n_checks=$((n_checks + 1))
    case $code in
    0)
        if [ "$command" = run ]; then
            cmp -s "$scratch/text" "$scratch/out" || fail "$what: exit 0 with the text '$(head -c 200 "$scratch/out")'"
        else
            # Without an instance the reference is taken, and said.
            local wanted=$digest
            [ "$command" = full ] && wanted=$(digest_of_all)
            tail -n 1 "$scratch/out" | grep -Eq "^(VERIFIED|REFERENCE): .* 0 failed, $wanted" ||
                fail "$what: exit 0 with '$(tail -n 1 "$scratch/out")'"
        fi
        ;;
    1) grep -q '^godwit: .' "$scratch/err" || fail "$what: exit 1 without a word" ;;
    killed) ;;
    *) fail "$what: exit code $code: $(tail -c 200 "$scratch/err")" ;;
    esac
    n_codes[$code]=$((${n_codes[$code]:-0} + 1))
    is "$what: kept of a kernel" "" "$(rows "$sticky")"
    # Of the same files the next run makes the same.
    local state before=$n_failed
    state=$(find "$cache" -type f -exec cksum {} + 2>/dev/null | sort | cksum)
    [ -z "${is_right[$state]:-}" ] || return 0
    begin run
    is "$what: the next run" 0 "$code"
    cmp -s "$scratch/text" "$scratch/out" || fail "$what: the next run has the text '$(head -c 200 "$scratch/out")'"
    is "$what: rows after the next run" "" "$(rows "$sticky")"
    # A kill may leave a part, which the next save of that name removes.
    [ "$kind" = kill ] ||
        is "$what: left behind" "" "$(cd "$cache" && ls | grep -E '\.(part|trying|killed)$')"
    is "$what: measured by nobody" "" "$(cd "$cache" && ls | grep -E '\.tuned$')"
    [ "$n_failed" -gt "$before" ] || is_right[$state]=1
}

# --- which

# spread N TOTAL: N numbers from 1 to TOTAL.
spread() { awk -v n="$1" -v all="$2" 'BEGIN { if (n > all) n = all; for (i = 0; i < n; i++) print int(i * all / n) + 1 }'; }

list_sample() {
    local i=0 name n at command
    if [ "$has_layer" = 1 ]; then
        while read -r name n; do
            [ "$name" = all ] && continue
            for at in $(spread 2 "$n"); do
                echo "vk run $name $at ${errors[i++ % 4]} 0"
            done
            i=$((i + 1))
        done <"$scratch/vk.run"
        for at in $(spread 12 "$(count_of vk.verify all)"); do echo "vk verify all $at ${errors[i++ % 4]} 0"; done
        # From then on: a device that is gone, a driver that refuses.
        for at in "vkQueueSubmit 3 -4" "vkWaitForFences 4 -2" "vkWaitForFences 5 -4" "vkCreateBufferView 5 -3" \
            "vkCreateComputePipelines 3 -3" "vkCreateDevice 1 -4" "vkWaitForFences 1 -3" "all 400 -4" "all 300 -1"; do
            for command in run verify; do echo "vk $command $at 1"; done
        done
    fi
    for command in run verify; do
        [ "$has_calls" = 1 ] || continue
        for at in $(spread 6 "$(count_of "calls.$command" alloc)"); do echo "alloc $command - $at - $((i++ % 2))"; done
        for at in $(spread 8 "$(count_of "calls.$command" io)"); do echo "io $command all $at $((i++ % 2 ? 5 : 28)) 0"; done
        for name in open fopen write fsync rename flock; do echo "io $command $name 1 28 1"; done
    done
    for at in 0.05 0.1 0.15 0.2 0.3 0.5; do echo "kill run - $at - 0"; done
}

list_all() {
    local command at error
    for command in run verify; do
        if [ "$has_layer" = 1 ]; then
            for at in $(spread 150 "$(count_of "vk.$command" all)"); do
                for error in "${errors[@]}"; do echo "vk $command all $at $error 0"; done
            done
        fi
        [ "$has_calls" = 1 ] || continue
        for at in $(spread 150 "$(count_of "calls.$command" alloc)"); do echo "alloc $command - $at - 0"; done
        for at in $(spread 999 "$(count_of "calls.$command" io)"); do echo "io $command all $at 5 0"; done
    done
    if [ "$has_layer" = 1 ]; then
        for at in $(spread 10 9000); do
            for error in "${errors[@]}"; do echo "vk full all $at $error $((at % 2))"; done
        done
    fi
    list_sample
}

declare -A n_codes=() is_right=()
seconds=${GODWIT_INJECT_SECONDS:-45}
case ${GODWIT_INJECT:-} in
'') list_sample | shuf --random-source=<(yes) >"$scratch/list" ;;
all) list_all >"$scratch/list" && seconds=999999 ;;
*) tr ';' '\n' <<<"$GODWIT_INJECT" >"$scratch/list" ;;
esac
n=0
SECONDS=0
while read -r -u 3 line; do
    [ "$SECONDS" -lt "$seconds" ] || break
    # shellcheck disable=SC2086
    one $line
    n=$((n + 1))
done 3<"$scratch/list"
printf '%s of %s points in %s s; exit codes:' "$n" "$(wc -l <"$scratch/list")" "$SECONDS"
for code in "${!n_codes[@]}"; do printf ' %s: %s' "$code" "${n_codes[$code]}"; done
echo
finish
