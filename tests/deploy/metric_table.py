"""The table of metrics (schema/metrics/metric_table.cc), which rules and dashboards are held against,
and the little of PromQL that this takes.

promtool says whether an expression is PromQL at all; here it is read for what it uses: which series, by
which labels, inside of what.
"""

import collections
import os
import re

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
TABLE = os.path.join(ROOT, "schema/metrics/metric_table.cc")

Metric = collections.namedtuple("Metric", "name kind labels help")
# Of every series, by the scrape.
TARGET_LABELS = {"job", "instance"}
HISTOGRAM_SUFFIXES = ("_bucket", "_sum", "_count")


def load_table(path=TABLE):
    """{name: Metric}, as the C++ table has them."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    row = (r'\{Metric::k\w+,\s*k(Counter|Gauge|Histogram),\s*"([a-z_]+)",\s*"([a-z_,]*)",'
           r'\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
    found = {}
    for kind, name, labels, words in re.findall(row, text):
        sentence = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', words)).replace('\\"', '"')
        found[name] = Metric(name, kind.lower(), frozenset(filter(None, labels.split(","))), sentence)
    rows = text.count("{Metric::k")
    assert len(found) == rows > 40, f"{len(found)} of {rows} rows of the table are read"
    return found


def series_of(table):
    """{name of a series: (kind, labels)}: a histogram is three counters."""
    found = {}
    for metric in table.values():
        labels = metric.labels | TARGET_LABELS
        if metric.kind == "histogram":
            for suffix in HISTOGRAM_SUFFIXES:
                found[metric.name + suffix] = (
                    "counter", labels | {"le"} if suffix == "_bucket" else labels)
        else:
            found[metric.name] = (metric.kind, labels)
    return found


# ---- PromQL -------------------------------------------------------------------------------------

# A series that an expression reads: its matchers [(label, operator, value)], its range ("" where it
# has none), and the functions and brackets ("") around it, the innermost last.
Selector = collections.namedtuple("Selector", "metric matchers range functions")

TOKENS = re.compile(r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<range>\[[^\]]*\])
  | (?P<number>\d[\w.]*)
  | (?P<name>[a-zA-Z_:$][\w:$]*)
  | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},@]))""", re.VERBOSE)
GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan"} | GROUPINGS


def tokens_of(expression):
    """[(kind, text)]; ValueError where something is no token."""
    found, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        match = TOKENS.match(text, position)
        if match is None:
            raise ValueError(f"no PromQL: {text[position:position + 20]!r}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


def read_expression(expression):
    """(selectors, labels that results are grouped or matched by)."""
    tokens = tokens_of(expression) + [("end", "")] * 2
    selectors, groupings, open_calls = [], set(), []
    aggregation = ""  # whose labels stand before its bracket: sum by (x) (...)
    i = 0
    while tokens[i][0] != "end":
        (kind, text), following = tokens[i], tokens[i + 1][1]
        i += 1
        if text == "(":
            open_calls.append(aggregation)
            aggregation = ""
        elif text == ")":
            open_calls.pop()
        elif text == "{":
            raise ValueError("a selector without a metric's name")
        elif kind != "name":
            continue
        elif text.lower() in GROUPINGS and following == "(":
            labels, i = names_until(tokens, i + 1, ")")
            groupings.update(labels)
        elif following == "(" and text.lower() not in WORDS:
            open_calls.append(text)
            i += 1
        elif following.lower() in ("by", "without"):
            aggregation = text
        elif text.lower() not in WORDS:
            matchers, i = matchers_at(tokens, i)
            extent = tokens[i][1][1:-1] if tokens[i][0] == "range" else ""
            selectors.append(Selector(text, matchers, extent, tuple(open_calls)))
    return selectors, groupings


def names_until(tokens, i, end):
    names = []
    while tokens[i][1] != end:
        if tokens[i][0] == "name":
            names.append(tokens[i][1])
        i += 1
    return names, i + 1


def matchers_at(tokens, i):
    """The matchers in the braces at this place, if there are some."""
    if tokens[i][1] != "{":
        return (), i
    i += 1
    matchers = []
    while tokens[i][1] != "}":
        label, operator, value = (tokens[i + k][1] for k in range(3))
        matchers.append((label, operator, value[1:-1]))
        i += 3
        if tokens[i][1] == ",":
            i += 1
    return tuple(matchers), i + 1
