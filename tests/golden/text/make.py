"""Makes the tokenizer goldens of this folder: python3 make.py

Oracles: Hugging Face tokenizers 0.23 and SentencePiece 0.2, neither of which shares code with
Godwit. Texts and training corpus are written here; the seed is fixed.

  pre.txt  how each pre-tokenizer cuts a text        (tests/text/pre.c)
  bpe.txt  a byte-level BPE vocabulary and its ids   (tests/text/golden.c)
  spm.txt  a SentencePiece vocabulary and its ids    (tests/text/golden.c)
  gemma4.txt  characters of SentencePiece with merges in order, as Gemma 4 has them  (tests/text/golden.c)
  words.txt   merges within words, white space dropped, as Jina v2 for Chinese has them    (the same)
  bert.txt, bert-cased.txt  a WordPiece vocabulary, as GGUF has it, and its ids  (tests/text/golden.c)
  unigram.txt      a Unigram vocabulary and its ids, by Hugging Face             (tests/text/golden.c)
  unigram-map.txt  one of SentencePiece with its charsmap ("map"), by SentencePiece  (the same)

Lines: a word, then fields. Texts are hexadecimal UTF-8, "-" an empty one.
"""

import io
import json
import random
import tempfile
import unicodedata

import numpy as np
import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TEXTS = [
    "", " ", "  ", "\t", "\n", "\r\n", "\n\n\n", " \n \n", "\n  x", "  \t\n  x  ", "a", " a", "a ",
    "Hello, world!", "  Hello   world  ", "I'm sure we'll see it's what they'd've said; you're 'right'.",
    "I'M SURE WE'LL SEE IT'S WHAT THEY'D'VE SAID", "don''t 'tis 'til rock'n'roll 'S'T'RE",
    "1 12 123 1234 12345 1234567890", "3.14159, -2e10; 0xFF 1st 2nd x1y22z333", "\u00bd \u2167 \u0663\u0664\u0665\u0666 \u4e94\u767e",
    "caf\u00e9 cafe\u0301 na\u00efve \u00c5ngstr\u00f6m stra\u00dfe \u01c5 \u01c4 \u01c6", "camelCase HTTPServer iPhone XMLHttpRequest ABCdef GHI",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u041a\u0430\u043a \u0434\u0435\u043b\u0430?", "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u4eca\u5929\u662f2024\u5e745\u6708", "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c \u30ab\u30bf\u30ab\u30ca",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", "\u1780\u17b6\u1793\u17cb\u178f\u17c2",
    "\U0001f600\U0001f680 \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2705 x\U0001f999y", "a\u00a0b \u2003c\u3000d\u2028e\u0085f\u200bg\ufeffh",
    "if (x == 1) { return a[i++] / b; } // done\r\n\tfoo();\r\n", "<|im_start|>user\nHi<|im_end|>\n", "http://example.org/a?b=c&d=%20#e",
    "......!!!!??? --- ___ ***", "$5.00 + \u20ac3 = \u00a38 \u2260 \u00a52 ^~|`<>", "tab\tand\u000bvt\u000cff\u001fus", "end with spaces   ", "end with newline \n",
    "\U0001d400\U0001d401\U0001d7ce\U0001d7cf \u2460\u2461", "a/b/c //\n//x /\r\n", "'s 't 're", "\u2019s \u2018quote\u2019", "\x00a\x01b",
]
POOL = list("aAbBzZ  \t\n\r09''s/.,!-_") + [
    "  ", "'ll", "'RE", "\u00e9", "\u00c9", "\u0301", "\u01c5", "\u02b0", "\u4e2d", "\u0660", "\u00b2", "\u00a0", "\u3000",
    "\u2028", "\U0001f600", "\u200d", "$", "+", "^", "\u20ac", "\u3002", "\u0430", "\u0410",
]
CORPUS = """
The little bar-tailed godwit breeds in Alaska and winters on the shores of Tasmania. It flies there
without a stop, eleven days and nights over the open ocean, and it does not eat, drink or rest on
the way. Before it leaves it eats until it weighs twice what it weighed; what it does not need on
the way, it makes smaller. How does it find the way? Nobody knows for sure: by the sun, by the stars,
by the field of the Earth, by what it learned from the others, or by all of these at once.
She said: "I don't know what you're after, but it's not here, and we'll see that they've left."
Numbers: 1, 2, 3, 10, 11, 12, 100, 250, 1000, 2024. Code: for (int i = 0; i < n; i++) sum += x[i];
\u00c9t\u00e9, \u00e9cole, fa\u00e7ade, na\u00efve, \u00fcber, stra\u00dfe, gr\u00f6\u00dfer; \u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440; \u4f60\u597d\u4e16\u754c.
"""

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
CASED = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+%s"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*%s"
         r"|%s| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TAIL = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"


def split(*patterns):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in patterns])


def with_digits(*patterns):
    return pre_tokenizers.Sequence([split(*patterns), pre_tokenizers.Digits(individual_digits=True)])


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


# DeepSeek's list of letters: the ends of its ranges, as code points.
LETTERS = """41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386
388-38A 38C 38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF
1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D
1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4
1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 213C-213F
2145-2149 214E 2183 2184 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2 2CF3 A640-A66D A680-A69B A722-A76F
A771-A787 A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3
104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943"""
DEEPSEEK_LETTERS = "".join("-".join(chr(int(end, 16)) for end in part.split("-"))
                           for part in LETTERS.split())
DEEPSEEK_CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+%s"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*%s"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
ASIA = "".join(f"{chr(a)}-{chr(b)}" for a, b in (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x3040, 0x309F), (0x30A0, 0x30FF), (0xFF65, 0xFF9F),
    (0x2F00, 0x2FDF), (0xE40, 0xE7F), (0xE80, 0xEFF), (0x1780, 0x17FF), (0x1000, 0x109F), (0xAA60, 0xAA7F),
    (0xA9E0, 0xA9FF), (0xAC00, 0xD7AF), (0x1100, 0x11FF)))
BLOOM = r" ?[^(\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"
JAIS2 = "|".join(r"\s{%d}(?!\S)" % n for n in (512, 256, 128, 64, 32, 16, 8, 4)) + r"|\s{1,2}(?!\S)|\s{1}"

# As the tokenizer.json of a model of each kind has it; "default" is the list that llama.cpp uses
# where a file names no pre-tokenizer.
PRE = {
    "default": split(r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"),
    "gpt-2": byte_level(True),
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)]),
    "llama-bpe": split(WORDS % r"\p{N}{1,3}"),
    "qwen2": split(WORDS % r"\p{N}"),
    "tekken": split(CASED % ("", "", r"\p{N}")),
    "gpt-4o": split(CASED % (TAIL, TAIL, r"\p{N}{1,3}")),
    "deepseek-llm": with_digits("[\r\n]", f"\\s?[{DEEPSEEK_LETTERS}]+",
                                "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
                                r"\s+$", DEEPSEEK_CJK),
    "deepseek-coder": with_digits("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", DEEPSEEK_CJK),
    "deepseek-v3": split(r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                         r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
                         r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
                         r"|\s*[\r\n]+|\s+(?!\S)|\s+"),
    # As llama.cpp has it.
    "spark2_5": split(r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                      r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
                      r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+",
                      r"\p{N}"),
    "qwen35": split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
                    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
    "bloom": split(BLOOM),
    "viking": with_digits(BLOOM),
    "superbpe": split(r"\p{N}+", r"(?=(\d{3})+(?!\d))"),
    "bailingmoe": split(r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}"
                        r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"),
    "seed-coder": split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}"
                        r"| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"),
    "minicpm5": split(r"\p{N}{1,3}", WORDS % r"\p{N}+"),
    "jais-2": split((WORDS % r"\p{N}{1,3}").replace(r"|\s+(?!\S)|\s+", "|" + JAIS2)),
    "kimi-k2": split(KIMI % (TAIL, TAIL)),
    # In the file ByteLevel cuts, and bytes that look like digits are cut off, too: no token has them inside.
    "falcon": pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), split(GPT2),
                                       pre_tokenizers.Digits(individual_digits=False), split("[0-9][0-9][0-9]")]),
    "tiny_aya": split(r"\d{1,3}(?=(?:\d{3})*\b)", CASED % (TAIL, TAIL, r"\p{N}{1,3}")),
    # Digits as llama.cpp says it of them: by three, from the right.
    "afmoe": split(r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))", f"[{ASIA}]+",
                   r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
                   r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
                   r"|\s*[\r\n]+|\s+(?!\S)|\s+"),
    "laguna": split(r"(?:\r?\n)+(?!\r?\n)", WORDS % r"\p{N}"),
    "exaone-moe": split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
                        r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"),
    # The two as llama.cpp has them.
    "youtu": split("[\uac00-\ud7a3\u3131-\u318e]+"
                   "|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+"
                   "|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", CASED % (TAIL, TAIL, r"\p{N}")),
    "chameleon": split("<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "([\t\n]|    |  )", r"\p{N}",
                       r"[\p{P}!-/:-@\[-`{-~]", GPT2),
    "ufakzeka": split((WORDS % r"\p{N}").partition("|[^")[1][1:] + (WORDS % r"\p{N}").partition("|[^")[2]),
}


def hexed(text):
    data = text if isinstance(text, bytes) else text.encode()
    return data.hex() or "-"


def texts(n_random):
    chance = random.Random(20241124)
    made = ["".join(chance.choices(POOL, k=chance.randint(1, 24))) for _ in range(n_random)]
    return TEXTS + made


def blocks():
    """Characters of blocks that the patterns part, of Unicode 3.2, so that all versions agree."""
    old = unicodedata.ucd_3_2_0
    for first, last in ((0x80, 0x52F), (0x10A0, 0x10FF), (0x1E00, 0x1FFF), (0x2010, 0x202E),
                        (0x2100, 0x2190), (0x2160, 0x2188), (0x2FF0, 0x30FF), (0xFB00, 0xFB20),
                        (0xFF01, 0xFF60), (0x10400, 0x1044D)):
        chars = "".join(c for c in map(chr, range(first, last + 1))
                        if old.category(c) == unicodedata.category(c) != "Cn")
        yield from (chars[i:i + 90] for i in range(0, len(chars), 90))


PRE_TEXTS = [
    "1234567 12345678 123456789 1234\u00bd567", "1" * 50 + "a", "a\u0301 e\u0301\u0327x \u0301a \u0e01\u0e33",
    "ab" + " " * 700 + "c" + " " * 31 + "\n", "x  \t \n\n \r\n y\r", "!ab @cd #1 (x)y _a .a {b}", "a.b,c!d?e (f) g|h",
    "\u4e2d\u6587ab12 \uff0c\u3002 \ud55c\uae00 \u3072\u304c\u30ab a\u4e2d", "it\u2019s Ali'nin 'S 'Dx 'llama", "a b  c   d    e",
    "<sentinel:12>IMGIMGABCZ x IMGIMGAZ\t\ty \ud55c\u3131 \u3105\u3106\uff01\uff0c\u2014!",
] + list(blocks())


def make_pre(out):
    for text in texts(60) + PRE_TEXTS:
        out.write(f"text {hexed(text)}\n")
        for name, pre in PRE.items():
            pieces = [text[a:b] for _, (a, b) in pre.pre_tokenize_str(text)]
            assert "".join(pieces) == text, (name, text, pieces)
            out.write(" ".join([f"pre {name}"] + [str(len(p.encode())) for p in pieces]) + "\n")


def make_bpe(out):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([PRE["qwen2"], byte_level(False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=520, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1]):
        out.write(f"token {hexed(token)} 1 0\n")
    for merge in model["merges"]:
        out.write(f"merge {hexed(merge if isinstance(merge, str) else ' '.join(merge))}\n")
    for text in texts(60) + [CORPUS]:
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids) == text
        out.write(" ".join([f"text {hexed(text)}"] + [str(i) for i in ids]) + "\n")


def make_spm(out):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.strip().splitlines()), model_writer=model, vocab_size=480,
        model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, add_dummy_prefix=True, num_threads=1, minloglevel=2,
        user_defined_symbols=["<user>"])
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    for i in range(processor.get_piece_size()):
        kind = (2 if processor.is_unknown(i) else 3 if processor.is_control(i) else
                6 if processor.is_byte(i) else 1)
        if processor.id_to_piece(i) == "<user>":
            kind = 4
        out.write(f"token {hexed(processor.id_to_piece(i))} {kind} {processor.get_score(i)}\n")
    for text in texts(60) + [CORPUS]:
        ids = processor.encode(text)
        # The encoder drops U+0000 on its way in, so the text says nothing about it.
        if "\x00" in text:
            continue
        out.write(" ".join([f"text {hexed(text)}"] + [str(i) for i in ids]) + "\n")


def make_gemma4(out):
    """Spaces become U+2581, nothing is cut before merging, what is no token is spelled in bytes."""
    spaces = normalizers.Replace(" ", "\u2581")
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    trained = Tokenizer(models.BPE())
    trained.normalizer = spaces
    trained.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
    trainer = trainers.BpeTrainer(vocab_size=700, show_progress=False, limit_alphabet=64,
                                  special_tokens=special + [f"<0x{b:02X}>" for b in range(256)])
    lines = CORPUS.splitlines(keepends=True) + ["    for  x  in  y:\n\n\n        z\n\n"] * 4
    trained.train_from_iterator(lines, trainer)
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    for token, i in sorted(model["vocab"].items(), key=lambda item: item[1]):
        kind = 6 if 4 <= i < 260 else 2 if token == "<unk>" else 3 if i < 4 else 1
        out.write(f"token {hexed(token)} {kind} 0\n")
    for merge in merges:
        out.write(f"merge {hexed(' '.join(merge))}\n")
    tokenizer = Tokenizer(models.BPE(model["vocab"], merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = spaces
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    for text in texts(200) + [CORPUS] + lines[-1:]:
        out.write(" ".join([f"text {hexed(text)}"] + [str(i) for i in tokenizer.encode(text).ids]) + "\n")


def make_words(out):
    """Words as Whitespace cuts them; what is between them is dropped, what is no token is unknown."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=520, show_progress=False, limit_alphabet=90, special_tokens=special)
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True) + TEXTS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    for token, i in sorted(model["vocab"].items(), key=lambda item: item[1]):
        out.write(f"token {hexed(token)} {2 if token == '<unk>' else 3 if i < 4 else 1} 0\n")
    for merge in model["merges"]:
        out.write(f"merge {hexed(merge if isinstance(merge, str) else ' '.join(merge))}\n")
    for text in texts(200) + PRE_TEXTS + [CORPUS]:
        out.write(" ".join([f"text {hexed(text)}"] + [str(i) for i in tokenizer.encode(text).ids]) + "\n")


# More than the others have: what normalizers do something with.
FOLDED = [
    "Stra\u00dfe \u00c9COLE \u0130stanbul \u1e9e \u03a3\u0399\u03a3\u03a5\u03a6\u039f\u03a3 \u1fef \u037e \u01d7", "\ud55c\uad6d\uc5b4 \uac01 \ud7a3",
    "soft\u00adhyphen zero\u200bwidth \u202aembed\u202c \ufffd \ufeffx", "\u4f60\u597d\u4e16\u754cabc\uf900\U0002f800 \u3042\u3044\u3046", "x" * 100, "y" * 101,
    "\u00e9" * 50, "don't stop--believing... (really)", "\ufb01ne \u2460 \uff21\uff22\uff23 \u00b2 \u00bd \u2126 \u212b", "snake_case camelCase a.b->c() == 0x1F;",
    "e\u0301\u0327 \u0327x \u093f\u0915 \u09cb \u0e33 \u0649\u0654", "[CLS] not special [SEP] [MASK] ## ##x", "\u2581x \u2581 y\u2581z", "the flight of the godwits overseas",
    "a\u0378b \ue000 \U000e0001 \U0001f9ea", "\u3000 wide \u2003 spaces\t\n", "fl\u00fcgge  \u00a0 x",
]


def make_bert(out, lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=520, show_progress=False, special_tokens=special)
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True) + FOLDED, trainer)
    vocab = tokenizer.get_vocab()
    for token in sorted(vocab, key=vocab.get):
        text = token if token in special else token[2:] if token.startswith("##") else "\u2581" + token
        out.write(f"token {hexed(text)} {2 if token == '[UNK]' else 3 if token in special else 1} 0\n")
    # Not as added tokens, whose text would be cut out of everything.
    plain = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    plain.normalizer, plain.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    for text in texts(200) + FOLDED + PRE_TEXTS + [CORPUS]:
        out.write(" ".join([f"text {hexed(text)}"] + [str(i) for i in plain.encode(text).ids]) + "\n")


# As SentencePiece does it; Metaspace puts nothing in front where a space is.
def spaced(text):
    return ("\u2581" + text).replace(" ", "\u2581") if text else text


def make_unigram(out):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    trainer = trainers.UnigramTrainer(vocab_size=480, show_progress=False, special_tokens=["<unk>", "</s>"],
                                      unk_token="<unk>")
    tokenizer.train_from_iterator(CORPUS.strip().splitlines(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    for token, score in model["vocab"]:
        kind = {"<unk>": 2, "</s>": 3}.get(token, 1)
        out.write(f"token {hexed(token)} {kind} {float(np.float32(score)):.9g}\n")
    plain = Tokenizer(models.Unigram([(t, float(np.float32(s))) for t, s in model["vocab"]], unk_id=0))
    for text in texts(200) + FOLDED + [CORPUS]:
        if "</s>" not in text and "<unk>" not in text:
            out.write(" ".join([f"text {hexed(text)}"] + [str(i) for i in plain.encode(spaced(text)).ids]) + "\n")


def rules():
    """Lines of code points: what becomes what. A map of all of NFKC takes 240 KB."""
    changed = {c: unicodedata.normalize("NFKC", c) for c in "".join(FOLDED + TEXTS)}
    changed.update({"\t": " ", "\n": " ", "\u200b": "", "e\u0301": "\u00e9", "e\u0301\u0327": "E!", "--": "\u2014 "})
    for before, after in changed.items():
        if before != after and before != " ":
            yield "\t".join(" ".join(f"{ord(c):X}" for c in text) for text in (before, after)) + "\n"


def make_unigram_map(out):
    model = io.BytesIO()
    tsv = tempfile.NamedTemporaryFile("w", suffix=".tsv")
    tsv.writelines(rules())
    tsv.flush()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.strip().splitlines()), model_writer=model, vocab_size=150,
        model_type="unigram", normalization_rule_tsv=tsv.name, num_threads=1, minloglevel=2,
        user_defined_symbols=["<user>"])
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    for piece in proto.pieces:
        out.write(f"token {hexed(piece.piece)} {piece.type} {piece.score:.9g}\n")
    out.write(f"map {hexed(proto.normalizer_spec.precompiled_charsmap)}\n")
    for text in texts(200) + FOLDED + [CORPUS]:
        if "\x00" not in text:
            out.write(" ".join([f"text {hexed(text)}"] + [str(i) for i in processor.encode(text)]) + "\n")


if __name__ == "__main__":
    print("tokenizers", tokenizers.__version__, "sentencepiece", sentencepiece.__version__)
    for name, make in (("pre.txt", make_pre), ("bpe.txt", make_bpe), ("spm.txt", make_spm), ("gemma4.txt", make_gemma4),
                       ("words.txt", make_words),
                       ("bert.txt", lambda out: make_bert(out, True)),
                       ("bert-cased.txt", lambda out: make_bert(out, False)),
                       ("unigram.txt", make_unigram), ("unigram-map.txt", make_unigram_map)):
        with open(name, "w") as file:
            make(file)
