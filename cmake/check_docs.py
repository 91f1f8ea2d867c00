#!/usr/bin/env python3
"""check_docs.py ROOT: holds the documents against the tree.

A path in backticks or a relative link exists; a C++ block that begins with `// examples/x.cpp` is part
of that file; a test that docs/guarantees.md names exists; every folder has a README of at most 40
lines. Prints one line a problem, `file:line: what`, and exits with 1 if there is any.
"""
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

FOLDERS = ["base", "actors", "transport", "registry", "node", "cli", "cluster-tests", "examples",
           "bench", "docs", "cmake"]
README_LINES_MAX = 40
SUFFIXES = (".hpp", ".cpp", ".md", ".txt", ".cmake", ".py", ".yml", ".json")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:\./)?[\w.*-]+(?:/[\w.*-]+)*/?")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PLACEHOLDER = re.compile(r"(?:.*/)?\w(?:\.\w+)+")  # x.hpp, x.test.cpp
TEST_NAME = re.compile(r"[A-Z]\w+\.[A-Z]\w+")


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = sorted(p.relative_to(root).as_posix() for p in root.rglob("*")
                            if p.is_file() and p.relative_to(root).parts[0] not in (".git", "build"))
        self.tests = set()
        for name in self.files:
            if name.endswith(".cpp"):
                for suite, case in re.findall(r"\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)",
                                              self.read(name)):
                    self.tests.add(f"{suite}.{case}")

    def read(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def has(self, pattern):
        pattern = pattern.removeprefix("./").rstrip("/")
        return any(fnmatchcase(name, pattern) or fnmatchcase(name, pattern + "/*")
                   for name in self.files)

    def has_named(self, file_name):
        return any(fnmatchcase(name.rsplit("/", 1)[-1], file_name) for name in self.files)


def is_path(text):
    if not PATH.fullmatch(text) or PLACEHOLDER.fullmatch(text):
        return False
    first = text.removeprefix("./").split("/")[0]
    return (text.startswith("./") or ("/" in text and first in FOLDERS + [".ci"])
            or ("/" not in text and text.endswith(SUFFIXES) and not text.startswith((".", "*"))))


def check_text(tree, name, number, line):
    folder = name.rpartition("/")[0]
    for span in CODE_SPAN.findall(line):
        word = span.split()[0] if span.startswith("./") else span
        name_only = word.removeprefix("./")
        if is_path(word):
            found = tree.has(word) or tree.has(f"{folder}/{name_only}") or (
                "/" not in word and tree.has_named(word))
            if not found:
                yield f"{name}:{number}: there is no '{word}'"
        elif name == "docs/guarantees.md" and TEST_NAME.fullmatch(span):
            if span not in tree.tests:
                yield f"{name}:{number}: there is no test '{span}'"
    for target in LINK.findall(line):
        if "://" not in target and not (tree.root / folder / target).exists():
            yield f"{name}:{number}: the link to '{target}' leads nowhere"


def check_block(tree, name, number, block):
    source = re.match(r"//\s*(examples/\S+)\s*$", block[0]) if block else None
    if not source:
        return
    path = source.group(1)
    if path not in tree.files:
        yield f"{name}:{number}: there is no '{path}'"
    elif "\n".join(block[1:]).strip("\n") not in tree.read(path):
        yield f"{name}:{number}: the code is not that of '{path}'"


def check_document(tree, name):
    block, begin = None, 0
    for number, line in enumerate(tree.read(name).splitlines(), 1):
        if line.lstrip().startswith("```"):
            if block is None:
                language = line.strip().removeprefix("```")
                block, begin = [], number
            else:
                if language == "cpp":
                    yield from check_block(tree, name, begin, block)
                block = None
        elif block is not None:
            block.append(line)
        else:
            yield from check_text(tree, name, number, line)


def check_readmes(tree):
    for folder in FOLDERS:
        if tree.has(folder) and not tree.has(f"{folder}/README.md"):
            yield f"{folder}: there is no README.md"
    for name in tree.files:
        lines = tree.read(name).count("\n") if name.endswith("/README.md") else 0
        if lines > README_LINES_MAX:
            yield f"{name}: {lines} lines, at most {README_LINES_MAX}"


def main():
    tree = Tree(Path(sys.argv[1]).resolve())
    documents = [name for name in tree.files if name.endswith(".md")]
    problems = [problem for name in documents for problem in check_document(tree, name)]
    problems += check_readmes(tree)
    print("\n".join(problems) if problems else f"{len(documents)} documents agree with the tree")
    sys.exit(1 if problems else 0)


main()
