#!/usr/bin/env python3
"""Makes a llama of random weights for speed measurements: the same shapes and bytes as a real one.

Needs numpy and gguf (pip install numpy gguf). The default is 110 M parameters (dim 768, ffn 2048, 12
layers, 12 heads, vocabulary 32000, output tied to the embedding), in F32, F16, Q8_0 and Q4_0:

    bench/make_llama.py DIRECTORY [--formats F16,Q8_0] [--layers 12 --dim 768 --ffn 2048 ...]

writes DIRECTORY/llama-110M-f32.gguf and so on. Equal arguments give equal bytes. Norms stay F32; all
matrices, the embedding too, get the format. The vocabulary is a dummy that merges (spm kind).

With --experts N --used K each layer has a mixture of N experts, K of them a token.

Every other format of GGUF that Godwit reads may be named, too: its blocks are random bits with finite
scales, good for speed alone.
"""
import argparse
import itertools
import os
import string

import gguf
import numpy as np

FORMATS = ("F32", "F16", "Q8_0", "Q4_0")
# (bytes of a block, where its half scales are) of formats whose blocks are random bits; IQ1_M's scale is in
# the top four bits of its last four 16-bit words, MXFP4's and NVFP4's are bytes.
RANDOM = {
    "Q4_1": (20, (0, 2)), "Q5_0": (22, (0,)), "Q5_1": (24, (0, 2)), "Q2_K": (84, (80, 82)), "Q3_K": (110, (108,)),
    "Q4_K": (144, (0, 2)), "Q5_K": (176, (0, 2)), "Q6_K": (210, (208,)), "TQ1_0": (54, (52,)), "TQ2_0": (66, (64,)),
    "Q1_0": (18, (0,)), "Q2_0": (18, (0,)),
    "IQ4_NL": (18, (0,)), "IQ4_XS": (136, (0,)), "IQ2_XXS": (66, (0,)), "IQ2_XS": (74, (0,)), "IQ2_S": (82, (0,)),
    "IQ3_XXS": (98, (0,)), "IQ3_S": (110, (0,)), "IQ1_S": (50, (0,)), "IQ1_M": (56, ()), "MXFP4": (17, ()),
    "BF16": (2, ()),
    "NVFP4": (36, ()),
}
FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7}  # general.file_type
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # tokenizer.ggml.token_type


def vocabulary(n):
    """Pieces, scores and types: specials, bytes, then letters and ever longer words of them."""
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    letters = string.ascii_lowercase
    words = ("".join(w) for k in (1, 2, 3, 4) for w in itertools.product(letters, repeat=k))
    # With and without the mark of a blank before them; a piece is made of shorter ones.
    rest = itertools.chain(
        ["\u2581"],
        string.digits + string.ascii_uppercase + string.punctuation,
        (mark + w for w in words for mark in ("", "\u2581")),
    )
    for piece in itertools.islice(rest, max(0, n - len(pieces))):
        pieces.append(piece)
        types.append(NORMAL)
    pieces, types = pieces[:n], types[:n]
    scores = [0.0 if t != NORMAL else -float(i) for i, t in enumerate(types)]
    assert len(set(pieces)) == n, "vocabulary of this size is not made"
    return pieces, scores, types


def tensors(a):
    """(name, shape, standard deviation) of every matrix; shape is outermost first."""
    deep = 0.02 / np.sqrt(2 * a.layers)  # what adds to the residual stream
    kv = a.dim // a.heads * a.kv_heads
    yield "token_embd.weight", (a.vocab, a.dim), 0.02
    for i in range(a.layers):
        b = f"blk.{i}."
        yield b + "attn_q.weight", (a.dim, a.dim), 0.02
        yield b + "attn_k.weight", (kv, a.dim), 0.02
        yield b + "attn_v.weight", (kv, a.dim), 0.02
        yield b + "attn_output.weight", (a.dim, a.dim), deep
        many, end = ((a.experts,), "_exps.weight") if a.experts else ((), ".weight")
        if a.experts:
            yield b + "ffn_gate_inp.weight", (a.experts, a.dim), 0.1
        yield b + "ffn_gate" + end, (*many, a.ffn, a.dim), 0.02
        yield b + "ffn_up" + end, (*many, a.ffn, a.dim), 0.02
        yield b + "ffn_down" + end, (*many, a.dim, a.ffn), deep


def add_metadata(w, a, fmt):
    pieces, scores, types = vocabulary(a.vocab)
    w.add_name(f"random llama {size_name(a)}")
    if fmt in FILE_TYPES:
        w.add_file_type(FILE_TYPES[fmt])
    w.add_context_length(a.ctx)
    w.add_embedding_length(a.dim)
    w.add_block_count(a.layers)
    w.add_feed_forward_length(a.ffn)
    w.add_head_count(a.heads)
    w.add_head_count_kv(a.kv_heads)
    w.add_rope_dimension_count(a.dim // a.heads)
    w.add_layer_norm_rms_eps(1e-5)
    if a.experts:
        w.add_expert_count(a.experts)
        w.add_expert_used_count(a.used)
    w.add_vocab_size(a.vocab)
    w.add_tokenizer_model("llama")
    w.add_token_list(pieces)
    w.add_token_scores(scores)
    w.add_token_types(types)
    w.add_unk_token_id(0)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)


def size_name(a):
    n = sum(int(np.prod(shape)) for _, shape, _ in tensors(a)) + (2 * a.layers + 1) * a.dim
    return f"{n / 1e6:.3g}M"


def random_blocks(rng, fmt, shape):
    """Rows of blocks of random bits, scales about 2^-10, so that activations stay finite."""
    n_bytes, halves = RANDOM[fmt]
    kind = gguf.GGMLQuantizationType[fmt]
    n_blocks = int(np.prod(shape)) // gguf.GGML_QUANT_SIZES[kind][0]
    assert gguf.GGML_QUANT_SIZES[kind][1] == n_bytes
    x = np.frombuffer(rng.bytes(n_blocks * n_bytes), np.uint8).reshape(n_blocks, n_bytes).copy()
    for at in halves:
        x[:, at + 1] = 0x14  # 0x14xx: 2^-10 and a bit
    if fmt == "IQ1_M":
        x[:, 55] = 0x10 | (x[:, 55] & 0x0F)  # 0x1xxx
    elif fmt == "BF16":
        x[:, 1] = 0x3A | (x[:, 1] & 0x81)  # 2^-11 to 2^-7
    elif fmt == "MXFP4":
        x[:, 0] = 117  # 2^-10 as an exponent
    elif fmt == "NVFP4":
        x[:, 0:4] = 0x08 | (x[:, 0:4] & 0x07)  # the smallest normal numbers of its 8-bit float
    return x.reshape(*shape[:-1], -1)


def write(a, fmt):
    path = os.path.join(a.directory, f"llama-{size_name(a)}-{fmt.lower()}.gguf")
    w = gguf.GGUFWriter(path, "llama")
    add_metadata(w, a, fmt)
    rng = np.random.default_rng(a.seed)
    kind = gguf.GGMLQuantizationType[fmt]
    for name, shape, deviation in tensors(a):
        if fmt not in RANDOM:
            x = rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)
        if fmt == "F16":
            w.add_tensor(name, x.astype(np.float16))
        elif fmt == "F32":
            w.add_tensor(name, x)
        elif fmt in RANDOM:
            w.add_tensor(name, random_blocks(rng, fmt, shape), raw_dtype=kind)
        else:
            w.add_tensor(name, gguf.quants.quantize(x, kind), raw_dtype=kind)
        if name.endswith("attn_q.weight"):
            w.add_tensor(name.replace("attn_q", "attn_norm"), np.ones(a.dim, np.float32))
            w.add_tensor(name.replace("attn_q", "ffn_norm"), np.ones(a.dim, np.float32))
    w.add_tensor("output_norm.weight", np.ones(a.dim, np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    print(f"{path}: {os.path.getsize(path)} bytes")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("directory")
    p.add_argument("--formats", default=",".join(FORMATS), help="among " + ", ".join(FORMATS))
    for name, value in (("dim", 768), ("ffn", 2048), ("layers", 12), ("heads", 12), ("kv-heads", 0),
                        ("experts", 0), ("used", 2), ("vocab", 32000), ("ctx", 1024), ("seed", 1)):
        p.add_argument("--" + name, type=int, default=value)
    a = p.parse_args()
    a.kv_heads = a.kv_heads or a.heads
    formats = a.formats.split(",")
    for fmt in formats:
        if fmt not in FORMATS and fmt not in RANDOM:
            p.error(f"--formats {fmt}: not one of {', '.join((*FORMATS, *RANDOM))}")
    os.makedirs(a.directory, exist_ok=True)
    for fmt in formats:
        write(a, fmt)


if __name__ == "__main__":
    main()
