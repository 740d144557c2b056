#!/usr/bin/python3
"""Every message of every kind is the same in both encodings.

    encodings_test.py TEST_PROGRAM

runs the tests of a gateway twice: all connections speak JSON, then FlatBuffers, turned back into JSON. Both
runs pass, and their connections get the same messages in the same order, field by field.
"""

import json
import os
import subprocess
import sys
import tempfile


def messages_of(program, encoding):
    """The messages that the tests' connections get, as JSON texts."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "messages")
        environment = os.environ | {"WARPBOOK_TEST_ENCODING": encoding, "WARPBOOK_TEST_MESSAGES": path}
        subprocess.run([program], env=environment, check=True)
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()


def comparable(text):
    """The message without what is another one in each run."""
    message = json.loads(text)
    result = message.get("result")
    for drawn in ("nonce", "seed", "challenge"):
        if isinstance(result, dict) and drawn in result:
            result[drawn] = len(result[drawn])
    return message


def kind_of(message):
    """What the message is about: its method or channel, and the fields that it has."""
    name = message.get("method") or message.get("channel") or "no method"
    return f"{name} {message.get('type') or message.get('success')}"


def main():
    in_json = messages_of(sys.argv[1], "json")
    in_flatbuffers = messages_of(sys.argv[1], "flatbuffers")
    kinds = set()
    differences = 0
    for number, (one, other) in enumerate(zip(in_json, in_flatbuffers)):
        kinds.add(kind_of(json.loads(one)))
        if comparable(one) != comparable(other):
            differences += 1
            print(f"message {number}:\n  {one}\n  {other}")
    if len(in_json) != len(in_flatbuffers):
        differences += 1
        print(f"{len(in_json)} messages in JSON, {len(in_flatbuffers)} in FlatBuffers")
    print(f"{len(in_json)} messages of {len(kinds)} kinds, {differences} differences")
    print("\n".join(sorted(kinds)))
    sys.exit(1 if differences or not in_json else 0)


if __name__ == "__main__":
    main()
