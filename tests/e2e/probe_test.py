#!/usr/bin/python3
"""Providers prove their machines to the exchange: the real program by the API, the ways to cheat at the
door, a restart in the middle, and proofs whose time is over. The CPU answers the small profile."""

import asyncio
import base64
import json
import os
import subprocess
import tempfile
import types

from cryptography.hazmat.primitives import serialization

import market
from client import Key, node_message
from market import SERVER_NAME, Market
from market_test_case import HARDWARE_CLASS, REGION, MarketTestCase, unique

DEADLINE_S = 60
PART_BYTES = 32 * 1024
GPUS = 2
ROUNDS = 2  # of the small profile
DIGEST = 32
OK, FAILED = 0, 1


def probe_binary():
    return os.environ["WARPBOOK_PROBE_BINARY"]


def encoded(data):
    return base64.b64encode(data).decode()


class ProbeTestCase(MarketTestCase):
    serve_options = {"probe_profile": "small"}

    @classmethod
    def make_market(cls):
        return Market(clock_factor=cls.clock_factor, **cls.serve_options)

    async def asyncSetUp(self):
        await super().asyncSetUp()
        folder = tempfile.TemporaryDirectory(prefix="wb-probe-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def key_file(self, key):
        path = os.path.join(self.folder, unique("key") + ".pem")
        with open(path, "wb") as file:
            file.write(key.private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))
        os.chmod(path, 0o600)
        return path

    async def unproved(self, gpus=GPUS):
        """A provider with a bond and one registered node that nobody has approved."""
        client = await self.member()
        await self.operator.call("limit.set", account=str(client.account), limit_usd="1000000.00")
        client.device = Key()
        result = await client.call(
            "capacity.register", hardware_class=HARDWARE_CLASS, region=REGION, gpus=gpus,
            device_key=client.device.public_hex,
            signature=client.device.sign(node_message(SERVER_NAME, client.account)))
        client.node = result["node"]
        return client

    async def prove(self, client, *more, device=None):
        """The program proves the node; (its exit status, its report)."""
        key, device_key = self.key_file(client.key), self.key_file(device or client.device)
        # As `warpbook` keeps them.
        for path, number in ((key + ".account", client.account), (device_key + ".node", client.node)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"{number}\n")
        argv = [probe_binary(), "prove", "--exchange", self.market.url.removesuffix("/ws"), "--key", key,
                "--device-key", device_key, "--cpu", "--gpus", str(GPUS), *more]
        done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True,
                                       timeout=DEADLINE_S, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    async def node_row(self, client, node=None):
        nodes = (await client.call("account.nodes"))["nodes"]
        return next(row for row in nodes if row["node"] == (node or client.node))

    async def row_with(self, client, condition, node=None):
        for _ in range(600):
            row = await self.node_row(client, node)
            if condition(row):
                return row
            await asyncio.sleep(0.02)
        self.fail(f"the node does not become so: {row}")

    async def sells(self, client, gpus=1):
        """The symbol in which the node offers GPUs."""
        window = await self.window_after(30)
        await self.ask(client, window["symbol"], "3.00", gpus)
        return window["symbol"]

    async def begin(self, client):
        """A probe whose challenge is handed out, once one that was left is over; its id."""
        for _ in range(100):
            reply = await client.request("probe.begin", {"node": client.node})
            if reply["success"]:
                break
            self.assertEqual(reply["error"]["code"], "probe_under_way")
            await asyncio.sleep(0.05)
        begun = reply["result"]
        self.assertEqual(begun["node"], client.node)
        handed_out = await self.answer(client, begun["probe"], "ready")
        self.assertEqual(handed_out["awaits"], "products")
        self.assertGreater(len(base64.b64decode(handed_out["challenge"])), 100)
        return begun["probe"]

    async def answer(self, client, probe, step, data=None, **more):
        if data is not None:
            more["data"] = encoded(data)
        return await client.call("probe.answer", node=client.node, probe=probe, step=step, **more)

    async def answer_all(self, client, probe, transcript):
        """Roots of nothing, and that transcript; the verdict."""
        reply = await self.answer(client, probe, "products", bytes(GPUS * ROUNDS * DIGEST))
        self.assertEqual(reply, {"awaits": "filled"})
        reply = await self.answer(client, probe, "filled")
        self.assertEqual((reply["awaits"], len(reply["seed"])), ("gathered", 2 * DIGEST))
        reply = await self.answer(client, probe, "gathered", bytes(GPUS * DIGEST))
        self.assertEqual((reply["awaits"], len(reply["seed"])), ("openings", 2 * DIGEST))
        parts = [transcript[i:i + PART_BYTES] for i in range(0, len(transcript), PART_BYTES)] or [b""]
        for number, part in enumerate(parts, 1):
            reply = await self.answer(client, probe, "openings", part, part=number,
                                      parts=len(parts))
            if number < len(parts):
                self.assertEqual(reply, {"awaits": "openings", "part": number})
        return reply["verdict"]

    def foreign_transcript(self, device):
        """What a stand-alone verifier's challenge was answered with, by that device's key."""
        records = os.path.join(self.folder, unique("records"))
        os.mkdir(records)
        server = subprocess.Popen(
            [probe_binary(), "serve-challenge", "--listen", "127.0.0.1:0", "--class",
             HARDWARE_CLASS, "--any-device", "--small", "--once", "--record-dir", records],
            stdout=subprocess.PIPE, text=True)
        try:
            address = json.loads(server.stdout.readline())["address"]
            transcript = os.path.join(self.folder, unique("transcript"))
            subprocess.run([probe_binary(), "prove", "--server", address, "--device-key",
                            self.key_file(device), "--cpu", "--gpus", str(GPUS), "--transcript",
                            transcript], check=True, timeout=DEADLINE_S, capture_output=True)
        finally:
            server.communicate(timeout=DEADLINE_S)
        with open(transcript, "rb") as file:
            return file.read()


class ProbeTest(ProbeTestCase):
    async def test_a_node_sells_once_it_has_proved_itself(self):
        provider = await self.unproved()
        window = await self.window_after(30)
        await self.refuses("node_not_approved", provider, "order.place", symbol=window["symbol"],
                           side="sell", order_type="limit", price="3.00", gpus=1,
                           node=provider.node)
        status, report = await self.prove(provider)
        self.assertEqual((status, report["passed"], report["reason"], report["gpus"]),
                         (OK, True, "none", GPUS))
        row = await self.node_row(provider)
        self.assertEqual((row["approved"], row["approved_gpus"], row["assurance"]),
                         (True, GPUS, "verified"))
        self.assertEqual(row["proved_until"], report["proved_until"])
        self.assertGreater(row["proved_until"], await self.operator.market_time())
        await self.sells(provider, GPUS)
        # A bid that asks for verified hardware trades with it.
        buyer = await self.buyer()
        executions = await buyer.subscribe("executions")
        await self.bid(buyer, window["symbol"], "3.00", 1, min_assurance="verified")
        await buyer.wait(lambda: executions.data(event="filled"), "the fill")

    async def test_another_devices_answer_takes_the_capacity_of_a_proved_node(self):
        provider = await self.unproved()
        self.assertEqual((await self.prove(provider))[0], OK)
        await self.sells(provider)
        orders = await provider.subscribe("executions")
        # The program itself does not answer what is asked of another key.
        status, said = await self.prove(provider, device=Key())
        self.assertNotEqual(status, OK)
        self.assertIn("another device", said)
        self.assertEqual((await self.node_row(provider))["approved_gpus"], GPUS)
        # And one that does is refused.
        probe = await self.begin(provider)
        verdict = await self.answer_all(provider, probe, self.foreign_transcript(Key()))
        self.assertEqual((verdict["passed"], verdict["reason"], verdict["gpus"]),
                         (False, "wrong_key", 0))
        self.assertNotIn("proved_until", verdict)
        row = await self.node_row(provider)
        self.assertEqual((row["approved_gpus"], row["assurance"]), (0, "listed"))
        await provider.wait(lambda: orders.data(event="cancelled", reason="downgraded"), "the end of the ask")
        # It may prove itself again.
        self.assertEqual((await self.prove(provider))[0], OK)
        self.assertEqual((await self.node_row(provider))["approved_gpus"], GPUS)

    async def test_an_answer_to_another_challenge_is_refused(self):
        provider = await self.unproved()
        stale = self.foreign_transcript(provider.device)
        verdict = await self.answer_all(provider, await self.begin(provider), stale)
        self.assertEqual(verdict["reason"], "wrong_challenge")
        for transcript in (b"", b"no transcript", stale[:1000], bytes(3 * PART_BYTES)):
            verdict = await self.answer_all(provider, await self.begin(provider), transcript)
            self.assertEqual(verdict["reason"], "malformed")

    async def test_a_challenge_is_handed_out_once_and_to_one_connection(self):
        provider = await self.unproved()
        probe = await self.begin(provider)
        await self.refuses("probe_answer_unexpected", provider, "probe.answer", node=provider.node,
                           probe=probe, step="ready")
        # The same account from another connection.
        other = await self.logged_on(provider.account, provider.key)
        await self.refuses("unknown_probe", other, "probe.answer", node=provider.node, probe=probe,
                           step="products", data=encoded(bytes(GPUS * ROUNDS * DIGEST)))
        stranger = await self.member()
        await self.refuses("unknown_node", stranger, "probe.begin", node=provider.node)
        await self.refuses("unknown_node", stranger, "probe.answer", node=provider.node, probe=probe,
                           step="products")
        await self.refuses("probe_under_way", other, "probe.begin", node=provider.node)
        # The connection ends, and with it the probe: another one may be begun.
        await provider.close()
        self.clients.remove(provider)
        other.node = provider.node
        await self.begin(other)
        await self.refuses("unknown_probe", other, "probe.answer", node=other.node, probe=probe,
                           step="products", data=encoded(bytes(GPUS * ROUNDS * DIGEST)))

    async def test_whoever_sees_what_is_to_be_opened_and_leaves_is_refused(self):
        provider = await self.unproved()
        self.assertEqual((await self.prove(provider))[0], OK)
        probe = await self.begin(provider)
        await self.answer(provider, probe, "products", bytes(GPUS * ROUNDS * DIGEST))
        await self.answer(provider, probe, "filled")
        await self.answer(provider, probe, "gathered", bytes(GPUS * DIGEST))
        again = await self.logged_on(provider.account, provider.key)
        again.node = provider.node
        self.assertEqual((await self.node_row(again))["approved_gpus"], GPUS)
        await provider.close()
        self.clients.remove(provider)
        for _ in range(100):
            row = await self.node_row(again)
            if row["approved_gpus"] == 0:
                break
            await asyncio.sleep(0.02)
        self.assertEqual((row["approved_gpus"], row["assurance"]), (0, "listed"))
        self.assertNotIn("proved_until", row)

    async def test_answers_out_of_order_are_refused_and_nothing_is_lost(self):
        provider = await self.unproved()
        probe = await self.begin(provider)

        async def unexpected(step, data=b"", **more):
            await self.refuses("probe_answer_unexpected", provider, "probe.answer",
                               node=provider.node, probe=probe, step=step, data=encoded(data),
                               **more)
        roots = bytes(GPUS * ROUNDS * DIGEST)
        await unexpected("openings")
        await unexpected("products", roots[1:])
        await unexpected("products", roots + b"x")
        await unexpected("products", roots, part=2, parts=2)
        self.assertEqual(await self.answer(provider, probe, "products", roots[:7], part=1, parts=2),
                         {"awaits": "products", "part": 1})
        await unexpected("products", roots[7:], part=2, parts=3)
        self.assertEqual(await self.answer(provider, probe, "products", roots[:7], part=1, parts=2),
                         {"awaits": "products", "part": 1})
        self.assertEqual(await self.answer(provider, probe, "products", roots[7:], part=2, parts=2),
                         {"awaits": "filled"})
        await unexpected("products", roots)
        await unexpected("filled", b"x")
        await self.refuses("out_of_range", provider, "probe.answer", node=provider.node, probe=probe,
                           step="filled", part=2, parts=1)
        await self.refuses("missing_field", provider, "probe.answer", node=provider.node, probe=probe,
                           step="filled", part=2)
        await self.refuses("malformed_text", provider, "probe.answer", node=provider.node,
                           probe=probe, step="filled", data="no base64!")
        await self.refuses("malformed_text", provider, "probe.answer", node=provider.node,
                           probe=probe, step="filled", data=encoded(bytes(PART_BYTES + 1)))

    async def test_another_account_or_node_may_be_named(self):
        provider, other = await self.unproved(), await self.unproved()
        status, said = await self.prove(provider, "--node", other.node)
        self.assertEqual((status, "unknown_node" in said), (FAILED, True), said)
        status, said = await self.prove(provider, "--account", str(other.account))
        self.assertEqual(status, FAILED, said)

    async def test_what_no_probe_proves_is_said_at_once(self):
        provider = await self.unproved(gpus=65)
        await self.refuses("no_probe", provider, "probe.begin", node=provider.node)
        status, said = await self.prove(await self.unproved(gpus=3))
        self.assertNotEqual(status, OK)
        self.assertIn("GPUs", said)

    async def test_a_crash_ends_every_probe_and_no_proof(self):
        provider = await self.unproved()
        self.assertEqual((await self.prove(provider))[0], OK)
        proved_until = (await self.node_row(provider))["proved_until"]
        probe = await self.begin(provider)
        await self.answer(provider, probe, "products", bytes(GPUS * ROUNDS * DIGEST))
        await self.stop_pricing()
        self.market.engine.kill()
        self.market.start_engine()
        again = await self.logged_on(provider.account, provider.key)
        again.node, again.device = provider.node, provider.device
        row = await self.node_row(again)
        self.assertEqual((row["proved_until"], row["approved_gpus"]), (proved_until, GPUS))
        # Whoever has prepared an answer meanwhile finds nobody who waits for it.
        for step in ("ready", "filled"):
            await self.refuses("unknown_probe", again, "probe.answer", node=again.node, probe=probe,
                               step=step)
        self.assertEqual((await self.prove(again))[0], OK)
        self.clients = [client for client in self.clients if client is again]
        self.operator = await self.logged_on_admin("operator")
        self.pricing = asyncio.create_task(self._keep_price())


class LapseTest(ProbeTestCase):
    """A proof holds two hours here, which are two seconds; calls come one before."""

    clock_factor = 3600
    serve_options = {"probe_profile": "small", "probe_valid_minutes": "120",
                     "probe_surprise_minutes": "0", "probe_answer_seconds": "1"}

    async def test_a_proof_is_called_for_again_and_lapses(self):
        provider = await self.unproved()
        status, report = await self.prove(provider)
        self.assertEqual(status, OK)
        called = await self.row_with(provider, lambda row: "probe_due" in row)
        self.assertEqual(called["probe_due"], called["proved_until"])
        self.assertEqual(called["assurance"], "verified")
        lapsed = await self.row_with(provider, lambda row: "proved_until" not in row)
        self.assertEqual((lapsed["assurance"], lapsed["approved_gpus"]), ("listed", GPUS))
        self.assertNotIn("probe_due", lapsed)
        self.assertGreaterEqual(await self.operator.market_time(), report["proved_until"])


class MusterTest(ProbeTestCase):
    """Nodes of one owner prove themselves at the same time; a call has to be answered in ten seconds."""

    serve_options = {"probe_profile": "small", "probe_answer_seconds": "10"}

    async def another_node(self, client):
        """A second node of the provider: what `prove` needs of it."""
        other = types.SimpleNamespace(key=client.key, account=client.account, device=Key())
        result = await client.call(
            "capacity.register", hardware_class=HARDWARE_CLASS, region=REGION, gpus=GPUS,
            device_key=other.device.public_hex,
            signature=other.device.sign(node_message(SERVER_NAME, client.account)))
        other.node = result["node"]
        return other

    async def test_machines_prove_all_nodes_together_and_one_machine_cannot(self):
        first = await self.unproved()
        second = await self.another_node(first)
        # One alone is proved at once; the second one's begin calls for both.
        self.assertEqual((await self.prove(first))[0], OK)
        waits = asyncio.create_task(self.prove(second))
        await self.row_with(first, lambda row: "probe_due" in row)
        self.assertEqual((await self.prove(first))[0], OK)
        self.assertEqual((await waits)[0], OK)
        rows = [await self.node_row(first, node) for node in (first.node, second.node)]
        self.assertEqual(rows[0]["proved_until"], rows[1]["proved_until"])
        self.assertEqual([row["approved_gpus"] for row in rows], [GPUS, GPUS])
        self.assertFalse(any("probe_due" in row for row in rows))
        # A machine that stands for both can be there for one of them.
        alone = asyncio.create_task(self.prove(first))
        await self.row_with(first, lambda row: "probe_due" in row, second.node)
        self.assertEqual((await alone)[0], OK)
        listed = await self.row_with(first, lambda row: "proved_until" not in row, second.node)
        self.assertEqual(listed["assurance"], "listed")
        kept = await self.node_row(first)
        self.assertEqual((kept["assurance"], kept["approved_gpus"]), ("verified", GPUS))


class SurpriseTest(ProbeTestCase):
    """A node that delivers is asked for a proof, here every market minute or so."""

    clock_factor = 240
    serve_options = {"probe_profile": "small", "probe_surprise_minutes": "1", "probe_answer_seconds": "1"}

    async def test_a_node_that_delivers_is_surprised_and_has_to_answer(self):
        provider, buyer = await self.unproved(), await self.buyer()
        self.assertEqual((await self.prove(provider))[0], OK)
        window = await self.window_after(10)
        await self.ask(provider, window["symbol"], "3.00", 1)
        leases = await provider.subscribe("leases")
        await self.bid(buyer, window["symbol"], "3.00", 1)
        await provider.wait(lambda: leases.data(), "the lease")
        lease = leases.data()[0]["lease_id"]
        self.assertNotIn("probe_due", await self.node_row(provider))
        await self.until_market_time(window["window_start"])
        await provider.call("lease.start", lease=lease)
        for _ in range(600):
            row = await self.node_row(provider)
            if "proved_until" not in row:
                break
            await asyncio.sleep(0.02)
        # It was called, had a second, and did not answer.
        self.assertEqual((row["assurance"], row["approved_gpus"]), ("listed", GPUS))


if __name__ == "__main__":
    market.main()
