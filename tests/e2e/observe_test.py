#!/usr/bin/python3
"""A market that trades, and a real Prometheus that watches it: every query of every panel has data, every
rule evaluates, no alert fires, and what is caused here is what is shown."""

import asyncio
import collections
import os
import re
import signal
import subprocess
import sys
import time

import market
from client import Key, Refused
from market import Market
from market_test_case import MarketTestCase
from prometheus import LOOPBACK, Prometheus, as_asked, has_data, load_dashboards, panels_of, selection_of
from raw_socket import open_without_reading

sys.path.append(os.path.join(market.SOURCE_ROOT, "tests/deploy"))
from metric_table import HISTOGRAM_SUFFIXES, load_table  # noqa: E402

DATA_DEADLINE_S = 100
WATCHED_S = 80  # longer than any alert that looks at the moment waits before it fires
LARGE_REQUESTS = 40  # whose answers fill the buffers of a socket
BUSY_ORDERS = 100
AMENDS = 4000  # updates of a book that are more than what waits for a client that does not read


class ObserveTest(MarketTestCase):
    @classmethod
    def make_market(cls):
        return Market(clock_factor=cls.clock_factor, probe_profile="small")

    async def _keep_price(self):
        """The demo has an operator of its own."""

    def start_demo(self):
        demo = self.market.make_demo()
        demo.start()
        self.addCleanup(demo.stop)

    async def test_everything_that_is_watched_is_there(self):
        self.start_demo()
        self.prometheus = Prometheus(self.market).start()
        started = time.monotonic()
        self.addCleanup(self.prometheus.stop)
        symbol = (await self.windows())[-1]["symbol"]
        never_reads, reads_late = (self.somebody_who_does_not_read(symbol) for _ in range(2))
        await self.a_busy_book(symbol)
        reading = asyncio.create_task(self.read_all(reads_late))
        await self.refused_requests()
        await self.refused_logons()
        await self.a_resumed_session()
        self.a_restart_of_the_database()
        await self.shown("warpbook_gateway_slow_consumer_disconnects_total", 1)
        never_reads.close()
        reading.cancel()
        reads_late.close()
        await self.every_panel_has_data()
        self.variables_have_values()
        await self.what_was_caused_is_shown()
        self.every_rule_evaluates()
        self.both_export_what_the_table_says()
        await asyncio.sleep(WATCHED_S - (time.monotonic() - started))
        self.no_alert_has_fired()

    # -- Causes

    def somebody_who_does_not_read(self, symbol):
        """Subscribed to a book, behind answers that are not taken: passed over, and in the end cut off."""
        requests = [{"method": "subscribe", "req_id": i, "params": {"channel": channel, "symbol": symbol}}
                    for i, channel in enumerate(("book", "orders"), 1)]
        requests += [{"method": "instruments", "req_id": 10 + i} for i in range(LARGE_REQUESTS)]
        return open_without_reading(self.market.port, requests)

    async def read_all(self, connection):
        while await asyncio.get_running_loop().sock_recv(connection, 1 << 16):
            pass

    async def a_busy_book(self, symbol):
        """Many orders that change at once, again and again: updates that are long."""
        buyer = await self.buyer(burn="1000")
        orders = await asyncio.gather(*(self.bid(buyer, symbol, "1.00", 1) for _ in range(BUSY_ORDERS)))
        for i in range(AMENDS // BUSY_ORDERS):
            await asyncio.gather(
                *(buyer.call("order.amend", order_id=order, price=("1.10", "1.00")[i % 2], gpus=1)
                  for order in orders),
                asyncio.sleep(BUSY_ORDERS / 800))  # 1,000 a second are allowed
        await buyer.call("order.cancel_all")

    async def refused_requests(self):
        """By the gateway, and by the engine."""
        client = await self.member()
        with self.assertRaises(Refused):
            await client.call("order.place", colour="red")
        await self.refuses("unknown_order", client, "order.cancel", order_id="999999")

    async def refused_logons(self):
        client, stranger = await self.member(), await self.connect()
        for key in (Key(), Key()):
            with self.assertRaises(Refused):
                await stranger.logon(client.account, key)

    async def a_resumed_session(self):
        client = await self.member()
        await client.subscribe("balances")
        await client.connection.close()
        again = await self.logged_on(client.account, client.key)
        await again.resume(client)

    def a_restart_of_the_database(self):
        self.market.postgres.stop(signal.SIGINT)  # its fast shutdown
        self.market.start_postgres()

    # -- What Prometheus says

    async def shown(self, metric, least, **labels):
        """Waits until the sum of a metric, with these labels, is at least so much."""
        matchers = ",".join(f'{name}="{value}"' for name, value in labels.items())
        deadline = time.monotonic() + DATA_DEADLINE_S
        while (self.prometheus.value(f"sum({metric}{{{matchers}}})") or 0) < least:
            self.assertLess(time.monotonic(), deadline, f"{metric} {labels} is not {least}")
            await asyncio.sleep(1)

    async def what_was_caused_is_shown(self):
        for metric, least, labels in (
                ("warpbook_gateway_rejects_total", 1, {"code": "unknown_field"}),
                ("warpbook_gateway_rejects_total", 1, {"code": "unknown_order"}),
                ("warpbook_engine_commands_total", 1, {"type": "cancel_order", "result": "rejected"}),
                ("warpbook_gateway_auth_failures_total", 2, {"reason": "unknown_key"}),
                ("warpbook_gateway_resumes_total", 1, {"result": "resumed"}),
                ("warpbook_gateway_conflated_updates_total", 1, {}),
                ("warpbook_settlement_failures_total", 1, {"reason": "database"}),
                ("warpbook_market_probe_verdicts_total", 16, {"verdict": "passed"}),
                ("warpbook_market_fills_total", 10, {}),
                ("warpbook_token_flow_total", 1, {"kind": "burned"}),
                ("warpbook_gateway_connections", 36, {"kind": "client"}),
                ("warpbook_settlement_engine_connected", 1, {}),
                ("warpbook_settlement_database_connected", 1, {})):
            await self.shown(metric, least, **labels)

    async def every_panel_has_data(self):
        """Each target of each panel, as Grafana asks it when the dashboard is opened, and with everything
        selected."""
        without = {(name, panel["title"], as_asked(target["expr"], **selection))
                   for name, dashboard in load_dashboards().items()
                   for selection in ({}, selection_of(dashboard))
                   for panel in panels_of(dashboard) for target in panel["targets"]}
        self.assertGreater(len(without), 160)
        deadline = time.monotonic() + DATA_DEADLINE_S
        while without:
            without = {each for each in without if not has_data(self.prometheus.query(each[2]))}
            self.assertLess(time.monotonic(), deadline, without)
            if without:
                await asyncio.sleep(2)

    def variables_have_values(self):
        for dashboard in load_dashboards().values():
            for variable in dashboard["templating"]["list"]:
                if variable["type"] != "query":
                    continue
                series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
                values = self.prometheus.get(f"label/{label}/values", **{"match[]": as_asked(series)})
                self.assertTrue(values, variable["query"]["query"])

    def every_rule_evaluates(self):
        rules = self.prometheus.rules()
        self.assertGreater(len(rules), 40)
        for rule in rules:
            with self.subTest(rule["name"]):
                self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""))
                results = self.prometheus.query(rule["query"])
                if rule["type"] == "recording":
                    self.assertTrue(has_data(results), rule)
                    self.assertTrue(has_data(self.prometheus.query(rule["name"])), rule)

    def no_alert_has_fired(self):
        fired = self.prometheus.query('count_over_time(ALERTS{alertstate="firing"}[10m])')
        self.assertEqual([labels["alertname"] for labels, _ in fired], [])

    # -- What the processes say

    def both_export_what_the_table_says(self):
        """Every series is in the table, with these labels, and everything in the table is exported."""
        table, exported = load_table(), collections.defaultdict(set)
        for address in self.prometheus.jobs.values():
            with LOOPBACK.open(f"http://{address}/metrics", timeout=20) as answer:
                text = answer.read().decode()
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                                     check=False, timeout=60)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
            for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", text, re.MULTILINE):
                exported[name].add(frozenset(re.findall(r'([a-z_]+)="', labels)))
        for name, sets in exported.items():
            histogram = next((name.removesuffix(suffix) for suffix in HISTOGRAM_SUFFIXES
                              if name.endswith(suffix) and name.removesuffix(suffix) in table), None)
            metric = table[histogram or name]
            more = {"le"} if histogram and name.endswith("_bucket") else set()
            self.assertEqual(sets, {frozenset(metric.labels | more)}, name)
        there = {name.removesuffix("_count") for name in exported} | set(exported)
        self.assertEqual(set(table) - there, set())


if __name__ == "__main__":
    market.main()
