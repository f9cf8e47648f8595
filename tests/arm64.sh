#!/usr/bin/env bash
# Does Godwit give the same bits on arm64? Cross-compiles the command, runs it on the device "cpu"
# of an emulator that is three processors in turn, which take three paths of engine/cpu (NEON; with dots
# of bytes; with matrices of bytes), and compares with the command of this machine: the digest of every
# op in every number format, logits, and files that it writes. No arm64 machine is needed, and nothing
# of the system but the compiler and the emulator (tools/deps arm64): libraries for arm64 are unpacked
# under .cache/arm64. Debian, as root or not. .ci/run runs it; ./check does not.
#
#   tests/arm64.sh [NATIVE]     NATIVE: this machine's command (default: build/release/godwit)
#
# Fails where a bit differs; exits with 77 where it cannot be tried.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
native=$(realpath "${1:-$root/build/release/godwit}")
dir=${GODWIT_ARM64_DIR:-$root/.cache/arm64}
build=$root/build/arm64
say() { printf 'arm64: %s\n' "$*" >&2; }
skip() { printf 'SKIPPED: arm64: %s\n' "$*"; exit 77; }

[ -x "$native" ] || { say "$native: not there; build it first, or name one"; exit 2; }
[ "$(uname -m)" != aarch64 ] || skip 'this machine is one: ./check says it all'
for tool in aarch64-linux-gnu-gcc qemu-aarch64-static; do
    command -v $tool >/dev/null || skip "no $tool; tools/deps arm64 installs it"
done

# --- libraries

. "$root/tools/private_apt.sh"
apt_options=(-o APT::Architectures::=amd64 -o APT::Architectures::=arm64)
packages=(libpcre2-8-0:arm64 libpcre2-dev:arm64 libxxhash0:arm64 libxxhash-dev:arm64 libzstd1:arm64
    libzstd-dev:arm64 libjansson4:arm64 libjansson-dev:arm64 libvulkan-dev:arm64 libvulkan-volk-dev)
if [ ! -e "$dir/root/ready" ] || [ "$(cat "$dir/root/ready")" != "${packages[*]}" ]; then
    need_apt %s || skip 'no packages for arm64'
    rm -rf "$dir/root" "$dir/debs"
    mkdir -p "$dir/root" "$dir/debs"
    say "unpacking ${packages[*]}"
    (cd "$dir/debs" && own_apt download "${packages[@]}" >&2) || skip 'no packages for arm64'
    unpack "$dir/debs" "$dir/root"
    printf '%s\n' "${packages[*]}" >"$dir/root/ready"
fi

# --- the command

# One module for all formats: they are not run here, and are compiled in seconds.
export GODWIT_SYSROOT=$dir/root
mkdir -p "$build"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGODWIT_WERROR=ON \
    -DCMAKE_TOOLCHAIN_FILE="$root/cmake/aarch64.cmake" -DGODWIT_BUILD_TESTS=OFF \
    -DGODWIT_MODULE_A_FORMAT=OFF >"$build.log" 2>&1 &&
    cmake --build "$build" --target godwit >>"$build.log" 2>&1 || { tail -n 40 "$build.log" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GODWIT_CACHE_DIR=$work/cache
unset GODWIT_MODEL
cpu=max
arm64() {
    qemu-aarch64-static -cpu $cpu -L /usr/aarch64-linux-gnu \
        -E LD_LIBRARY_PATH="$dir/root/usr/lib/aarch64-linux-gnu" "$build/godwit" "$@"
}

# --- the same bits

failed=0
same() { # WHAT FILE FILE
    if cmp -s "$2" "$3" && [ -s "$2" ]; then
        printf 'same: %s (sha256 %s...)\n' "$1" "$(sha256sum "$2" | head -c 16)"
    else
        printf 'DIFFERENT: %s\n' "$1"
        failed=1
    fi
}
# of_both NAME ARG...: stdout of both, in $work/NAME.{native,arm64}; {} in an argument is the machine.
# What this machine says is asked once.
of_both() {
    local name=$1
    shift
    [ -e "$work/$name.native" ] ||
        "$native" "${@//\{\}/native}" >"$work/$name.native" 2>"$work/said" || { cat "$work/said"; exit 1; }
    arm64 "${@//\{\}/arm64}" >"$work/$name.arm64" 2>"$work/said" || { cat "$work/said"; exit 1; }
}
# takes PATH FILE: does what verify said there name that path of engine/cpu?
takes() {
    grep -q "cores [^,]*, $1, " "$2" && return
    printf 'DIFFERENT: on %s the path is not %s: %s\n' $cpu "$1" "$(tail -n 1 "$2")"
    failed=1
}

[ "$(od -An -tx1 -j18 -N2 "$build/godwit")" = ' b7 00' ] || { say 'the build is not for arm64'; exit 1; }
OBJDUMP=aarch64-linux-gnu-objdump "$root/tests/lint/lint" fused \
    "$build"/CMakeFiles/godwit_objects.dir/engine/cpu/isa_*.o || failed=1
n=16
for each in cortex-a72:neon cortex-a76:dotprod max:i8mm; do
    cpu=${each%:*} path=${each#*:}
    of_both verify verify -d cpu
    takes "$path" "$work/verify.arm64"
    for machine in native arm64; do
        sed -n 's/.* digest \([0-9a-f]\{16\}\)$/\1/p' "$work/verify.$machine" >"$work/digest.$machine"
    done
    same "$path: digest of every op in every number format" "$work/digest.native" "$work/digest.arm64"
    of_both run run -p 'Once upon a time' -n $n --temp 0 --ignore-eos -d cpu --logits "$work/logits.{}"
    same "$path: story" "$work/run.native" "$work/run.arm64"
    same "$path: its $n steps of logits" "$work/logits.native" "$work/logits.arm64"
done
for each in i8mm:dotprod floor:neon; do # the same by masks
    arm64 verify -d cpu --quick --mask "${each%:*}" >"$work/quick" || { cat "$work/quick"; failed=1; }
    takes "${each#*:}" "$work/quick"
done
of_both drawn run -p 'The Lion' -n $n --seed 7 -d cpu
same 'a drawn story' "$work/drawn.native" "$work/drawn.arm64"
# Those whose quantizers differ; of the one that searches long a few matrices.
for each in 'BF16 --tensor blk.0.attn*=IQ3_S' Q8_0 Q5_1 Q4_K TQ1_0 MXFP4; do
    read -ra words <<<"$each"
    of_both quantize quantize "$root/models/story-q8_0.gguf" "$work/file.{}" "${words[@]}"
    same "the file in $each" "$work/file.native" "$work/file.arm64"
    rm -f "$work"/file.* "$work"/quantize.*
done
exit $failed
