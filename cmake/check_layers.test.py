#!/usr/bin/env python3
"""Runs check_layers.py on small trees, with the rules of the project."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent


def check(files, rules=HERE / "layers.txt"):
    """Returns the exit code and the printed lines for a tree of {path: content}."""
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        done = subprocess.run([sys.executable, HERE / "check_layers.py", rules, root],
                              capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).splitlines()


class CheckLayers(unittest.TestCase):
    def assert_refused(self, name, line, *fragments):
        code, lines = check({name: "#pragma once\n" + line + "\n"})
        self.assertEqual((code, len(lines)), (1, 1), lines)
        self.assertTrue(lines[0].startswith(f"{name}:2: "), lines[0])
        for fragment in fragments:
            self.assertIn(fragment, lines[0])

    def assert_allowed(self, name, line):
        self.assertEqual(check({name: line + "\n"})[0], 0, check({name: line + "\n"}))

    def test_names_an_include_of_a_higher_layer(self):
        self.assert_refused("base/a.hpp", '#include "actors/mailbox.hpp"', "'base' must not")
        self.assert_refused("actors/a.cpp", '#include "transport/link.hpp"', "'actors' must not")
        self.assert_refused("registry/a.cpp", '#include "node/node.hpp"', "'registry' must not")
        self.assert_refused("cli/a.cpp", '#include "node/node.hpp"', "'cli' must not")
        self.assert_refused("base/a.hpp", '#include <troupe/troupe.hpp>', "'base' must not")

    def test_lets_a_layer_include_what_lies_below(self):
        self.assert_allowed("actors/a.hpp", '#include "base/ids.hpp"')
        self.assert_allowed("actors/a.hpp", '#include "actors/detail/cell.hpp"')
        self.assert_allowed("node/a.cpp", '#include "registry/names.hpp"')
        self.assert_allowed("cli/a.cpp", '#include "node/control_protocol.hpp"')
        self.assert_allowed("examples/a.cpp", "#include <troupe/troupe.hpp>")

    def test_names_an_include_of_a_private_header(self):
        self.assert_refused("node/a.cpp", '#include "actors/detail/cell.hpp"', "private to 'actors'")

    def test_names_a_test_header_outside_tests(self):
        self.assert_refused("node/a.cpp", '#include "transport/testing/memory.hpp"', "tests only")
        self.assert_allowed("node/a.test.cpp", '#include "transport/testing/memory.hpp"')
        self.assert_allowed("cluster-tests/sim/a.cpp", '#include "base/testing/seed.hpp"')

    def test_names_a_library_outside_its_home(self):
        self.assert_refused("node/a.cpp", "#include <zmq.hpp>", "home of zmq")
        self.assert_refused("actors/a.cpp", "#include <msgpack/pack.hpp>", "home of msgpack")
        self.assert_refused("base/clock.hpp", "#include <spdlog/spdlog.h>", "home of spdlog")
        self.assert_refused("actors/a.hpp", "#include <gtest/gtest.h>", "home of googletest")
        self.assert_allowed("transport/zmq_transport.cpp", "#include <zmq.hpp>")

    def test_names_sleeps_clocks_random_numbers_and_threads(self):
        self.assert_refused("actors/a.test.cpp", "std::this_thread::sleep_for(1s);", "sleep_for")
        self.assert_refused("node/a.cpp", "auto t = std::chrono::steady_clock::now();", "Clock")
        self.assert_refused("registry/a.cpp", "std::random_device seed;", "Random")
        self.assert_refused("registry/a.cpp", "std::thread worker{run};", "every thread")
        self.assert_refused("actors/a.cpp", "std::mutex mutex_;", "base::Mutex")
        self.assert_refused("node/a.cpp", "::sleep(1);", "nothing sleeps")
        self.assert_allowed("transport/a.cpp", "void Loop::sleep(base::TimePoint now) {")
        self.assert_allowed("base/clock.hpp", "std::chrono::steady_clock::now()")
        self.assert_allowed("actors/a.cpp", "std::thread::id owner_;")

    def test_overlooks_comments_and_strings(self):
        self.assert_allowed("actors/a.cpp", "// std::thread\n/* sleep_for(\n1) */")
        self.assert_allowed("actors/a.cpp", 'auto a = "sleep_for(1)", b = R"x(std::thread)x";')
        self.assert_allowed("actors/a.cpp", "// #include <zmq.hpp>")

    def test_counts_lines_through_comments(self):
        code, lines = check({"node/a.cpp": '/*\n*/ auto c = \'"\';\nstd::random_device d; // "\n'})
        self.assertEqual(code, 1)
        self.assertTrue(lines[0].startswith("node/a.cpp:3: "), lines)

    def test_refuses_a_rule_that_it_does_not_know(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as rules:
            rules.write("# fine\nlayers base: x\n")
            rules.flush()
            code, lines = check({"base/a.hpp": ""}, rules.name)
        self.assertEqual(code, 1)
        self.assertIn(":2: unknown rule 'layers'", lines[0])


if __name__ == "__main__":
    unittest.main()
