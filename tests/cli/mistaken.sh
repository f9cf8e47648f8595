#!/usr/bin/env bash
# mistaken.sh: what people hand over as a model by mistake is called what it is, by every command.
source "$(dirname "$0")/lib.bash"
cd "$scratch" || exit 1

key() { # NAME VALUE: a pair of a GGUF header, a text; short ones only
    printf "\\$(printf %o ${#1})\0\0\0\0\0\0\0%s\010\0\0\0\\$(printf %o ${#2})\0\0\0\0\0\0\0%s" "$1" "$2"
}
header() { # how many pairs
    printf 'GGUF\003\0\0\0\0\0\0\0\0\0\0\0'
    printf "\\$(printf %o "$1")\0\0\0\0\0\0\0"
}

{ header 2; key general.architecture llama; key general.type adapter; } >lora.gguf
{ header 2; key general.architecture clip; key general.type mmproj; } >mmproj.gguf
{ header 1; key general.type imatrix; } >imatrix.gguf
{ header 2; key general.architecture rwkv7; key tokenizer.ggml.model rwkv; } >rwkv7.gguf
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 4368438976\n' >pointer.gguf
printf '<!doctype html>\n<html class="">\n<head><title>x</title></head>\n' >page.gguf
printf 'PK\003\004\0\0\0\0archive/data.pkl' >zip.bin
printf '\200\002}q\0(X\014\0\0\0' >pickle.pt
printf '\020\0\0\0\0\0\0\0{"w":{"dtype":1}}' >model.safetensors
printf 'tjgg\003\0\0\0\0\0\0\0\0\0\0\0' >old.bin
printf 'GGUF\001\0\0\0\0\0\0\0\0\0\0\0' >v1.gguf
printf 'GGUF\0\0\0\003\0\0\0\0\0\0\0\0' >big-endian.gguf
: >empty.gguf
head -c 4096 /dev/zero >zeros.gguf
printf 'a b' >text

says() { # FILE PATTERN: of run and inspect, and of the commands that read any GGUF where that is none
    gives 1 run "$1" -p a -n 1
    has "run $1" "^godwit: (cannot read: )?$1: .*$2" err
    is "run $1: one line" 1 "$(wc -l <err)"
    gives 1 perplexity "$1" -f text
    has "perplexity $1" "$2" err
    run inspect "$1"
    cat out err >said
    has "inspect $1" "$1: .*$2" said
    is "inspect $1: once" 1 "$(grep -c -- "$2" said)"
}
says lora.gguf 'LoRA adapter'
says mmproj.gguf 'image or audio encoder'
says imatrix.gguf 'importance matrix, which `godwit quantize --imatrix` reads'
says rwkv7.gguf "architecture 'rwkv7'"
says pointer.gguf 'Git LFS pointer.*git lfs pull'
says page.gguf 'HTML page'
says zip.bin 'ZIP archive'
says pickle.pt 'Python pickle'
says model.safetensors 'safetensors file: `godwit convert`'
mkdir folder empty
echo '{}' >folder/config.json
says folder 'folder in Hugging Face.s layout: `godwit convert`'
says empty 'folder: name the GGUF file'
mkdir peft
echo '{"peft_type": "LORA"}' >peft/adapter_config.json
says peft 'LoRA adapter as PEFT writes it'
gives 1 convert peft out.gguf
has "convert an adapter" 'peft/adapter_config.json: lora_alpha, r: not numbers' err
printf 'Entry not found' >answer.gguf
says answer.gguf 'short text, often a server'
says old.bin 'older than GGUF'
says v1.gguf 'GGUF version 1'
says big-endian.gguf 'big-endian'
says empty.gguf 'the file is empty'
says zeros.gguf 'did not finish'
for file in imatrix.gguf pointer.gguf page.gguf zip.bin; do
    gives 1 quantize "$file" out.gguf Q8_0
    has "quantize $file" "^godwit: $file: " err
    is "quantize $file: nothing is left" 1 "$([ -e out.gguf ]; echo $?)"
done
finish
