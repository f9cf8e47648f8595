#!/usr/bin/env python3
# Compares what `godwit convert` makes of a vocabulary, and `godwit tokenize` of texts with it, with the
# libraries that made it: Hugging Face's tokenizers, SentencePiece and tiktoken.
#
#   vocabularies.py <godwit> [case...]      10,000 lines of mixed scripts, emoji, code and odd characters
#   vocabularies.py --golden <file.zst>     what tests/convert/vocabularies.c compares with
#       needs: pip install tokenizers==0.23.3 sentencepiece==0.2.3 tiktoken==0.14.0 zstandard safetensors numpy
#
# A case is the files of a folder and the ids of its texts. Vocabularies are trained here on a small corpus;
# what is in the files besides is as models publish it.
import base64
import io
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import safetensors.numpy
import sentencepiece
import tiktoken
import tokenizers
import zstandard
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, str(Path(__file__).parent / "text"))
import make  # noqa: E402: texts, corpus and pre-tokenizers

CORPUS = make.CORPUS.splitlines(keepends=True) * 2
SCRIPTS = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x5D0, 0x5EA), (0x621, 0x64A),
           (0x905, 0x939), (0xE01, 0xE30), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x4FFF), (0xAC00, 0xACFF),
           (0x1F600, 0x1F64F), (0x2190, 0x21FF), (0x660, 0x669), (0x1D400, 0x1D433), (0x300, 0x30F)]
CODE = ["for (int i = 0; i < n; i++) {", "def f(x): return x ** 2", "<div class=\"a\">&amp;</div>", "    return a[i++];",
        "SELECT * FROM t WHERE id = 42;", "{\"key\": [1, 2.5, null]}", "#include <stdio.h>", "x = y != z ? 0xFF : ~w"]


# Deterministic lines; without characters that Unicode's versions read differently.
def lines(n, seed=7):
    chance = random.Random(seed)
    words = "".join(CORPUS).split()
    out = []
    for _ in range(n):
        parts = []
        for _ in range(chance.randint(1, 8)):
            kind = chance.random()
            if kind < 0.35:
                parts.append(" ".join(chance.choices(words, k=chance.randint(1, 4))))
            elif kind < 0.6:
                first, last = chance.choice(SCRIPTS)
                parts.append("".join(chr(chance.randint(first, last)) for _ in range(chance.randint(1, 9))))
            elif kind < 0.7:
                parts.append(chance.choice(CODE))
            elif kind < 0.8:
                parts.append(chance.choice("0123456789") * chance.randint(1, 5) + str(chance.randint(0, 99999)))
            elif kind < 0.9:
                parts.append("".join(chance.choices(make.POOL, k=chance.randint(1, 6))))
            else:
                parts.append(chance.choice(["\U0001f468\u200d\U0001f469\u200d\U0001f467", "e\u0301", "\ufffd", "  ", "\t", "'LL", "\u3000",
                                            "\u00ad", "...", "\u2581x"]))
        out.append(chance.choice(["", " "]).join(parts))
    return out


def texts():
    return make.TEXTS + make.FOLDED + [t for t in lines(60, 3)] + [make.CORPUS]


# --- cases: name -> (files, encode); files of bytes or text

def with_json(tokenizer, config=None, **more):
    data = json.loads(tokenizer.to_str())
    data.update(more)
    files = {"tokenizer.json": json.dumps(data, ensure_ascii=False), "tokenizer_config.json": json.dumps(config or {})}
    oracle = Tokenizer.from_str(json.dumps(data))
    return files, lambda text: oracle.encode(text).ids


def trained_bpe(pre):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre
    trainer = trainers.BpeTrainer(vocab_size=420, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def bpe(name):
    pre = make.PRE[name]
    base = trained_bpe(pre_tokenizers.Sequence([pre, make.byte_level(False)]) if name not in ("gpt-2", "smollm") else pre)
    if name == "qwen2":
        base.normalizer = normalizers.Sequence([])
    base.decoder = decoders.ByteLevel()
    n = base.get_vocab_size()
    base.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    base.add_tokens(["<think>", "</think>"])
    if name == "llama-bpe":
        base.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<|endoftext|> $A", pair="<|endoftext|> $A $B",
                                          special_tokens=[("<|endoftext|>", n)])])
    data = json.loads(base.to_str())["model"]
    data["ignore_merges"] = name in ("llama-bpe", "tekken", "minicpm5")
    config = {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}
    return with_json(base, config, model=data)


def wordpiece(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(CORPUS + make.FOLDED[:6], trainers.WordPieceTrainer(
        vocab_size=420, show_progress=False, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return with_json(tokenizer, {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]",
                                 "mask_token": "[MASK]"})


def sentences(kind, **more):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(make.CORPUS.strip().splitlines()), model_writer=out, model_type=kind, num_threads=1,
        minloglevel=2, **more)
    return out.getvalue()


# With all white space as spaces, as the maps of models have it: libraries differ in what is none.
def small_map(graphemes):
    tsv = tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False)
    space = "9 A B C D 85 A0 1680 2000 2001 2002 2003 2004 2005 2006 2007 2008 2009 200A 2028 2029 202F 205F 3000".split()
    rules = [rule for rule in make.rules() if rule.split("\t")[0] not in space]
    # Hugging Face takes a grapheme for what its shortest beginning in the map becomes; SentencePiece, and GGUF's
    # readers, the longest, and then what follows.
    if not graphemes:
        rules = [rule for rule in rules if " " not in rule.split("\t")[0]]
    tsv.writelines(rules + [f"{c}\t20\n" for c in space])
    tsv.close()
    return tsv.name


def unigram(spaces):
    model = sentences("unigram", vocab_size=150, normalization_rule_tsv=small_map(False))
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    vocab = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocab += [(p.piece, float(np.float32(p.score))) for p in proto.pieces if p.type == 1]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=3))
    # What transformers makes of SentencePiece's remove_extra_whitespaces; XLM-RoBERTa's cuts at spaces instead.
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    if not spaces:
        tokenizer.normalizer = normalizers.Sequence([
            tokenizer.normalizer, normalizers.Strip(left=False, right=True),
            normalizers.Replace(tokenizers.Regex(" {2,}"), "\u2581")])
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace]) if spaces else metaspace
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    first, last = ("<s> $A </s>", [("<s>", 0), ("</s>", 2)]) if spaces else ("$A </s>", [("</s>", 2)])
    tokenizer.post_processor = processors.TemplateProcessing(single=first, special_tokens=last)
    return with_json(tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"})


def tokenizer_model(kind):
    more = {"vocab_size": 480, "byte_fallback": True, "normalization_rule_name": "identity",
            "remove_extra_whitespaces": False} if kind == "bpe" else {"vocab_size": 150, "normalization_rule_tsv": small_map(True)}
    model = sentences(kind, user_defined_symbols=["<user>"], **more)
    oracle = sentencepiece.SentencePieceProcessor(model_proto=model)
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False}
    return ({"tokenizer.model": model, "tokenizer_config.json": json.dumps(config)},
            lambda text: [1] + oracle.encode(text))


# As Gemma's: characters of SentencePiece, a cut at spaces of which none is left, and bytes.
def gemma(own_order):
    model = sentences("bpe", vocab_size=480, byte_fallback=True, normalization_rule_name="identity",
                      remove_extra_whitespaces=False, add_dummy_prefix=False)
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    vocab = {p.piece: i for i, p in enumerate(proto.pieces)}
    scores = {p.piece: p.score for p in proto.pieces if p.type == 1}
    merges = []
    for piece in sorted(scores, key=lambda p: (-scores[p], vocab[p])):
        pairs = [(piece[:i], piece[i:]) for i in range(1, len(piece)) if piece[:i] in scores and piece[i:] in scores]
        merges += sorted(pairs, key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    files, encode = with_json(tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})
    if own_order:
        files["architecture"] = "Gemma4ForCausalLM"
    return files, encode


KIMI = "|".join([
    r"[\p{Han}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])


def kimi():
    base = trained_bpe(pre_tokenizers.Sequence([make.PRE["kimi-k2"], make.byte_level(False)]))
    alphabet = {c: b for b, c in enumerate(alphabet_of_bytes())}
    ranks = {bytes(alphabet[c] for c in token): i for token, i in base.get_vocab().items()}
    special = {"[BOS]": len(ranks), "[EOS]": len(ranks) + 1, "<|im_end|>": len(ranks) + 2}
    oracle = tiktoken.Encoding("kimi", pat_str=KIMI, mergeable_ranks=ranks, special_tokens=special)
    listed = "".join(f"{base64.b64encode(b).decode()} {i}\n" for b, i in sorted(ranks.items(), key=lambda x: x[1]))
    config = {"tokenizer_class": "TikTokenTokenizer", "bos_token": "[BOS]", "eos_token": "[EOS]",
              "added_tokens_decoder": {str(i): {"content": t, "special": True} for t, i in special.items()}}
    return ({"tiktoken.model": listed, "tokenizer_config.json": json.dumps(config)},
            lambda text: oracle.encode(text, allowed_special="all"))


def alphabet_of_bytes():
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    more = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(more)) for b in range(256)]


CASES = {f"bpe {name}": (lambda name=name: bpe(name)) for name in make.PRE if name not in ("default", "falcon")}
CASES.update({
    "wordpiece": lambda: wordpiece(True), "wordpiece cased": lambda: wordpiece(False),
    "unigram t5": lambda: unigram(False), "unigram xlm-roberta": lambda: unigram(True),
    "tokenizer.model bpe": lambda: tokenizer_model("bpe"), "tokenizer.model unigram": lambda: tokenizer_model("unigram"),
    "gemma": lambda: gemma(False), "gemma 4": lambda: gemma(True), "kimi tiktoken": kimi,
})


# A text's own U+2581 is a space to Hugging Face's Metaspace, and none to SentencePiece; of a grapheme whose
# first character is in the map the others are dropped (see small_map).
def suited(name, text):
    if not name.startswith("unigram"):
        return text
    return "".join("_" if c == "\u2581" else c for c in text if c != "\u200d" and unicodedata.category(c)[0] != "M")


# --- golden and comparison

def golden(path):
    out = []
    for name, build in CASES.items():
        files, encode = build()
        out.append(f"case {n_tokens(files)} {name}\n")
        for file, data in files.items():
            out.append(f"file {file} {make.hexed(data)}\n")
        for text in (suited(name, t) for t in texts()):
            if "\x00" not in text:
                out.append(" ".join([f"text {make.hexed(text)}"] + [str(i) for i in encode(text)]) + "\n")
    text = "".join(out)
    Path(path).write_bytes(zstandard.ZstdCompressor(level=19).compress(text.encode()))
    print(len(text), Path(path).stat().st_size)


def n_tokens(files):
    if "tokenizer.json" in files:
        data = json.loads(files["tokenizer.json"])
        return max([len(data["model"]["vocab"])] + [t["id"] + 1 for t in data["added_tokens"]])
    if "tokenizer.model" in files:
        return sentencepiece.SentencePieceProcessor(model_proto=files["tokenizer.model"]).get_piece_size()
    return len(files["tiktoken.model"].splitlines()) + 3


# A model of one layer around a vocabulary.
def write_folder(folder, files):
    n, d = n_tokens(files), 32
    config = {"architectures": ["Qwen2ForCausalLM"], "num_hidden_layers": 1, "hidden_size": d, "intermediate_size": d,
              "num_attention_heads": 1, "num_key_value_heads": 1, "vocab_size": n, "max_position_embeddings": 64,
              "rms_norm_eps": 1e-6, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    layer = {"input_layernorm": (d,), "post_attention_layernorm": (d,), "mlp.gate_proj": (d, d), "mlp.up_proj": (d, d),
             "mlp.down_proj": (d, d), **{f"self_attn.{x}_proj": (d, d) for x in "qkvo"}}
    tensors = {f"model.layers.0.{k}.weight": np.zeros(v, np.float32) for k, v in layer.items()}
    tensors.update({"model.embed_tokens.weight": np.zeros((n, d), np.float32), "model.norm.weight": np.zeros(d, np.float32)})
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    for file, data in files.items():
        if file != "architecture":
            (folder / file).write_bytes(data.encode() if isinstance(data, str) else data)


def compare(program, name):
    files, encode = CASES[name]()
    if "architecture" in files:
        return f"{name:26} in tests/convert alone", True
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder), files)
        model = Path(folder) / "model.gguf"
        run = subprocess.run([program, "convert", folder, model], capture_output=True, text=True)
        if run.returncode:
            return f"{name:26} {run.stderr.strip()}", False
        many, n_same, first = lines(10000), 0, ""
        blocks = [suited(name, "\n".join(many[i:i + 50])).replace("\x00", "") for i in range(0, len(many), 50)]
        for block in blocks:
            run = subprocess.run([program, "tokenize", model], input=block.encode(), capture_output=True)
            ours = [int(i) for i in run.stdout.split()]
            n_same += ours == encode(block)
            if ours != encode(block) and not first:
                line = next((x for x in block.split("\n") if encode(x) != [int(i) for i in subprocess.run(
                    [program, "tokenize", model], input=x.encode(), capture_output=True).stdout.split()]), "")
                first = f"\n    {line!r}\n    {encode(line)}\n    " + subprocess.run(
                    [program, "tokenize", model], input=line.encode(), capture_output=True).stdout.decode().strip()
    return f"{name:26} {n_same} of {len(blocks)} blocks of 50 lines{first}", n_same == len(blocks)


def main():
    if sys.argv[1] == "--golden":
        return golden(sys.argv[2])
    bad = 0
    for name in sys.argv[2:] or CASES:
        text, good = compare(Path(sys.argv[1]).resolve(), name)
        print(text, flush=True)
        bad += not good
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
