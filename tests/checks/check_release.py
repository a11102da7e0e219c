#!/usr/bin/env python3
"""A release build compiles without a warning.

    check_release.py ROOT [MESON-OPTION...]

Its optimisers see paths that a build for developers does not, and what they say of them would only
be met by who packages or measures. The build directory is thrown away, and has no tests.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

RELEASE = ["-Dbuildtype=release", "-Dwerror=true", "-Dtests=false", "-Ddocs=false"]


def complaint(command):
    """What a command that failed has said, or nothing."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return f"{' '.join(command)}:\n{done.stdout}" if done.returncode else ""


def check(root, options):
    with tempfile.TemporaryDirectory(prefix="oe-release-") as build:
        jobs = str(len(os.sched_getaffinity(0)))
        return (complaint(["meson", "setup", build, str(root), *RELEASE, *options]) or
                complaint(["ninja", "-C", build, "-j", jobs, "--quiet"]))


if __name__ == "__main__":
    sys.exit(check(pathlib.Path(sys.argv[1]), sys.argv[2:]) or 0)
