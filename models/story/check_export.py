"""check_export: a plain numpy llama that reads the GGUF, and what it proves of it.

    python check_export.py GGUF             loss on the held-out stories (WORK/ids.npz), with --work WORK
    python check_export.py GGUF --against CHECKPOINT   logits against the PyTorch model's

Owns the independent reading of the file: nothing here but the gguf package and numpy touches the weights.
"""
import argparse
import math
from pathlib import Path

import gguf
import numpy as np


class Reader:
    """The model of a GGUF file in float32: `logits(ids)`, or step by step with `step(id)` after `reset()`."""

    def __init__(self, path):
        r = gguf.GGUFReader(path)
        self.meta = {k: f.contents() for k, f in r.fields.items()}
        self.w = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32) for t in r.tensors}
        m = lambda key: self.meta["llama." + key]
        self.layers, self.heads, self.kv = m("block_count"), m("attention.head_count"), m("attention.head_count_kv")
        self.eps, self.context = m("attention.layer_norm_rms_epsilon"), m("context_length")
        self.dim = m("rope.dimension_count")
        self.freq = m("rope.freq_base") ** (-np.arange(0, self.dim, 2) / self.dim)
        self.head = self.w.get("output.weight", self.w["token_embd.weight"])
        self.reset()

    def reset(self):
        self.cache = [(np.zeros((self.kv, 0, self.dim), np.float32),) * 2 for _ in range(self.layers)]

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * self.w[name + ".weight"]

    def rope(self, x, at):
        angle = np.outer(at, self.freq)
        c, s, a, b = np.cos(angle), np.sin(angle), x[..., 0::2], x[..., 1::2]
        return np.stack((a * c - b * s, a * s + b * c), -1).reshape(x.shape).astype(np.float32)

    def logits(self, ids):
        """Logits [len(ids), vocab] of tokens that follow those seen since reset()."""
        x = self.w["token_embd.weight"][np.asarray(ids)]
        n, past = len(x), self.cache[0][0].shape[1]
        at = np.arange(past, past + n)
        for i in range(self.layers):
            lin = lambda y, name: y @ self.w[f"blk.{i}.{name}.weight"].T
            split = lambda y: y.reshape(n, -1, self.dim).transpose(1, 0, 2)
            h = self.norm(x, f"blk.{i}.attn_norm")
            q, k, v = self.rope(split(lin(h, "attn_q")), at), self.rope(split(lin(h, "attn_k")), at), split(lin(h, "attn_v"))
            k, v = (np.concatenate((old, new), 1) for old, new in zip(self.cache[i], (k, v)))
            self.cache[i] = k, v
            k, v = np.repeat(k, self.heads // self.kv, 0), np.repeat(v, self.heads // self.kv, 0)
            score = q @ k.transpose(0, 2, 1) / math.sqrt(self.dim)
            score = np.where(np.arange(past + n) <= at[:, None], score, -np.inf)
            p = np.exp(score - score.max(-1, keepdims=True))
            x = x + lin((p / p.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(n, -1), "attn_output")
            h = self.norm(x, f"blk.{i}.ffn_norm")
            g = lin(h, "ffn_gate")
            x = x + lin(g / (1 + np.exp(-g)) * lin(h, "ffn_up"), "ffn_down")
        return self.norm(x, "output_norm") @ self.head.T


def held_out_loss(model, work, child):
    """(nats a token, bits a byte) over the held-out stories of one kind, in windows of the context from each <s>;
    of the long tales every third window."""
    import data
    text = data.Corpus(work / "ids.npz")
    rows, size = text.held_out(model.context, child)
    share = (rows[:, 1:] >= 0).sum() / (rows[::1 if child else 3, 1:] >= 0).sum()
    total = count = 0
    for row in rows[::1 if child else 3]:
        row = row[row >= 0]
        model.reset()
        z = model.logits(row[:-1])
        high = z.max(-1)
        total += (np.log(np.exp(z - high[:, None]).sum(-1)) + high - z[np.arange(len(z)), row[1:]]).sum()
        count += len(row) - 1
    return total / count, total * share / math.log(2) / size


def against(model, checkpoint, ids):
    import torch
    import model as llama
    net, _ = llama.load(checkpoint)
    with torch.no_grad():
        want = net.eval()(torch.tensor(ids)[None])[0].numpy()
    model.reset()
    got = model.logits(ids)
    p = np.exp(want - want.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    lse = lambda z: np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True)) + z.max(-1, keepdims=True)
    kl = (p * ((want - lse(want)) - (got - lse(got)))).sum(-1).mean()
    return np.abs(got - want).max(), kl, (got.argmax(-1) == want.argmax(-1)).mean(), want.std()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("file", type=Path)
    p.add_argument("--work", type=Path)
    p.add_argument("--against", type=Path)
    a = p.parse_args()
    model = Reader(a.file)
    if a.against:
        import data
        text = data.Corpus(a.work / "ids.npz")
        ids = text.story(int(np.flatnonzero(text.held)[0]))[:model.context].tolist()
        worst, kl, same, spread = against(model, a.against, ids)
        print(f"{a.file}: logits within {worst:.4f} of PyTorch's (their spread is {spread:.2f}), KL {kl:.6f},"
              f" same best token at {100 * same:.1f} % of {len(ids)} places")
        limit = 1e-4 if model.meta["general.file_type"] == 0 else 0.02
        if kl > limit:
            raise SystemExit("check_export: the file does not agree with the checkpoint")
    elif a.work:
        for child in (True, False):
            loss, bits = held_out_loss(model, a.work, child)
            print(f"{a.file}: held-out {'children' if child else 'tales'} loss {loss:.4f} perplexity"
                  f" {math.exp(loss):.2f} bits/byte {bits:.4f}", flush=True)


if __name__ == "__main__":
    main()
