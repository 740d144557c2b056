#!/usr/bin/python3
"""The proof's definitions written anew: ChaCha8, operands, products, RFC 6962 trees, rounds, openings.

Takes the path of gpu_probe_figures. Slow and plain, with Python's integers and hashlib."""

import hashlib
import struct
import subprocess
import sys
import unittest

SIDE = 64
MASK = 0xFFFFFFFF


def chacha8_block(key, nonce, counter):
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574,
             *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    x = list(state)

    def quarter(a, b, c, d):
        for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[first] = (x[first] + x[second]) & MASK
            mixed = x[third] ^ x[first]
            x[third] = ((mixed << bits) | (mixed >> (32 - bits))) & MASK

    for _ in range(4):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & MASK for a, b in zip(x, state)))


def line(seed, operand, number, k):
    nonce = struct.pack("<IQ", operand, number)
    stream = b"".join(chacha8_block(seed, nonce, i) for i in range((k + 63) // 64))[:k]
    return [max(byte - 128, -127) for byte in stream]


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def tree_root(leaves):
    """RFC 6962, 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()


def tree_path(leaves, index):
    """RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return tree_path(leaves[:split], index) + [tree_root(leaves[split:])]
    return tree_path(leaves[split:], index - split) + [tree_root(leaves[:split])]


def words(seed):
    counter = 0
    while True:
        yield from struct.unpack("<8Q", chacha8_block(seed, bytes(12), counter))
        counter += 1


def tiles_to_open(seed, tiles, opened):
    drawn = set()
    biased = 2**64 % tiles
    for word in words(seed):
        if word >= biased:
            drawn.add(word % tiles)
        if len(drawn) == opened:
            return sorted(drawn)


def expected(nonce, gpu, m, n, k, rounds, opened, opening_seed):
    root = bytes(32)
    trees = []
    lines = []
    for number in range(rounds):
        seed = hashlib.sha256(b"warpbook-probe round" + nonce + struct.pack("<II", gpu, number)
                              + root).digest()
        rows = [line(seed, 0, i, k) for i in range(m)]
        columns = [line(seed, 1, i, k) for i in range(n)]
        tiles = []
        for tile_row in range(m // SIDE):
            for tile_column in range(n // SIDE):
                tiles.append([sum(a * b for a, b in zip(rows[tile_row * SIDE + i],
                                                        columns[tile_column * SIDE + j]))
                              for i in range(SIDE) for j in range(SIDE)])
        leaves = [leaf_hash(struct.pack(f"<{SIDE * SIDE}i", *tile)) for tile in tiles]
        trees.append((tiles, leaves))
        root = tree_root(leaves)
        lines.append(f"root {root.hex()}")
    per_round = len(trees[0][0])
    for number in tiles_to_open(opening_seed, per_round * rounds, opened):
        tiles, leaves = trees[number // per_round]
        place = number % per_round
        row, column = divmod(place, n // SIDE)
        lines.append(f"tile {number // per_round} {row} {column} {tiles[place][0]}"
                     f" {tiles[place][-1]} {leaves[place].hex()}")
        lines += [f"path {sibling.hex()}" for sibling in tree_path(leaves, place)]
    return lines


class ProofTest(unittest.TestCase):
    figures = ""

    def check(self, nonce, gpu, m, n, k, rounds, opened, opening_seed):
        done = subprocess.run(
            [self.figures, nonce.hex(), *map(str, (gpu, m, n, k, rounds, opened)),
             opening_seed.hex()], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(done.stdout.splitlines(),
                         expected(nonce, gpu, m, n, k, rounds, opened, opening_seed))

    def test_small_transcripts(self):
        for number, (gpu, m, n, k, rounds, opened) in enumerate((
                (0, 64, 64, 64, 1, 1), (1, 64, 128, 128, 3, 4), (7, 192, 128, 64, 2, 5),
                (2**31 - 1, 192, 64, 192, 2, 6))):
            nonce = hashlib.sha256(b"nonce %d" % number).digest()
            opening_seed = hashlib.sha256(b"opening %d" % number).digest()
            with self.subTest(m=m, n=n, k=k):
                self.check(nonce, gpu, m, n, k, rounds, opened, opening_seed)


if __name__ == "__main__":
    ProofTest.figures = sys.argv.pop()
    unittest.main()
