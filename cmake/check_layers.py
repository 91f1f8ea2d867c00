#!/usr/bin/env python3
"""check_layers.py LAYERS_TXT ROOT: names every include and call that layers.txt does not allow.

Prints one line a violation, `file:line: what`, and exits with 1 if there is any.
"""
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

SOURCE_SUFFIXES = {".hpp", ".cpp", ".h", ".cc", ".inl"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
# Comments, raw strings, strings and characters: where nothing is called.
NOT_CODE = re.compile("|".join([
    r"//[^\n]*", r"/\*.*?\*/", r'R"([^()\\ ]{0,16})\(.*?\)\1"', r'"(?:\\.|[^"\\\n])*"',
    r"'(?:\\.|[^'\\\n])'"]), re.S)



class Rules:
    def __init__(self, path):
        self.layers, self.libraries, self.forbidden, self.testing = {}, [], [], []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                try:
                    self.read(line)
                except ValueError as error:
                    sys.exit(f"{path}:{number}: {error}")

    def read(self, line):
        kind, _, rest = line.partition(" ")
        if kind == "layer":
            name, colon, allowed = rest.partition(":")
            if not colon:
                raise ValueError("expected 'layer FOLDER: FOLDERS'")
            self.layers[name.strip()] = allowed.split()
        elif kind == "library":
            what, _, homes = rest.partition(" in ")
            name, *headers = what.split()
            self.libraries.append((name, headers, homes.split()))
        elif kind == "forbid":
            match = re.fullmatch(r"(.+) in (.+) except (.*) ?: (.+)", rest)
            if not match:
                raise ValueError("expected 'forbid REGEX in FILES except FILES : REASON'")
            pattern, where, homes, reason = match.groups()
            self.forbidden.append((re.compile(pattern), where.split(), homes.split(), reason))
        elif kind == "testing":
            self.testing = rest.removeprefix("in ").split()
        else:
            raise ValueError(f"unknown rule '{kind}'")


def matches(name, patterns):
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def check_include(rules, name, header):
    folder = name.split("/")[0]
    target = header.split("/")[0]
    if target in rules.layers or target == "troupe":
        allowed = rules.layers[folder]
        known = target == folder or target in allowed or header in allowed
        if not known:
            yield f"'{folder}' must not include '{header}'"
        parts = header.split("/")
        if "detail" in parts[:-1] and target != folder:
            yield f"'{header}' is private to '{target}'"
        if "testing" in parts[:-1] and not matches(name, rules.testing):
            yield f"'{header}' is for tests only"
    for library, headers, homes in rules.libraries:
        if matches(header, headers) and not matches(name, homes):
            yield f"'{header}': the home of {library} is {', '.join(homes)}"


def check_file(rules, root, path):
    name = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            for problem in check_include(rules, name, include.group(2)):
                yield f"{name}:{number}: {problem}"
    code = NOT_CODE.sub(lambda match: "\n" * match.group().count("\n"), text)
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, where, homes, reason in rules.forbidden:
            match = pattern.search(line)
            if match and matches(name, where) and not matches(name, homes):
                yield f"{name}:{number}: '{match.group().strip()}': {reason}"


def main():
    rules, root = Rules(Path(sys.argv[1])), Path(sys.argv[2])
    files = sorted(path for folder in rules.layers for path in (root / folder).rglob("*")
                   if path.suffix in SOURCE_SUFFIXES)
    problems = [problem for path in files for problem in check_file(rules, root, path)]
    print("\n".join(problems) if problems else f"{len(files)} files follow {sys.argv[1]}")
    sys.exit(1 if problems else 0)


main()
