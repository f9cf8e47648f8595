#!/usr/bin/env bash
# embed.sh: `godwit embed` and `godwit rerank`. That the numbers are right is tests/families'.
source "$(dirname "$0")/lib.bash"
have_python || skip_all "NO PYTHON3"

printf 'Once upon a time\r\nA little bird\nx' >"$scratch/in"
stdin=$scratch/in gives 0 embed "$story"
cp "$scratch/out" "$scratch/rows"
is "a row a line" 3 "$(wc -l <"$scratch/rows")"
is "rows have the length 1" True \
    "$(python3 -c 'import sys; print(all(abs(sum(float(x) ** 2 for x in l.split()) - 1) < 1e-5 for l in open(sys.argv[1])))' "$scratch/rows")"
gives 0 embed "$story" -f "$scratch/in"
same "-f is stdin" "$scratch/rows" "$scratch/out"
gives 0 embed "$story" -p 'A little bird'
is "a text alone" "$(sed -n 2p "$scratch/rows")" "$(cat "$scratch/out")"
gives 0 embed "$story" -p 'A little bird' --device reference
is "the same on the reference" "$(sed -n 2p "$scratch/rows")" "$(cat "$scratch/out")"
stdin=$scratch/in gives 0 embed "$story" --json
is "--json" "(3, True)" "$(json "$scratch/out" 'd["n_texts"], [" ".join("%.9g" % x for x in r) for r in d["embeddings"]] == open("'"$scratch"'/rows").read().split("\n")[:3]')"
stdin=$scratch/in gives 0 embed "$story" --out "$scratch/a.npy"
is "--out prints nothing" "" "$(cat "$scratch/out")"
is "a NumPy array" True "$(python3 - "$scratch" <<'PY'
import struct, sys
data = open(sys.argv[1] + "/a.npy", "rb").read()
rows = [[float(x) for x in line.split()] for line in open(sys.argv[1] + "/rows")]
head = eval(data[10:10 + struct.unpack("<H", data[8:10])[0]])
body = struct.unpack("<%df" % (len(rows) * len(rows[0])), data[128:])
same = all("%.9g" % x == "%.9g" % y for x, y in zip(body, sum(rows, [])))
print(data[:8] == b"\x93NUMPY\x01\0" and head == {"descr": "<f4", "fortran_order": False,
      "shape": (len(rows), len(rows[0]))} and same)
PY
)"
gives 0 embed "$story" -p 'A little bird' --pooling last --normalize
is "what a decoder does by itself" "$(sed -n 2p "$scratch/rows")" "$(cat "$scratch/out")"
gives 0 embed "$story" -p 'A little bird' --pooling none --no-normalize
is "a row a token" "$("$godwit" tokenize "$story" <<<'A little bird' | wc -w)" "$(($(wc -l <"$scratch/out") + 1))"
gives 2 embed "$story" -p a -f b
gives 2 embed "$story" --normalize --no-normalize
gives 2 embed "$story" --pooling most
gives 2 embed
gives 1 embed "$story" -p a --pooling rank
has "no classifier" 'no classifier \(tensor cls.output.weight\)' "$scratch/err"
gives 1 embed "$story" -p 'a b c d e f' --ctx 2
has "too long a text" 'text 0 has [0-9]+ tokens, 1 to 2 are possible' "$scratch/err"
gives 2 rerank "$story"
stdin=$scratch/in gives 1 rerank "$story" --query a
has "no reranker" 'no classifier' "$scratch/err"
finish
