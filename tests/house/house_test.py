#!/usr/bin/python3
"""house.py tested on small trees: a clean one has no fault, and each rule finds what it forbids."""

import os
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

import house

CLEAN = {
    "CMakeLists.txt": "add_subdirectory(schema)\n",
    "README.md": "# A market\n",
    ".gitignore": "/build/\n",
    "schema/base/CMakeLists.txt": "add_library(schema_base a.cc)\n",
    "schema/base/a.h": "// What a is for.\n#pragma once\n",
    "schema/base/a.cc": '#include "schema/base/a.h"\n\n#include <vector>\n',
    "engine/core/CMakeLists.txt": "add_library(engine_core core.cc)\n",
    "engine/core/core.cc": '#include "absl/status/status.h"\n#include "schema/wire/record.h"\n',
    "schema/wire/record.h": '// Records.\n#pragma once\n#include "schema/base/a.h"\n',
}


class HouseTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="warpbook-house-")
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in CLEAN.items():
            self.write(path, text)

    def write(self, path, text, executable=False):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        if executable:
            os.chmod(full, 0o755)

    def add_source(self, path, text, before=""):
        """A .cc that its folder's CMakeLists.txt names."""
        self.write(path, before + text)
        folder, name = os.path.split(path)
        self.write(os.path.join(folder, "CMakeLists.txt"), f"add_library(x {name} core.cc a.cc)\n")

    def faults(self):
        return [f"{path}:{line}: {what}" for path, line, what in house.faults_of(self.root)]

    def assert_fault(self, *expected):
        self.assertEqual(self.faults(), list(expected))

    def test_a_clean_tree_has_no_fault(self):
        self.assert_fault()
        self.assertEqual(house.main([self.root]), 0)

    def test_a_fault_makes_the_exit_status_1(self):
        self.write("notes", "")
        self.assertEqual(house.main([self.root]), 1)

    def test_a_folder_without_sources_is_no_success(self):
        empty = tempfile.mkdtemp(prefix="warpbook-house-")
        self.addCleanup(os.rmdir, empty)
        self.assertEqual(house.main([empty]), 1)

    def test_lower_layers_may_not_include_higher_ones(self):
        forbidden = [
            ("schema/base/x.cc", "schema/types/ids.h"),
            ("schema/types/x.cc", "schema/wire/record.h"),
            ("schema/types/x.cc", "schema/catalogue/catalogue.h"),
            ("schema/wire/x.cc", "schema/journal/tail_reader.h"),
            ("schema/catalogue/x.cc", "schema/wire/record.h"),
            ("schema/journal/x.cc", "schema/catalogue/catalogue.h"),
            ("engine/core/x.cc", "schema/journal/tail_reader.h"),
            ("engine/core/x.cc", "schema/base/clock.h"),
            ("engine/core/x.cc", "engine/service/engine_port.h"),
            ("engine/service/x.cc", "gateway/net/server.h"),
            ("gateway/net/x.cc", "engine/core/engine.h"),
            ("gateway/net/x.cc", "engine/service/engine_service.h"),
            ("gateway/client/x.cc", "gateway/cli/command.h"),
            ("gateway/protocol/x.cc", "settlement/store/store.h"),
            ("settlement/x.cc", "engine/core/engine.h"),
            ("settlement/store/x.cc", "gateway/net/server.h"),
            ("gateway/cli/x.cc", "tests/support/hex.h"),
            ("gpu_probe/verifier/x.cc", "gpu_probe/prover/prover.h"),
            ("gpu_probe/prover/x.cc", "gateway/net/server.h"),
        ]
        for path, header in forbidden:
            with self.subTest(path=path, header=header):
                self.add_source(path, f'#include "{header}"\n')
                layer = house.layer_of(path)
                self.assertIn(f"{path}:1: {layer} may not include {header}", self.faults())
                os.remove(os.path.join(self.root, path))

    def test_allowed_includes_are_no_fault(self):
        allowed = [
            ("schema/types/x.cc", "schema/base/check.h"),
            ("schema/journal/x.cc", "schema/wire/record.h"),
            ("schema/catalogue/x.cc", "schema/types/ids.h"),
            ("engine/service/x.cc", "schema/catalogue/catalogue.h"),
            ("gateway/net/x.cc", "engine/service/engine_port.h"),
            ("gateway/publish/x.cc", "engine/service/follower.h"),
            ("gateway/net/x.cc", "gateway/protocol/codec.h"),
            ("gateway/net/x.cc", "gpu_probe/verifier/verifier.h"),
            ("gateway/cli/x.cc", "engine/core/engine.h"),
            ("settlement/store/x.cc", "gateway/client/client.h"),
            ("settlement/x.cc", "settlement/store/store.h"),
            ("gpu_probe/prover/x.cc", "gpu_probe/verifier/verifier.h"),
            ("tests/engine/x.cc", "engine/core/engine.h"),
            ("tests/engine/x.cc", "tests/support/hex.h"),
        ]
        for path, header in allowed:
            with self.subTest(path=path, header=header):
                self.add_source(path, f'#include "{header}"\n')
                self.assert_fault()

    def test_a_folder_outside_the_layers_is_a_fault(self):
        self.add_source("schema/extra/x.cc", "")
        self.assert_fault("schema/extra/x.cc:1: is in no layer of the house "
                          "(LAYERS in tests/house/house.py)")

    def test_our_headers_are_included_from_the_root_and_with_quotes(self):
        self.add_source("schema/base/x.cc", '#include "a.h"\n#include <schema/base/a.h>\n')
        self.assert_fault("schema/base/x.cc:1: a.h is not included from the root",
                          "schema/base/x.cc:2: our own schema/base/a.h is included with quotes")

    def test_beast_in_a_header_or_in_an_eleventh_file_is_a_fault(self):
        names = [f"x{number:02}.cc" for number in range(10)]
        for name in names:
            self.write(f"gateway/net/{name}", "#include <boost/beast.hpp>\n")
        self.write("gateway/net/CMakeLists.txt", f"add_library(net {' '.join(names)} y.cc)\n")
        self.assert_fault()
        self.write("gateway/net/y.cc", "#include <boost/beast/core.hpp>\n")
        self.assert_fault("gateway/net/y.cc:1: more than 10 files include Boost.Beast")
        os.remove(os.path.join(self.root, "gateway/net/y.cc"))
        os.remove(os.path.join(self.root, "gateway/net/x00.cc"))
        self.write("gateway/net/x.h", "// A header.\n#pragma once\n#include <boost/beast.hpp>\n")
        self.assert_fault("gateway/net/x.h:1: a header includes Boost.Beast")

    def test_floating_point_is_a_fault_where_money_is_counted(self):
        for line in ("double x;", "float x;", "auto x = 1.5;", "auto x = 1'000.5;",
                     "std::vector<double> x;", "long double x;"):
            with self.subTest(line=line):
                self.add_source("engine/core/x.cc", line + "\n")
                self.assert_fault("engine/core/x.cc:1: floating point")
                self.add_source("engine/core/x.cc", "\n")
        for line in ("price real,", "price double precision,", "price float8,", "price money,"):
            with self.subTest(line=line):
                self.write("settlement/store/x.sql", line + "\n")
                self.assert_fault("settlement/store/x.sql:1: floating point")
        self.write("settlement/store/x.sql", "price bigint  -- never a real\n")
        self.assert_fault()

    def test_floating_point_in_words_or_elsewhere_is_no_fault(self):
        self.add_source("engine/core/x.cc",
                        '// A double auction.\nconst char* x = "double 1.5";\n'
                        "/* float\n 2.5 */\nint doubled = 1'000'000;\nchar c = '.';\n",
                        "// clang-format off\n")
        self.add_source("gateway/net/y.cc", "double x = 1.5;\n")
        self.assert_fault()

    def test_a_clock_or_chance_is_a_fault_in_the_engine_and_the_token_rules(self):
        for line in ("std::random_device device;", "std::mt19937_64 engine;", "int x = rand();",
                     "#include <chrono>", "auto now = std::chrono::steady_clock::now();",
                     "std::unordered_map<int, int> x;"):
            for path in ("engine/core/x.cc", "settlement/tokens/x.cc"):
                with self.subTest(line=line, path=path):
                    self.add_source(path, line + "\n")
                    self.assertIn(f"{path}:1: a clock, chance or the order of a hash",
                                  self.faults())
                    self.add_source(path, "\n")
        self.add_source("engine/core/x.cc", "// No clock, no rand().\nint operand = 1;\n")
        self.add_source("engine/service/y.cc", "std::random_device device;\n")
        self.assertFalse([fault for fault in self.faults() if "chance" in fault])

    def test_a_file_of_600_lines_is_a_fault(self):
        self.add_source("engine/core/x.cc", "\n".join(["int x;"] * 599) + "\n")
        self.assertFalse([fault for fault in self.faults() if "lines" in fault])
        self.add_source("engine/core/x.cc", "\n".join(["int x;"] * 600) + "\n")
        self.assertIn("engine/core/x.cc:600: has 600 lines; the limit is below 600", self.faults())

    def test_a_function_of_more_than_80_lines_is_a_fault(self):
        def source(statements):
            return ("// clang-format off\nnamespace x {\nint F(int a,\n      int b) {\n"
                    + "  if (a) { G(); }\n" * statements + "}\nclass C {\n"
                    + "  int x;\n" * 100 + "};\nint k[] = {\n" + "1,\n" * 100 + "};\n}\n")
        self.add_source("engine/core/x.cc", source(78))
        self.assert_fault()
        self.add_source("engine/core/x.cc", source(79))
        self.assert_fault("engine/core/x.cc:4: a function of 81 lines")

    def test_anything_else_at_the_top_level_is_a_fault(self):
        self.write("scripts/x.txt", "\n")
        self.write(".github/x.yml", "x\n")
        self.write("build/x.cc", "never looked at\n")
        self.write("scripts/x.txt", "x\n")
        self.assert_fault("scripts:1: the top level has no place for this")

    def test_marks_of_unfinished_work_are_a_fault(self):
        for mark in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"):
            with self.subTest(mark=mark):
                self.add_source("engine/core/x.cc", f"// {mark}: later\n")
                self.assert_fault("engine/core/x.cc:1: a mark of unfinished work")

    def test_paths_of_one_machine_are_a_fault(self):
        for path in ("/ho" + "me/me/x", "/ro" + "ot/x", "/wo" + "rk/main"):
            with self.subTest(path=path):
                self.write("deploy/x.md", f"See {path} for it.\n")
                self.assert_fault("deploy/x.md:1: a path of one machine")
        self.write("deploy/x.md", "Under /tmp, $HOME/work/x, ~/work and framework/main.\n")
        self.assert_fault()

    def test_tests_that_do_not_count_are_a_fault(self):
        for text in ('TEST_CASE("x" * doctest::sk' + 'ip())', 'TEST_CASE("x" * doctest::may' + '_fail())',
                     'it.on' + 'ly("x")', 'TEST(X, DISA' + 'BLED_Y)'):
            with self.subTest(text=text):
                self.write("tests/x.md", text + "\n")
                self.assert_fault("tests/x.md:1: a test that is disabled or may fail")

    def test_a_file_of_more_than_a_mebibyte_is_a_fault(self):
        self.write("tests/golden/x.bin", "x" * (1 << 20))
        self.assert_fault()
        self.write("tests/golden/x.bin", "x" * ((1 << 20) + 1))
        self.assert_fault("tests/golden/x.bin:1: is larger than 1 MiB")

    def test_headers_say_what_they_are_for_and_are_included_once(self):
        self.write("engine/core/x.h", "int x;\nusing namespace std;\n")
        faults = self.faults()
        self.assertIn("engine/core/x.h:1: has no #pragma once", faults)
        self.assertIn("engine/core/x.h:1: does not begin by saying what it is for", faults)
        self.assertIn("engine/core/x.h:2: opens a namespace in a header", faults)

    def test_a_source_that_nothing_builds_is_a_fault(self):
        self.write("engine/core/x.cc", "\n")
        self.write("engine/core/xx.cc", "int x;\n")
        self.write("engine/core/CMakeLists.txt", "add_library(e xx.cc core.cc)\n")
        self.write("engine/core/x.cc", "int y;\n")
        self.assert_fault("engine/core/x.cc:1: is in no CMakeLists.txt")
        self.write("tests/CMakeLists.txt", "add_library(t ${CMAKE_SOURCE_DIR}/engine/core/x.cc)\n")
        self.assert_fault()

    def test_blanks_at_the_end_are_a_fault(self):
        self.write("deploy/x.md", "one \ntwo")
        self.write("deploy/y.md", "one\n\n")
        self.assert_fault("deploy/x.md:2: does not end with one line end",
                          "deploy/x.md:1: blanks at the end of the line",
                          "deploy/y.md:3: does not end with one line end")

    def test_code_that_is_not_formatted_is_a_fault(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.add_source("engine/core/x.cc", "int  x ;\n")
        self.assert_fault("engine/core/x.cc:1: is not as clang-format leaves it")

    def test_a_script_that_cannot_be_run_is_a_fault(self):
        self.write("deploy/x", "#!/bin/sh\ntrue\n")
        self.assert_fault("deploy/x:1: has a #! line but is not executable")
        self.write("deploy/x", "#!/bin/sh\ntrue\n", executable=True)
        self.assert_fault()

    def test_a_script_with_which_shellcheck_disagrees_is_a_fault(self):
        self.write("deploy/x", "#!/bin/sh\nrm $1\n", executable=True)
        self.assertTrue(any("deploy/x:2: " in fault for fault in self.faults()))

    def test_what_cannot_be_checked_for_want_of_a_tool_is_a_fault(self):
        self.write("deploy/x", "#!/bin/sh\ntrue\n", executable=True)
        no_format = ".clang-format:1: cannot be checked: there is no clang-format 14"
        no_shellcheck = "deploy/x:1: cannot be checked: there is no shellcheck"
        with mock.patch.dict(os.environ, PATH=os.path.join(self.root, "build")):
            self.assert_fault(no_format, no_shellcheck)
            self.write("build/clang-format", "#!/bin/sh\necho clang-format version 15.0.1\n",
                       executable=True)
            self.assert_fault(no_format, no_shellcheck)

    def test_files_that_git_ignores_are_not_looked_at(self):
        def git(*arguments):
            subprocess.run(["git", "-C", self.root, *arguments], check=True, capture_output=True)
        git("init")
        self.write(".gitignore", "/build/\n/scratch/\n")
        self.write("scratch/x.md", "x")
        self.assert_fault()
        self.write("notes/x.md", "x\n")
        self.assert_fault("notes:1: the top level has no place for this")


if __name__ == "__main__":
    unittest.main()
