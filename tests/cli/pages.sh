#!/usr/bin/env bash
# pages.sh: help fits 80 columns; manual page and completions have all that help has, are what the
# build has made, and are read without a complaint by what reads them.
source "$(dirname "$0")/lib.bash"

commands=$(run help; sed -nE 's/^  ([a-z]+) .*/\1/p' "$scratch/out" | grep -vx help)
is "commands are found" True "$([ "$(wc -w <<<"$commands")" -ge 9 ] && echo True)"

gives 0 help --man
cp "$scratch/out" "$scratch/godwit.1"
for shell in bash zsh fish; do
    gives 0 help --completion $shell
    cp "$scratch/out" "$scratch/completion.$shell"
done
gives 2 help --completion csh
gives 2 help --completion

# options COMMAND: its long names, as help shows them.
options() { run help "$1"; sed -nE 's/^  (-.,|   ) --([a-z0-9-]+).*/\2/p' "$scratch/out"; }

run help
is "help within 80 columns" "" "$(awk 'length($0) > 80' "$scratch/out")"
for command in $commands; do
    run help "$command"
    is "help $command within 80 columns" "" "$(awk 'length($0) > 80' "$scratch/out")"
    is "help $command: no line ends in a blank" "" "$(grep -E ' $' "$scratch/out")"
    section=$(sed -n "/^\.SS \"godwit $command[ \"]/,/^\.S/p" "$scratch/godwit.1")
    is "man has $command" True "$([ -n "$section" ] && echo True)"
    for option in $(options "$command"); do
        n_checks=$((n_checks + 1))
        grep -qF -- "\\fB\\-\\-${option//-/\\-}\\fR" <<<"$section" || fail "man: $command --$option is missing"
        grep -qE -- "^complete .*from $command' (-s . )?-l $option( |$)" "$scratch/completion.fish" ||
            fail "fish: $command --$option is missing"
        sed -n "/^    $command)$/,/;;/p" "$scratch/completion.zsh" | grep -E -- "--$option[}=' []" >/dev/null ||
            fail "zsh: $command --$option is missing"
    done
done

# complete WORD...: what bash offers for the last of them.
complete() {
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _godwit
             printf "%s\n" "${COMPREPLY[*]}"' - "$scratch/completion.bash" "$@"
}
is "bash: commands" "run" "$(complete godwit ru)"
is "bash: help's commands" "perplexity" "$(complete godwit help p)"
for command in $commands; do
    is "bash: $command's options" "$(options "$command" | sed 's/^/--/' | paste -sd ' ')" "$(complete godwit "$command" --)"
done
is "bash: words of a choice" "exact fast" "$(complete godwit run --numerics '')"
is "bash: the same, joined" "fast" "$(complete godwit run --numerics = f)"
is "bash: a number is not completed" "" "$(complete godwit run -n '')"
is "bash: the device that is always there" "cpu" "$(complete godwit run -d c)"
is "bash: the words of session" "inspect" "$(complete godwit session '')"
is "bash: number formats" "Q4_0 Q4_1 Q4_K" "$(complete godwit quantize in out Q4)"
mkdir "$scratch/files"
touch "$scratch/files/a model.gguf"
is "bash: files, with a blank in the name" "$scratch/files/a model.gguf" "$(complete godwit run -m "$scratch/files/")"

# The readers that are at hand.
bash -n "$scratch/completion.bash" || fail "bash -n"
for shell in zsh fish; do
    if command -v $shell >/dev/null; then
        is "$shell -n" "" "$($shell -n "$scratch/completion.$shell" 2>&1)"
    else
        skip "completion for $shell: NO $shell"
    fi
done
if command -v groff >/dev/null; then
    is "groff has no complaint" "" "$(groff -man -ww -z "$scratch/godwit.1" 2>&1)"
elif command -v mandoc >/dev/null; then
    is "mandoc has no complaint" "" "$(mandoc -T lint -W error "$scratch/godwit.1" 2>&1)"
else
    skip "manual page: NO groff, NO mandoc"
fi

# Those of the build are of this command.
built=$(dirname "$godwit")/pages
if [ -d "$built" ]; then
    same "the built manual page" "$scratch/godwit.1" "$built/godwit.1"
    same "the built completion for bash" "$scratch/completion.bash" "$built/godwit.bash"
    same "the built completion for zsh" "$scratch/completion.zsh" "$built/_godwit"
    same "the built completion for fish" "$scratch/completion.fish" "$built/godwit.fish"
fi
finish
