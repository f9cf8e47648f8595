#!/usr/bin/env python3
# Makes tests/golden/run/ and tests/golden/text/story.txt: what whole models say, by programs that
# share no code with Godwit. transformers computes in double, the gguf package reads and dequantizes,
# sentencepiece makes and reads tokens.
#
#   run.py      needs: pip install torch==2.15.0 transformers==5.23.0 gguf==0.19.0 sentencepiece==0.2.3
#               protobuf accelerate
#
#   small.gguf        a random llama, F32, for tests that want a small model of odd shape: rows of 172
#                     fit no block of 32; its vocabulary is that of text/spm.txt
#   story.*           of models/story-q8_0.gguf, its weights dequantized
#   NAME.ids.txt      the ids that follow <s>, greedily
#   NAME.logits.f32   the logits of the first of them: [n, n_vocab], raw little-endian floats
#   story.txt         the text of story.ids.txt
#   story.json        the perplexity of text.txt (written here, in windows of 64), and a prompt's ids
#   ../text/story.txt texts and their ids in the story model's vocabulary
#   ../text/bpe.gguf  the vocabulary of ../text/bpe.txt
#
# A golden is only good where the model is sure: the small model is one whose best and second logit
# are far apart at each step, compared with what fp32 rounds.
import json
import math
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from gguf import GGUFReader, GGUFWriter, TokenType
from sentencepiece import sentencepiece_model_pb2
from transformers import LlamaConfig, LlamaForCausalLM

import arch_llama
import text.make as text_make

HERE = Path(__file__).resolve().parent
OUT = HERE / "run"
STORY = HERE.parent.parent / "models" / "story-q8_0.gguf"
WINDOW = 64
PROMPT = "The Lion and the Little Mouse\nOnce upon a time"


def greedy(model, n, least_gap):
    ids, rows, gap = [1], [], math.inf
    cache = None
    with torch.no_grad():
        for _ in range(n):
            out = model(torch.tensor([ids[-1:]]), past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            row = out.logits[0, -1].numpy()
            best = np.sort(row)[-2:]
            gap = min(gap, float(best[1] - best[0]))
            rows.append(row)
            ids.append(int(row.argmax()))
            if gap < least_gap:
                return None
    return ids[1:], np.array(rows), gap


def write(name, ids, rows, n_rows):
    (OUT / f"{name}.ids.txt").write_text(" ".join(map(str, ids)) + "\n")
    rows[:n_rows].astype("<f4").tofile(OUT / f"{name}.logits.f32")


# --- the small one

SMALL = {
    "vocab_size": 512, "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 2,
    "num_attention_heads": 8, "num_key_value_heads": 4, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 128, "tie_word_embeddings": False, "attn_implementation": "eager",
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
}


def lines_of(name, word):
    for line in (HERE / "text" / name).read_text().splitlines():
        if line.startswith(word + " "):
            _, text, *rest = line.split(" ")
            yield bytes.fromhex(text).decode(), *map(float, rest)


def add_vocabulary(out, model, rows):
    out.add_tokenizer_model(model)
    out.add_token_list([r[0] for r in rows])
    out.add_token_scores([r[2] for r in rows])
    out.add_token_types([int(r[1]) for r in rows])


def finish(out):
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def write_bpe():
    out = GGUFWriter(HERE / "text" / "bpe.gguf", "llama")
    add_vocabulary(out, "gpt2", list(lines_of("bpe.txt", "token")))
    out.add_token_merges([r[0] for r in lines_of("bpe.txt", "merge")])
    out.add_tokenizer_pre("qwen2")
    finish(out)


def write_small(model):
    c = model.config
    rows = list(lines_of("spm.txt", "token"))
    rows += [(f"<pad{i}>", int(TokenType.UNUSED), 0.0) for i in range(c.vocab_size - len(rows))]
    out = GGUFWriter(OUT / "small.gguf", "llama")
    out.add_block_count(c.num_hidden_layers)
    out.add_context_length(c.max_position_embeddings)
    out.add_embedding_length(c.hidden_size)
    out.add_feed_forward_length(c.intermediate_size)
    out.add_head_count(c.num_attention_heads)
    out.add_head_count_kv(c.num_key_value_heads)
    out.add_layer_norm_rms_eps(c.rms_norm_eps)
    out.add_rope_dimension_count(c.hidden_size // c.num_attention_heads)
    out.add_rope_freq_base(10000.0)
    add_vocabulary(out, "llama", rows)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_unk_token_id(0)
    arch_llama.add_tensors(out, model)
    finish(out)


def make_small():
    for seed in range(100):
        model = LlamaForCausalLM(LlamaConfig(**SMALL)).double().eval()
        arch_llama.fill(model, np.random.default_rng(2000 + seed))
        told = greedy(model, 200, 0.002)
        if told and len(set(told[0])) > 40:  # it does not go round in circles
            break
    ids, rows, gap = told
    write_small(model)
    write("small", ids, rows, 16)
    print(f"small: seed {seed}, {len(set(ids))} different ids, smallest gap {gap:.3g}")


# --- the story model

def story_fields():
    fields = GGUFReader(STORY).fields
    return [fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "scores", "token_type")]


# GGUF's tokens as sentencepiece has them; kinds have the same numbers in both.
def story_processor():
    proto = sentencepiece_model_pb2.ModelProto()
    for token, score, kind in zip(*story_fields()):
        proto.pieces.add(piece=token, score=score, type=kind)
    proto.trainer_spec.model_type = 2  # BPE
    proto.trainer_spec.byte_fallback = True
    proto.normalizer_spec.name = "identity"
    proto.normalizer_spec.add_dummy_prefix = False
    proto.normalizer_spec.remove_extra_whitespaces = False
    proto.normalizer_spec.escape_whitespaces = True
    return sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())


# As `godwit perplexity` cuts a text: a window's second half is scored, its first id is <s>.
def perplexity(model, ids):
    ids = [1] + ids
    losses = []
    for at in range(0, len(ids) - WINDOW + 1, WINDOW):
        window = [1] + ids[at + 1:at + WINDOW]
        with torch.no_grad():
            logs = torch.log_softmax(model(torch.tensor([window])).logits[0], -1)
        losses += [-float(logs[i - 1, window[i]]) for i in range(WINDOW // 2 + 1, WINDOW)]
    return math.exp(sum(losses) / len(losses)), len(losses)


def make_story():
    model = LlamaForCausalLM.from_pretrained(STORY.parent, gguf_file=STORY.name,
                                             attn_implementation="eager").double().eval()
    processor = story_processor()
    ids, rows, gap = greedy(model, 32, 0.0)
    write("story", ids, rows, 8)
    (OUT / "story.txt").write_text(processor.decode(ids))
    text = (OUT / "text.txt").read_text()
    value, n = perplexity(model, processor.encode(text))
    facts = {"perplexity": value, "window": WINDOW, "n_scored": n, "prompt": PROMPT,
             "prompt_ids": processor.encode(PROMPT)}
    (OUT / "story.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(f"story: smallest gap {gap:.3g}, perplexity {value:.4f} of {n} tokens")
    with open(HERE / "text" / "story.txt", "w") as out:
        for t in text_make.texts(60) + [text]:
            if "\x00" not in t:  # sentencepiece drops it
                line = [f"text {text_make.hexed(t)}"] + [str(i) for i in processor.encode(t)]
                out.write(" ".join(line) + "\n")


if __name__ == "__main__":
    write_bpe()
    make_small()
    make_story()
