"""train: trains the story model and checkpoints it; run again, it goes on from where it stopped.

    python train.py WORK [--minutes M | --tokens N] [--fast]

The learning rate follows a cosine over the whole budget. Composed stories (data.py) come in from --composed-from on, as
--composed of the text; for the last third children's stories are most of the real text. WORK/last.pt holds everything
to resume, WORK/best.pt the weights of the best held-out loss (children's and composed stories, one to one).
--fast computes loss and gradients in fast.c (same equations, checked against the PyTorch model at the start).
"""
import argparse
import math
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch

import data
import model as llama

P = argparse.ArgumentParser()
P.add_argument("work", type=Path)
P.add_argument("--minutes", type=float, help="stop after so much training time in all (earlier runs counted in)")
P.add_argument("--tokens", type=float, default=26e6, help="stop after so many tokens (default 26e6)")
P.add_argument("--vocab", type=int, default=2048)
P.add_argument("--dim", type=int, default=256)
P.add_argument("--layers", type=int, default=6)
P.add_argument("--ffn", type=int, default=704)
P.add_argument("--rows", type=int, default=4, help="rows of 512 tokens a step")
P.add_argument("--child", type=float, help="share of the children's stories before the last third (default: as it is)")
P.add_argument("--composed", type=float, default=0.4, help="share of composed stories")
P.add_argument("--composed-from", type=float, default=0.2, help="part of the budget before them")
P.add_argument("--lr", type=float, default=2e-3)
P.add_argument("--decay", type=float, default=0.1)
P.add_argument("--dropout", type=float, default=0.1)
P.add_argument("--threads", type=int, default=2)
P.add_argument("--every", type=float, default=120, help="seconds between evaluations")
P.add_argument("--fast", action="store_true")
P.add_argument("--seed", type=int, default=1)


def loss_of(net, rows):
    """Summed loss and number of the tokens predicted in rows (-1: none)."""
    ids = torch.from_numpy(rows).long()
    start = torch.from_numpy(data.starts(rows[:, :-1])).long()
    at = torch.arange(rows.shape[1] - 1)
    mask = (at[None, None, :] <= at[None, :, None]) & (at[None, None, :] >= start[:, :, None])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return net(ids[:, :-1].clamp(min=0), ids[:, 1:], mask[:, None])


class TorchStep:
    def __init__(self, net):
        self.net = net

    def __call__(self, rows):
        loss = loss_of(self.net, rows)
        loss.backward()
        return loss.item()

    def held(self, rows):
        self.net.eval()
        with torch.no_grad():
            total = sum(loss_of(self.net, r[None]).item() * (r[1:] >= 0).sum() for r in rows)
        self.net.train()
        return total / (rows[:, 1:] >= 0).sum()


def main():
    a = P.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    text = data.prepare(a.work, a.vocab)
    last, best = a.work / "last.pt", a.work / "best.pt"
    if last.exists():
        net, saved = llama.load(last, a.dropout)
    else:
        net, saved = llama.Llama(llama.Shape(vocab=a.vocab, dim=a.dim, layers=a.layers, ffn=a.ffn), a.dropout), {}
    context = net.shape.context
    big = [p for p in net.parameters() if p.ndim == 2]
    small = [p for p in net.parameters() if p.ndim == 1]
    opt = torch.optim.AdamW([{"params": big, "weight_decay": a.decay}, {"params": small, "weight_decay": 0.0}],
                            lr=a.lr, betas=(0.9, 0.98), fused=True)
    if saved:
        opt.load_state_dict(saved["opt"])
    if a.fast:
        import fast
        step = fast.Step(net, a.threads, a.dropout)
    else:
        step = TorchStep(net)
    tokens, steps, spent, low = (saved.get(k, d) for k, d in (("tokens", 0), ("steps", 0), ("spent", 0.0), ("low", 1e9)))
    held_child, child_bytes = text.held_out(context, True)
    held_tale, tale_bytes = text.held_out(context, False)
    held_tale = held_tale[::3]
    held_composed = text.held_out_composed(context)
    rng = np.random.default_rng(a.seed + steps)
    print(f"{llama.size(net):,} parameters, {int(text.size[~text.held].sum()):,} training tokens an epoch", flush=True)
    t0 = t_eval = t_say = time.time()
    spent0, rows, since, mean = spent, [], 0, None

    def evaluate():
        nonlocal low
        child, tale, composed = step.held(held_child), step.held(held_tale), step.held(held_composed)
        per_byte = child * (held_child[:, 1:] >= 0).sum() / math.log(2) / child_bytes
        print(f"  held out: children's {child:.4f} ({per_byte:.3f} bits/byte), tales {tale:.4f},"
              f" composed {composed:.4f}", flush=True)
        more = {"tokens": tokens, "steps": steps, "spent": spent, "child": float(child), "tale": float(tale),
                "composed": float(composed)}
        if child + composed < low:
            low = float(child + composed)
            llama.save(best, net, **more)
        llama.save(last, net, **more, low=low, opt=opt.state_dict())

    asked = []  # to stop: what is learned is saved before
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: asked.append(True))
    while not asked:
        done = max(tokens / a.tokens, spent / 60 / a.minutes if a.minutes else 0)
        if done >= 1:
            break
        if len(rows) < a.rows:  # a new pass over the text
            rows = list(text.epoch(rng, context, 0.6 if done > 2 / 3 else a.child,
                                   a.composed if done >= a.composed_from else 0.0))
        batch, rows = np.stack(rows[:a.rows]), rows[a.rows:]
        rate = a.lr * min(1.0, (steps + 1) / 60) * (0.03 + 0.97 * (0.5 + 0.5 * math.cos(math.pi * done)))
        for group in opt.param_groups:
            group["lr"] = rate
        loss = step(batch)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=False)
        steps, tokens, since = steps + 1, tokens + batch.shape[0] * context, since + batch.shape[0] * context
        mean = loss if mean is None else 0.95 * mean + 0.05 * loss
        spent = spent0 + time.time() - t0
        if time.time() - t_say > 10:
            speed = since / (time.time() - t_say)
            eta = min((a.tokens - tokens) / speed, a.minutes * 60 - spent if a.minutes else 1e9)
            print(f"step {steps} tokens {tokens / 1e6:.2f}M loss {mean:.3f} lr {rate:.2e} {speed:.0f} tok/s eta"
                  f" {eta / 60:.0f} min", flush=True)
            since, t_say = 0, time.time()
        if time.time() - t_eval > a.every:
            evaluate()
            t_eval = time.time()
    evaluate()


if __name__ == "__main__":
    sys.exit(main())
