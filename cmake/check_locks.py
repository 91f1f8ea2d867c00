#!/usr/bin/env python3
"""check_locks.py BUILD_FOLDER ROOT: has Clang check what TROUPE_GUARDED_BY says.

Compiles, without output, each source file that guards data itself or in its own header. Exits with
77 where there is no Clang.
"""
import json
import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SKIPPED = 77
KEEP = ("-I", "-D", "-isystem", "-std=")


def clang_command(clang, entry):
    words = shlex.split(entry["command"])
    kept = [clang, "-fsyntax-only"]
    for word, following in zip(words, words[1:] + [""]):
        if word.startswith(KEEP):
            kept.append(word)
            if word in ("-I", "-D", "-isystem"):
                kept.append(following)
    return kept + ["-Wthread-safety", "-Werror=thread-safety", entry["file"]]


def guards(source):
    header = source.with_suffix(".hpp")
    return any("TROUPE_GUARDED_BY" in path.read_text(errors="replace")
               for path in (source, header) if path.exists())


def main():
    build, root = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    clang = shutil.which("clang++") or shutil.which("clang++-14")
    if not clang:
        print("skipped: there is no clang++")
        sys.exit(SKIPPED)
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if Path(entry["file"]).is_relative_to(root)
               and Path(entry["file"]).exists() and guards(Path(entry["file"]))]

    def run(entry):
        return subprocess.run(clang_command(clang, entry), cwd=entry["directory"],
                              capture_output=True, text=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [done.stderr for done in pool.map(run, entries) if done.returncode]
    print("\n".join(failed) if failed else f"{len(entries)} files hold their locks")
    sys.exit(1 if failed else 0)


main()
