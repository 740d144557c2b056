#!/usr/bin/python3
"""The dashboards of deploy/grafana keep the rules of Grafana's dashboard linter, by a linter of our own,
which must also find each rule broken where it is; and they show only what the processes export."""

import copy
import functools
import json
import os
import re
import subprocess
import tempfile
import unittest

import yaml

from metric_table import ROOT, load_table, read_expression, series_of

GRAFANA = os.path.join(ROOT, "deploy/grafana")
FOLDER = os.path.join(GRAFANA, "dashboards")
GENERATOR = os.path.join(ROOT, "deploy/dev/dashboards")
NAMES = ("engine", "gateway", "market", "settlement")
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECTION = {("job", "=~", "$job"), ("instance", "=~", "$instance")}
RATES = {"rate", "irate", "increase"}
AGGREGATIONS = {"sum", "avg", "min", "max", "count", "topk", "bottomk", "quantile", "stddev", "stdvar", "group"}
WITHOUT_TARGETS = {"row", "text"}
# Grafana's ids of units, of the kinds that metrics of a program come in (grafana-data, valueFormats).
UNITS = set("""none string short percent percentunit hex0x hex sci locale
    bits bytes decbits decbytes kbytes mbytes gbytes binBps Bps binbps bps pps
    ns \N{MICRO SIGN}s ms s m h d dtdurationms dtdurations timeticks
    cps ops reqps rps wps iops eps mps recps rowsps cpm opm reqpm rpm wpm epm mpm hertz
    currencyUSD currencyEUR currencyGBP celsius watt joule volt amp dateTimeAsIso dateTimeFromNow bool bool_yes_no
    bool_on_off""".split())


def load(name):
    with open(os.path.join(FOLDER, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def substituted(expression):
    """As Grafana asks, with everything selected."""
    text = expression.replace("$__rate_interval", "20s").replace("$__interval", "5s").replace("$__range", "30m")
    return re.sub(r"\$\{?(\w+)\}?", ".+", text)


@functools.lru_cache(maxsize=None)
def parses(*expressions):
    """Whether promtool reads all of them."""
    rules = [{"record": f"read:{i}", "expr": substituted(text)} for i, text in enumerate(expressions)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rules.yml")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump({"groups": [{"name": "read", "rules": rules}]}, file)
        return subprocess.run(["promtool", "check", "rules", path], stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, timeout=60).returncode == 0


def panels_of(dashboard):
    """Every panel, those in collapsed rows too, but rows and texts."""
    for panel in dashboard["panels"]:
        yield from (inner for inner in panel.get("panels", []))
        if panel["type"] not in WITHOUT_TARGETS:
            yield panel


def targets_of(dashboard):
    return [target for panel in panels_of(dashboard) for target in panel.get("targets", [])]


# ---- The linter: each rule yields what breaks it ------------------------------------------------


def rule_uid(dashboard):
    """The dashboard is not editable and has a stable uid."""
    if dashboard.get("editable") is not False:
        yield "is editable"
    if not re.fullmatch(r"warpbook-[a-z]+", dashboard.get("uid") or ""):
        yield "has no stable uid"
    if dashboard.get("id") is not None:
        yield "has the number of one database"


def rule_data_source(dashboard):
    """A variable `datasource`, labelled "Data source"; every panel, target, variable and annotation uses
    it."""
    found = [each for each in dashboard["templating"]["list"] if each["name"] == "datasource"]
    if len(found) != 1 or (found[0]["type"], found[0]["query"], found[0]["label"]) != (
            "datasource", "prometheus", "Data source"):
        yield "has no variable datasource of that type and label"
    for each in dashboard["templating"]["list"]:
        if each["type"] == "query" and each.get("datasource") != SOURCE:
            yield f"variable {each['name']} has another data source"
    for panel in panels_of(dashboard):
        if panel.get("datasource") != SOURCE:
            yield f"panel {panel.get('title')} has another data source"
    for each in targets_of(dashboard) + dashboard["annotations"]["list"]:
        if each.get("datasource") != SOURCE:
            yield f"{each.get('expr')} has another data source"


def rule_variables(dashboard):
    """job and instance: of several values, all of them `.+`, read again when the time changes, by label
    expressions that are right; so are all others."""
    variables = {each["name"]: each for each in dashboard["templating"]["list"] if each["type"] == "query"}
    for name, label in (("job", "Job"), ("instance", "Instance")):
        if variables.get(name, {}).get("label") != label:
            yield f"has no variable {name} labelled {label}"
    for name, variable in variables.items():
        for option, value in (("multi", True), ("includeAll", True), ("allValue", ".+"), ("refresh", 2)):
            if variable.get(option) != value:
                yield f"variable {name}: {option} is not {value}"
        asks = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        if not asks or not parses(asks.group(1)):
            yield f"variable {name} asks no label expression"
        elif variable["definition"] != variable["query"]["query"]:
            yield f"variable {name} is shown as another one"


def rule_panels(dashboard):
    """Every panel has a title, a description, a valid unit and a target."""
    for panel in panels_of(dashboard):
        title = panel.get("title")
        if not title:
            yield f"panel {panel['id']} has no title"
        if not panel.get("description", "").endswith("."):
            yield f"panel {title} has no description"
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"panel {title} has no valid unit"
        if not panel.get("targets"):
            yield f"panel {title} has no target"


def rule_promql(dashboard):
    """Every expression is PromQL."""
    expressions = [target["expr"] for target in targets_of(dashboard) + dashboard["annotations"]["list"]]
    if not parses(*expressions):
        yield from (f"no PromQL: {text}" for text in expressions if not parses(text))


def selectors_of(dashboard):
    """(expression, its selectors, labels it groups by) of all targets; what is no PromQL is left to
    rule_promql."""
    for target in targets_of(dashboard) + dashboard["annotations"]["list"]:
        try:
            yield target["expr"], *read_expression(target["expr"])
        except (ValueError, IndexError):
            continue


def rule_selection(dashboard):
    """Every selector matches job=~"$job" and instance=~"$instance"."""
    for expression, selectors, _ in selectors_of(dashboard):
        if not selectors or any(SELECTION - set(selector.matchers) for selector in selectors):
            yield f"does not select job and instance: {expression}"


def rule_rates(dashboard):
    """Rates go over $__rate_interval; aggregation comes after the rate."""
    for expression, selectors, _ in selectors_of(dashboard):
        for selector in selectors:
            around = list(selector.functions)
            rate = next((i for i, name in enumerate(around) if name in RATES), None)
            if rate is None and selector.range in ("", "$__rate_interval"):
                continue
            if selector.range != "$__rate_interval":
                yield f"not over $__rate_interval: {expression}"
            if rate is not None and AGGREGATIONS & set(around[rate + 1:]):
                yield f"aggregated before the rate: {expression}"


def rule_counters(dashboard):
    """A counter is read by its rate only, and nothing else by one."""
    known = series_of(load_table())
    for expression, selectors, _ in selectors_of(dashboard):
        for selector in selectors:
            kind = known.get(selector.metric, ("gauge",))[0]
            if (kind == "counter") != bool(RATES & set(selector.functions)):
                yield f"{selector.metric}, a {kind}, in {expression}"


def rule_exported(dashboard):
    """Every series, and every label that is matched, grouped by or shown, is exported."""
    known = series_of(load_table())
    shown = {target["expr"]: set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", "")))
             for target in targets_of(dashboard)}
    for expression, selectors, groupings in selectors_of(dashboard):
        labels = set()
        for selector in selectors:
            if selector.metric not in known:
                yield f"nobody exports {selector.metric}"
                continue
            labels |= known[selector.metric][1]
            for label, _, _ in selector.matchers:
                if label not in known[selector.metric][1]:
                    yield f"{selector.metric} has no {label}"
        for label in (groupings | shown.get(expression, set())) - labels:
            yield f"there is no {label} in {expression}"


def rule_layout(dashboard):
    """Panels have their own numbers and places, none over another."""
    numbers = [panel["id"] for panel in dashboard["panels"]]
    if len(numbers) != len(set(numbers)):
        yield "panels share a number"
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        if cells & taken or place["x"] + place["w"] > 24:
            yield f"panel {panel['title']} lies over another one or beside the grid"
        taken |= cells
    for panel in panels_of(dashboard):
        letters = [target.get("refId") for target in panel.get("targets", [])]
        if None in letters or len(letters) != len(set(letters)):
            yield f"targets of {panel['title']} share a letter"


RULES = (rule_uid, rule_data_source, rule_variables, rule_panels, rule_promql, rule_selection, rule_rates,
         rule_counters, rule_exported, rule_layout)


def faults_of(dashboard):
    """{rule's name: what breaks it}."""
    found = {rule.__name__: list(rule(dashboard)) for rule in RULES}
    return {name: faults for name, faults in found.items() if faults}


# ---- The tests ----------------------------------------------------------------------------------


class DashboardsTest(unittest.TestCase):
    def test_each_keeps_every_rule(self):
        for name in NAMES:
            with self.subTest(name):
                self.assertEqual(faults_of(load(name)), {})

    def test_there_are_these_with_uids_of_their_own_and_without_repeated_panels(self):
        self.assertEqual(sorted(os.listdir(FOLDER)), [name + ".json" for name in NAMES])
        dashboards = [load(name) for name in NAMES]
        self.assertEqual(len({each["uid"] for each in dashboards}), len(NAMES))
        for each in dashboards:
            titles = [panel["title"] for panel in panels_of(each) if panel["type"] != "stat"]
            self.assertEqual(len(titles), len(set(titles)))

    def test_every_metric_that_changes_is_on_a_dashboard(self):
        """Whoever adds a metric decides where it is looked at."""
        shown = {selector.metric for name in NAMES for _, selectors, _ in selectors_of(load(name))
                 for selector in selectors}
        missing = [metric.name for metric in load_table().values()
                   if not any(series.startswith(metric.name) for series in shown)]
        self.assertEqual(missing, [])

    def test_the_files_are_what_the_generator_writes(self):
        checked = subprocess.run([GENERATOR, "--check"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        wrong = subprocess.run([GENERATOR, "--chek"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(wrong.returncode, 2)

    def test_each_has_a_picture_of_a_size_to_read_on_a_page(self):
        pictures = os.path.join(GRAFANA, "pictures")
        self.assertEqual(sorted(os.listdir(pictures)), [name + ".png" for name in NAMES])
        for name in os.listdir(pictures):
            path = os.path.join(pictures, name)
            self.assertLess(os.path.getsize(path), 300 << 10)
            with open(path, "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")

    def test_grafana_is_told_where_they_are_and_whom_to_ask(self):
        def provisioned(kind):
            path, = os.listdir(os.path.join(GRAFANA, "provisioning", kind))
            with open(os.path.join(GRAFANA, "provisioning", kind, path), encoding="utf-8") as file:
                return yaml.safe_load(file)
        source, = provisioned("datasources")["datasources"]
        self.assertEqual((source["type"], source["access"], source["url"], source["editable"]),
                         ("prometheus", "proxy", "http://127.0.0.1:9090", False))
        self.assertEqual(source["jsonData"]["timeInterval"], "5s")  # the scrapes', for $__rate_interval
        provider, = provisioned("dashboards")["providers"]
        self.assertEqual((provider["type"], provider["allowUiUpdates"], provider["disableDeletion"]),
                         ("file", False, True))


class LinterTest(unittest.TestCase):
    """What breaks a rule is found, by that rule."""

    def setUp(self):
        self.dashboard = load("gateway")
        self.graph = next(panel for panel in panels_of(self.dashboard) if panel["title"] == "Messages received")
        self.variables = {each["name"]: each for each in self.dashboard["templating"]["list"]}

    def finds(self, rule, change, *arguments, **changes):
        """After the change that rule, and none but those that must see it too, is broken."""
        before = copy.deepcopy(self.dashboard)
        change(*arguments, **changes)
        self.assertNotEqual(self.dashboard, before, "nothing was changed")
        self.assertIn(rule.__name__, faults_of(self.dashboard))
        self.setUp()

    def finds_expression(self, rule, expression):
        self.finds(rule, self.graph["targets"][0].update, expr=expression)

    def test_uid(self):
        self.finds(rule_uid, self.dashboard.update, editable=True)
        self.finds(rule_uid, self.dashboard.pop, "editable")
        self.finds(rule_uid, self.dashboard.update, uid=None)
        self.finds(rule_uid, self.dashboard.update, id=7)

    def test_data_source(self):
        self.finds(rule_data_source, self.variables["datasource"].update, label="Datasource")
        self.finds(rule_data_source, self.variables["datasource"].update, query="loki")
        self.finds(rule_data_source, self.variables["datasource"].update, name="source")
        self.finds(rule_data_source, self.variables["job"].update, datasource="Prometheus")
        self.finds(rule_data_source, self.graph.pop, "datasource")
        self.finds(rule_data_source, self.graph["targets"][0].update,
                   datasource={"type": "prometheus", "uid": "P1809F7CD0C75ACF3"})
        self.finds(rule_data_source, self.dashboard["annotations"]["list"][0].pop, "datasource")

    def test_variables(self):
        for name in ("job", "instance"):
            for option, value in (("multi", False), ("includeAll", False), ("allValue", ".*"), ("allValue", None),
                                  ("refresh", 1), ("label", "X"), ("name", "x"), ("definition", "x")):
                with self.subTest(name=name, option=option):
                    self.finds(rule_variables, self.variables[name].update, **{option: value})
            for asks in ("label_values(job)", "label_values(up{, job)", "up"):
                self.finds(rule_variables, self.variables[name].update, query={"query": asks}, definition=asks)

    def test_panels(self):
        self.finds(rule_panels, self.graph.update, title="")
        self.finds(rule_panels, self.graph.pop, "description")
        self.finds(rule_panels, self.graph["fieldConfig"]["defaults"].update, unit="messages")
        self.finds(rule_panels, self.graph["fieldConfig"]["defaults"].pop, "unit")
        self.finds(rule_panels, self.graph.update, targets=[])

    def test_promql(self):
        self.finds_expression(rule_promql, 'sum(warpbook_gateway_connections{job=~"$job", instance=~"$instance"}')
        self.finds_expression(rule_promql, 'sum(rate(warpbook_gateway_connections{job=~"$job"}))')

    def test_selection(self):
        for matchers in ('job=~"$job"', 'instance=~"$instance"', 'job="$job", instance=~"$instance"', ""):
            self.finds_expression(rule_selection, f"sum(warpbook_gateway_connections{{{matchers}}})")
        self.finds_expression(rule_selection,
                              'sum(warpbook_gateway_ready{job=~"$job", instance=~"$instance"}) / sum(process_open_fds)')

    def test_rates(self):
        selector = 'warpbook_gateway_rejects_total{job=~"$job", instance=~"$instance"}'
        for extent in ("5m", "$__interval", "$__range"):
            self.finds_expression(rule_rates, f"sum(rate({selector}[{extent}]))")
        self.finds_expression(rule_rates, f"rate(sum({selector})[$__rate_interval:5s])")
        self.finds_expression(rule_rates, f"sum(increase({selector}[1h]))")

    def test_counters(self):
        everything = 'job=~"$job", instance=~"$instance"'
        self.finds_expression(rule_counters, f"sum(warpbook_gateway_rejects_total{{{everything}}})")
        self.finds_expression(rule_counters, f"warpbook_gateway_request_duration_seconds_count{{{everything}}}")
        self.finds_expression(rule_counters, f"max_over_time(process_cpu_seconds_total{{{everything}}}[$__rate_interval])")
        self.finds_expression(rule_counters, f"rate(warpbook_gateway_connections{{{everything}}}[$__rate_interval])")

    def test_exported(self):
        everything = 'job=~"$job", instance=~"$instance"'
        self.finds_expression(rule_exported, f"warpbook_gateway_sessions{{{everything}}}")
        self.finds_expression(rule_exported, f'warpbook_gateway_connections{{{everything}, method="x"}}')
        self.finds_expression(rule_exported, f"sum by (method) (warpbook_gateway_connections{{{everything}}})")
        self.finds(rule_exported, self.graph["targets"][0].update, legendFormat="{{channel}}")

    def test_layout(self):
        self.finds(rule_layout, self.graph.update, id=1)
        self.finds(rule_layout, self.graph["gridPos"].update, y=0)
        self.finds(rule_layout, self.graph["gridPos"].update, x=20)
        self.finds(rule_layout, self.graph["targets"][0].pop, "refId")

    def test_each_rule_has_a_test_here(self):
        self.assertEqual({"test_" + rule.__name__.removeprefix("rule_") for rule in RULES},
                         {name for name in dir(self) if name.startswith("test_")} - {"test_each_rule_has_a_test_here"})


if __name__ == "__main__":
    unittest.main()
