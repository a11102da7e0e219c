#!/usr/bin/env python3
"""Write the built-in templates and fragments as C data.

    embed.py OUTPUT.c FILE...

Each FILE is NAME.txt (a template) or fragments.json. The last line feed of a template is dropped:
text files end with one, prompts need not. The texts are written as numbers, so that no compiler's
limit on the length of a string applies."""
import json
import pathlib
import sys


def array(name, data):
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return f"static const char {name}[] = {{\n\t" + ",\n\t".join(rows + ["0"]) + "\n};\n"


def main(output, paths):
    templates, fragments = [], b"{}"
    for path in sorted(map(pathlib.Path, paths)):
        data = path.read_bytes()
        data.decode("ascii")  # the built-in texts are plain, so char is never negative here
        if path.suffix == ".json":
            json.loads(data)
            fragments = data
        else:
            templates.append((path.stem, data[:-1] if data.endswith(b"\n") else data))

    lines = ['/* Made by embed.py of the files in templates/. */\n\n#include "prompt/builtin.h"\n']
    for name, data in templates:
        lines.append(array(f"text_{name}", data))
    lines.append(array("text_fragments", fragments))
    lines.append("const struct oe__builtin_text oe__builtin_templates[] = {")
    for name, data in templates:
        lines.append(f'\t{{ "{name}", text_{name}, {len(data)} }},')
    lines.append("};\n")
    lines.append(f"const size_t oe__builtin_template_count = {len(templates)};\n")
    lines.append("const struct oe__builtin_text oe__builtin_fragments = {")
    lines.append(f'\t"fragments.json", text_fragments, {len(fragments)}\n}};')
    pathlib.Path(output).write_text("\n".join(lines) + "\n")


main(sys.argv[1], sys.argv[2:])
