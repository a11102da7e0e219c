#!/usr/bin/env python3
"""The library calls nothing that prints, reads the environment, keeps a global state, takes the
host's signals or memory, or writes without a bound; memory and text go through lib/base."""
import pathlib
import re
import sys

from source import line_of, without_comments

# Nowhere: there is no right way to call these in a library.
NOWHERE = """
    alloca asctime atof atoi atol atoll ctime gets gmtime localtime rand random srand srandom strcat
    strcpy strerror strtok sprintf tmpnam vsprintf
    system popen exit quick_exit atexit setlocale setenv putenv unsetenv chdir umask
    printf vprintf putchar puts perror
    curl_global_init_mem json_set_alloc_funcs sqlite3_config
""".split()
# Only where the layer that owns them wraps them: lib/base, for all the others.
OWNED = {
    "base": """malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf snprintf
               vsnprintf sscanf strtod strtof strtold strtol strtoul strtoll strtoull abort gmtime_r
               localtime_r strftime strncpy strncat""".split(),
    "sandbox": "posix_spawn posix_spawnp".split(),
}
# What a process of its own may do, and nothing that lives in the host's.
OWN_PROCESS = "fork vfork execv execve execvp signal sigaction sleep usleep nanosleep getenv" \
              " secure_getenv fprintf dprintf kill".split()
# Such processes: the spawner and what it starts. They share their address space with nobody of the host's,
# and may format texts in place.
PROCESSES = [("sandbox", "spawner"), ("sandbox", "confine"), ("sandbox", "init")]
PROCESSES_TOO = "snprintf sscanf strtol strtoull chdir umask".split()


def banned_in(parts):
    """Functions that a file may not call, by its folders below lib/."""
    names = set(NOWHERE)
    for layer, owned in OWNED.items():
        if parts[0] != layer:
            names |= set(owned)
    if parts[:2] in PROCESSES:
        names -= set(PROCESSES_TOO)
    else:
        names |= set(OWN_PROCESS)
    return names


def check(root):
    found = []
    for path in sorted((root / "lib").rglob("*.[ch]")):
        text = without_comments(path.read_text(), strings=True)
        names = "|".join(sorted(banned_in(path.relative_to(root / "lib").parts)))
        text = re.sub(r"__format__\(\w+|\bformat\(\w+", lambda found: " " * len(found.group()), text)
        # A call, or the allocator as a value; not a member or a method of that name.
        for match in re.finditer(
                rf"(?<![\w.>*])({names})\s*\(|[=(,]\s*&?(malloc|realloc|free)\s*[,;)]", text):
            name = match.group(1) or match.group(2)
            if name not in names.split("|"):
                continue
            line = line_of(text, match.start() + 1)
            found.append(f"{path.relative_to(root)}:{line}: {name}() is not for this layer")
    return found


if __name__ == "__main__":
    wrong = check(pathlib.Path(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else 0)
