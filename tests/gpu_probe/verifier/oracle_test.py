#!/usr/bin/python3
"""The proofs' definitions written anew: ChaCha8, operands, products, RFC 6962 trees, rounds, the arena, walks,
openings.

Takes the path of gpu_probe_figures. Slow and plain, with Python's integers and hashlib."""

import hashlib
import os
import struct
import subprocess
import sys
import unittest

SIDE = 64
MASK = 0xFFFFFFFF
STEPS_PER_LEG = 128


def core(block):
    """Eight rounds of ChaCha of 16 words, plus the words."""
    x = list(block)

    def quarter(a, b, c, d):
        for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[first] = (x[first] + x[second]) & MASK
            mixed = x[third] ^ x[first]
            x[third] = ((mixed << bits) | (mixed >> (32 - bits))) & MASK

    for _ in range(4):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return [(a + b) & MASK for a, b in zip(x, block)]


def chacha8_block(key, nonce, counter):
    return struct.pack("<16I", *core([0x61707865, 0x3320646E, 0x79622D32, 0x6B206574,
                                      *struct.unpack("<8I", key), counter,
                                      *struct.unpack("<3I", nonce)]))


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


def drawn(seed, bound, count):
    """So many different numbers below the bound, ascending."""
    found = set()
    biased = 2**64 % bound
    for word in words(seed):
        if word >= biased:
            found.add(word % bound)
        if len(found) == count:
            return sorted(found)


# ---- The products


def rounds_of(nonce, gpu, m, n, k, rounds):
    """Of each round its root, its tiles and their leaves."""
    root = bytes(32)
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
        root = tree_root(leaves)
        yield root, tiles, leaves


# ---- The memory


def arena_of(seed, blocks, columns, passes):
    """All blocks, each a list of words."""
    arena = []
    for number in range(blocks):
        nonce = struct.pack("<QI", number, 0)
        arena.append([struct.unpack("<16I", chacha8_block(seed, nonce, column))
                      for column in range(columns)])
    for _ in range(passes):
        arena = [[core(column) for column in block] for block in arena]
    return [[word for column in block for word in column] for block in arena]


def finish(state):
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> shift)) * factor % 2**64
    return state ^ (state >> 31)


def walk_all(nonce, gpu, last_root, gather_seed, blocks, columns, passes, walks, legs):
    """The states of all walks after each leg."""
    arena = arena_of(hashlib.sha256(b"warpbook-probe memory" + nonce + struct.pack("<I", gpu)
                                    + last_root).digest(), blocks, columns, passes)
    key = hashlib.sha256(b"warpbook-probe gather" + nonce + struct.pack("<I", gpu) + last_root
                         + gather_seed).digest()
    multipliers = [word | 1 for column in range(columns)
                   for word in struct.unpack("<16I", chacha8_block(key, bytes(12), column))]
    starts = b"".join(chacha8_block(key, b"\1" + bytes(11), i) for i in range((walks + 7) // 8))
    at = list(struct.unpack(f"<{len(starts) // 8}Q", starts))[:walks]
    after = []
    for leg in range(legs):
        for walk in range(walks):
            state = at[walk]
            for step in range(STEPS_PER_LEG):
                block = arena[(state >> 32) * blocks >> 32]
                low, high = state & MASK, state >> 32
                number = (walk * legs + leg) * STEPS_PER_LEG + step
                total = state + number * 0x9E3779B97F4A7C15
                for i in range(0, len(block), 2):
                    total += ((block[i] ^ low * multipliers[i] & MASK)
                              * (block[i + 1] ^ high * multipliers[i + 1] & MASK))
                state = finish(total % 2**64)
            at[walk] = state
        after.append(list(at))
    return after


def expected(nonce, gpu, compute, memory, gather_seed, opening_seed):
    m, n, k, rounds, opened = compute
    lines = []
    made = list(rounds_of(nonce, gpu, m, n, k, rounds))
    lines += [f"root {root.hex()}" for root, _, _ in made]
    blocks, columns, passes, walks, legs, opened_legs = memory
    after = walk_all(nonce, gpu, made[-1][0], gather_seed, blocks, columns, passes, walks, legs)
    states = [struct.pack("<64Q", *row[i:i + 64]) for row in after for i in range(0, walks, 64)]
    leaves = [leaf_hash(leaf) for leaf in states]
    lines.append(f"gather {tree_root(leaves).hex()}")
    per_round = len(made[0][1])
    for number in drawn(opening_seed, per_round * rounds, opened):
        _, tiles, tile_leaves = made[number // per_round]
        place = number % per_round
        row, column = divmod(place, n // SIDE)
        lines.append(f"tile {number // per_round} {row} {column} {tiles[place][0]}"
                     f" {tiles[place][-1]} {tile_leaves[place].hex()}")
        lines += [f"path {sibling.hex()}" for sibling in tree_path(tile_leaves, place)]
    for number in drawn(opening_seed, walks * legs, opened_legs):
        leg, walk = divmod(number, walks)
        lines.append(f"leg {walk} {leg}")
        for which in range(max(leg - 1, 0), leg + 1):
            leaf = which * (walks // 64) + walk // 64
            lines.append(f"states {states[leaf].hex()}")
            lines += [f"path {sibling.hex()}" for sibling in tree_path(leaves, leaf)]
    return lines


class ProofTest(unittest.TestCase):
    figures = ""

    def test_the_golden_proof_is_what_it_was(self):
        """What the definitions gave once: a change of them is another version of the protocol."""
        golden = os.path.join(os.path.dirname(__file__), "../../golden/probe_proof.txt")
        with open(golden, encoding="utf-8") as file:
            parameters, *lines = file.read().splitlines()
        done = subprocess.run([self.figures, *parameters.split()], capture_output=True, text=True,
                              timeout=60, check=True)
        self.assertEqual(done.stdout.splitlines(), lines)

    def test_small_proofs(self):
        for number, (gpu, compute, memory) in enumerate((
                (0, (64, 64, 64, 1, 1), (2, 1, 1, 64, 1, 1)),
                (1, (64, 128, 128, 3, 4), (48, 3, 4, 64, 3, 5)),
                (7, (192, 128, 64, 2, 5), (40, 2, 3, 128, 2, 9)),
                (2**31 - 1, (192, 64, 192, 2, 6), (64, 9, 6, 64, 2, 4)))):
            nonce, gather_seed, opening_seed = (
                hashlib.sha256(b"%s %d" % (word, number)).digest()
                for word in (b"nonce", b"gather", b"opening"))
            with self.subTest(compute=compute, memory=memory):
                done = subprocess.run(
                    [self.figures, nonce.hex(), *map(str, (gpu, *compute, *memory)),
                     gather_seed.hex(), opening_seed.hex()],
                    capture_output=True, text=True, timeout=60, check=True)
                self.assertEqual(done.stdout.splitlines(), expected(
                    nonce, gpu, compute, memory, gather_seed, opening_seed))


if __name__ == "__main__":
    ProofTest.figures = sys.argv.pop()
    unittest.main()
