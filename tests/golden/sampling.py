#!/usr/bin/env python3
# Makes tests/golden/sampling/: what llama.cpp's samplers and transformers' logits processors make of rows of
# logits, for tests/ops/sample_golden.c and tests/session/sampling_golden.c to compare with what ours make of
# them.
#
#   sampling.py <tests/golden/sampling>
#       needs: pip install torch==2.15.0 transformers==5.24.0 xllamacpp==2026.10.11549 numpy
#
# Of llama.cpp its own code is called, in the library that xllamacpp has of it. Files of words:
#
#   filters.txt   filter <temp> <top-n-sigma> <top-k> <typical-p> <top-p> <min-p> <xtc-threshold>
#                 <n> <n logits> <m> <m of: id, probability>: what is left, at temperature
#   mirostat.txt  mirostat <temp> <tau> <eta> <n> <steps>, then for each step <n logits> <m> <m ids that are
#                 left> <the one that is chosen>
#   history.txt   history <repeat> <frequency> <presence> <last-n> <dry-multiplier> <dry-base>
#                 <dry-allowed-length> <dry-last-n> <b> <b of: id, bias> <s> <s numbers of breakers, -1 behind
#                 each> <t> <t tokens> <n> <n logits> <n logits as they are changed>
#
# A row in which some probability that is left is below LEAST, or would be with an error of a float, is not
# taken: a test that finds what is left by drawing sees all that is.
import ctypes
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
import xllamacpp.xllamacpp as library

LEAST = 1e-3
lib = ctypes.CDLL(library.__file__)


class Token(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float), ("p", ctypes.c_float)]


class Tokens(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(Token)), ("size", ctypes.c_size_t), ("selected", ctypes.c_int64),
                ("sorted", ctypes.c_bool)]


class Bias(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("bias", ctypes.c_float)]


class Vector(ctypes.Structure):  # libstdc++'s
    _fields_ = [("begin", ctypes.c_void_p), ("end", ctypes.c_void_p), ("room", ctypes.c_void_p)]


F, I, N = ctypes.c_float, ctypes.c_int32, ctypes.c_size_t
U = ctypes.c_uint32
SIGNATURES = {"top_n_sigma": [F], "top_k": [I], "typical": [F, N], "top_p": [F, N], "min_p": [F, N],
              "xtc": [F, F, N, U], "temp": [F], "mirostat_v2": [U, F, F], "penalties": [I, I, F, F, F],
              "logit_bias": [I, I, ctypes.POINTER(Bias)]}
lib.llama_sampler_apply.argtypes = [ctypes.c_void_p, ctypes.POINTER(Tokens)]
lib.llama_sampler_accept.argtypes = [ctypes.c_void_p, I]


def sampler(name, *args):
    make = getattr(lib, "llama_sampler_init_" + name)
    make.restype, make.argtypes = ctypes.c_void_p, SIGNATURES[name]
    return make(*args)


def apply(samplers, logits, ids=None):
    """The tokens that are left, [(id, logit)], and the one that is selected."""
    data = (Token * len(logits))(*[Token(i, float(x), 0.0) for i, x in zip(ids or range(len(logits)), logits)])
    tokens = Tokens(data, len(logits), -1, False)
    for s in samplers:
        lib.llama_sampler_apply(s, ctypes.byref(tokens))
    left = [(tokens.data[i].id, tokens.data[i].logit) for i in range(tokens.size)]
    return [t for t in left if t[1] > -np.inf], tokens.data[max(tokens.selected, 0)].id


def softmax(x):
    e = np.exp(np.array(x, dtype=np.float64) - np.max(x))
    return e / e.sum()


def by_llama_cpp(logits, temp, sigma, k, typical, top_p, min_p, xtc):
    chain, ids = [], list(range(len(logits)))
    # It makes logits -infinity, of which typical's entropy would be no number: they are taken out.
    if sigma:
        left, _ = apply([sampler("top_n_sigma", sigma)], logits)
        ids, logits = [i for i, _ in left], [x for _, x in left]
    if k: chain.append(sampler("top_k", k))
    if typical: chain.append(sampler("typical", typical, 0))
    if top_p: chain.append(sampler("top_p", top_p, 0))
    if min_p: chain.append(sampler("min_p", min_p, 0))
    if xtc: chain.append(sampler("xtc", 1.0, xtc, 0, 1))
    chain.append(sampler("temp", temp))
    left, _ = apply(chain, logits, ids)
    return dict(zip([i for i, _ in left], softmax([x for _, x in left])))


def by_transformers(logits, temp, sigma, k, typical, top_p, min_p, xtc):
    chain = []
    assert not sigma and not xtc
    if k: chain.append(transformers.TopKLogitsWarper(k))
    if typical: chain.append(transformers.TypicalLogitsWarper(typical))
    if top_p: chain.append(transformers.TopPLogitsWarper(top_p))
    if min_p: chain.append(transformers.MinPLogitsWarper(min_p))
    chain.append(transformers.TemperatureLogitsWarper(temp))
    x = torch.tensor(np.array(logits, dtype=np.float64))[None]
    for warper in chain:
        x = warper(None, x)
    p = softmax(x[0].numpy())
    return {i: float(q) for i, q in enumerate(p) if q > 0.0}


def numbers(x):
    return " ".join("%.9g" % v for v in x)


# As models have them: a bell with some that stand out. Of 2^-10, so that a decimal says them; no two alike, whose
# order is llama.cpp's sort's.
def row(rng, n, spread, most=np.inf):
    while True:
        x = rng.normal(0.0, spread, n) + 6.0 * (rng.random(n) < 0.05) * rng.random(n)
        if most < np.inf: x = most * np.tanh(x / most)
        x = np.round(x * 1024.0).astype(np.float32) / 1024.0
        if len(set(x)) == n: return x


def filters(rng):
    off = dict(temp=1.0, sigma=0.0, k=0, typical=0.0, top_p=0.0, min_p=0.0, xtc=0.0)
    some = {"sigma": [0.5, 1.0, 2.0], "k": [3, 12, 40], "typical": [0.2, 0.5, 0.8, 0.95], "top_p": [0.3, 0.8, 0.95],
            "min_p": [0.02, 0.1, 0.3], "xtc": [0.02, 0.05, 0.1, 0.3], "temp": [0.6, 1.5]}
    asked = [{**off, name: value} for name, values in some.items() for value in values]
    while len(asked) < 150:
        one = dict(off)
        for name, values in some.items():
            if rng.random() < 0.45: one[name] = float(rng.choice(values))
        asked.append({**one, "k": int(one["k"])})
    lines, n_all, makers = [], 0, {"llama.cpp": 0, "transformers": 0}
    for at, one in enumerate(asked):
        apart = one["sigma"] == 0.0 and one["xtc"] == 0.0
        maker = "transformers" if apart and at % 2 else "llama.cpp"
        while True:
            n = int(rng.choice([17, 40, 60]))
            logits = row(rng, n, float(rng.choice([1.0, 2.0])))
            p = (by_transformers if maker == "transformers" else by_llama_cpp)(logits, **one)
            if min(p.values()) > LEAST: break
        # What one of both leaves, the other does as well.
        if apart: assert set(p) == set(by_llama_cpp(logits, **one)), one
        makers[maker] += 1
        n_all += len(p)
        lines.append(f"filter {numbers(one.values())} {n} {numbers(logits)} {len(p)} " +
                     " ".join(f"{i} {p[i]:.9g}" for i in sorted(p)))
    print(f"filters: {len(lines)}, {makers}, {n_all} tokens are left")
    return lines


def mirostat(rng):
    lines = []
    for temp, tau, eta in [(1.0, 3.0, 0.1), (1.4, 2.0, 0.5), (0.8, 1.0, 1.0)]:
        chain = [sampler("temp", temp), sampler("mirostat_v2", int(rng.integers(1 << 30)), tau, eta)]
        n, steps = 40, 24
        line, sizes = f"mirostat {numbers([temp, tau, eta])} {n} {steps}", []
        for _ in range(steps):
            # None so unlikely that drawing would not show it.
            logits = row(rng, n, 1.3, most=2.4)
            left, chosen = apply(chain, logits)
            ids = sorted(i for i, _ in left)
            assert min(softmax([x for _, x in left])) > LEAST
            sizes.append(len(ids))
            line += f" {numbers(logits)} {len(ids)} {numbers(ids)} {chosen}"
        print("mirostat:", sizes)
        lines.append(line)
    return lines


def dry(multiplier, base, allowed, last_n, breakers):
    make = lib._Z30llama_sampler_init_dry_testingffiiRKSt6vectorIS_IiSaIiEESaIS1_EE
    make.restype, make.argtypes = ctypes.c_void_p, [F, F, I, I, ctypes.POINTER(Vector)]

    def vector(array):
        begin = ctypes.addressof(array)
        return Vector(begin, begin + ctypes.sizeof(array), begin + ctypes.sizeof(array))

    breakers = breakers or [[1 << 20]]  # it wants one
    arrays = [(I * len(b))(*b) for b in breakers]
    inner = (Vector * len(breakers))(*[vector(a) for a in arrays])
    return make(multiplier, base, allowed, last_n, ctypes.byref(vector(inner)))


def history(rng):
    lines, n_changed = [], 0
    for at in range(60):
        n = 24
        logits = row(rng, n, 2.0)
        tokens = rng.integers(0, 5, 40).tolist()
        for _ in range(3):  # repeats
            first, length = int(rng.integers(0, 20)), int(rng.integers(3, 12))
            tokens += tokens[first:first + length]
        if at % 2: tokens += tokens[30:42]
        one = dict(repeat=1.0, frequency=0.0, presence=0.0, last_n=64, multiplier=0.0, base=1.75, allowed=2, dry_last_n=200)
        if at % 3 != 1: one.update(repeat=float(rng.choice([0.5, 1.1, 1.75])), frequency=float(rng.choice([-0.25, 0.0, 0.5])),
                                   presence=float(rng.choice([-0.5, 0.0, 1.0])), last_n=int(rng.choice([5, 20, 64])))
        if at % 3 != 0: one.update(multiplier=float(rng.choice([0.5, 2.0])), base=float(rng.choice([1.25, 1.75])),
                                   allowed=int(rng.choice([1, 2, 4])), dry_last_n=int(rng.choice([30, 200])))
        biases = {int(i): float(rng.choice([-2.0, 0.5, 3.0])) for i in rng.integers(0, n, at % 4)}
        breakers = [rng.integers(0, 6, int(length)).tolist() for length in rng.integers(1, 5, at % 5)]
        chain = [sampler("logit_bias", n, len(biases), (Bias * len(biases))(*[Bias(i, b) for i, b in biases.items()])),
                 sampler("penalties", n, one["last_n"], one["repeat"], one["frequency"], one["presence"])]
        if one["multiplier"]: chain.append(dry(one["multiplier"], one["base"], one["allowed"], one["dry_last_n"], breakers))
        for token in tokens:
            for s in chain: lib.llama_sampler_accept(s, token)
        left, _ = apply(chain, logits)
        changed = [x for _, x in sorted(left)]
        assert len(changed) == n
        n_changed += sum(a != b for a, b in zip(changed, logits))
        flat = [x for b in breakers for x in b + [-1]]
        lines.append(f"history {numbers(one.values())} {len(biases)} " + "".join(f"{i} {b:.9g} " for i, b in biases.items()) +
                     f"{len(flat)} {numbers(flat)} {len(tokens)} {numbers(tokens)} {n} {numbers(logits)} {numbers(changed)}")
    print(f"history: {len(lines)}, {n_changed} logits are changed")
    # transformers' repetition penalty is that of llama.cpp.
    logits, tokens = row(rng, 24, 2.0), [3, 5, 3, 7]
    theirs = transformers.RepetitionPenaltyLogitsProcessor(1.3)(torch.tensor([tokens]), torch.tensor(logits)[None])[0]
    s = sampler("penalties", 24, 64, 1.3, 0.0, 0.0)
    for token in tokens: lib.llama_sampler_accept(s, token)
    ours = [x for _, x in sorted(apply([s], logits)[0])]
    assert np.allclose(theirs.numpy(), ours, rtol=1e-6)
    return lines


def main():
    out = Path(sys.argv[1])
    rng = np.random.default_rng(20261127)
    for name, make in (("filters", filters), ("mirostat", mirostat), ("history", history)):
        (out / f"{name}.txt").write_text("\n".join(make(rng)) + "\n")


main()
