#!/usr/bin/env python3
"""Makes tests/fuzz/corpus/jinja/ out of the goldens: the rows of jinja.json, eight a file, and the
templates of tests/golden/text/templates."""

import json
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden" / "text"
OUT = Path(__file__).parent / "corpus" / "jinja"

OUT.mkdir(parents=True, exist_ok=True)
golden = json.loads((GOLDEN / "jinja.json").read_text())
variables = json.dumps(golden["vars"], ensure_ascii=False)
rows = [row["template"] for row in golden["rows"] if row["text"] is not None]
for i in range(0, len(rows), 8):
    (OUT / ("rows-%02d" % (i // 8))).write_text("\n".join(rows[i:i + 8]) + "\n~~~~\n" + variables)
for path in sorted((GOLDEN / "templates").glob("*.jinja")):
    (OUT / path.stem).write_text(path.read_text())
