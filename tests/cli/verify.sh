#!/usr/bin/env bash
# `godwit verify`: a right device is found right, with the digest of the reference; a build with a
# wrong kernel (tests/faults.cmake) is found wrong, told on stdout, in JSON and by the exit code,
# and goes on without that kernel, saying the same.
. "$(dirname "$0")/lib.bash"

right=$godwit
faulty=${GODWIT_FAULTY_BIN:-}
"$right" devices >"$scratch/out" 2>&1
grep -q Vulkan "$scratch/out" || skip_all "no Vulkan device"

gives 2 verify extra
gives 0 verify --quick
has "rows" '^matmul(\.[a-z0-9]+)? +q8_0 +ok$' "$scratch/out"
has "last line" '^VERIFIED: .*vendor [0-9a-f]{4,8} .*build [0-9.]+\+[0-9a-f]{16}, [0-9]+ verdicts, 0 failed, digest [0-9a-f]{16}$' \
    <(tail -n 1 "$scratch/out")
digest=$(tail -n 1 "$scratch/out" | sed 's/.*digest //')
gives 0 verify --quick -d cpu
is "the reference's digest" "$digest" "$(tail -n 1 "$scratch/out" | sed 's/.*digest //')"
gives 0 devices
has "devices: verified" '^ +verified +self-check ok 20[0-9-]+$' "$scratch/out"
gives 0 run -n 4 -p "Once upon" --temp 0
cp "$scratch/out" "$scratch/story"
gives 0 run -n 4 -p "Once upon" --stats
has "--stats: verified" '^verified +self-check ok 20' "$scratch/err"

if have_python; then
    gives 0 verify --quick --json
    is "json: verdicts" True "$(json "$scratch/out" 'len(d["verdicts"]) == d["n_verdicts"] > 0')"
    is "json: all passed" True "$(json "$scratch/out" 'all(v["passed"] for v in d["verdicts"])')"
    is "json: digest" "$digest" "$(json "$scratch/out" 'd["digest"]')"
fi

# All of it, with what is fastest; neither changes what a model says. GODWIT_TEST_QUICK: on another
# driver; a new compiler takes minutes, and tests/ops has each op and format on this one, too.
has "devices: not measured yet" '^ +kernels +chosen by what the device reports$' <("$right" devices)
if [ -z "${GODWIT_TEST_QUICK:-}" ] && have_python; then
    gives 0 verify --json
    is "json: all passed" "[]" "$(json "$scratch/out" '[v for v in d["verdicts"] if not v["passed"]]')"
    is "json: every format" 28 "$(json "$scratch/out" 'len({v["label"] for v in d["verdicts"] if v["op"] == "matmul"})')"
    is "json: measured, none slower" True \
        "$(json "$scratch/out" 'len(d["choices"]) > 0 and all(0 < c["ns"] <= c["before_ns"] for c in d["choices"])')"
    has "devices: measured" '^ +kernels +chosen by measurement$' <("$right" devices)
    gives 0 run -n 4 -p "Once upon" --temp 0
    same "the story with the fastest kernels" "$scratch/story" "$scratch/out"
    gives 0 bench -p 4 -n 4 -r 1
    has "bench: measured" '^kernels +chosen by measurement$' "$scratch/out"
    for note in "$GODWIT_CACHE_DIR"/*.tuned; do truncate -s -1 "$note"; done
    has "a damaged choice counts for nothing" '^ +kernels +chosen by what the device reports$' <("$right" devices)
    rm "$GODWIT_CACHE_DIR"/*.tuned
fi

# A row of a person's own takes a variant away; a record that is damaged is made anew.
echo '* * * * disable matmul.dot by hand' >>"$GODWIT_CACHE_DIR/quirks.txt"
gives 0 devices
has "devices: routed" '^ +routed +matmul\.dot -> matmul$' "$scratch/out"
gives 0 run -n 4 -p "Once upon" --temp 0
same "the story without matmul.dot" "$scratch/story" "$scratch/out"
# One with a mistake in it counts for nothing, and is said once.
printf '%s\n' '* * * * disable matmul.dto x' '* * * * Disable matmul.dot x' >"$GODWIT_CACHE_DIR/quirks.txt"
gives 0 run -n 4 -p "Once upon" --temp 0
has "a kernel that is none" "quirks\.txt:1: ignored: there is no kernel 'matmul\.dto'" "$scratch/err"
has "an effect that is none" "quirks\.txt:2: ignored: 'Disable' is neither" "$scratch/err"
is "each is said once" 2 "$(grep -c ignored "$scratch/err")"
gives 0 devices
is "devices: not routed" 0 "$(grep -c '^ +routed' "$scratch/out")"
# A device of which a plain kernel is wrong, whoever says so: what says so is named.
echo '* * * * fails rms_norm by hand' >"$GODWIT_CACHE_DIR/quirks.txt"
gives 1 run -n 4 -p "Once upon" --temp 0
has "a plain kernel that fails: names the row" \
    "rms_norm: by hand; .*row 'fails rms_norm' of $GODWIT_CACHE_DIR/quirks\.txt" "$scratch/err"
rm "$GODWIT_CACHE_DIR/quirks.txt"
for record in "$GODWIT_CACHE_DIR"/*.verified; do echo rubbish >"$record"; done
gives 0 devices
has "damaged record" '^ +verified +not verified$' "$scratch/out"

if [ ! -x "$faulty" ]; then
    skip "a faulty build: set GODWIT_FAULTY_BIN"
    finish
fi
"$right" devices --json >"$scratch/out"
if have_python && [ "$(json "$scratch/out" 'd["devices"][0]["int_dot"]')" != True ]; then
    skip "a faulty build: this device has no packed dot"
    finish
fi
godwit=$faulty
gives 1 verify --quick
has "the variant is named" '^matmul\.dot +q8_0 +FAILED: word [0-9]+ of [0-9]+: wanted [0-9a-f]{8}, got [0-9a-f]{8}$' \
    "$scratch/out"
has "the plain one is right" '^matmul +q8_0 +ok$' "$scratch/out"
has "what follows" '^routed around: (.*, )?matmul\.dot -> matmul$' "$scratch/out"
has "last line" '^ROUTED AROUND: .* digest [0-9a-f]{16}$' <(tail -n 1 "$scratch/out")
n_checks=$((n_checks + 1))
[ "$digest" != "$(tail -n 1 "$scratch/out" | sed 's/.*digest //')" ] ||
    fail "a wrong kernel has the digest of right ones"
has "quirks.txt" ' disable matmul\.dot word ' "$GODWIT_CACHE_DIR/quirks.txt"
gives 0 devices
has "devices: routed" '^ +routed +(.*, )?matmul\.dot -> matmul$' "$scratch/out"
gives 0 run -n 4 -p "Once upon" --temp 0
same "the story of the faulty build" "$scratch/story" "$scratch/out"

# What a quick check does not look at stays, and is said.
own=$(grep -E ' disable matmul\.dot ' "$GODWIT_CACHE_DIR/quirks.txt" | cut -d ' ' -f 1-4)
printf '%s\n' "$own fails rope/f32 word 3" "$own disable matmul.texel/q5_k word 4" >>"$GODWIT_CACHE_DIR/quirks.txt"
gives 1 run -n 4 -p "Once upon" --temp 0
has "an earlier finding: names its row" "rope/f32: word 3; .*row 'fails rope/f32' of" "$scratch/err"
gives 1 verify --quick
has "last line" '^FAILED: ' <(tail -n 1 "$scratch/out")
has "rope's row stays" "^$own fails rope/f32 word 3$" "$GODWIT_CACHE_DIR/quirks.txt"
has "the variant's row stays" "^$own disable matmul\.texel/q5_k word 4$" "$GODWIT_CACHE_DIR/quirks.txt"
has "so does what was found again" "^$own disable matmul\.dot word " "$GODWIT_CACHE_DIR/quirks.txt"
is "each once" "" "$(cut -d ' ' -f 1-6 "$GODWIT_CACHE_DIR/quirks.txt" | grep -v '^#' | sort | uniq -d)"
sed -i '/ disable matmul\.\(dot\|texel\) /d' "$GODWIT_CACHE_DIR/quirks.txt"
godwit=$right
before=$(cat "$GODWIT_CACHE_DIR/quirks.txt")
gives 0 verify --quick
is "rows of another build stay" "$before" "$(cat "$GODWIT_CACHE_DIR/quirks.txt")"
finish
