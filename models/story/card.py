"""card: writes models/story.md and models/story-ATTRIBUTION.tsv from what is measured here.

    python card.py WORK CHECKPOINT GGUF F32_GGUF SAMPLES_JSON
"""
import json
import math
import sys
from pathlib import Path

import corpus
import data
import model as llama
from check_export import Reader, against, held_out_loss

CARD = """# Godwit Story

The default model of Godwit: a small llama-architecture model that writes short children's stories in English.
`story-q8_0.gguf` is made by one command, `models/story/make`; nothing in it was downloaded.

| | |
|---|---|
| file | `story-q8_0.gguf`, {size:,} bytes, GGUF v3, matrices Q8_0, norms F32 |
| parameters | {params:,} (embeddings tied) |
| shape | {s.layers} layers, dim {s.dim}, {s.heads} heads of {s.head_dim}, {s.kv_heads} kv heads, ffn {s.ffn}, context {s.context}, rope on adjacent pairs, base {s.rope_base:.0f} |
| vocabulary | {s.vocab} SentencePiece BPE pieces with byte fallback; no space prefix; newline is the byte piece `<0x0A>` |
| trained on | {tokens:.2f} M tokens in {steps:,} steps on two shared CPU cores: real stories first, then some 40 to 60 % composed ones |

{state}
## Prompts

Stories are `<s>`title, newline, paragraphs one a line, `</s>`. Give a title and a newline ("The Lion and the Mouse\\n")
or the start of the story itself ("Once upon a time"); `<s>` is added by the tokenizer. Temperature 0.7 to 0.9, top-p 0.95.

## How good it is

Held out: {held_n} whole stories ({held_share:.1f} % of the text), never trained on, read from their starts in windows of {s.context} tokens (of the long tales every third).

| held-out text | weights | loss a token | perplexity a token | bits a byte |
|---|---|---|---|---|
{losses}

Q8_0 against the PyTorch checkpoint on a held-out story: mean KL {kl:.6f}, the same best token at {same:.1f} % of places,
logits within {worst:.3f} (their standard deviation is {spread:.2f}).

## Samples

Unedited, from the Q8_0 file, top-p 0.95, at most 180 tokens, by `models/story/sample.py` (numpy's PCG64 seeded as stated).
"Longest run" is the longest run of words that stands somewhere in the training text; "8-word runs" is the share of all runs of eight
words that do.

{samples}

## Limits

- English only, about 5 million parameters: sentences hold, stories often do not. It loses the thread, runs one plot into another and forgets who is who.
- What it tells best are the plots of the composed stories: there it repeats their wording closely (the program has 44 plots).
- It repeats phrases of its training text (the runs above are the measure of it on these samples), and the older tales bring the manners and
  prejudices of their day.
- Not for facts, advice, or anything but play and tests.

## Data and licence

{child_n} children's stories of the African Storybook and Pratham Books' StoryWeaver (as gathered by the Global African Storybook
project), nearly all CC-BY (the version is not stated in the source files), and {tale_n} public-domain tales and chapters: Grimm, Andersen, Lang's Blue Fairy Book,
Jacobs' English Fairy Tales, Alice's Adventures in Wonderland, The Wonderful Wizard of Oz, The Wind in the Willows. Cleaned to ASCII;
told-twice stories, notes, tables of contents and three uploads of unclear rights were left out (`story/corpus.py`). A million tokens of
real text are too few to learn a plot from, so stories that a program of this project composes came to them (`story/fables.py`, 44 plots in many
wordings, new ones in each pass; loss on ones that it never saw: {composed:.2f} a token).

The weights and this card are offered under CC-BY 4.0. **The attribution travels with the model**: `story-ATTRIBUTION.tsv` names the author,
illustrator and licence of every children's story used; pass it on with the file.
"""


def main():
    work, checkpoint, q8, f32, samples = map(Path, sys.argv[1:6])
    net, saved = llama.load(checkpoint)
    text, found = data.Corpus(work / "ids.npz"), corpus.stories()
    used = [s for s in found if s["row"]]
    rows = ["title\ttext\tillustration\tlicence\tsource\tused"]
    rows += ["\t".join([*s["row"].values(), "held out" if s["held"] else "trained on"]) for s in used]
    q8.with_name("story-ATTRIBUTION.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    model, losses = Reader(q8), []
    for name, reader in (("Q8_0", model), ("F32", Reader(f32))):
        for kind, child in (("children's stories", True), ("old tales", False)):
            loss, bits = held_out_loss(reader, work, child)
            losses.append(f"| {kind} | {name} | {loss:.4f} | {math.exp(loss):.2f} | {bits:.4f} |")
            print(losses[-1], flush=True)
    ids = text.story(next(i for i in range(len(text.held)) if text.held[i]))[:net.shape.context].tolist()
    worst, kl, same, spread = against(model, checkpoint, ids)
    told = "\n\n".join(
        f"**Prompt `{json.dumps(s['prompt'])[1:-1]}`, seed {s['seed']}, temperature {s['temp']}** (longest run {s['longest_run']}"
        f" words, 8-word runs {100 * s['share_8']:.1f} %)\n\n" + "\n".join("> " + line + "  " for line in s["text"].split("\n"))
        for s in json.loads(samples.read_text()))
    tokens = int(text.size[~text.held].sum())
    epochs = saved["tokens"] / tokens
    state = ("" if epochs >= 5 else "**Undertrained.** This file has had little training time so far: take it as a file to load and to test"
             " with, not as a story teller.\n`models/story/make` goes on from the checkpoint where there is one.\n")
    q8.with_name("story.md").write_text(CARD.format(
        size=q8.stat().st_size, params=llama.size(net), s=net.shape, tokens=saved["tokens"] / 1e6, steps=saved["steps"],
        epochs=epochs, held_n=int(text.held.sum()), held_share=100 * text.size[text.held].sum() / text.size.sum(),
        losses="\n".join(losses), kl=kl, same=100 * same, worst=worst, spread=spread, samples=told, state=state,
        composed=saved.get("composed", float("nan")), child_n=len(used), tale_n=len(found) - len(used)))


if __name__ == "__main__":
    main()
