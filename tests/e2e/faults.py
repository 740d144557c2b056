"""Faults of a market, caused for real: what deploy/dev/alert-drill does to markets of its own.

A fault is an asynchronous context: it is there from the entry on, and ends, where it can, with the
context.
"""

import asyncio
import contextlib
import ctypes
import http.server
import json
import os
import resource
import signal
import threading
import urllib.request

import settlement_test
from client import Key, Refused
from line import Line
from market import Market, run
from market_test_case import SMALL_CATALOGUE
from probe_test import ProbeTestCase
from raw_socket import OP_TEXT, RawSocket, frame, open_without_reading

MIB = 1 << 20
SLOW_SYNC_MS, HANGING_SYNC_MS = 700, 10**9
PRICE_PERIOD_S = 0.1
LARGE_REQUESTS = 40  # whose answers fill the buffers of a socket
OPEN_FILES = 2000
COMMANDS_IN_FLIGHT_MAX = 1024  # of a connection
SMALL_DISK_MIB, SMALL_DISK_RESERVE_MIB = 2400, 1900

# A disk whose syncs take as long as a file says: fdatasync, in milliseconds, read again and again.
SLOW_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int fdatasync(int descriptor) {
  for (long slept = 0, wanted = 0;; slept += 10) {
    FILE* file = fopen(getenv("SYNC_DELAY_FILE"), "r");
    if (file == NULL || fscanf(file, "%ld", &wanted) != 1) wanted = 0;
    if (file != NULL) fclose(file);
    if (slept >= wanted) break;
    usleep(10000);
  }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
}
"""


class Skipped(Exception):
    """The fault cannot be caused here, and why."""


class DrillMarket(Market):
    """One whose exchange may run under another program."""

    def __init__(self, wrapper=(), **options):
        super().__init__(**options)
        self.wrapper = list(wrapper)

    def serve_argv(self, **replaced):
        return [*self.wrapper, *super().serve_argv(**replaced)]


class Site(ProbeTestCase):
    """A market and who is there: members and operators as tests have them, without being a test."""

    def runTest(self):
        """TestCase wants one."""

    @classmethod
    async def opened(cls, clock_factor=60, prepare=None, **options):
        """`prepare` changes the market before it starts."""
        site = cls()
        site.clock_factor = clock_factor
        site.token_price, site.price_period = "2.00", PRICE_PERIOD_S
        site.closing = contextlib.AsyncExitStack()
        site.market = DrillMarket(clock_factor=clock_factor, probe_profile="small", **options)
        site.closing.callback(site.market.remove)
        site.closing.callback(site.market.kill)
        try:
            if prepare:
                prepare(site)
            site.market.start()
            await site.asyncSetUp()
        except BaseException:
            await site.close()
            raise
        return site

    async def close(self):
        self.pricing = getattr(self, "pricing", None)
        if self.pricing:
            self.pricing.cancel()
            await asyncio.gather(self.pricing, return_exceptions=True)
        for client in getattr(self, "clients", ()):
            with contextlib.suppress(Exception):
                await client.connection.close()
        self.doCleanups()
        await self.closing.aclose()

    async def _keep_price(self):
        while True:
            with contextlib.suppress(Exception):  # the exchange may be away
                await self.set_price(self.token_price)
            await asyncio.sleep(self.price_period)

    def metric(self, name):
        """The sum of a metric of the exchange, as it says itself; None where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.market.admin_port}/metrics", timeout=3) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return None
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + " ", name + "{")))


# ---- Processes ----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def settlement_killed(site):
    site.market.settlement.kill()
    yield
    site.market.settlement.start()


@contextlib.asynccontextmanager
async def stranger_on_settlements_port(site):
    """A program that answers every question, and has no metrics."""
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Nothing."""
    site.market.settlement.kill()
    server = http.server.HTTPServer(("127.0.0.1", site.market.reports_port), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    await asyncio.to_thread(server.shutdown)
    thread.join()
    server.server_close()


@contextlib.asynccontextmanager
async def exchange_killed(site):
    site.market.engine.kill()
    yield


@contextlib.asynccontextmanager
async def exchange_crashes_again_and_again(site):
    for _ in range(3):
        site.market.engine.kill()
        site.market.start_engine()
        await asyncio.sleep(7)  # a scrape sees each of its lives
    yield


@contextlib.asynccontextmanager
async def engine_thread_stopped(site):
    """The one thread that applies commands stands still, as under a debugger: found by stopping each for
    a while."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    attach, interrupt, detach = 0x4206, 0x4207, 17

    def ptrace(request, thread):
        return libc.ptrace(request, thread, None, None) == 0

    pid = site.market.engine.popen.pid
    for thread in sorted(map(int, os.listdir(f"/proc/{pid}/task"))):
        if not ptrace(attach, thread) or not ptrace(interrupt, thread):
            raise Skipped("threads cannot be stopped here: ptrace is not allowed")
        os.waitpid(thread, 0x40000000)  # __WALL
        before = await asyncio.to_thread(site.metric, "warpbook_engine_sequence")
        await asyncio.sleep(2.5)
        after = await asyncio.to_thread(site.metric, "warpbook_engine_sequence")
        if before is not None and before == after:
            yield
            ptrace(detach, thread)
            return
        ptrace(detach, thread)
    raise Skipped("no thread is the engine's")


# ---- Disks --------------------------------------------------------------------------------------


def with_slow_disk(site):
    """The exchange's syncs take as long as site.set_sync_delay says."""
    source, library, delay = (site.market.path(name) for name in ("slow.c", "slow.so", "delay"))
    with open(source, "w", encoding="ascii") as file:
        file.write(SLOW_DISK)
    built = run(["cc", "-shared", "-fPIC", "-o", library, source])
    if built.returncode != 0:
        raise Skipped(f"cc: {built.stderr}")

    def set_sync_delay(milliseconds):
        with open(delay + ".new", "w", encoding="ascii") as file:
            file.write(str(milliseconds))
        os.replace(delay + ".new", delay)
    set_sync_delay(0)
    site.set_sync_delay = set_sync_delay
    site.market.wrapper = ["env", f"LD_PRELOAD={library}", f"SYNC_DELAY_FILE={delay}"]


@contextlib.asynccontextmanager
async def slow_disk(site):
    buyer = await site.buyer()
    symbol = (await site.windows())[-1]["symbol"]

    async def orders():
        while True:
            order = await site.bid(buyer, symbol, "1.00", 1)
            await buyer.call("order.cancel", order_id=order)
    trading = [asyncio.create_task(orders()) for _ in range(8)]
    await asyncio.sleep(5)
    site.set_sync_delay(SLOW_SYNC_MS)
    yield
    site.set_sync_delay(0)
    for task in trading:
        task.cancel()
    await asyncio.gather(*trading, return_exceptions=True)


@contextlib.asynccontextmanager
async def hanging_disk(site):
    """A sync does not return, and members go on sending commands."""
    members = [await site.member() for _ in range(16)]
    site.set_sync_delay(HANGING_SYNC_MS)
    await asyncio.sleep(1)
    for member in members:
        for number in range(COMMANDS_IN_FLIGHT_MAX):
            await member.connection.send(json.dumps({
                "method": "order.cancel", "req_id": 10**6 + number, "params": {"order_id": str(number + 1)}}))
    yield
    site.set_sync_delay(0)


def with_small_disk(site):
    """The journal lies on a small file system in memory."""
    os.mkdir(site.market.journal)
    mounted = run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m", "warpbook-drill", site.market.journal])
    if mounted.returncode != 0:
        raise Skipped(f"this needs root: {mounted.stderr.strip()}")
    site.closing.callback(run, ["umount", "-l", site.market.journal])
    site.closing.callback(site.market.kill)
    site.market.serve_options["disk_reserve_mebibytes"] = str(SMALL_DISK_RESERVE_MIB)


@contextlib.asynccontextmanager
async def disk_filled_to(site, free_mib):
    """Somebody else's file takes what is free, but for so much."""
    path = os.path.join(site.market.journal, f"somebody-elses-{free_mib}")
    stat = os.statvfs(site.market.journal)
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, stat.f_bavail * stat.f_frsize - free_mib * MIB)
    yield
    os.remove(path)


def with_small_snapshots(site):
    """A snapshot is due with each MiB of the journal."""
    site.market.serve_options["snapshot_mebibytes"] = "1"


@contextlib.asynccontextmanager
async def snapshots_cannot_be_written(site):
    """Their folder is read-only, and there is a segment of the journal that has enough for one. The
    first try of a start is before the first scrape, so it takes the next one."""
    folder = os.path.join(site.market.journal, "snapshots")
    buyer = await site.buyer()
    symbol = (await site.windows())[-1]["symbol"]
    while await asyncio.to_thread(site.metric, "warpbook_engine_journal_bytes_total") < 2 * MIB:
        await asyncio.gather(*(site.bid(buyer, symbol, "1.00", 1) for _ in range(50)))
        await buyer.call("order.cancel_all")
        await asyncio.sleep(0.1)  # 1,000 a second are allowed
    site.market.engine.kill()
    os.makedirs(folder, exist_ok=True)
    for options in (["--bind", folder, folder], ["-o", "remount,bind,ro", folder]):
        mounted = run(["mount", *options])
        if mounted.returncode != 0:
            raise Skipped(f"this needs root: {mounted.stderr.strip()}")
        if options[0] == "--bind":
            site.closing.callback(run, ["umount", "-l", folder])
            site.closing.callback(site.market.kill)
    site.market.start_engine()
    yield


# ---- Clients ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def in_background(*coroutines):
    tasks = [asyncio.create_task(each) for each in coroutines]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def flood_of_requests(site):
    """Somebody asks half as often again as is allowed, and minds no answer."""
    connection = await RawSocket.connect(site.market.port)
    burst = b"".join(frame(OP_TEXT, b'{"method":"ping","req_id":%d}' % i) for i in range(150))

    async def ask():
        while True:
            connection.writer.write(burst)
            await asyncio.sleep(0.1)

    async def take():
        while await connection.reader.read(1 << 16):
            pass
    async with in_background(ask(), take()):
        yield
    await connection.close()


@contextlib.asynccontextmanager
async def wrong_logons(site):
    member = await site.member()

    async def guess():
        stranger = await site.connect()
        while True:
            with contextlib.suppress(Refused):
                await stranger.logon(member.account, Key())
            await asyncio.sleep(0.5)
    async with in_background(guess(), guess()):
        yield


@contextlib.asynccontextmanager
async def readers_that_never_read(site):
    requests = [{"method": "instruments", "req_id": i} for i in range(1, LARGE_REQUESTS + 1)]
    connections = [open_without_reading(site.market.port, requests) for _ in range(4)]
    yield
    for connection in connections:
        connection.close()


def with_few_descriptors(site):
    site.market.wrapper = ["prlimit", f"--nofile={OPEN_FILES}:{OPEN_FILES}", "--"]


@contextlib.asynccontextmanager
async def connections_without_end(site):
    """From two addresses, as one may have 1,024; they stay, and say a word now and then."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    connections, refused = [], 0
    for number in range(OPEN_FILES):
        try:
            connections.append(open_without_reading(site.market.port, address=f"127.0.0.{2 + number % 2}"))
        except OSError:
            refused += 1
            if refused == 20:
                break

    async def live():
        while True:
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.recv(1 << 12)
                    connection.send(frame(OP_TEXT, b'{"method":"ping","req_id":1}'))
            await asyncio.sleep(10)
    async with in_background(live()):
        yield
    for connection in connections:
        connection.close()


@contextlib.asynccontextmanager
async def machines_that_cheat(site):
    """Three nodes answer with what they were not asked."""
    for _ in range(3):
        provider = await site.unproved()
        verdict = await site.answer_all(provider, await site.begin(provider), b"not a transcript")
        assert not verdict["passed"], verdict
    yield


# ---- Settlement ---------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def postgres_stopped(site):
    await asyncio.to_thread(site.market.postgres.stop, signal.SIGINT)
    yield
    site.market.start_postgres()


@contextlib.asynccontextmanager
async def line_to_the_exchange_cut(site):
    """Settlement's connection is lost for good, right after somebody has asked for a deposit."""
    line = await Line.to(site.market.admin_port)
    address = line.url.removesuffix("/ws")
    site.market.settlement.stop()
    site.market.settlement.argv = [
        address if word == site.market.admin_address else word for word in site.market.settlement.argv]
    site.market.settlement.start()
    member = await site.member(tok="1")  # settlement decides by now
    await line.close()
    asking = asyncio.create_task(site.operator.request(
        "token.deposit", {"account": str(member.account), "amount": "1", "reference": "never-decided"}))
    yield
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


@contextlib.asynccontextmanager
async def row_in_the_ledger_changed(site):
    """By a superuser, past all rights: a balance of one unit that came from nowhere."""
    site.market.query("INSERT INTO account_balances (account, balance) VALUES (999999 * 16 + 8, 1)")
    yield


@contextlib.asynccontextmanager
async def token_price_halved(site):
    """Credits were bought at 2 USD a token, and it is worth one now."""
    await site.buyer(burn="100")
    site.token_price = "1.00"
    yield


def with_short_windows(site):
    site.market.catalogue = site.market.path("small.conf")
    with open(site.market.catalogue, "w", encoding="ascii") as file:
        file.write(SMALL_CATALOGUE)


@contextlib.asynccontextmanager
async def token_price_gone(site):
    """Work is due for which neither the vault has tokens enough, nor the emission of half a day."""
    where = {"hardware_class": "QUICK", "region": "here"}
    deal = await settlement_test.Deal.prepare(site, "10.00", 64, burn="100", **where)
    await deal.trade((await site.window_after(4, **where))["symbol"])
    site.token_price, site.price_period = "0.0002", 0.01  # the mean that pay goes by follows slowly
    await deal.begin()
    await deal.deliver(range(deal.minutes))
    await deal.until("delivered")
    await deal.buyer.call("lease.complete", lease=deal.lease)
    await deal.until("settled")
    yield
