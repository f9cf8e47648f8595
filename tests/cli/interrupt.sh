#!/usr/bin/env bash
# interrupt.sh: Ctrl-C, SIGTERM, SIGHUP and closed pipes in the middle of a text end `godwit run` in order.
source "$(dirname "$0")/lib.bash"
model=$story
long=(run "$model" --ignore-eos --ctx 16384 -n 16000)

# wait_for FILE: until it holds something, or half a minute.
wait_for() {
    local i
    for ((i = 0; i < 3000; i++)); do
        [ -s "$1" ] && return 0
        sleep 0.01
    done
    fail "no output in 30 s"
}

# interrupted SIGNAL CODE ARG...: a background job of a script ignores SIGINT unless told otherwise.
interrupted() {
    local signal=$1 expected=$2
    shift 2
    rm -f "$scratch/out"
    env --default-signal=INT,TERM,HUP "$godwit" "${long[@]}" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    local pid=$!
    wait_for "$scratch/out"
    kill -"$signal" "$pid"
    wait "$pid"
    is "$signal $*: exit code" "$expected" "$?"
}

for device in "--device cpu" ""; do
    interrupted INT 130 --stats $device
    has "Ctrl-C $device: statistics" '^decode +[0-9]+ tokens' "$scratch/err"
    is "Ctrl-C $device: the text ends with a line end" '' "$(tail -c 1 "$scratch/out")"
    interrupted INT 130 --ids $device
    has "Ctrl-C $device: whole ids" '^[0-9]+( [0-9]+)*$' "$scratch/out"
    "$godwit" "${long[@]}" $device 2>"$scratch/err" </dev/null | head -c 1 >"$scratch/out"
    is "closed pipe $device: exit code" 141 "${PIPESTATUS[0]}"
    has "closed pipe $device: some text came" . "$scratch/out"
    is "closed pipe $device: says nothing of it" "" "$(grep -v trained "$scratch/err")"
done

for row in INT:130 TERM:143 HUP:129; do
    printf old >"$scratch/logits"
    interrupted "${row%:*}" "${row#*:}" --stats --logits "$scratch/logits"
    has "${row%:*}: statistics" '^decode +[0-9]+ tokens' "$scratch/err"
    is "${row%:*}: what was there stays" old "$(cat "$scratch/logits")"
    is "${row%:*}: no temporary file is left" "" "$(find "$scratch" -name '*.part')"
done

# In the middle of loading or of a check there is nothing to report but that.
if have_python; then
    env --default-signal=INT GODWIT_CACHE_DIR= "$godwit" verify --json >"$scratch/out" 2>"$scratch/err" </dev/null &
    pid=$!
    sleep 0.7
    kill -INT "$pid"
    wait "$pid"
    is "verify --json: exit code" 130 "$?"
    is "verify --json: says so" "stopped by signal 2" "$(json "$scratch/out" 'd["error"]')"
else
    skip "JSON checks: NO PYTHON3"
fi

# A job in the background that ignores SIGINT goes on.
rm -f "$scratch/out"
env --ignore-signal=INT "$godwit" run "$model" -n 300 --ignore-eos >"$scratch/out" 2>/dev/null </dev/null &
pid=$!
wait_for "$scratch/out"
kill -INT "$pid"
wait "$pid"
is "SIGINT ignored: goes on" 0 "$?"

finish
