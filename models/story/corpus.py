"""corpus: the training text. Owns where it is read, how it is cleaned to ASCII stories, and what is held out.

A story is a title line and paragraphs, one a line. `stories()` gives every one with its kind ("child": the CC-BY
children's stories; "tale": public-domain tales and chapters) and whether it is held out (~3 %, never trained on).
"""
import os
import re
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("GODWIT_DATA", HERE.parents[2] / "shared" / "data")) / "text"

# Left out: a viral letter and an anthology of known poets, whose rights their uploader could not grant; a stage play.
EXCLUDED = {"The dog", "The book of poems", "Long Live Friendship! A Humorous Play for Children"}

# What follows a story on its last pages: notes, recipes, glossaries, questions for the class.
AFTERWORD = re.compile(
    r"^(\W*)(Words used|Know more|Did you know|Note:|Note |Author'?s? Note|Story notes|Match the|About the|Glossary"
    r"|Meaning|Wondering what to do|Cook with|Ingredients|Acknowledg|This story (was|is)|Activity|Activities|Things to"
    r"|Questions|Discussion|Can you find|Try this|A note|Facts?\b|Fun facts|Some facts|More about|To know more"
    r"|The story of this|Illustrat|Vocabulary|Sources?:|Bonus|Answers?:|New words)", re.I)

PUNCT = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "--",
                       "\u2026": "...", "\u00a0": " ", "\u0142": "l", "\u014a": "N"})


def ascii_text(text):
    """Plain ASCII: typographic punctuation spelled out, accents dropped."""
    text = unicodedata.normalize("NFKD", text.translate(PUNCT))
    return text.encode("ascii", "ignore").decode()


def tidy(par):
    """One paragraph: runs of spaces joined, stray markup and doubled punctuation gone."""
    par = re.sub(r"[_*\\~^|<>{}]|-{4,}|={2,}", "", par)
    par = re.sub(r"\s+", " ", par).strip()
    par = re.sub(r" ([,.;:!?])(?=\s|$|\")", r"\1", par)
    par = re.sub(r"([!?])\1+", r"\1", par)
    par = re.sub(r"\.{3,}", "...", par)
    return re.sub(r"(?<=[a-z])([.!?]|\.\")(?=[A-Z][a-z])", r"\1 ", par)


def title_case(title):
    small = {"a", "an", "and", "at", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to", "who", "what", "with"}
    words = title.strip("'\"").lower().split()
    return " ".join(w if i and w in small else re.sub(r"(^|[-(])([a-z])", lambda m: m[1] + m[2].upper(), w)
                    for i, w in enumerate(words))


# ---------------------------------------------------------------- the children's stories

def child_stories():
    """(title, paragraphs) of each children's story, in the order of children-stories.tsv."""
    text = (DATA / "children-stories.txt").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        title, *pars = ascii_text(block).split("\n")
        out = []
        for par in pars:
            par = re.sub(r"^Illustrators?: (?:[A-Z][\w.]+ [A-Z][\w.]+,? )+", "", par)
            par = re.split(r"Author's Note -{3,}|###.*(?:Robots: Yesterday|I Wish I Could See)", par)[0]
            par = tidy(par.replace("###", ""))
            if len(out) > 1 and AFTERWORD.match(par):
                break
            if par:
                out.append(par)
        yield tidy(title), out


def attribution_rows():
    """The rows of children-stories.tsv as dicts, in the order of child_stories()."""
    lines = (DATA / "children-stories.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
    head = lines[0].split("\t")
    return [dict(zip(head, line.split("\t"))) for line in lines[1:]]


# ---------------------------------------------------------------- the public-domain books

BOOKS = [  # first line of the book's own stories, last line (exclusive), whether speech is in single quotes
    ("grimm", "THE GOLDEN BIRD", "ANDERSEN'S FAIRY TALES", True),
    ("andersen", "THE EMPEROR'S NEW CLOTHES", "THE BLUE FAIRY BOOK", False),
    ("lang", "THE BRONZE RING", "ENGLISH FAIRY TALES", False),
    ("jacobs", "TOM TIT TOT", "OYEZ-OYEZ-OYEZ", False),
    ("alice", "CHAPTER I. Down the Rabbit-Hole", "The Wonderful Wizard of Oz", True),
    ("oz", "1.  The Cyclone", "THE WIND IN THE WILLOWS", False),
    ("willows", "I. THE RIVER BANK", None, True),
]
HEADING = re.compile(r"^\s*(?:CHAPTER )?(?:[IVX]+\. +|\d+\. +)?(.+?)$")


def double_quotes(text):
    """Speech marked 'so' becomes speech marked "so"; apostrophes stay. Works on U+2018/U+2019 before ascii_text."""
    text = text.replace("\u201c", "\u2018\u2018").replace("\u201d", "\u2019\u2019") if "\u2018" not in text else text
    out, depth = [], 0
    for i, ch in enumerate(text):
        before, after = text[i - 1:i], text[i + 1:i + 2]
        if ch == "\u2018":
            depth += 1
            out.append('"')
        elif ch == "\u2019" and depth and not after.isalpha() and (not before.isalpha() or before != "s"):
            depth -= 1
            out.append('"')
        elif ch in "\u201c\u201d":
            out.append("'")
        else:
            out.append(ch)
    return "".join(out)


def paragraphs(lines, single):
    """Lines of a book joined to paragraphs; verse keeps its lines; footnotes and rules of stars go."""
    par, out = [], []
    for line in lines + [""]:
        if line.strip():
            par.append(line)
            continue
        if par:
            text = " ".join(s.strip() for s in par)
            note = re.match(r"^\s*(\*|\[Footnote|\(\d+\)|\[Illustration)", text)
            if not note:
                verse = all(s.startswith("  ") for s in par) and len(par) > 1
                for piece in (par if verse else [text]):
                    piece = re.sub(r"\[\*\]|\(\d+\)|(?<=\w)\*|\[|\]", "", piece)
                    piece = tidy(ascii_text(double_quotes(piece) if single else piece))
                    if re.search(r"[A-Za-z]", piece):
                        out.append(piece)
        par = []
    return out


def calm(par):
    """SHOUTED words become ordinary ones (Alice stresses every other word so)."""
    def soften(m):
        if re.fullmatch(r"[IVX]+", m[0]):
            return m[0]
        return m[0].capitalize() if re.search(r"(^|[.!?]\"? |\")$", par[:m.start()]) else m[0].lower()
    return re.sub(r"\b[A-Z][A-Z']*[A-Z]\b", soften, par)


def tales():
    """(title, paragraphs) of each public-domain tale or chapter. grimm.txt is a part of this file: not read."""
    lines = (DATA / "public-domain-stories.txt").read_text(encoding="utf-8").split("\n")
    at = 0
    for name, first, end, single in BOOKS:
        at = lines.index(first, at)
        stop = lines.index(end, at) if end else len(lines)
        heads = [i for i in range(at, stop) if lines[i].strip() and not any(s.strip() for s in lines[max(0, i - 4):i])
                 and not lines[i + 1].strip() and len(lines[i]) < 75 and not lines[i].rstrip().endswith(",")]
        for i, j in zip(heads, heads[1:] + [stop]):
            title = title_case(tidy(ascii_text(HEADING.match(lines[i])[1].replace("[", "(").replace("]", ")"))))
            body = paragraphs(lines[i + 1:j], single)
            if name == "grimm" and "Brothers Grimm" in " ".join(body):
                body = body[:next(k for k, p in enumerate(body) if "Brothers Grimm" in p)]
            body = [calm(p) for p in body if not re.fullmatch(r"[A-Z][A-Z .,;'-]*", p) and not p.startswith("Paris: ")]
            if sum(map(len, body)) > 400:
                yield title, body
        at = stop


# ---------------------------------------------------------------- all of it

def shingles(pars):
    words = re.findall(r"[a-z']+", " ".join(pars).lower())
    return {" ".join(words[i:i + 6]) for i in range(max(1, len(words) - 5))}


def stories():
    """Every story used: dicts of kind, title, text (body), held (bool), row (attribution, children's stories only)."""
    seen, out = [], []
    found = [("child", t, p, r) for (t, p), r in zip(child_stories(), attribution_rows(), strict=True)]
    found += [("tale", t, p, None) for t, p in tales()]
    for kind, title, pars, row in found:
        if (kind == "child" and title in EXCLUDED) or sum(map(len, pars)) < 60:
            continue
        mine = shingles(pars)
        if any(len(mine & other) > 0.3 * min(len(mine), len(other)) for other in seen):
            continue  # told twice
        seen.append(mine)
        out.append({"kind": kind, "title": title, "text": "\n".join(pars), "row": row, "held": False})
    for kind, step in (("child", 31), ("tale", 33)):
        for n, story in enumerate(s for s in out if s["kind"] == kind):
            story["held"] = n % step == 17
    return out


if __name__ == "__main__":
    found = stories()
    for kind in ("child", "tale"):
        for held in (False, True):
            some = [s for s in found if s["kind"] == kind and s["held"] == held]
            print(f"{kind:6} {'held out' if held else 'train':9} {len(some):4} stories"
                  f" {sum(len(s['title']) + len(s['text']) + 2 for s in some):8} bytes")
