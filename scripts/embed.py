#!/usr/bin/env python3
"""Write text files as C strings: embed.py OUTPUT.c PREFIX FILE..."""
import pathlib
import sys

output, prefix, *files = sys.argv[1:]
lines = ["/* Generated. */"]
for name in files:
    path = pathlib.Path(name)
    lines.append(f"const char {prefix}{path.name.replace('.', '_')}[] =")
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?")
        lines.append(f'\t"{text}"')
    lines[-1] += ";"
pathlib.Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")
