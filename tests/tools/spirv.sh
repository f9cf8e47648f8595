#!/usr/bin/env bash
# spirv.sh: tools/spirv takes a module from GODWIT_SPIRV_CACHE where all that goes into it is the
# same, wherever the folders are, and never where anything is not.
set -uo pipefail
spirv=$(cd "$(dirname "$0")/../.." && pwd)/tools/spirv
for tool in glslangValidator spirv-val spirv-opt; do
    command -v $tool >/dev/null || { printf 'SKIPPED: spirv.sh: NO %s\n' $tool; exit 77; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
n_failed=0
unset GODWIT_SPIRV_CACHE # as ./check sets it
is() { [ "$2" = "$3" ] || { printf 'FAILED: %s: expected "%s", is "%s"\n' "$@"; n_failed=$((n_failed + 1)); }; }

# A compiler that counts how often it compiles.
printf '#!/bin/sh\n[ "$1" = --version ] && { echo "compiler $COMPILER"; exit; }\necho >>compiled\nexec glslangValidator "$@"\n' >glslang
# One that says on stderr what it is, as spirv-opt does.
printf '#!/bin/sh\n[ "$1" = --version ] && { echo "optimiser $OPTIMISER" >&2; exit; }\nexec spirv-opt "$@"\n' >opt
chmod +x glslang opt
mkdir a b
cat >a/x.comp <<'GLSL'
#version 450
#extension GL_GOOGLE_include_directive : require
#include "value.glsl"
layout(local_size_x = 1) in;
layout(binding = 0) buffer B { float x[]; };
void main() { x[0] = VALUE + MORE; }
GLSL
echo '#define VALUE 1.0' >a/value.glsl
cp a/* b

# make FOLDER WORDS...: the module of it, in raw and out
make() {
    local folder=$1
    shift
    rm -f raw out
    "$spirv" raw out vulkan1.2 ./glslang spirv-val ./opt --eliminate-dead-functions "${passes[@]}" -- \
        "-I$folder" "$@" "$folder/x.comp" >said 2>&1
}
times() { [ -e compiled ] && wc -l <compiled || echo 0; }
passes=()
export COMPILER=1 OPTIMISER=1

make a -DMORE=1.0
is "without a cache: exit code" 0 "$?"
cp raw raw1 && cp out out1
make a -DMORE=1.0
is "without a cache: compiled each time" 2 "$(times)"
export GODWIT_SPIRV_CACHE=$scratch/new/cache
make a -DMORE=1.0
is "with an empty one: compiled" 3 "$(times)"
make b -DMORE=1.0
is "the same in another folder: exit code" 0 "$?"
is "the same in another folder: not compiled" 3 "$(times)"
is "the same bytes" "" "$(cmp raw raw1 2>&1; cmp out out1 2>&1)"
make b -DMORE=2.0
is "another define: compiled" 4 "$(times)"
passes=(--strip-debug)
make b -DMORE=1.0
is "another pass: compiled" 5 "$(times)"
passes=()
COMPILER=2 make b -DMORE=1.0
is "another compiler: compiled" 6 "$(times)"
OPTIMISER=2 make b -DMORE=1.0
is "another optimiser: compiled" 7 "$(times)"
is "nothing is said" "" "$(cat said)"
echo '#define VALUE 3.0' >b/value.glsl
make b -DMORE=1.0
is "another include: compiled" 8 "$(times)"
is "another include: other bytes" 1 "$(cmp -s out out1; echo $?)"
echo '// no more' >>a/x.comp
make a -DMORE=1.0
is "another source: compiled" 9 "$(times)"
echo 'no GLSL' >>a/x.comp
make a -DMORE=1.0
is "what does not compile: fails" 1 "$([ $? -ne 0 ] && echo 1)"
make a -DMORE=1.0
is "what does not compile: is not kept" 11 "$(times)"
[ $n_failed -eq 0 ]
