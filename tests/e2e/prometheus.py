"""A real Prometheus beside a market, with the configuration and the rules of deploy/prometheus, and what
the dashboards of deploy/grafana ask it."""

import contextlib
import json
import math
import os
import re
import urllib.error
import urllib.parse
import urllib.request

import yaml

from market import SOURCE_ROOT, Process, claim_port, wait_until

CONFIG = os.path.join(SOURCE_ROOT, "deploy/prometheus/prometheus.yml")
DASHBOARDS = os.path.join(SOURCE_ROOT, "deploy/grafana/dashboards")
SCRAPE_S = 5
RATE_INTERVAL_S = 4 * SCRAPE_S  # what Grafana makes of $__rate_interval, at least
LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Prometheus:
    """Scrapes the market's two processes; its own folder is in the market's."""

    def __init__(self, market):
        self.market = market
        self.port, self._claim = claim_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder = market.path("prometheus")
        os.mkdir(folder)
        with open(CONFIG, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        self.jobs = {"warpbook": f"127.0.0.1:{market.admin_port}",
                     "warpbook-settlement": market.reports_address}
        for job in config["scrape_configs"]:
            job["static_configs"] = [{"targets": [self.jobs[job["job_name"]]]}]
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            yaml.safe_dump(config, file)
        os.symlink(os.path.join(os.path.dirname(CONFIG), "rules"), os.path.join(folder, "rules"))
        self.process = Process("prometheus", [
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], market.path("prometheus.log"))

    def start(self):
        self.process.start()

        def both_are_scraped():
            if not self.process.running:
                raise AssertionError(f"prometheus ended: {self.process.log_tail()}")
            with contextlib.suppress(OSError):  # an HTTPError is one too
                LOOPBACK.open(f"{self.url}/-/ready", timeout=5).close()
                targets = self.get("targets")["activeTargets"]
                return [target["health"] for target in targets] == ["up", "up"]
            return False
        wait_until(both_are_scraped, "the first scrapes")
        return self

    def stop(self):
        self.process.stop()
        self._claim.close()

    # -- Questions

    def get(self, path, **parameters):
        """The data of an answer of its HTTP API; AssertionError with its words where it is an error."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        try:
            with LOOPBACK.open(url, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from None

    def query(self, expression):
        """[(labels, value)] as of now."""
        found = self.get("query", query=expression)
        assert found["resultType"] == "vector", expression
        return [(series["metric"], float(series["value"][1])) for series in found["result"]]

    def value(self, expression):
        """The one value that there is, or None."""
        values = [value for _, value in self.query(expression)]
        assert len(values) <= 1, (expression, values)
        return values[0] if values else None

    def query_range(self, expression, start, end, step):
        """[(labels, [(time, value)])]."""
        found = self.get("query_range", query=expression, start=start, end=end, step=step)
        return [(series["metric"], [(float(time), float(value)) for time, value in series["values"]])
                for series in found["result"]]

    def rules(self):
        """Every rule as Prometheus has it: its text, state and last error."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def alerts(self):
        """[(name, state, labels)] of those that are pending or firing."""
        return [(alert["labels"]["alertname"], alert["state"], alert["labels"])
                for alert in self.get("alerts")["alerts"]]


# ---- Dashboards ---------------------------------------------------------------------------------


def load_dashboards():
    """{name: dashboard}."""
    found = {}
    for name in sorted(os.listdir(DASHBOARDS)):
        with open(os.path.join(DASHBOARDS, name), encoding="utf-8") as file:
            found[name.removesuffix(".json")] = json.load(file)
    return found


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def selection_of(dashboard):
    """{variable: what is selected when the dashboard is opened}; what is not here is all."""
    return {each["name"]: "|".join(each["current"]["value"]) for each in dashboard["templating"]["list"]
            if each["type"] == "query" and each["current"]["value"] != ["$__all"]}


def as_asked(expression, **selected):
    """The expression as Grafana asks it: everything is selected where nothing else is said."""
    text = expression.replace("$__rate_interval", f"{RATE_INTERVAL_S}s")
    return re.sub(r"\$(\w+)", lambda match: selected.get(match.group(1), ".+"), text)


def has_data(results):
    """Whether there is a value that is a number."""
    return any(math.isfinite(value) for _, value in results)
