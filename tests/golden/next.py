#!/usr/bin/env python3
# Makes tests/golden/families/next-*: tiny random models with a block for the token after the next one, and the
# logits that it gives, for tests/families/next.c.
#
#   next.py <tests/golden/families> [family...]
#
# transformers drops the weights of such blocks, so the block is put together here: its layer and norms are
# transformers' modules, the rest is DeepSeek-V3's equations (section 2.2) with the order of what is put
# together, and the norm of hidden states, as vLLM and SGLang have it (Qwen: behind the model's norm; GLM: in
# front). llama.cpp's converter writes the files.
#
# Of each token from the 80th on, two rows: what the block makes of the text up to there; and of that with the
# likeliest token behind it, whose hidden state is what the block itself had made.
import copy
import sys
from pathlib import Path

import numpy as np
import torch

import families

N_FED, N_ROWS = 80, 16
QWEN = ("mtp.layers.0.", {"fc": "mtp.fc", "enorm": "mtp.pre_fc_norm_embedding",
                          "hnorm": "mtp.pre_fc_norm_hidden", "norm": "mtp.norm"})
NAMES = {"qwen35": QWEN, "qwen35moe": QWEN,
         "glm4moe": ("model.layers.3.", {"fc": "model.layers.3.eh_proj", "enorm": "model.layers.3.enorm",
                                         "hnorm": "model.layers.3.hnorm",
                                         "norm": "model.layers.3.shared_head.norm"})}


class Block(torch.nn.Module):
    def __init__(self, model, family, rng):
        super().__init__()
        main = model.model
        self.normed = family.startswith("qwen35")
        self.embed, self.head, self.model_norm = main.embed_tokens, model.lm_head, main.norm
        self.body = copy.deepcopy(main)
        self.body.layers = self.body.layers[-1:]
        self.body.norm = torch.nn.Identity()
        config = self.body.config = copy.deepcopy(main.config)
        config.num_hidden_layers = 1
        if getattr(config, "layer_types", None):
            config.layer_types = ["full_attention"]
        for p in self.body.layers.parameters():
            p.data = torch.roll(p.data, 1, -1)
        self.norms = torch.nn.ModuleDict({n: copy.deepcopy(main.norm) for n in ("enorm", "hnorm", "norm")})
        for p in self.norms.parameters():
            p.data = p.data + torch.from_numpy(rng.integers(-4, 5, p.shape) / 16)
        d = main.norm.weight.shape[0]
        self.fc = torch.nn.Linear(2 * d, d, bias=False).double()
        self.fc.weight.data = torch.from_numpy(rng.integers(-3, 4, (d, 2 * d)) / 16.0)

    # tokens: of the places after those of hidden
    def forward(self, tokens, hidden):
        e = self.norms["enorm"](self.embed(torch.tensor([tokens])))
        x = self.fc(torch.cat([e, self.norms["hnorm"](hidden)], dim=-1))
        x = self.body(inputs_embeds=x, use_cache=False).last_hidden_state
        normed = self.norms["norm"](x)
        return self.head(normed)[0].numpy(), normed if self.normed else x

    def hidden_of(self, model, ids):
        main = copy.deepcopy(model.model)
        main.norm = torch.nn.Identity()
        x = main(torch.tensor([ids]), use_cache=False).last_hidden_state
        return self.model_norm(x) if self.normed else x


def tensors_of(block, family):
    layer, names = NAMES[family]
    out = {layer + n: p for n, p in block.body.layers[0].state_dict().items()}
    out[names["fc"] + ".weight"] = block.fc.weight.data
    for n, norm in block.norms.items():
        out[names[n] + ".weight"] = norm.weight.data
    for n in [n for n in out if "experts.gate_up_proj" in n]:  # files have each by itself
        stem = n.removesuffix("gate_up_proj")
        for i, (both, down) in enumerate(zip(out.pop(n), out.pop(stem + "down_proj"))):
            gate, up = both.chunk(2)
            for name, t in (("gate", gate), ("up", up), ("down", down)):
                out[f"{stem}{i}.{name}_proj.weight"] = t
    return {n: t.float().clone() for n, t in out.items()}


def rows_of(model, block, ids):
    rows = []
    hidden = block.hidden_of(model, ids)
    for i in range(N_FED - 1, N_FED - 1 + N_ROWS):
        logits, made = block(ids[1:i + 2], hidden[:, :i + 1])
        last = np.sort(logits[-1])
        if last[-1] - last[-2] < families.MARGIN * np.abs(last).max():
            return None
        more, _ = block(ids[1:i + 2] + [int(logits[-1].argmax())],
                        torch.cat([hidden[:, :i + 1], made[:, -1:]], dim=1))
        rows += [logits[-1], more[-1]]
    return np.array(rows)


def make(folder, family):
    _, settings, *_ = families.FAMILIES[family]
    for seed in range(100):
        rng = np.random.default_rng(seed)
        model = families.make(family, settings)
        families.fill(model, rng, family)
        ids = [1] + [int(i) for i in rng.integers(3, families.N_VOCAB, N_FED + N_ROWS)]
        with torch.no_grad():
            block = Block(model, family, rng)
            rows = rows_of(model, block, ids)
        if rows is not None:
            break
    name = f"next-{family}"
    print(f"{name}: seed {seed}, max |logit| {np.abs(rows).max():.2f}")
    rows.astype("<f4").tofile(folder / f"{name}.f32")
    (folder / f"{name}.ids.txt").write_text(" ".join(map(str, ids)) + "\n")
    more = tensors_of(block, family)
    config = {} if family.startswith("qwen35") else {"num_nextn_predict_layers": 1}
    families.add_next_token_block = lambda _: None
    n = families.convert(model, settings, folder / f"{name}.gguf.zst",
                         {"tensors": lambda t: {**t, **more}, "config": config})
    print(f"    {n} bytes, packed {(folder / f'{name}.gguf.zst').stat().st_size}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    families.import_leniently("deepseek", "minimax", "hunyuan", "glm", "dots1")
    to = Path(sys.argv[1])  # the converter has its own
    for family in sys.argv[2:] or NAMES:
        make(to, family)
