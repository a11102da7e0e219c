#!/usr/bin/env python3
"""The public headers are the manual: every function, type, member, value and macro has a comment.

It stands right above what it is about, or behind it ("/**<"). What follows without an empty line
between shares it. A value that is zero and named NONE or OK needs none, nor does struct_size.
"""
import pathlib
import re
import sys

GUARD = re.compile(r"#define (OPENEVOLVE_\w+_H|OE_API|OE_NODISCARD)\b")
OBVIOUS = re.compile(r"\w*_(NONE|OK)$|struct_size$")


def name_in(text):
    """What a declaration declares."""
    text = re.sub(r"__attribute__\(\(.*?\)\)", "", text).replace("typedef ", "").strip()
    if text.startswith("#define"):
        return re.match(r"#define (\w+)", text).group(1)
    for pattern in (r"\(\*(\w+)\)", r"(\w+)\s*\(", r"^(?:struct|enum)\s+(\w+)\s*\{",
                    r"^(\w+)\s*(?:=.*)?$", r"(\w+)\s*(?:\[.*)?[,;]"):
        match = re.search(pattern, text.replace("OE_API", "").replace("OE_NODISCARD", "").strip())
        if match:
            return match.group(1)
    return text


def declarations(lines):
    """(line, name, documented) of each declaration; a comment counts until an empty line."""
    shared, comment, text, first, open_with = False, False, "", 0, None
    for number, line in enumerate(lines, 1):
        code = line.strip()
        if comment or code.startswith("/*"):
            comment = "*/" not in code
            shared = True
            if not re.search(r"\*/.*\w", code):
                continue
            code = code.split("*/", 1)[1].strip()
        if not code:
            shared = False
            continue
        if code in ("{", "}") or code.startswith(("}", "#if", "#end", "#else", "#include", 'extern "C"',
                                                  "{ sizeof", "(((")) or GUARD.match(code):
            open_with = None if code.startswith("}") else open_with
            continue
        behind = "/**<" in code
        comment = behind and "*/" not in code
        code = re.sub(r"/\*.*", "", code).strip()
        first = first or number
        text = f"{text} {code}".strip()
        if not text.endswith((",", ";", "{", "\\")) and not (
                open_with == "enum" or text.startswith("#define")):
            continue  # it goes on in the next line
        if text.endswith(",") and text.count("(") > text.count(")"):
            continue
        for name in text.split(", ")[1:] if open_with == "struct" and "(" not in text else []:
            yield first, name.strip(" *;,"), shared or behind
        if not text.endswith("\\") or text.startswith("#define"):
            yield first, name_in(text), shared or behind
        if text.endswith("{"):
            open_with = "enum" if "enum" in text else "struct"
            shared = False  # what is said of the whole is not said of its parts
        text, first = "", 0
        # A comment inside a type is about one member, unless it stands above several.


def check(root):
    found = []
    for path in sorted((root / "include/openevolve").glob("*.h")):
        for line, name, documented in declarations(path.read_text().splitlines()):
            if not documented and not OBVIOUS.match(name):
                found.append(f"{path.relative_to(root)}:{line}: {name} has no comment")
    return found


if __name__ == "__main__":
    wrong = check(pathlib.Path(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else 0)
