#!/usr/bin/env python3
"""check_compile_error.py ROOT SOURCE COMPILER…: holds what a compiler says first against the source.

SOURCE, which must not compile, begins with `// error: WORDS`. All words, in this order, are part of the
first line of the compiler's output that is an error; blanks do not count, because compilers differ in them.
An ignored result is an error.
"""
import os
import subprocess
import sys


def main():
    root, source, compiler = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(source, encoding="utf-8") as file:
        first = file.readline()
    if not first.startswith("// error: "):
        sys.exit(f"{source}: begins with no '// error: WORDS'")
    words = first.removeprefix("// error: ").split()
    run = subprocess.run([*compiler, "-std=c++20", "-fsyntax-only", "-Werror=unused-result", "-I", root, source],
                         capture_output=True, text=True, check=False,
                         env={**os.environ, "LC_ALL": "C"})
    if run.returncode == 0:
        sys.exit(f"{source}: it compiles")
    error = next((line for line in run.stderr.splitlines() if "error: " in line), "")
    print(error)
    rest = error.replace(" ", "")
    for word in words:
        _, found, rest = rest.partition(word)
        if not found:
            sys.exit(f"{source}: the first error does not say '{word}':\n{run.stderr[:4000]}")


main()
