#!/usr/bin/python3
"""The rules of the house, checked on the source tree: who may include whom, and what a file may hold.

    house.py [ROOT]

prints each fault as `path:line: what` and exits with 1 if there is one. The layers are those of the
architecture: base <- types <- wire <- journal; types <- catalogue; and so on (LAYERS). The rules look at
the files that git tracks or would track; without git, at all but the ignored folders.
"""

import os
import re
import shutil
import subprocess
import sys

# Every folder with C++ and what its files may include: folders or single headers, by prefix. The
# longest prefix of a file's path is its layer.
BASE, TYPES, WIRE = "schema/base/", "schema/types/", "schema/wire/"
GATEWAY_INNER = ["gateway/net/", "gateway/protocol/", "gateway/admission/", "gateway/publish/",
                 "gateway/client/"]
EVERYTHING = ["schema/", "engine/", "gateway/", "settlement/", "gpu_probe/"]
LAYERS = {
    BASE: [BASE],
    TYPES: [BASE, TYPES],
    WIRE: [BASE, TYPES, WIRE],
    "schema/journal/": [BASE, TYPES, WIRE, "schema/journal/"],
    "schema/catalogue/": [BASE, TYPES, "schema/catalogue/"],
    "schema/metrics/": [BASE, TYPES, "schema/metrics/"],
    # No clock, no file, no key: the engine is to be a library that depends on nothing else.
    "engine/core/": ["schema/base/check.h", "schema/base/hash.h", TYPES, WIRE, "engine/core/"],
    "engine/service/": ["schema/", "engine/core/", "engine/service/"],
    "gateway/": ["schema/", "engine/service/engine_port.h", "engine/service/follower.h",
                 "gpu_probe/verifier/"] + GATEWAY_INNER,
    "gateway/cli/": EVERYTHING,
    "settlement/": ["schema/", "gateway/client/", "gpu_probe/verifier/", "settlement/"],
    "gpu_probe/verifier/": ["schema/", "gpu_probe/verifier/"],
    "gpu_probe/prover/": ["schema/", "gateway/client/", "gpu_probe/verifier/", "gpu_probe/prover/"],
    "tests/": EVERYTHING + ["tests/"],
}
TOP_LEVEL = {"CMakeLists.txt", "README.md", "deploy", "engine", "gateway", "gpu_probe", "schema",
             "settlement", "tests"}
NO_FLOATS = ("schema/", "engine/", "settlement/")
# Where whole numbers become what Prometheus shows; nothing is computed from that.
FLOATS_ARE_SHOWN = "schema/metrics/"
MAX_BEAST_FILES = 10  # each takes 20 s to compile
MAX_LINES = 600
MAX_FUNCTION_LINES = 80  # "under about 70"
MAX_TEST_FUNCTION_LINES = 120  # a table of cases may be longer
MAX_BYTES = 1 << 20
CODE = (".h", ".cc", ".cu")
TEXT = CODE + (".fbs", ".py", ".sh", ".sql", ".js", ".mjs", ".css", ".html", ".conf", ".md", ".txt",
               ".yml", ".yaml", ".service")
IGNORED_FOLDERS = {".git", "build", ".var", "__pycache__"}
# Split, so that this file is no fault of its own rules.
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.~$}])/(?:home|root|work|farm|Users|mnt)" r"/[\w.-]")
DISABLED = re.compile(r"doctest::(?:skip|should" r"_fail|may" r"_fail)\b|\bDISABLED" r"_|\.only\(")


class Tree:
    """The files of a source tree, as paths relative to its root."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(self._tracked() or self._walked())

    def _tracked(self):
        command = ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        try:
            listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        except (OSError, subprocess.CalledProcessError):
            return []
        return [path for path in listed.split("\0")
                if path and os.path.isfile(os.path.join(self.root, path))]

    def _walked(self):
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in IGNORED_FOLDERS]
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in files]
        return found

    def code(self):
        return [path for path in self.paths if path.endswith(CODE)]

    def text(self):
        """Every file that people write: by its ending, or a script by its first line."""
        return [path for path in self.paths
                if path.endswith(TEXT) or self.read(path).startswith("#!")]

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def lines(self, path):
        return list(enumerate(self.read(path).split("\n"), 1))


def without_comments_and_strings(text):
    """C++ text with comments, strings and characters blanked, line for line."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def layer_of(path):
    fitting = [prefix for prefix in LAYERS if path.startswith(prefix)]
    return max(fitting, key=len) if fitting else None


def includes_of(tree, path):
    for number, line in tree.lines(path):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def check_includes(tree):
    """Each file includes only what its layer may."""
    known = {os.path.normpath(path) for path in tree.paths}
    for path in tree.code():
        layer = layer_of(path)
        if layer is None:
            yield path, 1, "is in no layer of the house (LAYERS in tests/house/house.py)"
            continue
        for number, is_quoted, header in includes_of(tree, path):
            if header.startswith(tuple(LAYERS[layer])):
                if not is_quoted:
                    yield path, number, f"our own {header} is included with quotes"
            elif header.startswith(tuple(EVERYTHING) + ("tests/",)):
                yield path, number, f"{layer} may not include {header}"
            elif is_quoted and os.path.normpath(os.path.join(os.path.dirname(path), header)) in known:
                yield path, number, f"{header} is not included from the root"


def check_beast(tree):
    """Boost.Beast stays in few files, none of them a header."""
    users = [path for path in tree.code()
             if any(header.startswith("boost/beast") for _, _, header in includes_of(tree, path))]
    for path in users:
        if not path.endswith(".cc"):
            yield path, 1, "a header includes Boost.Beast"
    for path in users[MAX_BEAST_FILES:]:
        yield path, 1, f"more than {MAX_BEAST_FILES} files include Boost.Beast"


def check_floats(tree):
    """No floating point where money is counted."""
    code_pattern = re.compile(r"\b(float|double)\b|(?<![\w.'])\d[\d']*\.\d")
    sql_pattern = re.compile(r"\b(real|float\d*|double\s+precision|money)\b", re.I)
    for path in tree.paths:
        if not path.startswith(NO_FLOATS) or path.startswith(FLOATS_ARE_SHOWN):
            continue
        if path.endswith(CODE):
            text, pattern = without_comments_and_strings(tree.read(path)), code_pattern
        elif path.endswith(".sql"):
            text, pattern = re.sub(r"--[^\n]*", "", tree.read(path)), sql_pattern
        else:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if pattern.search(line):
                yield path, number, "floating point"


def check_determinism(tree):
    """The engine and the token rules know no clock and no chance; both enter as arguments."""
    pattern = re.compile(r"\b(random_device|mt19937(_64)?|s?rand|clock_gettime|gettimeofday)\b"
                         r"|\bstd::chrono\b|<(random|chrono|ctime|time\.h)>|\bstd::unordered_")
    for path in tree.paths:
        if not path.startswith(("engine/core/", "settlement/tokens/")) or not path.endswith(CODE):
            continue
        for number, line in enumerate(without_comments_and_strings(tree.read(path)).split("\n"), 1):
            if pattern.search(line):
                yield path, number, "a clock, chance or the order of a hash"


def check_sizes(tree):
    """Files stay short enough to read."""
    for path in tree.paths:
        if os.path.getsize(os.path.join(tree.root, path)) > MAX_BYTES:
            yield path, 1, "is larger than 1 MiB"
    for path in tree.text():
        lines = tree.read(path).rstrip("\n").split("\n")
        if len(lines) >= MAX_LINES:
            yield path, len(lines), f"has {len(lines)} lines; the limit is below {MAX_LINES}"


def functions_of(text):
    """(first line, last line) of each function body of C++ text, outermost ones only."""
    text = without_comments_and_strings(text)
    text = re.sub(r"^[ \t]*#(?:.*\\\n)*.*", lambda m: re.sub(r"[^\n]", " ", m.group()), text,
                  flags=re.M)
    scopes = []  # per open brace: the first line of a function's body, or None
    declaration, line, inside = "", 1, False
    for character in text:
        line += character == "\n"
        if character == "{":
            is_scope = re.search(r"\b(namespace|class|struct|enum|union)\b[^()]*$", declaration)
            is_function = not inside and not is_scope and ")" in declaration
            inside = inside or is_function
            scopes.append(line if is_function else None)
        elif character == "}" and scopes:
            first = scopes.pop()
            if first is not None:
                inside = False
                yield first, line
        declaration = "" if character in ";{}" else declaration + character


def check_functions(tree):
    """Functions stay short."""
    for path in tree.code():
        most = MAX_TEST_FUNCTION_LINES if path.startswith("tests/") else MAX_FUNCTION_LINES
        for first, last in functions_of(tree.read(path)):
            if last - first >= most:
                yield path, first, f"a function of {last - first + 1} lines"


def check_top_level(tree):
    """The top level is fixed."""
    for entry in sorted({path.split("/")[0] for path in tree.paths}):
        if entry not in TOP_LEVEL and not entry.startswith("."):
            yield entry, 1, "the top level has no place for this"


def check_words(tree):
    """No marks of unfinished work, no paths of one machine, no tests that do not count."""
    for path in tree.text():
        for number, line in tree.lines(path):
            if MARKS.search(line):
                yield path, number, "a mark of unfinished work"
            if MACHINE_PATHS.search(line):
                yield path, number, "a path of one machine"
            if path.startswith("tests/") and DISABLED.search(line):
                yield path, number, "a test that is disabled or may fail"


def check_whitespace(tree):
    """Files end with one line end, lines without blanks."""
    for path in tree.text():
        text = tree.read(path)
        if text and not text.endswith("\n") or text.endswith("\n\n"):
            yield path, text.count("\n") + 1, "does not end with one line end"
        for number, line in tree.lines(path):
            if line != line.rstrip():
                yield path, number, "blanks at the end of the line"


def check_headers(tree):
    """Headers are included once and open no namespace for others."""
    for path in tree.code():
        if not path.endswith(".h"):
            continue
        text = tree.read(path)
        if not re.search(r"^#pragma once$", text, re.M):
            yield path, 1, "has no #pragma once"
        if not text.startswith("//"):
            yield path, 1, "does not begin by saying what it is for"
        for number, line in enumerate(without_comments_and_strings(text).split("\n"), 1):
            if re.match(r"using namespace\b", line):
                yield path, number, "opens a namespace in a header"


def check_sources_are_built(tree):
    """Every .cc stands in a CMakeLists.txt: by its path from there or from the root."""
    lists = [path for path in tree.paths if os.path.basename(path) == "CMakeLists.txt"]
    named = set()
    for path in lists:
        for name in re.findall(r"[\w.$\{\}/-]+\.cc\b", tree.read(path)):
            name = re.sub(r"^\$\{\w+\}/", "", name)
            named |= {name, os.path.normpath(os.path.join(os.path.dirname(path), name))}
    for path in tree.paths:
        if path.endswith(".cc") and path not in named:
            yield path, 1, "is in no CMakeLists.txt"


def check_format(tree):
    """C++ is formatted as .clang-format says, which versions of clang-format read differently."""
    code = tree.code()
    if not code:
        return
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    version = tool and subprocess.run([tool, "--version"], capture_output=True, text=True,
                                      check=True).stdout
    if not version or " 14." not in version:
        yield ".clang-format", 1, "cannot be checked: there is no clang-format 14"
        return
    result = subprocess.run([tool, "--dry-run", "--ferror-limit=1"] + code, cwd=tree.root,
                            capture_output=True, text=True, check=False)
    for match in re.finditer(r"^(\S+?):(\d+):\d+: (?:warning|error): code should be clang-formatted",
                             result.stderr, re.M):
        yield match.group(1), int(match.group(2)), "is not as clang-format leaves it"


def check_scripts(tree):
    """Scripts can be run, and shellcheck has nothing to say."""
    shell = []
    for path in tree.paths:
        first = tree.read(path).split("\n", 1)[0]
        if first.startswith("#!") and not os.access(os.path.join(tree.root, path), os.X_OK):
            yield path, 1, "has a #! line but is not executable"
        if re.match(r"#!.*\b(ba)?sh\b", first) or path.endswith(".sh"):
            shell.append(path)
    if not shell:
        return
    tool = shutil.which("shellcheck")
    if not tool:
        yield shell[0], 1, "cannot be checked: there is no shellcheck"
        return
    result = subprocess.run([tool, "-x", "--format=gcc"] + shell, cwd=tree.root,
                            capture_output=True, text=True, check=False)
    for match in re.finditer(r"^(\S+?):(\d+):\d+: (.*)$", result.stdout, re.M):
        yield match.group(1), int(match.group(2)), match.group(3)


RULES = [check_includes, check_beast, check_floats, check_determinism, check_sizes, check_functions,
         check_top_level, check_words, check_whitespace, check_headers, check_sources_are_built, check_format, check_scripts]


def faults_of(root):
    tree = Tree(root)
    return [(path, line, what) for rule in RULES for path, line, what in rule(tree)]


def main(arguments):
    root = arguments[0] if arguments else os.getcwd()
    tree = Tree(root)
    if not tree.code():
        print(f"{root}: no source files here")
        return 1
    faults = faults_of(root)
    for path, line, what in faults:
        print(f"{path}:{line}: {what}")
    print(f"{len(tree.paths)} files, {len(RULES)} rules, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
