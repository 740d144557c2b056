#!/usr/bin/python3
"""What Prometheus is given in deploy/prometheus: promtool finds it right, its own tests pass
(tests/deploy/prometheus), every alert is tested both ways, says what it must and is explained in the
runbook, and nothing is read that no process exports."""

import collections
import copy
import os
import re
import subprocess
import tempfile
import unittest

import yaml

from metric_table import ROOT, TARGET_LABELS, load_table, read_expression, series_of

CONFIG = os.path.join(ROOT, "deploy/prometheus/prometheus.yml")
RULES = os.path.join(ROOT, "deploy/prometheus/rules")
TESTS = os.path.join(ROOT, "tests/deploy/prometheus")
RUNBOOK = "deploy/RUNBOOK.md"
SEVERITIES = {"critical", "warning"}
RATES = {"rate", "irate", "increase"}


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def files_in(folder):
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".yml")]


def rules_in(folder=RULES):
    return [rule for path in files_in(folder) for group in load(path)["groups"] for rule in group["rules"]]


def promtool(*words):
    return subprocess.run(["promtool", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=60)


def headings(text):
    """{anchor: text of its section} of a document's headings of the second rank."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {title.strip().lower(): body for title, body in zip(parts[1::2], parts[2::2])}


def exposition(table):
    """A process's answer to a scrape, by the table alone: a series for each metric."""
    lines = []
    for metric in table.values():
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        labels = [f'{label}="x"' for label in sorted(metric.labels)]
        if metric.kind == "histogram":
            for bound in ("0.1", "+Inf"):
                inside = ",".join([*labels, f'le="{bound}"'])
                lines.append(f"{metric.name}_bucket{{{inside}}} 1")
            for suffix in ("_sum", "_count"):
                lines.append(f"{metric.name}{suffix}{{{','.join(labels)}}} 1")
        else:
            lines.append(f"{metric.name}{{{','.join(labels)}}} 1")
    return "\n".join(lines) + "\n"


# ---- What is asked of rules. Each check yields its faults as sentences --------------------------


def faults_of_alert(rule, runbook):
    """What an alert lacks."""
    name, notes = rule["alert"], rule.get("annotations", {})
    if not re.fullmatch(r"Warpbook([A-Z][a-z]+)+", name):
        yield "is not CamelCase behind Warpbook"
    if set(rule.get("labels", {})) != {"severity"} or rule["labels"]["severity"] not in SEVERITIES:
        yield "has no severity"
    if set(notes) != {"summary", "description", "runbook_url"}:
        yield "has not its three annotations"
        return
    if not re.fullmatch(r"[A-Z][^.\n]*( [^.\n]+)*\.", notes["summary"]) or "{{" in notes["summary"]:
        yield "has no sentence as its summary"
    if "$value" not in notes["description"] or not notes["description"].endswith("."):
        yield "does not say its value"
    if notes["runbook_url"] != f"{RUNBOOK}#{name.lower()}":
        yield "does not point to its section"
    if len(runbook.get(name.lower(), "").split()) < 40:
        yield "is not explained in the runbook"


def faults_of_expression(expression, known):
    """What of an expression no process exports; counters that are read raw. `known`: {series: (kind,
    labels)}."""
    selectors, groupings = read_expression(expression)
    labels_there = set()
    for selector in selectors:
        if selector.metric not in known:
            yield f"reads {selector.metric}, which nobody exports"
            continue
        kind, labels = known[selector.metric]
        labels_there |= labels
        for label, _, _ in selector.matchers:
            if label not in labels:
                yield f"looks for {label} at {selector.metric}"
        is_rated = selector.range and selector.functions[-1:] and selector.functions[-1] in RATES
        if (kind == "counter") != bool(is_rated):
            yield f"reads the {kind} {selector.metric} {'as a counter' if is_rated else 'raw'}"
    for label in groupings - labels_there:
        yield f"groups by {label}, which is not there"


def known_series(rules):
    """All series that rules may read: of processes, of the scrape, and recorded."""
    known = series_of(load_table())
    known["up"] = ("gauge", TARGET_LABELS)
    for rule in rules:
        if "record" in rule:
            selectors, groupings = read_expression(rule["expr"])
            left = groupings - {"le"} if groupings else set.union(
                *(set(known[selector.metric][1]) for selector in selectors if selector.metric in known),
                set())
            known[rule["record"]] = ("gauge", frozenset(left))
    return known


def faults_of_record(rule, known):
    """level:metric:operations, where the level is the labels that are left beside the job."""
    match = re.fullmatch(r"([a-z_]+):([a-z_]+):([a-z0-9_]+)", rule["record"])
    if not match:
        yield "is not level:metric:operations"
    elif set(match.group(1).split("_")) != known[rule["record"]][1] - {"job"}:
        yield f"has another level than {sorted(known[rule['record']][1])}"
    elif match.group(2).endswith("_total"):
        yield "keeps _total"


def tested_alerts(documents):
    """(those that a test makes fire, those that a test keeps from it), as (name, severity); where none
    fires at all the severity is None."""
    firing, silent = set(), set()
    for document in documents:
        for group in document["tests"]:
            last = {}
            for case in group.get("alert_rule_test", []):
                last[case["alertname"]] = [alert["exp_labels"]["severity"] for alert in case["exp_alerts"]]
                firing |= {(case["alertname"], severity) for severity in last[case["alertname"]]}
            for name, severities in last.items():
                silent |= {(name, severity) for severity in SEVERITIES - set(severities)}
    return firing, silent


def tested_records(documents):
    """(those that a test finds a value of, those of which a test finds none)."""
    valued, empty = set(), set()
    for document in documents:
        for group in document["tests"]:
            for case in group.get("promql_expr_test", []):
                (valued if case["exp_samples"] else empty).add(case["expr"])
    return valued, empty


# ---- The tests ----------------------------------------------------------------------------------


class PrometheusTest(unittest.TestCase):
    def setUp(self):
        self.rules = rules_in()
        self.alerts = [rule for rule in self.rules if "alert" in rule]
        self.records = [rule for rule in self.rules if "record" in rule]
        self.known = known_series(self.rules)
        with open(os.path.join(ROOT, RUNBOOK), encoding="utf-8") as file:
            self.runbook = headings(file.read())

    def passes(self, *words):
        done = promtool(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_promtool_finds_configuration_and_rules_right(self):
        checked = self.passes("check", "config", CONFIG)
        self.assertIn(f"SUCCESS: {len(files_in(RULES))} rule files found", checked)
        self.passes("check", "rules", *files_in(RULES))

    def test_what_promtool_is_to_find_in_rules_it_finds(self):
        self.assertEqual(self.passes("test", "rules", *files_in(TESTS)).count("SUCCESS"),
                         len(files_in(TESTS)))

    def test_both_jobs_are_scraped_on_loopback_every_five_seconds(self):
        config = load(CONFIG)
        self.assertEqual((config["global"]["scrape_interval"], config["global"]["evaluation_interval"]),
                         ("5s", "5s"))
        self.assertEqual(
            {job["job_name"]: job["static_configs"] for job in config["scrape_configs"]},
            {"warpbook": [{"targets": ["127.0.0.1:7401"]}],
             "warpbook-settlement": [{"targets": ["127.0.0.1:7402"]}]})
        self.assertEqual(config["rule_files"], ["rules/*.yml"])

    def test_each_alert_says_what_it_must_and_is_in_the_runbook(self):
        self.assertGreaterEqual(len(self.alerts), 25)
        for rule in self.alerts:
            with self.subTest(rule["alert"]):
                self.assertEqual(list(faults_of_alert(rule, self.runbook)), [])
        names = {rule["alert"].lower() for rule in self.alerts}
        self.assertEqual({heading for heading in self.runbook if heading.startswith("warpbook")}, names)

    def test_the_runbook_asks_for_series_that_there_are(self):
        with open(os.path.join(ROOT, RUNBOOK), encoding="utf-8") as file:
            asked = set(re.findall(r"\b(?:instance[a-z_]*:)?(?:warpbook|process)_[a-z_]+(?::[a-z0-9_]+)?", file.read()))
        self.assertGreater(len(asked), 20)
        self.assertEqual(asked - set(self.known) - {"warpbook_settlement"}, set())

    def test_an_alert_stands_once_for_each_severity(self):
        counts = collections.Counter((rule["alert"], rule["labels"]["severity"]) for rule in self.alerts)
        self.assertEqual(set(counts.values()), {1})

    def test_rules_read_only_what_is_exported(self):
        for rule in self.rules:
            with self.subTest(rule.get("alert") or rule["record"]):
                self.assertEqual(list(faults_of_expression(rule["expr"], self.known)), [])

    def test_recording_rules_are_named_by_what_is_left(self):
        for rule in self.records:
            with self.subTest(rule["record"]):
                self.assertEqual(list(faults_of_record(rule, self.known)), [])

    def test_each_rule_is_tested_both_ways(self):
        documents = [load(path) for path in files_in(TESTS)]
        firing, silent = tested_alerts(documents)
        for rule in self.alerts:
            with self.subTest(rule["alert"]):
                key = rule["alert"], rule["labels"]["severity"]
                self.assertIn(key, firing)
                self.assertIn(key, silent)
        valued, empty = tested_records(documents)
        names = {rule["record"] for rule in self.records}
        self.assertEqual((names - valued, names - empty), (set(), set()))

    def test_each_alert_has_a_fault_in_the_drill(self):
        listed = subprocess.run([os.path.join(ROOT, "deploy/dev/alert-drill"), "--list"], capture_output=True,
                                text=True, check=False, timeout=60)
        self.assertEqual((listed.returncode, listed.stderr), (0, ""), listed.stdout)

    def test_the_table_of_metrics_is_what_promtool_calls_good(self):
        done = subprocess.run(["promtool", "check", "metrics"], input=exposition(load_table()),
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


class FaultsTest(unittest.TestCase):
    """What is wrong is found: each check, on a rule that has that fault."""

    ALERT = {"alert": "WarpbookDown", "expr": "up == 0", "labels": {"severity": "critical"},
             "annotations": {"summary": "It is down.", "description": "It is {{ $value }}.",
                             "runbook_url": "deploy/RUNBOOK.md#warpbookdown"}}
    RUNBOOK_SECTIONS = {"warpbookdown": "word " * 40}

    def test_alerts(self):
        changes = {
            "is not CamelCase behind Warpbook": lambda rule: rule.update(alert="warpbook_down"),
            "has no severity": lambda rule: rule["labels"].update(severity="page"),
            "has not its three annotations": lambda rule: rule["annotations"].pop("description"),
            "has no sentence as its summary": lambda rule: rule["annotations"].update(summary="Down"),
            "does not say its value": lambda rule: rule["annotations"].update(description="Down."),
            "does not point to its section": lambda rule: rule["annotations"].update(runbook_url="x"),
            "is not explained in the runbook": lambda rule: rule.update(alert="WarpbookOther"),
        }
        self.assertEqual(list(faults_of_alert(self.ALERT, self.RUNBOOK_SECTIONS)), [])
        for fault, change in changes.items():
            rule = copy.deepcopy(self.ALERT)
            change(rule)
            with self.subTest(fault):
                self.assertIn(fault, list(faults_of_alert(rule, self.RUNBOOK_SECTIONS)))

    def test_expressions(self):
        known = {"a_total": ("counter", {"job", "x"}), "b": ("gauge", {"job"})}
        for good in ('sum by (x) (rate(a_total{x="1"}[1m]))', "b > 0 and on (job) increase(a_total[5m]) > 1",
                     "changes(b[10m]) >= 3", "3600 * sum(b) / scalar(b)"):
            self.assertEqual(list(faults_of_expression(good, known)), [])
        for wrong, fault in (("c > 0", "reads c, which nobody exports"),
                             ('b{x="1"}', "looks for x at b"),
                             ("a_total > 1", "reads the counter a_total raw"),
                             ("sum(a_total)", "reads the counter a_total raw"),
                             ("rate(b[1m])", "reads the gauge b as a counter"),
                             ("sum by (y) (b)", "groups by y, which is not there")):
            with self.subTest(wrong):
                self.assertEqual(list(faults_of_expression(wrong, known)), [fault])

    def test_records(self):
        known = {"instance:a:rate1m": ("gauge", {"job", "instance"}), "a:rate1m": ("gauge", {"job"}),
                 "instance_x:a:rate1m": ("gauge", {"job", "instance"}),
                 "instance:a_total:rate1m": ("gauge", {"job", "instance"})}
        found = {name: list(faults_of_record({"record": name}, known)) for name in known}
        self.assertEqual(found, {
            "instance:a:rate1m": [], "a:rate1m": ["is not level:metric:operations"],
            "instance_x:a:rate1m": ["has another level than ['instance', 'job']"],
            "instance:a_total:rate1m": ["keeps _total"]})

    def test_what_is_tested_one_way_only(self):
        alert = {"exp_labels": {"severity": "warning"}}
        document = {"tests": [
            {"alert_rule_test": [{"alertname": "A", "exp_alerts": []}, {"alertname": "A", "exp_alerts": [alert]}]},
            {"promql_expr_test": [{"expr": "r", "exp_samples": []}]}]}
        self.assertEqual(tested_alerts([document]), ({("A", "warning")}, {("A", "critical")}))
        self.assertEqual(tested_records([document]), (set(), {"r"}))

    def test_promtool_itself_can_fail(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rules.yml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("groups: [{name: a, rules: [{record: b, expr: 'sum('}]}]\n")
            self.assertNotEqual(promtool("check", "rules", path).returncode, 0)


if __name__ == "__main__":
    unittest.main()
