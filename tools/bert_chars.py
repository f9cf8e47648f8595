#!/usr/bin/env python3
"""Writes engine/text/bert_chars.def: what the normalizer and pre-tokenizer of BERT do with each
character, asked of Hugging Face's tokenizers (pip install tokenizers==0.23.3).
tools/bert_chars.py > engine/text/bert_chars.def"""

import unicodedata

from tokenizers import normalizers, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)  # taken apart by arithmetic


def normalizer(strip):
    return normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False,
                                      strip_accents=strip, lowercase=False)


PLAIN, STRIP, SPLIT = normalizer(False), normalizer(True), pre_tokenizers.BertPreTokenizer()
plain = {c: PLAIN.normalize_str("a%sb" % chr(c))[1:-1] for c in CODES}
strip = {c: STRIP.normalize_str("a%sb" % chr(c))[1:-1] for c in CODES}
words = {c: len(SPLIT.pre_tokenize_str("a%sb" % chr(c))) for c in CODES}
assert all(text == text.lower() for text in strip.values() if len(text) > 1)


def what(c):
    if plain[c] == "":
        return "DROP"
    if plain[c] == " " or words[c] == 2:
        return "SPACE"
    if strip[c] == "":
        return "MARK"
    return "SIGN" if words[c] == 3 else None


def classes():
    rows = []
    for c in CODES:
        kind = what(c)
        if rows and kind and rows[-1][2] == kind and rows[-1][1] == c - 1:
            rows[-1] = (rows[-1][0], c, kind)
        elif kind:
            rows.append((c, c, kind))
    return rows


def bases():
    rows = []
    for c in CODES:
        if c in HANGUL or plain[c] == " " or len(strip[c]) != 1 or strip[c] == chr(c):
            continue
        delta = ord(strip[c]) - c
        if rows:
            first, last, step, before = rows[-1]
            if delta == before and c - last <= 2 and (first == last or c - last == step):
                rows[-1] = (first, c, c - last, delta)
                continue
        rows.append((c, c, 1, delta))
    return rows


for c in HANGUL:
    assert strip[c] == unicodedata.normalize("NFD", chr(c))
print("// What BERT's normalizer does with characters: X-macro rows, made by tools/bert_chars.py.")
print("// C(first, last, class): DROP: left out; SPACE: ends a word; MARK: left out with accents; SIGN: a")
print("// word of its own. Without its accents code is base, B(code, base); first, first + step, ... last are")
print("// + delta, R(first, last, step, delta); or code is a text in UTF-8, T(code, text).")
rows = ["C(0x%x,0x%x,%s)" % row for row in classes()]
rows += ["B(0x%x,0x%x)" % (a, a + delta) if a == z else "R(0x%x,0x%x,%d,%d)" % (a, z, step, delta)
         for a, z, step, delta in bases()]
for c in CODES:
    if c not in HANGUL and len(strip[c]) > 1:
        text = "".join("\\x%02X" % byte for byte in strip[c].encode())
        rows.append('T(0x%x,"%s")' % (c, text))
line = ""
for row in rows:
    if len(line) + len(row) >= 100:
        print(line)
        line = ""
    line += " " * (line != "") + row
print(line)
