#!/usr/bin/env bash
# drivers.sh: drivers that abort, hang or have a broken manifest stop nothing that does not need
# them, are named and left out where one is needed, and do not hold a process that is to end; nor
# does what is no regular file in the cache directory.
source "$(dirname "$0")/lib.bash"
model=$root/models/story-q8_0.gguf
command -v cc >/dev/null || skip_all "NO C COMPILER to make a bad driver with"
good=${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}
[ -e "$good" ] || good=
folder=$(dirname "$(ls "$root"/tests/golden/hf/*/config.json | head -n 1)")
tell=(run "$model" -p "Once upon" -n 3 --temp 0)

# A driver whose library does $BAD when it is loaded, and leaves a mark.
cat >"$scratch/bad.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void load(void) {
    const char *what = getenv("BAD"), *mark = getenv("BAD_MARK");
    FILE *file = mark ? fopen(mark, "a") : NULL;
    if (file) fclose(file);
    if (what && strcmp(what, "abort") == 0) abort();
    if (what && strcmp(what, "exit") == 0) _exit(0);
    while (what && strcmp(what, "hang") == 0) pause();
}
int vk_icdNegotiateLoaderICDInterfaceVersion(unsigned *version) { (void)version; return -3; }
void *vk_icdGetInstanceProcAddr(void *instance, const char *name) {
    (void)instance;
    (void)name;
    return NULL;
}
C
cc -shared -fPIC -o "$scratch/libbad.so" "$scratch/bad.c" || skip_all "cc MAKES NO LIBRARY"
bad=$scratch/bad.json
printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "%s", "api_version": "1.3.0"}}\n' \
    "$scratch/libbad.so" >"$bad"
broken=$scratch/broken.json
printf '{ "file_format_version": "1.0.0",\n  "ICD": { "library_path": "libvulkan_other.so", }\n' >"$broken"
export BAD_MARK=$scratch/mark
unset GODWIT_DRIVER_SECONDS GODWIT_DEVICE

use() { export VK_DRIVER_FILES=$1 VK_ICD_FILENAMES=$1; }
forget() { rm -rf "$GODWIT_CACHE_DIR" "$BAD_MARK"; }
# in_time CODE SECONDS ARG...: the same as gives, in so many seconds and without a second signal.
in_time() {
    local expected=$1 seconds=$2
    shift 2
    timeout -s KILL "$seconds" "$godwit" "$@" <"${stdin:-/dev/null}" >"$scratch/out" 2>"$scratch/err"
    is "BAD=${BAD:-} godwit $*: exit code in $seconds s" "$expected" "$?"
}

use "$good"
[ -n "$good" ] || unset VK_DRIVER_FILES VK_ICD_FILENAMES
run "${tell[@]}" --device cpu
cp "$scratch/out" "$scratch/right"
is "the text: exit code" 0 "$code"

# --- what needs no device loads none

use "$bad"
for BAD in abort hang; do
    export BAD
    forget
    in_time 0 60 help
    in_time 0 60 help run
    in_time 0 60 --version
    in_time 0 60 inspect "$model"
    in_time 0 60 inspect "$model" --json
    in_time 0 60 "${tell[@]}" --device cpu
    same "--device cpu: the text" "$scratch/right" "$scratch/out"
    in_time 0 60 quantize "$model" "$scratch/q.gguf" Q4_0
    in_time 0 60 perplexity "$model" -f "$root/README.md" --device cpu --ctx 16 -n 16
    in_time 0 60 convert "$folder" "$scratch/c.gguf"
    n_checks=$((n_checks + 1))
    [ ! -e "$BAD_MARK" ] || fail "BAD=$BAD: the driver was loaded"
done
if [ "$(LD_DEBUG=files "$godwit" --version 2>&1 | grep -c "calling init")" -gt 0 ]; then
    loaded() { LD_DEBUG=files LD_DEBUG_OUTPUT=$scratch/ld "$godwit" "$@" >/dev/null 2>&1 </dev/null
        cat "$scratch"/ld.* | grep -c libvulkan; rm -f "$scratch"/ld.*; }
    export BAD=
    is "inspect loads no Vulkan" 0 "$(loaded inspect "$model")"
    is "--device cpu loads no Vulkan" 0 "$(loaded "${tell[@]}" --device cpu)"
    n_checks=$((n_checks + 1))
    [ "$(loaded devices)" -gt 0 ] || fail "devices loads Vulkan: not seen"
else
    skip "libraries that are loaded: NO LD_DEBUG"
fi

# --- what needs one leaves the bad one out

# left_out MANIFEST BAD WHY: alone, and beside the good driver.
left_out() {
    local manifest=$1 why=$3
    export BAD=$2
    use "$manifest"
    forget
    in_time 0 60 "${tell[@]}"
    has "$manifest alone: named" "^godwit: Vulkan driver $manifest is left out: $why.*--device cpu" "$scratch/err"
    has "$manifest alone: goes on on cpu" 'the cores of this machine' "$scratch/err"
    same "$manifest alone: the text" "$scratch/right" "$scratch/out"
    if [ "$BAD" != hang ]; then # which takes its time
        in_time 0 60 devices
        has "$manifest alone, devices: named" "Vulkan driver $manifest is left out: $why" "$scratch/err"
        has "$manifest alone, devices: cpu" '^\[0\] cpu' "$scratch/out"
    fi
    if [ -n "$good" ]; then
        use "$manifest:$good"
        forget
        for _ in 1 2; do
            in_time 0 60 "${tell[@]}" --stats
            has "$manifest and a good one: named" "Vulkan driver $manifest is left out: $why" "$scratch/err"
            is "$manifest and a good one: on the good one" 0 "$(grep -c 'the cores of this machine' "$scratch/err")"
            same "$manifest and a good one: the text" "$scratch/right" "$scratch/out"
            rm -f "$BAD_MARK"
        done
        in_time 0 60 "${tell[@]}"
        n_checks=$((n_checks + 1))
        [ ! -e "$BAD_MARK" ] || fail "$manifest: what is known to be bad was loaded again"
        in_time 0 60 devices --json
        is "$manifest and a good one, devices: named" "$manifest" \
            "$(json "$scratch/out" 'd["drivers_left_out"][0]["manifest"]')"
        n_checks=$((n_checks + 1))
        [ "$(json "$scratch/out" 'len(d["devices"])')" -ge 2 ] || fail "$manifest: hides the good driver"
    fi
}
left_out "$broken" "" "its manifest is broken: line 2: "
left_out "$bad" abort "it takes the process down that loads it: signal 6"
left_out "$bad" exit "it ends the process"
export GODWIT_DRIVER_SECONDS=4
left_out "$bad" hang "it does not answer within 4 s"
unset GODWIT_DRIVER_SECONDS

# A driver that is well again is used as soon as somebody asks for devices.
if [ -n "$good" ]; then
    export BAD=
    in_time 0 60 devices
    is "well again: nothing is left out" 0 "$(grep -c 'left out' "$scratch/err")"
    in_time 0 60 "${tell[@]}"
    is "well again: run" 0 "$(grep -c 'left out' "$scratch/err")"
fi

# A manifest that is not there, and one that is no driver here, are not worth a word of run.
use /nonexistent.json
forget
in_time 0 60 "${tell[@]}"
has "no driver: goes on on cpu" 'the cores of this machine' "$scratch/err"
is "no driver: two lines" 2 "$(wc -l <"$scratch/err")"

# --- one signal ends it

use "$bad"
# hangs_and_ends SIGNAL CODE ARG...: within 5 s (20 on a busy machine); the mark says that the driver is being loaded.
hangs_and_ends() {
    local signal=$1 expected=$2 i
    shift 2
    rm -f "$BAD_MARK"
    env --default-signal=INT,TERM,HUP "$godwit" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    local pid=$!
    for ((i = 0; i < 3000; i++)); do
        [ -e "$BAD_MARK" ] && break
        sleep 0.01
    done
    local start=$SECONDS
    kill -"$signal" "$pid"
    # What does not end is killed, so that this test does end.
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.05
        [ $((SECONDS - start)) -le 20 ] || kill -KILL "$pid"
    done
    wait "$pid" 2>/dev/null
    is "$signal in a driver: exit code of godwit $*" "$expected" "$?"
}
# While it is tried in a child. No child stays behind.
export BAD=hang GODWIT_DRIVER_SECONDS=60
forget
hangs_and_ends TERM 143 "${tell[@]}"
hangs_and_ends INT 130 "${tell[@]}"
hangs_and_ends TERM 143 devices
sleep 0.3
left=0
for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe")" = "$(realpath "$godwit")" ] || continue
    grep -qz "^BAD_MARK=$BAD_MARK$" "$process/environ" 2>/dev/null && left=$((left + 1))
done
is "no child stays behind" 0 "$left"
# In the process itself: it worked before, so it is not tried again.
for row in TERM:143 INT:130 HUP:129; do
    forget
    BAD='' in_time 0 60 "${tell[@]}"
    hangs_and_ends "${row%:*}" "${row#*:}" "${tell[@]}"
    has "${row%:*} in a driver: says so" 'does a driver hang' "$scratch/err"
done
# That start did not work, so that the next one tries the driver in a child again.
export GODWIT_DRIVER_SECONDS=4
in_time 0 60 "${tell[@]}"
has "after a start that hung: named" "$bad is left out: it does not answer" "$scratch/err"

# --- pipes and folders in the cache directory

if [ -n "$good" ]; then
    use "$good"
    export BAD=
    forget
    in_time 0 60 "${tell[@]}"
    names=("$GODWIT_CACHE_DIR/quirks.txt")
    for file in "$GODWIT_CACHE_DIR"/*.verified; do
        names+=("$file" "${file%.*}.tuned" "${file%.*}.trying" "$file.1-0.part")
    done
    for file in "$GODWIT_CACHE_DIR"/*.pipelines "$GODWIT_CACHE_DIR"/*.drivers; do
        [ -e "$file" ] && names+=("$file")
    done
    n_checks=$((n_checks + 1))
    [ ${#names[@]} -ge 6 ] || fail "cache directory: too few files: ${names[*]}"
    for make in mkfifo mkdir; do
        rm -rf "${names[@]}"
        "$make" "${names[@]}" || break
        in_time 0 60 "${tell[@]}"
        same "$make ${names[*]}: the text" "$scratch/right" "$scratch/out"
        in_time 0 60 devices
    done
    # Without a mark of its own, and through a link of that name, nothing is written.
    forget
    in_time 0 60 "${tell[@]}"
    for file in "$GODWIT_CACHE_DIR"/*.verified; do
        printf precious >"$scratch/precious"
        ln -s "$scratch/precious" "${file%.*}.trying"
        rm "$file"
        in_time 0 60 "${tell[@]}"
        is "a link as the mark of a trial: what it names stays" precious "$(cat "$scratch/precious")"
    done
    # A relative cache home is nobody's: no folder where the command was called.
    mkdir "$scratch/cwd"
    (unset GODWIT_CACHE_DIR; cd "$scratch/cwd" && HOME=$scratch XDG_CACHE_HOME=relative exec "$godwit" "${tell[@]}" >/dev/null 2>&1 </dev/null)
    is "relative XDG_CACHE_HOME: no folder" "" "$(ls "$scratch/cwd")"
fi

finish
