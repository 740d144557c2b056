#!/usr/bin/python3
"""Draws the years that economics_year wrote as one SVG, on standard output: a row for each, in the
order in which they are named.

    plot.py FOLDER NAME...
"""

import csv
import sys

DAYS_PER_PIXEL = 2
WIDTH, HEIGHT = 183, 64  # of a panel: a year, and what it shows
LEFT, TOP, GAP_X, GAP_Y, BOTTOM = 64, 46, 16, 36, 30
COVERAGE_SHOWN = 200  # percent; more is drawn at the edge
STRESS = 90
INK, FAINT, LINE, ALARM = "#222", "#999", "#2563a8", "#b3261e"

# Title, and the value of a row of the file; of the days of a pixel the worst is shown.
COLUMNS = (
    ("demand, USD a day", lambda row, _: int(row["demand_usd"]), max),
    ("TOK, USD", lambda row, _: int(row["price_uusd"]) / 1e6, min),
    (f"coverage, % (dashed: {STRESS})",
     lambda row, _: min(int(row["coverage_bps_min"]) / 100, COVERAGE_SHOWN), min),
    ("supply, change in TOK", lambda row, first: (int(row["supply_utok"]) - first) / 1e6, max),
    ("owed, USD", lambda row, _: int(row["owed_credits"]) / 60e6, max),
)
START_UTOK = 400_000_000 * 10**6


def short(number):
    """Three digits and a unit: 4.98M, -950k, 0.40."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= unit:
            return f"{number / unit:.3g}{name}"
    return f"{number:.3g}"


def label(x, y, words, anchor="start", colour=INK, size=11, weight="normal"):
    return (f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
            f'font-weight="{weight}">{words}</text>')


def panel(x, y, values, low, high, dashed=None):
    def height(value):
        return round(HEIGHT - (value - low) * HEIGHT / ((high - low) or 1))
    points = [height(value) for value in values]
    moves = "".join(f"l1 {after - before}" for before, after in zip(points, points[1:]))
    parts = [f'<g transform="translate({x} {y})">',
             f'<path d="M0 0V{HEIGHT}H{WIDTH}" stroke="{FAINT}"/>']
    if dashed is not None:
        parts.append(f'<path d="M0 {height(dashed)}H{WIDTH}" stroke="{ALARM}" stroke-dasharray="3 3"/>')
    if low < 0 < high:
        parts.append(f'<path d="M0 {height(0)}H{WIDTH}" stroke="{FAINT}" stroke-dasharray="1 3"/>')
    parts += [f'<path d="M0 {points[0]}{moves}" stroke="{LINE}" stroke-width="1.5"/>',
              label(0, -4, short(high), colour=FAINT, size=10),
              label(0, HEIGHT + 11, short(low), colour=FAINT, size=10) if low < 0 else "", "</g>"]
    return "".join(parts)


def row_of(folder, name, y):
    with open(f"{folder}/{name}.csv", encoding="utf-8", newline="") as file:
        days = list(csv.DictReader(file))
    parts = [label(LEFT - 10, y + HEIGHT / 2 + 4, name, "end", size=13, weight="bold")]
    for column, (_, value, worst) in enumerate(COLUMNS):
        every = [value(day, START_UTOK) for day in days]
        values = [worst(every[i:i + DAYS_PER_PIXEL]) for i in range(0, len(every), DAYS_PER_PIXEL)]
        is_coverage = column == 2
        low, high = min(0, *values), max(0, *values)
        if is_coverage:
            low, high = 0, COVERAGE_SHOWN
        parts.append(panel(LEFT + column * (WIDTH + GAP_X), y, values, low, high,
                           STRESS if is_coverage else None))
    return "\n".join(parts)


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    width = LEFT + len(COLUMNS) * (WIDTH + GAP_X)
    height = TOP + len(names) * (HEIGHT + GAP_Y) - GAP_Y + BOTTOM
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
          f'viewBox="0 0 {width} {height}" font-family="sans-serif" fill="none">')
    print(f'<rect width="{width}" height="{height}" fill="#fff"/>')
    for column, (title, _, _) in enumerate(COLUMNS):
        print(label(LEFT + column * (WIDTH + GAP_X), 22, title))
    for i, name in enumerate(names):
        print(row_of(folder, name, TOP + i * (HEIGHT + GAP_Y)))
    base = TOP + len(names) * (HEIGHT + GAP_Y) - GAP_Y
    for column in range(len(COLUMNS)):
        for day in (0, 120, 240):
            print(label(LEFT + column * (WIDTH + GAP_X) + day // DAYS_PER_PIXEL, base + 24,
                        f"day {day}", "middle" if day else "start", FAINT, 10))
    print("</svg>")


if __name__ == "__main__":
    main()
