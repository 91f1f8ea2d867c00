#!/usr/bin/env python3
"""Runs check_docs.py on small trees."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLE = {"examples/x.cpp": "#include <a>\n\nint main() {\n  return 0;\n}\n",
           "examples/README.md": "Examples.\n"}


def check(files):
    """Returns the printed lines for a tree of {path: content}; none if nothing is wrong."""
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        done = subprocess.run([sys.executable, HERE / "check_docs.py", root],
                              capture_output=True, text=True)
        return (done.stdout + done.stderr).splitlines() if done.returncode else []


class CheckDocs(unittest.TestCase):
    def test_names_a_path_that_does_not_exist(self):
        self.assertEqual(check({"README.md": "One.\nSee `base/ids.hpp`.\n"}),
                         ["README.md:2: there is no 'base/ids.hpp'"])
        self.assertEqual(check({"README.md": "Run `./start now`.\n"}),
                         ["README.md:1: there is no './start'"])

    def test_knows_paths_from_the_root_and_from_the_document(self):
        tree = {"examples/hi.cpp": ""}
        tree["examples/README.md"] = "`hi.cpp`, `examples/hi.cpp`, `examples/`, `examples/h*`\n"
        self.assertEqual(check(tree), [])

    def test_overlooks_what_is_no_path(self):
        text = "`std::byte` `troupe ask hits Get` `a/b` `*.cpp` `x.test.cpp`\n"
        self.assertEqual(check({"README.md": text}), [])

    def test_names_a_broken_link(self):
        self.assertEqual(check({"README.md": "[a](docs/a.md) [b](https://example.org/b)\n"}),
                         ["README.md:1: the link to 'docs/a.md' leads nowhere"])

    def test_holds_code_against_the_example(self):
        fence = "```cpp\n// examples/x.cpp\n{}\n```\n"
        self.assertEqual(check({"README.md": fence.format("int main() {\n  return 0;\n}"),
                                **EXAMPLE}), [])
        self.assertEqual(check({"README.md": fence.format("int main() {\n  return 1;\n}"),
                                **EXAMPLE}),
                         ["README.md:1: the code is not that of 'examples/x.cpp'"])

    def test_names_a_test_that_does_not_exist(self):
        tree = {"docs/README.md": "Documents.\n", "docs/guarantees.md": "`Ask.Ends` `Ask.Waits`\n",
                "actors/README.md": "Actors.\n", "actors/ask.test.cpp": "TEST(Ask, Ends) {}\n"}
        self.assertEqual(check(tree), ["docs/guarantees.md:1: there is no test 'Ask.Waits'"])

    def test_wants_a_short_readme_in_every_folder(self):
        self.assertEqual(check({"base/ids.hpp": ""}), ["base: there is no README.md"])
        self.assertEqual(check({"base/README.md": "line\n" * 41}),
                         ["base/README.md: 41 lines, at most 40"])


if __name__ == "__main__":
    unittest.main()
