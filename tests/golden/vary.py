#!/usr/bin/env python3
"""Families in other sizes than their goldens': does what the engine computes stay what transformers computes?

    vary.py [--sizes odd|whole] [--seed N] [--build DIR] [--driver NAME] [family...]

Of each family of families.py other sizes are drawn: "odd" ones (heads of 48 to 256, three heads a key head, rows
that fill no groups of 32), or "whole" ones, of which rows do, as those of the models that people have: their
products are joined. transformers computes the logits, llama.cpp's converter writes the file, and
tests/families holds the one against the other, on a driver, the cores and the reference. Prints a row for each;
ends with 1 where one is off. A family whose configuration does not allow what was drawn, or whose converter
reads sizes elsewhere, is drawn anew, and at last skipped, with the reason: that says nothing of the engine.

Needs what families.py needs, and a build with tests.
"""
import argparse
import contextlib
import io
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import families

ROOT = Path(__file__).resolve().parents[2]
DRAWS = 4
SIZES = {
    "odd": {"head": [48, 64, 72, 80, 96, 100, 128, 256], "embd": [40, 56, 72, 96, 100, 130],
            "small_head": [16, 20, 24, 32, 40, 64, 80], "ff": [40, 56, 88, 96, 104], "expert_ff": [24, 32, 40, 48]},
    "whole": {"head": [32, 64, 96, 128, 256], "embd": [64, 96, 128, 160], "small_head": [32, 64, 96],
              "ff": [64, 96, 128, 160], "expert_ff": [32, 64, 96]},
}
HEADS = [(3, 1), (4, 2), (4, 4), (5, 1), (6, 2), (6, 3), (9, 3)]
# Sizes that the converter knows of these elsewhere, and heads that only one number of them fits.
FIXED = ("step35", "spark2_5", "t5", "t5-relu", "phi3-long", "phi2", "internlm2", "minicpm", "minicpm3", "qwen", "chatglm",
         "baichuan", "baichuan-13b")


def drawn(settings, chance, sizes):
    s = dict(settings)
    latent = "kv_lora_rank" in s
    if "num_attention_heads" in s and not latent:
        n_head, n_key = chance.choice(HEADS)
        s["num_attention_heads"] = n_head
        if "num_key_value_heads" in s:
            s["num_key_value_heads"] = n_key
        if "head_dim" in s:
            head = s["head_dim"]
            s["head_dim"] = chance.choice(sizes["head"])
            s["hidden_size"] = chance.choice(sizes["embd"])
            if s.get("query_pre_attn_scalar") == head:
                s["query_pre_attn_scalar"] = s["head_dim"]
            if "rotary_dim" in s:
                s["rotary_dim"] = s["head_dim"] // 2
        else:
            s["hidden_size"] = n_head * chance.choice(sizes["small_head"])
    if "intermediate_size" in s:
        s["intermediate_size"] = chance.choice(sizes["ff"])
    if "moe_intermediate_size" in s:
        s["moe_intermediate_size"] = chance.choice(sizes["expert_ff"])
    if s.get("num_local_experts") == 0 and "shared_intermediate_size" in s:
        s["shared_intermediate_size"] = s["intermediate_size"]
    if 0 < (s.get("sliding_window") or 0) < 100:
        s["sliding_window"] = chance.randint(4, 25)
    for key in ("num_experts", "num_local_experts", "n_routed_experts"):
        if 1 < (s.get(key) or 0) < 60 and "n_group" not in s:
            s[key] = 9
    if s.get("num_experts_per_tok", 1) > 1 and "n_group" not in s:
        s["num_experts_per_tok"] = chance.choice([1, 2, 4, 5])
    return s


def make(name, folder, args):
    """The settings of a variant in the folder, or None and why there is none."""
    chance = random.Random(f"{args.seed}-{args.sizes}-{name}")
    kind, settings, _, *world = families.FAMILIES[name]
    why = ""
    for _ in range(DRAWS):
        s = drawn(settings, chance, SIZES[args.sizes])
        families.FAMILIES[name] = (kind, s, {}, *world)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                families.make_case(folder, name)
            return s, ""
        except (Exception, SystemExit) as e:  # of transformers and of the converter, whatever they raise
            why = " ".join(f"{type(e).__name__}: {e}".split())
    return None, why


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", choices=list(SIZES), default="odd")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--driver", default="lavapipe")
    parser.add_argument("families", nargs="*")
    args = parser.parse_args()
    families.import_leniently(*families.LENIENT)
    families.add_newer()
    counts = {"right": 0, "off": 0, "skipped": 0}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.families or [n for n in families.FAMILIES if n not in FIXED]:
            settings, why = make(name, Path(folder), args)
            if not settings:
                print(f"{name:16} skipped: {why[:120]}", flush=True)
                counts["skipped"] += 1
                continue
            env = {**os.environ, "GODWIT_FAMILIES": folder, "GODWIT_FAMILY": name, "LP_NUM_THREADS": "0"}
            out = subprocess.run([ROOT / "tools/drivers", "run", args.driver, f"{args.build}/tests/test_families",
                                  "--filter", "families/are*"], env=env, capture_output=True, text=True, check=False)
            said = re.search(r"at most ([\d.e+-]+) of", out.stdout)
            if out.returncode == 0 and said:
                print(f"{name:16} {said[1]}", flush=True)
                counts["right"] += 1
                continue
            lines = [line for line in (out.stdout + out.stderr).splitlines() if name in line or "/tmp/" in line]
            print(f"{name:16} OFF with {settings}\n    " + "\n    ".join(lines[:4]), flush=True)
            counts["off"] += 1
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    sys.exit(1 if counts["off"] else 0)


main()
