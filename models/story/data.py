"""data: the corpus as token ids. Owns the cache of them and how rows of training tokens are packed.

A row is `context + 1` tokens cut from a shuffled run of stories, each <s> title, newline, text </s>; three times in
ten the title is left out, so that a prompt may start with the story itself. `start` gives, for each place of a row,
the place where its story begins there: attention looks no further back.

To the real stories come ones that a program composes (fables.py), new ones in each epoch: a million tokens of real text
are too few to learn from what makes a story hang together.
"""
import numpy as np

import corpus
import fables
import tokenizer

HELD_OUT_SEED = 1 << 30  # of composed stories that are never trained on


def prepare(work, vocab):
    """Trains the tokenizer and encodes the corpus into `work`, unless both are there already."""
    spm, ids = work / "tokenizer.model", work / "ids.npz"
    if not (spm.exists() and ids.exists()):
        found = corpus.stories()
        sp = tokenizer.train([f"{s['title']}\n{s['text']}" for s in found if not s["held"]], spm, vocab)
        encoded = [sp.encode(s["title"]) + [tokenizer.NEWLINE] for s in found], [sp.encode(s["text"]) for s in found]
        np.savez(ids, ids=np.concatenate([np.int32(t + b) for t, b in zip(*encoded)]),
                 title=[len(t) for t in encoded[0]], size=[len(t) + len(b) for t, b in zip(*encoded)],
                 bytes=[len(s["title"]) + 1 + len(s["text"]) for s in found],
                 child=[s["kind"] == "child" for s in found], held=[s["held"] for s in found])
    return Corpus(ids, tokenizer.load(spm))


class Corpus:
    def __init__(self, path, sp=None):
        self.sp = sp
        npz = np.load(path)
        self.title, self.size, self.bytes, self.child, self.held = (
            npz[k] for k in ("title", "size", "bytes", "child", "held"))
        self.stories = np.split(npz["ids"], np.cumsum(self.size)[:-1])

    def story(self, n, titled=True):
        body = self.stories[n] if titled else self.stories[n][self.title[n]:]
        return np.concatenate([[tokenizer.BOS], body, [tokenizer.EOS]]).astype(np.int32)

    def composed(self, seed, tokens, rng=None):
        """Composed stories of about so many tokens in all."""
        out, total = [], 0
        for story in fables.stories(1 << 20, seed=seed):
            if total >= tokens:
                break
            titled = rng is None or rng.random() > 0.3
            text = f"{story['title']}\n{story['text']}" if titled else story["text"]
            out.append(np.array([tokenizer.BOS, *self.sp.encode(text), tokenizer.EOS], np.int32))
            total += len(out[-1])
        return out

    def epoch(self, rng, context, child_share, composed_share=0.0):
        """Rows (ids [n, context + 1], start [n, context]) of one pass over the real text; tales thinned out to leave
        child_share of it, and composed stories added until they are composed_share of all."""
        pick = np.flatnonzero(~self.held)
        child, tale = self.size[pick[self.child[pick]]].sum(), self.size[pick[~self.child[pick]]].sum()
        keep = 1.0 if child_share is None else min(1.0, child * (1 - child_share) / child_share / tale)
        pieces = []
        for n in pick:
            whole = self.story(n, rng.random() > 0.3)
            if self.child[n] or keep == 1.0:
                pieces.append(whole)
            elif len(whole) * keep > context // 2:  # a stretch of a long tale
                at = rng.integers(0, len(whole) - int(len(whole) * keep) + 1)
                pieces.append(whole[at:at + int(len(whole) * keep)])
            elif rng.random() < keep:
                pieces.append(whole)
        if composed_share > 0:
            real = sum(map(len, pieces))
            pieces += self.composed(int(rng.integers(HELD_OUT_SEED)), real * composed_share / (1 - composed_share), rng)
        flow = np.roll(np.concatenate([pieces[i] for i in rng.permutation(len(pieces))]), rng.integers(context))
        n = (len(flow) - 1) // context
        rows = np.stack([flow[i * context:i * context + context + 1] for i in range(n)])
        return rows[rng.permutation(n)]

    def held_out(self, context, child):
        """Rows of the held-out stories of one kind, -1 after the last token, and the bytes they stand for."""
        some = np.flatnonzero(self.held & (self.child == child))
        return self.padded([self.story(n) for n in some], context), int(self.bytes[some].sum())

    def held_out_composed(self, context):
        return self.padded(self.composed(HELD_OUT_SEED, 30 * context), context)

    @staticmethod
    def padded(stories, context):
        rows = []
        for ids in stories:
            rows += [np.pad(ids[i:i + context + 1], (0, max(0, i + context + 1 - len(ids))), constant_values=-1)
                     for i in range(0, len(ids) - 1, context)]
        return np.stack(rows).astype(np.int32)


def starts(rows):
    """For each place of each row, the place of the last <s> at or before it (0 where there is none)."""
    at = np.arange(rows.shape[1], dtype=np.int32)
    return np.maximum.accumulate(np.where(rows == tokenizer.BOS, at, 0), axis=1).astype(np.int32)
