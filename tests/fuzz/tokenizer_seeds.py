"""Makes the seeds of the tokenizer's fuzzer: python3 tokenizer_seeds.py

Two small vocabularies as GGUF files, whose last bytes (a key's value) are a text to encode.
"""

import os
import struct


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def pair(key, kind, data):
    return text(key) + struct.pack("<I", kind) + data


def array(key, kind, items):
    data = b"".join(text(i) if kind == 8 else struct.pack({5: "<i", 6: "<f"}[kind], i) for i in items)
    return pair(key, 9, struct.pack("<IQ", kind, len(items)) + data)


def write(name, pairs):
    os.makedirs("corpus/tokenizer", exist_ok=True)
    with open(f"corpus/tokenizer/{name}", "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs))


K = "tokenizer.ggml."
SPM = [("<unk>", 2), ("<s>", 3), ("</s>", 3), ("\u2581", 1), ("a", 1), ("b", 1), ("\u2581a", 1),
       ("ab", 1), ("<0x41>", 6), ("<0xF0>", 6), ("<0x9F>", 6), ("<|end|>", 3), ("<tool>", 4)]
write("spm", [
    pair(K + "model", 8, text("llama")), array(K + "tokens", 8, [t for t, _ in SPM]),
    array(K + "scores", 6, [-i for i in range(len(SPM))]), array(K + "token_type", 5, [k for _, k in SPM]),
    pair(K + "bos_token_id", 4, struct.pack("<I", 1)), pair(K + "add_eos_token", 7, b"\x01"),
    pair("text", 8, text("ab a <tool>aab<|end|>b\xf0 A ab"))])
for pre in ("default", "smollm", "llama-bpe", "gpt-4o"):
    write("bpe-" + pre, [
        pair(K + "model", 8, text("gpt2")), pair(K + "pre", 8, text(pre)),
        array(K + "tokens", 8, ["a", "b", "\u0120", "ab", "\u0120a", "1", "<|end|>", "A", "'", "s", "?"]),
        array(K + "token_type", 5, [1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 2]),
        array(K + "merges", 8, ["a b", "\u0120 a", "ab ab", "\u0120 \u0120", "' s"]),
        pair(K + "unknown_token_id", 4, struct.pack("<I", 10)),
        pair("text", 8, text("ab  a\r\n1234 A's ABab<|end|>b\xf0\n  \u3000"))])
write("gemma4", [
    pair(K + "model", 8, text("gemma4")),
    array(K + "tokens", 8, ["<unk>", "<bos>", "a", "b", "\u2581", "ab", "\u2581a", "\n\n", "<0x41>", "\n"]),
    array(K + "token_type", 5, [2, 3, 1, 1, 1, 1, 1, 1, 6, 1]),
    array(K + "merges", 8, ["a b", "\u2581 a", "ab ab", "\n \n", "\u2581a b"]),
    pair(K + "bos_token_id", 4, struct.pack("<I", 1)),
    pair("text", 8, text("ab  a\n\nAab\u2581b\xf0 ab"))])
for model in ("bert", "t5"):
    write(model, [
        pair(K + "model", 8, text(model)),
        array(K + "tokens", 8, ["[UNK]", "[CLS]", "[SEP]", "\u2581", "a", "b", "\u2581ab", "ab", "\u2581e", "1"]),
        array(K + "scores", 6, [0, 0, 0, -1, -2, -3, -4, -3.5, -5, -2]),
        array(K + "token_type", 5, [2, 3, 3, 1, 1, 1, 1, 1, 1, 4]),
        pair(K + "precompiled_charsmap", 9, struct.pack("<IQ", 0, 16) +
             struct.pack("<IIII", 8, 1 << 10, 0x61 | 1 << 8 | 1 << 10, 0)),
        pair("text", 8, text("abab  \u00e9a 1\tAB b\xf0 ab"))])
