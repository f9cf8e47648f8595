#!/usr/bin/env bash
# scrub.sh: `godwit run --scrub` says what it checked, and changes no token.
source "$(dirname "$0")/lib.bash"
model=$small

for device in "--device cpu" ""; do
    run run "$model" -p 'Once upon a time' -n 60 --temp 0 --ids $device
    cp "$scratch/out" "$scratch/ids"
    run run "$model" -p 'Once upon a time' -n 60 --temp 0 --ids --scrub --stats $device
    is "scrub $device: exit code" 0 "$code"
    same "scrub $device: ids" "$scratch/ids" "$scratch/out"
    has "scrub $device: stats" '^scrub +[0-9.]+ [KM]iB checked in [0-9.]+ ms, [1-9][0-9]* times' "$scratch/err"
    have_python || continue
    run run "$model" -p 'Once upon a time' -n 60 --temp 0 --json --scrub $device
    # All at the end, and slices between tokens: how many is a matter of time.
    is "scrub $device: more than a round" True \
        "$(json "$scratch/out" 'd["stats"]["scrub_bytes"] > 600000 and d["stats"]["scrub_passes"] >= 1')"
done
run devices --scrub
is "an option of run alone: exit code" 2 "$code"
# The guard makes products again and changes nothing.
gives 0 run -p 'Once upon a time' -n 8 --temp 0 --ids
cp "$scratch/out" "$scratch/ids"
gives 0 run -p 'Once upon a time' -n 8 --temp 0 --ids --guard 2 --stats
same 'ids with --guard' "$scratch/ids" "$scratch/out"
has 'stats with --guard' '^guard +[1-9][0-9]* products made again' "$scratch/err"
gives 2 run -p Once -n 2 --guard 1 --numerics fast
finish
