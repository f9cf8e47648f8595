#!/usr/bin/env python3
# Makes tests/golden/hf/: tiny random models as Hugging Face folders, saved by transformers, with what
# transformers and tokenizers compute of them. tests/convert/convert.c and tests/cli/convert.sh
# convert the folders and compare.
#
#   convert_hf.py <tests/golden/hf>     needs: pip install torch transformers==5.24.0
#                                              tokenizers==0.23.3 sentencepiece gguf==0.19.0
#
#   <case>/                   config.json, tokenizer.json, *.safetensors, ... as saved
#   <case>.ids.txt            "<text as hexadecimal UTF-8> <id> ..." a line, as tokenizers encodes it
#   <case>.prompt, <case>.f32 a text, and the logits after it and after each of N_STEPS - 1 tokens that
#                             are likeliest: [N_STEPS, n_vocab], raw little-endian floats
#   <case>.json               keys that the GGUF file must have
#   pre.<name>.json           a pre_tokenizer for the case "bytes", its ids in pre.<name>.ids.txt
#   settings.<name>.json, .f32  a config.json to put into a case's folder, whose name is its _case, and
#                             the logits that transformers then has for the case's prompt
#   spm.<scheme>.ids.txt      ids of the case "spm" with that Metaspace instead of its normalizer
#
# The models compute in double on the stored weights.
import io
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, LlamaTokenizerFast,
                          MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast)

sys.path.insert(0, str(Path(__file__).parent / "text"))
from make import CASED, CORPUS, TAIL, TEXTS, WORDS  # noqa: E402

N_STEPS = 6
SPACE = "\u2581"
TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    byte_level(False)])


# name in GGUF: (pre-tokenizer, ignore_merges)
PRE = {
    "gpt-2": (byte_level(True), False),
    "smollm": (pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                        byte_level(True)]), False),
    "llama-bpe": (split(WORDS % r"\p{N}{1,3}"), True),
    "smaug-bpe": (split(WORDS % r"\p{N}{1,3}"), False),
    "qwen2": (split(WORDS % r"\p{N}"), False),
    "tekken": (split(CASED % ("", "", r"\p{N}")), True),
    "gpt-4o": (split(CASED % (TAIL, TAIL, r"\p{N}{1,3}")), False),
}


def bpe(pre, specials):
    tokenizer = Tokenizer(models.BPE(ignore_merges=PRE[pre][1]))
    tokenizer.pre_tokenizer = PRE[pre][0]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True), trainers.BpeTrainer(
        vocab_size=330, show_progress=False, special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    return tokenizer


def bytes_tokenizer(pre, folder):
    tokenizer = bpe(pre, ["<|begin|>", "<|end|>"])
    tokenizer.add_tokens(["<|user|>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B", special_tokens=[("<|begin|>", 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|begin|>",
                                   eos_token="<|end|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)


def plain_tokenizer(folder):
    tokenizer = bpe("gpt-2", ["<|endoftext|>"])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|endoftext|>",
                            eos_token="<|endoftext|>").save_pretrained(folder)


def spm_tokenizer(folder):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.strip().splitlines()), model_writer=model, vocab_size=420,
        model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, add_dummy_prefix=True, num_threads=1, minloglevel=2)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.model"
    path.write_bytes(model.getvalue())
    LlamaTokenizerFast.from_pretrained(folder).save_pretrained(folder)
    path.unlink()
    # Spaces as the published files of Llama 2 and Mistral have them, which is SentencePiece's way:
    # one in front of every text. Metaspace leaves it out where the text begins with one.
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    assert tokenizer["pre_tokenizer"]["type"] == "Metaspace" and not tokenizer["normalizer"]
    tokenizer["pre_tokenizer"] = None
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": SPACE},
        {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]}
    path.write_text(json.dumps(tokenizer, indent=1, ensure_ascii=False) + "\n")


def rope(theta, kind="default", **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **more}}


BASE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 256, "attn_implementation": "eager"}
# name: (class, config class, settings, tokenizer, stored as, rows of the embedding beyond the tokens)
CASES = {
    "bytes": (LlamaForCausalLM, LlamaConfig,
              {"tie_word_embeddings": True, **rope(10000.0, "llama3", factor=8.0,
               low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)},
              lambda f: bytes_tokenizer("llama-bpe", f), torch.float32, 5),
    "spm": (MistralForCausalLM, MistralConfig,
            {"head_dim": 24, "sliding_window": None, "tie_word_embeddings": False,
             **rope(1000.0, "yarn", factor=4.0, original_max_position_embeddings=16)},
            spm_tokenizer, torch.bfloat16, 0),
    "plain": (LlamaForCausalLM, LlamaConfig,
              {"attention_bias": True, "tie_word_embeddings": False,
               **rope(10000.0, "linear", factor=2.0)}, plain_tokenizer, torch.float16, 0),
    # Biases everywhere, and heads that are no multiple of 8.
    "biases": (LlamaForCausalLM, LlamaConfig,
               {"attention_bias": True, "mlp_bias": True, "head_dim": 12, "num_hidden_layers": 1,
                "tie_word_embeddings": True, **rope(10000.0)}, plain_tokenizer, torch.float16, 0),
}


def fill(model, rng, dtype):
    for name, p in model.named_parameters():
        if name.endswith("norm.weight"):
            x = rng.uniform(0.7, 1.3, p.shape)
        elif name.endswith("bias"):
            x = rng.normal(0.0, 0.3, p.shape)
        elif "embed" in name:
            x = rng.normal(0.0, 1.0, p.shape)
        else:
            gain = 2.0 if "q_proj" in name or "k_proj" in name else 1.0
            x = rng.normal(0.0, gain / np.sqrt(p.shape[1]), p.shape)
        p.data = torch.from_numpy(x).to(dtype).double()


def save_ids(path, tokenizer, leading_spaces=True):
    lines = []
    for text in TEXTS + [CORPUS]:
        if "\x00" in text:  # SentencePiece's cannot hold it
            continue
        if text.startswith(" ") and not leading_spaces:
            continue
        ids = tokenizer.encode(text).ids
        lines.append(" ".join([text.encode().hex() or "-"] + [str(i) for i in ids]))
    path.write_text("\n".join(lines) + "\n")


def save_logits(folder, name, model, tokenizer):
    prompt = "The little godwit flies from Alaska; how far is it? 11,000 km."
    ids = tokenizer.encode(prompt).ids
    rows = []
    for _ in range(N_STEPS):
        with torch.no_grad():
            row = model(torch.tensor([ids])).logits[0, -1].numpy()
        best = np.sort(row)[-2:]
        assert best[1] - best[0] > 0.01 * np.abs(row).max(), f"{name}: two tokens are nearly equal"
        rows.append(row)
        ids.append(int(row.argmax()))
    (folder / f"{name}.prompt").write_text(prompt)
    np.stack(rows).astype("<f4").tofile(folder / f"{name}.f32")


def expected(config, name):
    p = config.rope_parameters
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    keys = {
        "general.architecture": "llama", "general.name": name,
        "llama.block_count": config.num_hidden_layers,
        "llama.context_length": config.max_position_embeddings,
        "llama.embedding_length": config.hidden_size,
        "llama.feed_forward_length": config.intermediate_size,
        "llama.attention.head_count": config.num_attention_heads,
        "llama.attention.head_count_kv": config.num_key_value_heads,
        "llama.attention.key_length": head_dim, "llama.attention.value_length": head_dim,
        "llama.attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "llama.vocab_size": config.vocab_size, "llama.rope.dimension_count": head_dim,
        "llama.rope.freq_base": p["rope_theta"],
    }
    if p["rope_type"] in ("linear", "yarn"):
        keys["llama.rope.scaling.type"] = p["rope_type"]
        keys["llama.rope.scaling.factor"] = p["factor"]
    if p["rope_type"] == "yarn":
        keys["llama.rope.scaling.original_context_length"] = p["original_max_position_embeddings"]
    more = {
        "bytes": {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
                  "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 1,
                  "tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.add_eos_token": False,
                  "tokenizer.chat_template": TEMPLATE},
        "spm": {"tokenizer.ggml.model": "llama", "tokenizer.ggml.bos_token_id": 1,
                "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
                "tokenizer.ggml.add_space_prefix": True},
        "plain": {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2",
                  "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 0,
                  "tokenizer.ggml.add_bos_token": False},
    }
    more["biases"] = more["plain"]
    return {**keys, **more[name]}


def make_pre(folder):
    base = json.loads((folder / "bytes" / "tokenizer.json").read_text())
    for name, (pre, ignore_merges) in PRE.items():
        tokenizer = json.loads(json.dumps(base))
        probe = Tokenizer(models.BPE())
        probe.pre_tokenizer = pre
        tokenizer["pre_tokenizer"] = json.loads(probe.to_str())["pre_tokenizer"]
        tokenizer["model"]["ignore_merges"] = ignore_merges
        text = json.dumps({"pre_tokenizer": tokenizer["pre_tokenizer"],
                           "ignore_merges": ignore_merges})
        (folder / f"pre.{name}.json").write_text(text + "\n")
        save_ids(folder / f"pre.{name}.ids.txt", Tokenizer.from_str(json.dumps(tokenizer)))


# The case "spm" with Metaspace: "never" puts no space in front, "first" does.
def make_metaspace(folder):
    tokenizer = json.loads((folder / "spm" / "tokenizer.json").read_text())
    tokenizer["normalizer"] = None
    for scheme in ("first", "never"):
        tokenizer["pre_tokenizer"] = {"type": "Metaspace", "replacement": SPACE,
                                      "prepend_scheme": scheme, "split": False}
        save_ids(folder / f"spm.{scheme}.ids.txt", Tokenizer.from_str(json.dumps(tokenizer)),
                 scheme == "never")


# Settings that mean less, or more, than their names say: what transformers makes of a folder as it
# loads it.
SETTINGS = {
    # Llama has no windows.
    "window": ("plain", {"sliding_window": 5}),
    # An output that was saved with values of its own is not tied.
    "tied": ("plain", {"tie_word_embeddings": True}),
    # Beside the object it counts before the one in it.
    "yarn": ("spm", {"original_max_position_embeddings": 64}),
    "llama3": ("bytes", {"original_max_position_embeddings": 96}),
    # The object under the older name counts first, and theta beside it.
    "scaling": ("plain", {"rope_parameters": {}, "rope_theta": 5000.0,
                          "rope_scaling": {"type": "linear", "factor": 5}}),
}


def make_settings(folder):
    for name, (case, changes) in SETTINGS.items():
        config = json.loads((folder / case / "config.json").read_text())
        config.update(changes, _case=case)
        text = json.dumps(config, indent=1) + "\n"
        (folder / f"settings.{name}.json").write_text(text)
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / case
            shutil.copytree(folder / case, target)
            (target / "config.json").write_text(text)
            model = AutoModelForCausalLM.from_pretrained(target, dtype=torch.float64,
                                                         attn_implementation="eager").eval()
            tokenizer = Tokenizer.from_file(str(target / "tokenizer.json"))
            save_logits(folder, f"settings.{name}", model, tokenizer)
        (folder / f"settings.{name}.prompt").unlink()


def main():
    folder = Path(sys.argv[1])
    for seed, (name, case) in enumerate(CASES.items()):
        kind, config_kind, settings, make_tokenizer, dtype, n_more = case
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        make_tokenizer(target)
        tokenizer = Tokenizer.from_file(str(target / "tokenizer.json"))
        n_vocab = tokenizer.get_vocab_size() + n_more
        model = kind(config_kind(vocab_size=n_vocab, **{**BASE, **settings})).double().eval()
        fill(model, np.random.default_rng(40 + seed), dtype)
        save_logits(folder, name, model, tokenizer)
        model.to(dtype).save_pretrained(target, max_shard_size="40KB" if name == "spm" else "1GB")
        (target / "generation_config.json").unlink()
        save_ids(folder / f"{name}.ids.txt", tokenizer)
        (folder / f"{name}.json").write_text(json.dumps(expected(model.config, name), indent=1) + "\n")
    make_pre(folder)
    make_metaspace(folder)
    make_settings(folder)


main()
