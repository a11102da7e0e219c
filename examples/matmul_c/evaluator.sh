#!/bin/sh
# Compile the program together with the harness and run it. The result goes to the descriptor in
# OE_RESULT_FD; what the compiler says, and an exit status other than 0, make a failed evaluation.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
binary="$TMPDIR/matmul"
cc -O2 -Wall -o "$binary" "$1" "$here/harness.c" -lm
exec "$binary"
