#!/usr/bin/python3
"""Whether the API's documents are valid AsyncAPI and OpenAPI, by validators of npm (npm/)."""

import json
import os
import tempfile
import unittest

import market
from api_documents import PROTOCOL, load_document


class ValidityTest(unittest.TestCase):
    def test_both_documents_are_valid(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as openapi:
            json.dump(load_document("openapi.yaml"), openapi)  # that validator opens no other file
            openapi.flush()
            done = self.validate(os.path.join(PROTOCOL, "asyncapi.yaml"), openapi.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_validators_find_what_is_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("asyncapi.yaml", "openapi.json")]
            for path, version in zip(paths, ("asyncapi: 3.0.0", '{"openapi": "3.1.0"}')):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(version)
            done = self.validate(*paths)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for path in paths:
            self.assertIn(path, done.stdout)

    @staticmethod
    def validate(asyncapi, openapi):
        return market.run(["node", "validate_api_documents.mjs", asyncapi, openapi],
                          cwd=os.environ["WARPBOOK_NPM"], timeout=250)


if __name__ == "__main__":
    unittest.main(verbosity=2)
