"""Writes tiny llama models whose next token is a function of the last one alone: tiny_gguf.py <case> OUT

The weights are zero but for the embedding and the output, which say what follows what. Needs nothing
but Python, so that tests of prompts carry their own models.
"""
import random
import struct
import sys

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
D, FF, CTX, HEADS, KV_HEADS = 64, 96, 256, 4, 2
RECURRENT = {}


def byte_chars():
    """The characters that byte-level vocabularies write bytes as."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in own]
    return {**{b: chr(b) for b in own}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def text(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def value(v):
    """A key's type and value; a list is an array of what its first item is."""
    if isinstance(v, bool):
        return struct.pack("<I?", 7, v)
    if isinstance(v, int):
        return struct.pack("<II", 4, v)
    if isinstance(v, float):
        return struct.pack("<If", 6, v)
    if isinstance(v, str):
        return struct.pack("<I", 8) + text(v)
    items = b"".join(value(item)[4:] for item in v)
    return struct.pack("<IIQ", 9, struct.unpack("<I", value(v[0])[:4])[0], len(v)) + items


def tensors_of(n_vocab, after):
    """after: {token: the token behind it}. One hidden value for each token that has a part in it."""
    ids = sorted(set(after) | set(after.values()))
    embedding = [[0.0] * D for _ in range(n_vocab)]
    output = [[0.0] * D for _ in range(n_vocab)]
    for row in embedding:
        row[len(ids)] = 1.0
    for j, i in enumerate(ids):
        embedding[i] = [1.0 if k == j else 0.0 for k in range(D)]
    for a, b in after.items():
        output[b][ids.index(a)] = 10.0
    head = D // HEADS
    shapes = [("attn_q", D, D), ("attn_k", KV_HEADS * head, D), ("attn_v", KV_HEADS * head, D),
              ("attn_output", D, D), ("ffn_gate", FF, D), ("ffn_up", FF, D), ("ffn_down", D, FF)]
    rows = {"token_embd.weight": embedding, "output.weight": output}
    for name, n, m in shapes:
        rows[f"blk.0.{name}.weight"] = [[0.0] * m for _ in range(n)]
    for name in ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight"):
        rows[name] = [1.0] * D
    return rows


def recurrent_of(n_vocab):
    """Of one layer with a short convolution: a token depends on those before it. Random weights."""
    draw = random.Random(7).gauss
    shapes = [("shortconv.in_proj", 3 * D, D), ("shortconv.conv", D, 3), ("shortconv.out_proj", D, D),
              ("ffn_gate", FF, D), ("ffn_up", FF, D), ("ffn_down", D, FF)]
    rows = {f"blk.0.{name}.weight": [[draw(0, 0.3) for _ in range(m)] for _ in range(n)] for name, n, m in shapes}
    rows["token_embd.weight"] = [[draw(0, 0.3) for _ in range(D)] for _ in range(n_vocab)]
    for name in ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "token_embd_norm.weight"):
        rows[name] = [1.0] * D
    return rows


def write(path, tokens, after, **keys):
    keys = {
        "general.architecture": "llama", "general.name": "tiny", "llama.block_count": 1,
        "llama.context_length": CTX, "llama.embedding_length": D, "llama.feed_forward_length": FF,
        "llama.attention.head_count": HEADS, "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.tokens": [t for t, _ in tokens],
        "tokenizer.ggml.token_type": [kind for _, kind in tokens],
        **{("tokenizer." if k.startswith("chat_template") else "tokenizer.ggml.") + k: v for k, v in keys.items()},
    }
    tensors = tensors_of(len(tokens), after)
    if after is RECURRENT:
        keys = {k.replace("llama.", "lfm2."): v for k, v in keys.items()}
        keys.update({"general.architecture": "lfm2", "lfm2.attention.head_count_kv": [0],
                     "lfm2.shortconv.l_cache": 3, "lfm2.context_length": 4096})
        tensors = recurrent_of(len(tokens))
    infos, data = b"", b""
    for name, rows in tensors.items():
        dims = [len(rows[0]), len(rows)] if isinstance(rows[0], list) else [len(rows)]
        flat = [x for row in rows for x in row] if len(dims) == 2 else rows
        infos += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, 0, len(data))
        data += struct.pack(f"<{len(flat)}f", *flat)
        data += bytes(-len(data) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(text(k) + value(v) for k, v in keys.items()) + infos
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32) + data)


def scored(words):
    """A SentencePiece-style vocabulary: tokens, keys."""
    tokens = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    tokens += [("<0x%02X>" % b, BYTE) for b in range(256)]
    tokens += words
    return tokens, {"model": "llama", "scores": [-float(i) for i in range(len(tokens))]}


def chat(path):
    """A prompt's markers; after <|eot_id|>: "ab" and the end; after ">": x for ever."""
    marks = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
             "<|eot_id|>"]
    tokens = [(c, NORMAL) for _, c in sorted(byte_chars().items())] + [("ab", NORMAL), ("\u0120a", NORMAL)]
    tokens += [(m, CONTROL) for m in marks]
    write(path, tokens, {262: 256, 256: 259, 124: 120, 62: 120, 120: 120}, model="gpt2",
          pre="llama-bpe", merges=["a b", "\u0120 a"], bos_token_id=258, eos_token_id=259)


def talk(path, ends="1", **more):
    """A chat model that answers "ab", or without an end: x for ever; or a recurrent one, anything."""
    template = ("{% for m in messages %}{% if m.role == 'odd' %}{{ raise_exception('odd role') }}{% endif %}"
                "{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
                "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
    tokens = [(c, NORMAL) for _, c in sorted(byte_chars().items())]
    tokens += [("<|endoftext|>", CONTROL), ("<|im_start|>", CONTROL), ("<|im_end|>", CONTROL)]
    after = {"1": {10: 97, 97: 98, 98: 258}, "0": {10: 120, 120: 120}, "recurrent": RECURRENT}[ends]
    write(path, tokens, after, model="gpt2", pre="gpt-2", merges=["a b"], bos_token_id=256,
          eos_token_id=258, chat_template=template, **more)


def named(path):
    """Several chat templates: the default one, one for tools, one more."""
    talk(path, **{"chat_template.tool_use": "T{{ tools|length }}{{ bos_token }}",
                  "chat_template.other": "O", "chat_templates": ["tool_use", "other"]})


def euro(path):
    """After "a" comes the sign of the Euro for ever, byte by byte."""
    tokens, keys = scored([("\u2581", NORMAL), ("a", NORMAL)])
    first, second, third, a = 3 + 0xE2, 3 + 0x82, 3 + 0xAC, 260
    write(path, tokens, {a: first, first: second, second: third, third: first}, bos_token_id=1,
          eos_token_id=2, **keys)


def turn_end(path, mark, kind, **more):
    """After "a" comes "b", after it the mark, after that "a" again."""
    tokens, keys = scored([("\u2581", NORMAL), ("a", NORMAL), ("b", NORMAL),
                           ("<|im_start|>", int(kind)), (mark, int(kind))])
    space, a, b, end = 259, 260, 261, 263
    write(path, tokens, {a: b, b: end, end: a, 1: a, space: a, 2: a}, bos_token_id=1, eos_token_id=2,
          **keys, **more)


def add_eos(path):
    turn_end(path, "<|im_end|>", CONTROL, add_eos_token=True)


def bad_id(path):
    turn_end(path, "<|im_end|>", CONTROL, eot_token_id=264)


def no_pre(path):
    tokens = [(c, NORMAL) for _, c in sorted(byte_chars().items())] + [("<|end|>", CONTROL)]
    write(path, tokens, {97: 98, 98: 256}, model="gpt2", merges=["a b"], eos_token_id=256)


globals()[sys.argv[1]](*sys.argv[2:])
