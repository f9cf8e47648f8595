"""tokenizer: the story vocabulary. Owns its training (SentencePiece BPE with byte fallback, as llama models use).

No dummy prefix: text is encoded as it stands, a space is U+2581, a newline is the byte piece <0x0A>.
`llama_ids` is the engines' way to encode (merge the pair of best score, leftmost first); `check` proves it equal.

    python tokenizer.py WORK      prepares WORK and checks the tokenizer on the whole corpus
"""
import heapq
import io
import sys
from pathlib import Path

import sentencepiece as spm

VOCAB = 2048
BOS, EOS, NEWLINE = 1, 2, 3 + 0x0A


def train(texts, path, vocab=VOCAB):
    model = io.BytesIO()
    lines = (line for text in texts for line in text.split("\n"))
    spm.SentencePieceTrainer.train(
        sentence_iterator=lines, model_writer=model, model_type="bpe", vocab_size=vocab, byte_fallback=True,
        character_coverage=1.0, normalization_rule_name="identity", add_dummy_prefix=False,
        remove_extra_whitespaces=False, split_digits=True, max_sentence_length=1 << 20, num_threads=2,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, minloglevel=2)
    path.write_bytes(model.getvalue())
    return load(path)


def load(path):
    return spm.SentencePieceProcessor(model_file=str(path))


def llama_ids(sp, text):
    """Ids by greedy merging: of all neighbouring pairs that make a piece, the best score first, then the leftmost."""
    ids = {sp.id_to_piece(i): i for i in range(sp.vocab_size())}
    part = list(text.replace(" ", "\u2581"))
    after, before = list(range(1, len(part) + 1)), list(range(-1, len(part) - 1))
    heap = []

    def offer(i):
        j = after[i] if i >= 0 else len(part)
        if i >= 0 and j < len(part) and part[i] + part[j] in ids:
            heapq.heappush(heap, (-sp.get_score(ids[part[i] + part[j]]), i, part[i], part[j]))

    for i in range(len(part) - 1):
        offer(i)
    while heap:
        _, i, a, b = heapq.heappop(heap)
        j = after[i]
        if part[i] != a or j >= len(part) or part[j] != b:
            continue
        part[i], part[j], after[i] = a + b, None, after[j]
        if after[j] < len(part):
            before[after[j]] = i
        offer(before[i])
        offer(i)
    out = []
    for p in part:
        if p is not None:
            out += [ids[p]] if p in ids else [3 + byte for byte in p.encode()]
    return out


def check(sp, texts):
    """Raises unless greedy merging gives SentencePiece's ids on every text, and decoding gives the text back."""
    for text in texts:
        ids = sp.encode(text)
        if llama_ids(sp, text) != ids:
            raise SystemExit(f"tokenizer: greedy merging differs on {text[:60]!r}")
        if sp.decode(ids) != text:
            raise SystemExit(f"tokenizer: does not decode to itself: {text[:60]!r}")


if __name__ == "__main__":
    import corpus
    import data
    where = Path(sys.argv[1])
    data.prepare(where, VOCAB)
    found = corpus.stories()
    check(load(where / "tokenizer.model"), [s["title"] + "\n" + s["text"] for s in found])
    print(f"tokenizer: greedy merging gives SentencePiece's ids on all {len(found)} stories")
