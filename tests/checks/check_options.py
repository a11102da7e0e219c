#!/usr/bin/env python3
"""Every option of the table is read somewhere, or says that it has no effect, and why."""
import pathlib
import re
import sys

from source import without_comments

TABLE = "lib/config/option_table.c"
UNFINISHED = set()  # until their readers are there
ROW = re.compile(r'\n\t[A-Z_]+\("([a-z_.]+)"(.*?)(?=\n\t[A-Z_]+\("|\n\};)', re.S)


def rows(text):
    """(name, has no effect) of each row; aliases are no options of their own."""
    for match in ROW.finditer(text):
        if not match.group(0).startswith("\n\tALIAS("):
            yield match.group(1), ".no_effect" in match.group(2)


def check(root):
    sources = [without_comments(path.read_text()) for top in ("lib", "cli")
               for path in sorted((root / top).rglob("*.c")) if path != root / TABLE]
    # Compared, which is not used.
    sources = [re.sub(r"decisive\[\] = \{.*?\};", "", text, flags=re.S) for text in sources]
    found = []
    for name, idle in rows((root / TABLE).read_text()):
        # What models inherit is read by the last part of its name.
        quoted = [f'"{name}"'] + ([f'"{name.partition(".")[2]}"'] if name.startswith("llm.") else [])
        if not idle and name not in UNFINISHED and not any(text in source for source in sources for text in quoted):
            found.append(f"{TABLE}: nobody reads '{name}', and it does not say so")
    return found


if __name__ == "__main__":
    wrong = check(pathlib.Path(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else 0)
