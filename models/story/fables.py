"""fables: stories composed by program. Owns the casting of characters and the expansion of plots into whole stories.

The children's stories we may train on are too few to teach a small model how a story hangs together, so this module
composes more: short plots with cause and effect, told with the same names, pronouns and objects all through. The words
are in fables_words.py; the plots, each a list of steps with several tellings, in fables_plots.py and
fables_plots_animals.py. All of it is our own text. `stories(n, seed)` gives n of them; run the file for samples.

A plot's text is made of steps with a blank line between them. Every line that starts with a mark is one telling of the
step (an indented line goes on with it), and one telling is drawn:  "-" a new paragraph, "+" on with the paragraph, "?"
a new paragraph or nothing, "&" on with the paragraph or nothing. " / " in a telling starts a new paragraph. Inside,
{a|b} is a choice, %word one of fables_words.MACROS, and $X or $X.attr what the plot cast as X.
"""
import random
import re
from collections import Counter

import fables_words as words
import fables_plots_animals  # noqa: F401  (fills PLOTS)
import fables_plots_magic  # noqa: F401
from fables_plots import PLOTS

SHORTEST, LONGEST = 500, 1400
PRONOUNS = {"f": ("she", "her", "her", "herself"), "m": ("he", "him", "his", "himself")}
SMALL_WORDS = {"a", "an", "and", "at", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to", "who", "with",
               "that", "but", "had", "could", "not"}


# ---------------------------------------------------------------- casting

def person(name, kind, sex, known=False, **more):
    """The attributes of one character; `known` ones ("the king", "Grandmother") need no name to be introduced."""
    he, him, his, self_ = PRONOUNS[sex]
    about = kind if known or name.lower().startswith("the ") else f"{kind} {{called|named}} {name}"
    return {"": name, "he": he, "him": him, "his": his, "self": self_, "k": kind, "b": about, "sex": sex, **more}


class Cast:
    """Draws the characters and props of one story, all different from one another."""

    def __init__(self, rng):
        self.rng, self.used, self.roles = rng, set(), {}

    def fresh(self, options, key=lambda x: x):
        """One of the options that no other role of this story has (by name, by first letter of a name)."""
        for _ in range(60):
            got = self.rng.choice(options)
            if key(got) not in self.used:
                break
        self.used.add(key(got))
        return got

    def sex(self):
        """A sex, more often another than the first character's: pronouns then tell who is meant."""
        first = self.roles.get("A", {}).get("sex")
        if first and self.rng.random() < 0.75:
            return "m" if first == "f" else "f"
        return self.rng.choice("fm")

    def child(self, sex=None):
        sex = sex or self.sex()
        name = self.fresh(words.GIRLS if sex == "f" else words.BOYS, lambda n: n[0])
        adj, age = self.rng.choice(words.CHILD_TRAITS), self.rng.choice(["five", "six", "seven", "eight"])
        return person(name, "girl" if sex == "f" else "boy", sex, adj=adj, age=age)

    def animal(self, table):
        kind, food, den, go, cry = self.fresh(table, lambda row: row[0])
        sex = "f" if kind in words.FEMALE else "m" if kind in words.MALE else self.sex()
        adj = self.rng.choice(words.ANIMAL_TRAITS)
        name = f"the {kind}"
        if self.rng.random() < 0.4:
            name = self.fresh(words.PETS, lambda n: n[0])
        return person(name, kind, sex, food=food, den=den, go=go, cry=cry, adj=adj)

    def known(self, table):
        name, kind, sex = self.fresh(table)
        return person(name, kind, sex, known=True)

    def role(self, what):
        if what in ("child", "girl", "boy"):
            return self.child({"girl": "f", "boy": "m"}.get(what))
        if what in words.ANIMALS:
            return self.animal(words.ANIMALS[what])
        if what in words.PEOPLE:
            return self.known(words.PEOPLE[what])
        row = self.fresh(words.THINGS[what] if what in words.THINGS else what.split("|"))
        return dict(zip(("", "b", "c", "d"), row.split("~")))


# ---------------------------------------------------------------- expanding

INNER = re.compile(r"\{([^{}]*)\}")
MACRO = re.compile(r"%([a-z_]+)")
ROLE = re.compile(r"\$([A-Za-z])(?:\.([A-Za-z]+))?")


def upper_first(text):
    return text[:1].upper() + text[1:]


def expand(text, roles, rng):
    """The telling with its roles, macros and choices filled in."""
    def role(m):
        attr = m[2] or ""
        value = roles[m[1]][attr.lower() if attr != "N" else ""]
        return upper_first(value) if attr[:1].isupper() else value

    def choice(m):
        return rng.choice(m[1].split("|"))

    while True:
        before = text
        while INNER.search(text):
            text = INNER.sub(choice, text)
        text = MACRO.sub(lambda m: rng.choice(words.MACROS[m[1]]), text)
        text = ROLE.sub(role, text)
        if text == before:
            return text


AN = re.compile(r"\b([Aa]) (?=(?!one\b|once\b|us|uni|eu)[aeiou]|hour|honest)")
START = re.compile(r'(^"?|(?<!\.\.)[.!?] "?|\." |, ")([a-z])')
AFTER_CRY = re.compile(r'([!?]" )([a-z])((?:[a-z\']* )?.{0,40})')
SPEAKS = (r"said|and|yelled|murmured|came|gasped|wailed|teased|barked|howled|says|cried|asked|called|shouted|whispered"
          r"|thought|answered|replied|wondered|wanted to know|sang|begged|bellowed|inquired|breathed"
          r"|laughed|they|he said|roared|snapped|growled|squeaked|sighed|told|screamed|added|sobbed|muttered|grumbled")
SPEAKER = r"she|he|it|they|the(?: \w+){1,2}|[A-Z]\w+(?: [A-Z]\w+)?|everyone"
SAYS = re.compile(rf"(?:(?:{SPEAKER}) )?(?:{SPEAKS})\b")


SYNONYM = {row[0]: row for row in words.SYNONYMS}
PHRASE = re.compile(r"\b(" + "|".join(sorted(SYNONYM, key=len, reverse=True)) + r")\b", re.I)


def vary(text, rng):
    """The text with about half of the phrases that have synonyms told in other words."""
    def other(m):
        if rng.random() < 0.35:
            return m[0]
        got = rng.choice(SYNONYM[m[0].lower()])
        return upper_first(got) if m[0][0].isupper() else got
    return re.sub(r"\b([Aa])n (?=[bcdfgjklmnpqrstvwxyz])", r"\1 ", PHRASE.sub(other, text))


SENTENCE = re.compile(r'([A-Z][^.!?"]*)([,!?.]+)(?=")')
QUESTION = re.compile(
    r"(?:\w+, |And |But |So |Or |Tell me, |Now )?(?:(?:Who|Why|Where|Which|How|What|When|Whose)\b|(?:Do|Did|Does"
    r"|Can|Could|Shall|Will|Would|Is|Are|Was|Were|Has|Have|Had|May|Must|Should)n?'?t? (?!not)\w+)", re.I)
SURE = re.compile(
    r"(?:And |But |So )?(?:(?:Do|Did|Can|Shall|Will|Is|Are|Was|Has|Have|Could)"
    r" (?:you|we|he|she|it|they|this|that|there)\b"
    r"|What (?:if|do|did|does|can|will|shall|are)\b|Who (?:can|will|has|is)\b|Why\b|Where (?:is|are|was|did|do)\b"
    r"|How (?:do|did|can|shall|will)\b)")


def question(m):
    """The end of a speech, with a question mark where it asks something and nowhere else."""
    said, mark = m[1], m[2]
    if mark == "?" and len(said.split()) > 3 and not QUESTION.match(said) and not re.search(
            r"\b(who|what|why|where|how|which|is|are|do|did|will|can|shall|so|too|then|else|not|right)\b", said[8:]):
        alone = re.match(r'"(?: (?![A-Z]\w+ (?:said|asked|cried))[A-Z]| *$)', m.string[m.end():])
        return said + ("." if alone else ",")
    if mark in (",", "!", ".") and SURE.match(said) and not re.search(r"cannot|costs|comes back", said):
        return said + "?"
    return m[0]


def tidy(par):
    """One paragraph in order: single spaces, a or an, capitals where a sentence or a speech begins."""
    par = re.sub(r"\s+", " ", par).strip()
    par = re.sub(r" ([,.;:!?])", r"\1", par)
    par = re.sub(r",+([.!?])", r"\1", AN.sub(r"\1n ", par))
    par = re.sub(r"([a-z])$", r"\1.", re.sub(r",,+", ",", par)).replace('... "', '..."')
    par = SENTENCE.sub(question, par)

    def start(m):  # a speech that goes on after "said Ann," keeps its small letter
        goes_on = m[1] == ', "' and re.search(r',"[^.!?"]*$', par[:m.start()])
        return m[1] + (m[2] if goes_on else m[2].upper())

    def after_cry(m):
        return m[0] if SAYS.match(m[2] + m[3]) else m[1] + m[2].upper() + m[3]

    return AFTER_CRY.sub(after_cry, START.sub(start, par))


def title_case(title):
    return " ".join(w if i and w in SMALL_WORDS else upper_first(w) for i, w in enumerate(tidy(title).split()))


def introduce(text, roles):
    """The text with every character said to be what it is when it first comes: "Pip the mouse", "his friend Tomas"."""
    for role, who in roles.items():
        name, kind = who[""], who.get("k")
        if not kind:
            continue
        if "food" in who and name == f"the {kind}":  # "the mouse, a small mouse," is "a small mouse"
            text = re.sub(rf"\b([Tt]he) {kind}, an? ((?:[\w-]+,? )*?){kind}\b,?(?= (?!with|who|shaking))",
                          lambda m: ("A " if m[1] == "The" else "a ") + m[2] + kind, text, count=1)
            text = re.sub(rf"\b([Tt]he) {kind}, an? ((?:[\w-]+,? )*?){kind}\b",
                          lambda m: ("A " if m[1] == "The" else "a ") + m[2] + kind, text, count=1)
            first = re.search(rf"\b(?:an?|two|the) (?:(?!(?:the|an?)\b)[\w-]+ ){{0,3}}?{kind}\b", text, re.I)
            if first and first[0].lower() == f"the {kind}" and text[first.end():first.end() + 2] != "'s":
                article = "A" if first[0][0] == "T" else "a"
                text = text[:first.start()] + f"{article} {kind}" + text[first.end():]
        elif "food" in who:
            at = re.search(rf"\b{name}\b", text)
            if at and not re.search(rf"{kind},? (?:was )?(?:called|named)(?: \w+ and)? $|it $", text[:at.start()]):
                after = text[at.end():at.end() + 60]
                if not re.match(rf"(, | was |, \w+ )[^.]*?\b{kind}\b", after):
                    text = text[:at.end()] + f" the {kind}" + text[at.end():]
        elif role == "B" and "age" in who:
            at = re.search(rf"\b{name}\b", text)
            before = text[:at.start()] if at else "and "
            known = re.search(r"(called|named|is|was|and|friend|,|my) $", before)
            if at and not known and not re.match(r", (her|his)", text[at.end():]):
                friend = f"{roles['A']['his']} friend "
                if re.search(r'(^|[.!?]"? |\n)$', before):
                    friend = upper_first(friend)
                text = before + friend + text[at.start():]
    return "\n".join(AN.sub(r"\1n ", p) for p in text.split("\n"))


def steps(text):
    """The plot's steps: lists of (mark, telling)."""
    out = []
    for block in re.split(r"\n\s*\n", text.strip()):
        tellings = []
        for line in block.split("\n"):
            if line[0] in "-+?&" and line[1] == " ":
                tellings.append((line[0], line[2:]))
            else:
                tellings[-1] = (tellings[-1][0], tellings[-1][1] + " " + line.strip())
        out.append(tellings)
    return out


HARD_TIMES = re.compile(r"poor|hungr|money|snow|winter|thirst|dry|ill\b|dark|crown|palace|king|sultan|empress|queen"
                        r"|princess|emperor", re.I)
PLACE_FIRST = re.compile(r"(In|On|At|By|Near|Beside|Under|Deep) ([^.,]*?(?:lived|there was|there lived))")


def flavour(pars, cast, rng):
    """A sentence on what A is like at the end of the first paragraph, now and then the dish that A likes at the end."""
    who, first = cast.roles.get("A", {}), pars[0]
    partner = cast.roles.get("B", {}).get("", "?")
    name = who.get("", "?")
    told = rf"(called|named) {name}\b|{name} (lived|was an? |was \w+ years)"
    alone = '"' not in first and partner not in first and first.count(".") < 3
    if rng.random() < 0.7 and alone and ("food" in who or re.search(told, first)):
        if "age" in who and not HARD_TIMES.search(" ".join(pars[:2])) and "Z" not in cast.roles:
            cast.roles["Z"] = cast.role("dish")
            sentence = re.split(r"(?<=\.) ", first)
            sentence.insert(1, expand(rng.choice(words.LIKES), cast.roles, rng))
            pars[0] = " ".join(sentence)
            if rng.random() < 0.6:
                pars.append(expand(rng.choice(words.LIKED), cast.roles, rng))
        elif "food" in who and re.search(rf"\b(was|lived|had a home|there was)\b", first):
            sentence = re.split(r"(?<=\.) ", first)
            if re.search(rf"(?:a|an) [^.]*{who['k']}", sentence[0]) and " and a " not in sentence[0]:
                sentence.insert(1, expand(rng.choice(words.HABITS), cast.roles, rng))
                pars[0] = " ".join(sentence)
    opening = upper_first(pars[0])
    if rng.random() < 0.6:
        if PLACE_FIRST.match(opening):
            pars[0] = "Once upon a time, " + opening[0].lower() + opening[1:]
        elif opening.startswith("There was once a"):
            pars[0] = "Once upon a time there was a" + opening[16:]


def compose(plot, rng):
    """One story of the plot: (title, text)."""
    cast = Cast(rng)
    for name, what in plot["cast"].items():
        cast.roles[name] = cast.role(what)
    cast.roles.setdefault("P", cast.role("home"))
    pars = []
    for tellings in plot["steps"]:
        mark, text = rng.choice(tellings)
        if mark in "?&" and rng.random() < 0.45:
            continue
        first, *rest = expand(text, cast.roles, rng).split(" / ")
        if mark in "+&" and pars:
            pars[-1] += " " + first
        else:
            pars.append(first)
        pars += rest
    flavour(pars, cast, rng)
    title = expand(rng.choice(plot["titles"]), cast.roles, rng)
    return title_case(title), vary(introduce("\n".join(filter(None, map(tidy, pars))), cast.roles), rng)


def stories(n, seed=1):
    """Composes n stories, {"title", "text"}, the same ones for the same seed; every plot comes in turn."""
    rng = random.Random(seed)
    plots = [dict(p, steps=steps(p["text"])) for p in PLOTS]
    order = []
    for _ in range(n):
        order = order or rng.sample(plots, len(plots))
        plot = order.pop()
        for _ in range(20):
            title, text = compose(plot, rng)
            if SHORTEST <= len(text) <= LONGEST:
                break
        yield {"title": title, "text": text}


# ---------------------------------------------------------------- samples and statistics

def main(n=5000, samples=6):
    made = list(stories(n, seed=7))
    for story in made[:samples]:
        print(story["title"] + "\n" + story["text"] + "\n")
    texts = [s["text"] for s in made]
    sentences = [s for t in texts for s in re.split(r"(?<=[.!?\"])\s+", t)]
    runs = Counter()
    vocabulary = set()
    for t in texts:
        tokens = re.findall(r"[a-z']+", t.lower())
        vocabulary.update(tokens)
        runs.update(" ".join(tokens[i:i + 8]) for i in range(len(tokens) - 7))
    often = sum(c for c in runs.values() if c > 5)
    print(f"plots {len(PLOTS)}, stories {n}, mean characters {sum(map(len, texts)) / n:.0f} "
          f"({min(map(len, texts))} to {max(map(len, texts))}), distinct words {len(vocabulary)}")
    print(f"distinct sentences {len(set(sentences)) / len(sentences):.1%}, "
          f"8-word runs that occur more than 5 times {often / sum(runs.values()):.1%}")
    print(f"once upon a time {sum('Once upon a time' in t for t in texts) / n:.1%}, "
          f"distinct titles {len({s['title'] for s in made}) / n:.1%}")


if __name__ == "__main__":
    main()
