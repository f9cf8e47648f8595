"""sample: stories from the GGUF through check_export's numpy model, and how much of them is the training text.

    python sample.py GGUF WORK > samples.json
"""
import json
import re
import sys
from pathlib import Path

import numpy as np

import corpus
import tokenizer
from check_export import Reader

ASKED = [("Once upon a time", 1, 0.8), ("The Lion and the Little Mouse\n", 2, 0.8), ("One morning, Anna", 3, 0.7),
         ("There was once a king who", 4, 0.9)]


def story(model, sp, prompt, seed, temp, top_p=0.95, limit=180):
    rng = np.random.default_rng(seed)
    ids = [tokenizer.BOS] + sp.encode(prompt)
    model.reset()
    z = model.logits(ids)[-1]
    for _ in range(min(limit, model.context - len(ids))):
        order = np.argsort(-z, kind="stable")
        p = np.exp((z[order] - z[order[0]]) / temp)
        p /= p.sum()
        keep = int(np.searchsorted(np.cumsum(p), top_p)) + 1
        token = int(rng.choice(order[:keep], p=p[:keep] / p[:keep].sum()))
        if token == tokenizer.EOS:
            break
        ids.append(token)
        z = model.logits([token])[-1]
    return sp.decode(ids[1:])


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def overlap(text, seen):
    """Longest run of words that also stands in seen (" word word "), and the share of the 8-word runs that do."""
    w = words(text)
    stands = lambda i, j: f" {' '.join(w[i:j])} " in seen
    best = i = 0
    while i + best < len(w):
        if stands(i, i + best + 1):
            best += 1
        else:
            i += 1
    eight = [stands(i, i + 8) for i in range(len(w) - 7)]
    return best, sum(eight) / max(1, len(eight))


def main():
    model, work = Reader(sys.argv[1]), Path(sys.argv[2])
    sp = tokenizer.load(work / "tokenizer.model")
    told = (s["title"] + " " + s["text"] for s in corpus.stories() if not s["held"])
    seen = " " + " | ".join(" ".join(words(text)) for text in told) + " "
    out = []
    for prompt, seed, temp in ASKED:
        text = story(model, sp, prompt, seed, temp)
        run, share = overlap(text, seen)
        out.append({"prompt": prompt, "seed": seed, "temp": temp, "text": text, "longest_run": run, "share_8": share})
        print(f"# {prompt!r} seed {seed} temp {temp}: longest run {run}, {share:.1%}\n{text}\n", file=sys.stderr, flush=True)
    json.dump(out, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
