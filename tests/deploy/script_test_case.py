"""What the tests of scripts share: bash with the functions of deploy/, and a folder for each test."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))

# A supervisor around the programs that a test defines as exec_NAME.
SUPERVISOR = """
set -euo pipefail
source {root}/deploy/dev/lib.sh
source {root}/deploy/lib/processes.sh
LOGS={logs}
notice() {{ say "notice: $*"; }}
trap 'for name in "${{!PROCESS[@]}}"; do stop "$name" || true; done' EXIT
"""


def run(command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=60, **options)


class ScriptTestCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="warpbook-scripts-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        """A file in the test's folder; its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def wait_for(self, condition):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def bash(self, script, prelude=SUPERVISOR):
        text = prelude.format(root=ROOT, logs=self.folder) + script
        return run(["bash", "-c", text, "deploy/run"])

    def market(self, script):
        """The functions of a deploy/run whose checkout, and so whose .var, is the test's folder."""
        return self.bash(script, prelude=self.market_prelude())

    def market_prelude(self):
        shutil.copytree(f"{ROOT}/deploy", f"{self.folder}/deploy")
        os.mkdir(f"{self.folder}/.var")
        return f"source {self.folder}/deploy/run\nmkdir -p $LOGS\n"
