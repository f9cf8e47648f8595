#!/usr/bin/env python3
"""Writes engine/text/jinja_cases.def: the cases of letters, as Python's str.lower, upper and title
give them.  tools/jinja_cases.py > engine/text/jinja_cases.def"""

import sys
import unicodedata


def ranges(change):
    """(first, last, step, delta) of the characters that become one other character."""
    rows = []
    for code in range(sys.maxunicode + 1):
        other = change(chr(code))
        if len(other) != 1 or other == chr(code):
            continue
        delta = ord(other) - code
        if rows:
            first, last, step, before = rows[-1]
            gap = code - last
            if delta == before and gap <= 2 and (first == last or gap == step):
                rows[-1] = (first, code, gap, delta)
                continue
        rows.append((code, code, 1, delta))
    return rows


def literal(text):
    return '"' + "".join("\\x%02X" % byte for byte in text.encode()) + '"'


print("// Cases of letters, Unicode %s: X-macro rows, made by tools/jinja_cases.py."
      % unicodedata.unidata_version)
print("// LOWER and UPPER(first, last, step, delta): first, first + step, ... last become + delta.")
print("// EXPANDS(code, upper, title): what is more than that, in UTF-8.")
for name, change in (("LOWER", str.lower), ("UPPER", str.upper)):
    for row in ranges(change):
        print("GW_JINJA_%s(0x%x, 0x%x, %d, %d)" % ((name,) + row))
for code in range(0x80, sys.maxunicode + 1):
    upper, title = chr(code).upper(), chr(code).title()
    if len(upper) > 1 or title != upper:
        print("GW_JINJA_EXPANDS(0x%x, %s, %s)" % (code, literal(upper), literal(title)))
