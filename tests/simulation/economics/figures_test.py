#!/usr/bin/python3
"""The figures of the years that README.md shows are those that the program prints, and the plot beside
them is drawn from its files.

    figures_test.py ECONOMICS_YEAR
"""

import csv
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
PLOT = f"{ROOT}/tests/simulation/economics/plot.py"
YEARS = ("steady", "boom", "bust", "crash", "wash", "whale")
RENEW = "run deploy/dev/economics --save, and put its tables into README.md"


def read(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as file:
        return file.read()


class FiguresTest(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="warpbook-economics-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.tables = subprocess.run([cls.program, "--csv", cls.folder], check=True, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        cls.plot = subprocess.run([PLOT, cls.folder, *YEARS], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout

    def test_the_readme_shows_the_tables_that_are_printed(self):
        rows = [line for line in self.tables.splitlines() if line]
        self.assertEqual(len(rows), 2 + len(YEARS) + 2 + len(YEARS) - 1)
        shown = read("README.md").splitlines()
        for row in rows:
            self.assertIn(row, shown, RENEW)

    def test_the_plot_is_of_these_years_and_small(self):
        self.assertEqual(read("settlement/tokens/economics.svg"), self.plot, RENEW)
        self.assertIn("](settlement/tokens/economics.svg)", read("README.md"))
        self.assertLess(len(self.plot), 50_000)
        panels = xml.etree.ElementTree.fromstring(self.plot).findall("{*}g")
        self.assertEqual(len(panels), 5 * len(YEARS))

    def test_every_day_is_in_the_files_and_adds_up_to_the_table(self):
        genesis = 400_000_000 * 10**6
        for year in YEARS:
            with self.subTest(year=year):
                with open(f"{self.folder}/{year}.csv", encoding="utf-8", newline="") as file:
                    days = [{name: int(value) for name, value in row.items()}
                            for row in csv.DictReader(file)]
                self.assertEqual([day["day"] for day in days], list(range(1, 366)))
                for day in days:
                    # 2-tokens, Supply: all there is but the vault's.
                    issued = genesis + day["emitted_utok"] - day["retired_utok"]
                    self.assertEqual(day["supply_utok"] + day["vault_utok"], issued)
                    self.assertEqual(day["vault_utok"], day["burned_utok"] - day["reminted_utok"]
                                     - day["retired_utok"])
                row = re.search(rf"^\| {year} \| (\S+) .*$", self.tables, re.M)
                change = days[-1]["supply_utok"] - genesis
                self.assertEqual(int(row[1].replace(",", "")), int(change / 10**6))
                bonus = sum(day["bonus_utok"] for day in days)
                self.assertIn(f"({bonus // 10**6:,})", row[0])


if __name__ == "__main__":
    FiguresTest.program = sys.argv.pop(1)
    unittest.main()
