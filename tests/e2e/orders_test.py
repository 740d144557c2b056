#!/usr/bin/python3
"""Batches, what became of an order, and those who are not heard of any more."""

import asyncio
import time

import market
from client import Refused, now_us
from market_test_case import MarketTestCase

SOON_S = 10


class OrdersTest(MarketTestCase):
    clock_factor = 60

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.symbol = (await self.windows())[-1]["symbol"]

    def order(self, price="2.50", gpus=1, **more):
        return {"symbol": self.symbol, "side": "buy", "order_type": "limit", "price": price,
                "gpus": gpus, **more}

    async def open_gpus(self, client):
        rows = (await client.call("account.orders"))["orders"]
        return sorted(row["gpus"] for row in rows)

    async def until_open(self, client, gpus):
        deadline = time.monotonic() + SOON_S
        while (now := await self.open_gpus(client)) != gpus:
            self.assertLess(time.monotonic(), deadline, f"open are {now}, not {gpus}")
            await asyncio.sleep(0.02)

    async def second_session(self, client):
        return await self.logged_on(client.account, client.key)

    # -- Batches and status

    async def test_a_batch_does_its_items_in_order_and_answers_each(self):
        buyer = await self.buyer()
        reply = await buyer.request("order.batch", {"requests": [
            {"method": "order.place", "params": self.order(gpus=4, cl_ord_id="a")},
            {"method": "order.amend", "params": {"cl_ord_id": "a", "gpus": 3}},
            {"method": "order.place", "params": self.order(gpus=0)},
            {"method": "order.cancel", "params": {"cl_ord_id": "a", "no": 1}},
            {"method": "order.cancel", "params": {"cl_ord_id": "a"}}]})
        items = reply["result"]["items"]
        self.assertEqual([item["success"] for item in items], [True, True, False, False, True])
        self.assertEqual(items[1]["result"]["remaining"], 3)
        self.assertEqual(items[2]["error"]["code"], "invalid_quantity")
        self.assertEqual(items[3]["error"]["code"], "unknown_field")
        self.assertEqual(items[4]["result"]["cancelled_gpus"], 3)
        self.assertEqual(reply["seq"], items[4]["seq"])
        names = [limit["name"] for limit in reply["limits"]]
        self.assertEqual(names, ["requests", "orders"])

    async def test_an_order_is_found_by_its_name_whatever_became_of_it(self):
        buyer, other = await self.buyer(), await self.buyer()
        provider = await self.provider()
        await self.bid(buyer, self.symbol, "3.10", 2, cl_ord_id="mine")
        self.assertEqual((await buyer.call("order.status", cl_ord_id="mine"))["status"], "open")
        await self.ask(provider, self.symbol, "3.10", 2)
        status = await buyer.call("order.status", cl_ord_id="mine")
        self.assertEqual((status["status"], status["filled"], status["remaining"]),
                         ("filled", 2, 0))
        with self.assertRaises(Refused) as refused:
            await other.call("order.status", order_id=status["order_id"])
        self.assertEqual(refused.exception.code, "unknown_order")

    async def test_what_is_only_checked_changes_nothing(self):
        buyer = await self.buyer()
        order = await self.bid(buyer, self.symbol, "2.50", 1)
        for method, params in (("order.amend", {"order_id": order, "price": "2.60"}),
                               ("order.cancel", {"order_id": order}), ("order.cancel_all", {})):
            result = await buyer.call(method, validate=True, **params)
            self.assertTrue(result["validated"])
        with self.assertRaises(Refused) as refused:
            await buyer.call("order.amend", validate=True, order_id=order, price="2.61")
        self.assertEqual(refused.exception.code, "price_off_tick")
        self.assertEqual(await self.open_gpus(buyer), [1])

    # -- Guards

    async def test_a_session_takes_its_orders_with_it_and_no_others(self):
        buyer = await self.buyer()
        other = await self.second_session(buyer)
        await buyer.call("cancel_on_disconnect", scope="session")
        await self.bid(buyer, self.symbol, "2.50", 1, cl_ord_id="gone")
        await self.bid(other, self.symbol, "2.50", 2)
        buyer.connection.transport.abort()  # no closing handshake
        await self.until_open(other, [2])
        self.assertEqual((await other.call("order.status", cl_ord_id="gone"))["reason"],
                         "disconnected")

    async def test_the_timer_runs_out_without_a_connection(self):
        buyer = await self.buyer()
        other = await self.second_session(buyer)
        await self.bid(buyer, self.symbol, "2.50", 1, cl_ord_id="gone")
        before = now_us()
        trigger = (await buyer.call("cancel_after", timeout_ms=700))["trigger_time"]
        self.assertTrue(before + 700_000 <= trigger <= now_us() + 700_000)
        await buyer.close()
        self.assertEqual(await self.open_gpus(other), [1])
        await self.until_open(other, [])
        self.assertGreaterEqual(now_us(), trigger)
        self.assertEqual((await other.call("order.status", cl_ord_id="gone"))["reason"], "timer")

    async def test_after_a_crash_it_is_cancelled_and_after_a_drain_it_is_not(self):
        buyer = await self.buyer()
        await buyer.call("cancel_on_disconnect", scope="session")
        await self.bid(buyer, self.symbol, "2.50", 1)
        await self.stop_pricing()
        engine = self.market.engine
        await asyncio.to_thread(engine.kill)
        self.market.start_engine()  # here: it dies with the thread that starts it
        again = await self.logged_on(buyer.account, buyer.key)
        await self.until_open(again, [])

        await again.call("cancel_on_disconnect", scope="account")
        await self.bid(again, self.symbol, "2.50", 2)
        operator = await self.logged_on_admin("operator")
        await operator.call("drain", timeout_ms=5_000)
        status = await asyncio.to_thread(engine.popen.wait, SOON_S)
        self.assertEqual(status, 0)
        await again.wait(lambda: again.connection.closed, "the close")
        self.assertEqual(again.close_code, 1001)
        self.market.start_engine()
        last = await self.logged_on(buyer.account, buyer.key)
        await asyncio.sleep(0.3)
        self.assertEqual(await self.open_gpus(last), [2])


if __name__ == "__main__":
    market.main()
