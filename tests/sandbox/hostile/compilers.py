"""Sources that make a compiler read what is private, or work for ever."""
import os
import subprocess

from act import Refused, act


def compile(world, text, *options, assembler=False):
    """Output and object of a compilation."""
    base = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"source.{os.getpid()}")
    source = base + (".s" if assembler else ".c")
    with open(source, "w") as file:
        file.write(text)
    done = subprocess.run(["cc", *options, "-c", "-o", base + ".o", source], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    made = b""
    if os.path.exists(base + ".o"):
        with open(base + ".o", "rb") as file:
            made = file.read()
    return done.stdout + made


def seen(world, data):
    if world["mark"].encode() not in data:
        raise Refused("not in it")


# ---- 56 ----

@act
def include_hidden(world):
    seen(world, compile(world, f'#include "{world["hidden"]}/file"\n'))


@act
def assemble_hidden(world):
    seen(world, compile(world, f'.data\n.incbin "{world["hidden"]}/file"\n', assembler=True))


@act
def embed_by_linker(world):
    seen(world, compile(world, f'__asm__(".incbin \\"{world["hidden"]}/file\\"");\n'))


@act
def include_without_end(world):
    """A device that never ends: a program."""
    compile(world, '#include "/dev/zero"\n')


@act
def macros_without_end(world):
    """2 to the power of 40 words."""
    lines = ["#define A0 1+1"] + [f"#define A{i} A{i - 1}+A{i - 1}" for i in range(1, 40)]
    compile(world, "\n".join(lines) + "\nint a = A39;\n")


@act
def enormous_object(world):
    """As large as may be, of nothing."""
    compile(world, "char a[1UL << 36] = { 1 };\n")
