#!/usr/bin/python3
"""Each malformed or forbidden request is answered by its own numbered error, changes nothing, and
the connection lives on."""

import asyncio
import json

import market
from bad_messages import (EITHER_ID, FIELDS, HEX32, HEX64, INTEGER_FAULTS, MESSAGES, NEEDS_LOGON,
                          NO_FIELDS, OPTIONAL, SYMBOL, WELL_FORMED)
from client import REASONS, Key, logon_message, node_message, now_us
from market import SERVER_NAME
from market_test_case import MINUTE_US, MarketTestCase


def beside(method, name):
    """The method's fields beside the field `name` that is at fault."""
    if (method, name) == ("settlement.submit", "decision"):
        return {"number": 1}  # what else there is depends on the decision
    return {key: value for key, value in WELL_FORMED[method].items() if key != name}


def wrong_types_for(value):
    """Values of every other JSON type."""
    others = [None, True, 1, "x", [], {}]
    kind = (lambda v: "null" if v is None else type(v).__name__)
    return [other for other in others if kind(other) != kind(value)]


class BadInputTest(MarketTestCase):
    clock_factor = 60

    async def answers(self, client, text, code):
        """The error, with its number; then the connection still works."""
        reply = await client.send_raw(text)
        shown = text if len(text) < 300 else text[:300] + "..."
        self.assertFalse(reply["success"], shown)
        self.assertEqual((reply["error"]["code"], reply["error"]["number"]), (code, REASONS[code]),
                         f"{shown!r} -> {reply}")
        self.assertEqual(reply["error"]["outcome"], "rejected")
        await client.call("ping")
        return reply

    async def asked(self, client, method, params, code, param=None):
        """As answers(), for a request that has a method."""
        reply = await self.answers(client, json.dumps({"method": method, "params": params}), code)
        self.assertEqual(reply["method"], method)
        if param is not None:
            self.assertEqual(reply["error"]["data"]["param"], param, reply)
        return reply

    # -- The message itself

    async def test_messages_that_are_no_requests(self):
        """Malformed JSON, duplicate keys, deep nesting, strange numbers: each its own answer."""
        client = await self.connect()
        for text, code in MESSAGES:
            with self.subTest(text=text[:80]):
                await self.answers(client, text, code)

    async def test_method_and_req_id_are_repeated_where_they_could_be_read(self):
        """An answer can be found by its req_id even where the rest was at fault."""
        client = await self.connect()
        for text, method, req_id in (
                ('{"req_id":7,"method":"nope"}', "nope", 7), ('{"req_id":7}', None, 7),
                ('{"req_id":0,"method":"ping","x":1}', "ping", 0),
                ('{"req_id":9007199254740991,"method":"ping","x":1}', "ping", 2**53 - 1),
                ('{"req_id":1.5,"method":"ping"}', "ping", None),
                ('{"req_id":7,"method":"ping"', None, None)):
            reply = await client.send_raw(text)
            self.assertEqual((reply.get("method"), reply.get("req_id")), (method, req_id), text)

    async def test_every_field_of_every_method_has_one_type(self):
        """Each field left out, of each other JSON type, and a field too many."""
        client = await self.connect()
        for method, params in WELL_FORMED.items():
            for name, value in {**params, **OPTIONAL.get(method, {})}.items():
                for wrong in wrong_types_for(value):
                    with self.subTest(method=method, field=name, value=wrong):
                        await self.asked(client, method, {**beside(method, name), name: wrong},
                                         "wrong_type", name)
            for name in params:
                if (method in EITHER_ID and name == "gpus"):
                    continue
                with self.subTest(method=method, missing=name):
                    await self.asked(client, method, beside(method, name), "missing_field", name)
            await self.asked(client, method, {**params, "extra": 1}, "unknown_field", "extra")
            await self.asked(client, method, {**params, "Gpus": 1}, "unknown_field", "Gpus")
        for method in NO_FIELDS:
            await self.asked(client, method, {"extra": 1}, "unknown_field", "extra")
        for name in OPTIONAL["instruments"]:
            await self.asked(client, "instruments", {name: 1}, "wrong_type", name)

    async def test_values_that_no_field_takes(self):
        """Numbers, decimals, ids, names, keys and words outside what they may be."""
        client = await self.connect()
        for method, name, faults in FIELDS:
            for value, code in faults:
                with self.subTest(method=method, field=name, value=str(value)[:60]):
                    params = {**beside(method, name), name: value}
                    await self.asked(client, method, params, code)
        for method, name in (("order.place", "gpus"), ("order.place", "min_fill"),
                             ("order.place", "deadline"), ("order.place", "expires"),
                             ("order.amend", "gpus"), ("session.logon", "timestamp"),
                             ("lease.heartbeat", "minute"), ("capacity.register", "gpus"),
                             ("capacity.set", "gpus"), ("settlement.submit", "number")):
            for number, code in INTEGER_FAULTS:
                with self.subTest(method=method, field=name, number=number[:40]):
                    params = {**WELL_FORMED[method], name: "NUMBER"}
                    text = json.dumps({"method": method, "params": params})
                    reply = await self.answers(client, text.replace('"NUMBER"', number), code)
                    self.assertEqual(reply["error"]["data"]["param"], name)

    # -- The session

    async def test_what_needs_a_logon_says_so(self):
        """Before logon: only the session's own methods, ping, public channels, account.open."""
        client = await self.connect()
        for method in NEEDS_LOGON:
            with self.subTest(method=method):
                await self.asked(client, method, WELL_FORMED[method], "not_logged_on")
        for method in ("session.logout", "account.balances", "account.orders", "account.leases",
                       "account.nodes"):
            await self.asked(client, method, {}, "not_logged_on")
        for channel in ("executions", "balances", "leases"):
            await self.asked(client, "subscribe", {"channel": channel}, "not_logged_on")
        status = await client.call("session.status")
        self.assertFalse(status["logged_on"])

    async def test_only_a_fresh_signed_challenge_logs_on(self):
        """No challenge, a used one, another connection's, another name, time or key: refused, and
        a good logon still works afterwards."""
        member = await self.member()
        account, key = member.account, member.key
        client, other = await self.connect(), await self.connect()

        async def logon(code, nonce=None, name=SERVER_NAME, time_us=None, signed_account=account,
                        as_account=account, by=key, shown=key, take=True, break_it=False):
            if take:
                fresh = (await client.call("session.challenge"))["nonce"]
                nonce = nonce or fresh
            time_us = time_us or now_us()
            signature = by.sign(logon_message(name, nonce, signed_account, time_us))
            if break_it:
                signature = ("0" if signature[0] != "0" else "1") + signature[1:]
            params = {"account": str(as_account), "public_key": shown.public_hex,
                      "timestamp": time_us, "signature": signature}
            if code is None:
                return await client.call("session.logon", **params)
            return await self.refuses(code, client, "session.logon", **params)

        await logon("no_challenge", nonce=HEX32, take=False)
        await logon("bad_signature", break_it=True)
        await logon("bad_signature", name="another-exchange")
        await logon("bad_signature", nonce=(await other.call("session.challenge"))["nonce"])
        await logon("bad_signature", by=Key())
        await logon("bad_signature", signed_account=account + 1)
        await logon("bad_signature", signed_account=0)
        await logon("timestamp_out_of_range", time_us=now_us() - 40_000_000)
        await logon("timestamp_out_of_range", time_us=now_us() + 40_000_000)
        stranger = Key()
        await logon("unknown_key", by=stranger, shown=stranger)
        await logon("unknown_key", as_account=account + 500_000, signed_account=account + 500_000)
        nonce = (await client.call("session.challenge"))["nonce"]
        await logon("bad_signature", nonce=nonce, take=False, break_it=True)
        await logon("no_challenge", nonce=nonce, take=False)  # once, whatever came of it
        nonce = (await client.call("session.challenge"))["nonce"]
        await logon(None, nonce=nonce, take=False)
        await logon("already_logged_on", nonce=nonce, take=False)
        await client.call("session.logout")
        await logon("no_challenge", nonce=nonce, take=False)
        await logon(None)

    async def test_an_account_is_opened_by_the_key_that_signs(self):
        """account.open with somebody else's signature or a key in use is refused."""
        member, client, key = await self.member(), await self.connect(), Key()

        async def params(by, shown, account=0):
            nonce = (await client.call("session.challenge"))["nonce"]
            time_us = now_us()
            message = logon_message(SERVER_NAME, nonce, account, time_us)
            return {"public_key": shown.public_hex, "timestamp": time_us,
                    "signature": by.sign(message)}

        await self.refuses("bad_signature", client, "account.open", **await params(Key(), key))
        await self.refuses("bad_signature", client, "account.open", **await params(key, key, 1))
        await self.refuses("key_in_use", client, "account.open",
                           **await params(member.key, member.key))
        await self.refuses("no_challenge", client, "account.open", **WELL_FORMED["account.open"])
        self.assertGreater(int((await client.call("account.open", **await params(key, key)))
                               ["account"]), member.account)

    async def test_scopes_and_listeners_keep_everyone_in_his_place(self):
        """A key does what its scopes say, operators act on the admin listener alone, settlement's
        decisions are settlement's."""
        member = await self.member()
        reader_key, provider_key = Key(), Key()
        await member.call("key.add", public_key=reader_key.public_hex, scopes=["read"])
        await member.call("key.add", public_key=provider_key.public_hex, scopes=["provide"])
        reader = await self.logged_on(member.account, reader_key)
        provider = await self.logged_on(member.account, provider_key)
        trade = ("credits.buy", "order.place", "order.amend", "order.cancel", "order.cancel_all",
                 "lease.complete", "lease.dispute")
        provide = ("capacity.register", "lease.start", "lease.heartbeat")
        for method in trade + provide:
            await self.asked(reader, method, WELL_FORMED[method], "scope_missing")
        for method in trade:
            await self.asked(provider, method, WELL_FORMED[method], "scope_missing")
        for method in ("account.balances", "account.orders", "account.leases", "account.nodes"):
            await self.asked(provider, method, {}, "scope_missing")
        await self.asked(provider, "subscribe", {"channel": "balances"}, "scope_missing")
        # A key gives no scope that it does not have.
        await self.asked(reader, "key.add", {"public_key": Key().public_hex, "scopes": ["trade"]},
                         "scope_missing")
        await self.asked(member, "key.add", {"public_key": Key().public_hex, "scopes": []},
                         "invalid_scopes")
        await self.asked(member, "key.add",
                         {"public_key": reader_key.public_hex, "scopes": ["read"]}, "key_in_use")

        # Nor takes it one, and the account's scopes stay somebody's.
        await self.asked(reader, "key.revoke", {"public_key": provider_key.public_hex},
                         "scope_missing")
        await self.asked(member, "key.revoke", {"public_key": member.key.public_hex}, "last_key")
        await self.asked(member, "key.revoke", {"public_key": Key().public_hex}, "unknown_key")
        await self.asked(member, "key.revoke", {"public_key": HEX32, "account": "1"},
                         "scope_missing")

        operators = ("token.deposit", "token.withdraw", "owner.verify", "lease.judge", "limit.set",
                     "capacity.set", "price.set", "instrument.halt", "instrument.resume")
        on_public = await self.logged_on(self.operator.account, self.operator.key)
        member_on_admin = await self.logged_on(member.account, member.key, self.market.admin_url)
        settlement = await self.logged_on_admin("settlement")
        for method in (*operators, "settlement.submit"):
            await self.asked(member, method, WELL_FORMED[method], "scope_missing")
            await self.asked(member_on_admin, method, WELL_FORMED[method], "scope_missing")
        for method in operators:
            await self.asked(on_public, method, WELL_FORMED[method], "operator_listener_only")
        for method in operators:
            await self.asked(settlement, method, WELL_FORMED[method], "scope_missing")
        submit = WELL_FORMED["settlement.submit"]
        await self.asked(self.operator, "settlement.submit", submit, "scope_missing")
        settlement_on_public = await self.logged_on(settlement.account, settlement.key)
        await self.asked(settlement_on_public, "settlement.submit", submit,
                         "operator_listener_only")
        await self.asked(self.operator, "order.place", WELL_FORMED["order.place"],
                         "scope_missing")

    async def test_settlements_decisions_come_once_and_in_order(self):
        """A number that was used is a repeat, one that leaves others out is a gap."""
        await self.member(tok="1")  # settlement has decided at least once
        settlement = await self.logged_on_admin("settlement")
        submit = WELL_FORMED["settlement.submit"]
        await self.asked(settlement, "settlement.submit", submit, "number_repeated")
        await self.asked(settlement, "settlement.submit", {**submit, "number": 1_000_000},
                         "number_gap")

    # -- Orders and money

    async def test_orders_that_the_engine_refuses(self):
        """Quantities, prices and places that are no order's, each with its reason."""
        provider, buyer = await self.provider(gpus=8), await self.buyer()
        window = (await self.windows())[-1]
        limit = {"symbol": window["symbol"], "side": "buy", "order_type": "limit",
                 "price": "2.50", "gpus": 8}
        before = await self.balances(buyer)
        for change, code in (
                ({"gpus": 0}, "invalid_quantity"), ({"gpus": -1}, "invalid_quantity"),
                ({"gpus": -2**31}, "invalid_quantity"), ({"gpus": 2**31 - 1}, "invalid_quantity"),
                ({"gpus": 2**31}, "out_of_range"), ({"min_fill": -1}, "invalid_min_fill"),
                ({"min_fill": 9}, "invalid_min_fill"), ({"price": "2.51"}, "price_off_tick"),
                ({"price": "2.500001"}, "price_off_tick"),
                ({"price": "0.85"}, "price_outside_band"),
                ({"price": "10.05"}, "price_outside_band"),
                ({"price": "9223372036854.75"}, "price_outside_band"),
                ({"symbol": SYMBOL}, "unknown_instrument"),
                ({"symbol": "nonsense"}, "unknown_instrument"),
                ({"symbol": window["symbol"].lower()}, "unknown_instrument"),
                ({"symbol": window["symbol"] + "Z"}, "unknown_instrument"),
                ({"order_type": "market", "time_in_force": "gtc"}, "market_needs_ioc_or_fok"),
                ({"post_only": True, "time_in_force": "ioc"}, "post_only_needs_resting"),
                ({"time_in_force": "gtd"}, "expiry_in_past"),
                ({"deadline": 1}, "deadline_passed"),
                ({"gpus": 100_000}, "insufficient_credits"),
                ({"gpus": 100_001}, "invalid_quantity")):
            with self.subTest(change=change):
                await self.asked(buyer, "order.place", {**limit, **change}, code)
        ask = {**limit, "side": "sell", "node": provider.node}
        for change, code in (
                ({"node": "999999999"}, "unknown_node"), ({"lease": "1"}, "ask_needs_node_or_lease"),
                ({"tier": "premium"}, "field_not_for_side"),
                ({"min_assurance": "listed"}, "field_not_for_side"),
                ({"gpus": 9}, "insufficient_capacity"),
                ({"symbol": window["symbol"].replace("H100", "H200")}, "node_wrong_instrument")):
            with self.subTest(change=change):
                await self.asked(provider, "order.place", {**ask, **change}, code)
        resale = {key: value for key, value in ask.items() if key != "node"}
        await self.asked(provider, "order.place", resale, "ask_needs_node_or_lease")
        await self.asked(provider, "order.place", {**resale, "lease": "1"}, "unknown_lease")
        # Somebody else's node is as unknown as none.
        await self.asked(buyer, "order.place", ask, "unknown_node")
        self.assertEqual(await self.balances(buyer), before)
        self.assertEqual((await buyer.call("account.orders"))["orders"], [])

    async def test_somebody_elses_order_is_as_unknown_as_none(self):
        """Cancel and amend of another account's order: the answer for an order that is not there,
        and the order stays."""
        owner, thief = await self.buyer(), await self.buyer()
        symbol = (await self.windows())[-2]["symbol"]
        order = await self.bid(owner, symbol, "2.50", 1, cl_ord_id="mine")
        for method, more in (("order.cancel", {}), ("order.amend", {"gpus": 2})):
            answers = []
            for name in ({"order_id": order}, {"order_id": "888888888"}, {"cl_ord_id": "mine"}):
                reply = await self.asked(thief, method, {**name, **more}, "unknown_order")
                answers.append(reply["error"])
            self.assertEqual(answers, [answers[0]] * 3)
        rows = (await owner.call("account.orders"))["orders"]
        self.assertEqual([(row["order_id"], row["gpus"]) for row in rows], [(order, 1)])
        await owner.call("order.cancel", order_id=order)
        await self.asked(owner, "order.cancel", {"order_id": order}, "unknown_order")

    async def test_a_client_order_id_with_other_content_is_refused(self):
        """The same again is the first answer, marked; anything else under the name an error."""
        buyer = await self.buyer()
        order = {"symbol": (await self.windows())[-3]["symbol"], "side": "buy",
                 "order_type": "limit", "price": "2.50", "gpus": 2, "cl_ord_id": "once"}
        first = await buyer.call("order.place", **order)
        for change in ({"gpus": 3}, {"price": "2.55"}, {"tier": "premium"}, {"min_fill": 2},
                       {"post_only": True}, {"stp": "decrement"}, {"time_in_force": "ioc"},
                       {"symbol": (await self.windows())[-4]["symbol"]},
                       {"min_assurance": "verified"}):
            with self.subTest(change=change):
                await self.asked(buyer, "order.place", {**order, **change},
                                 "client_order_id_reused")
        again = await buyer.call("order.place", **order)
        self.assertEqual((again["order_id"], again["duplicate"]), (first["order_id"], True))

    async def test_money_and_capacity_that_cannot_be(self):
        """Amounts, references, nodes and prices that operators and members cannot mean."""
        provider, buyer = await self.provider(), await self.buyer()
        await self.asked(buyer, "credits.buy", {"burn": "0"}, "invalid_amount")
        await self.asked(buyer, "credits.buy", {"burn": "9000000000000"}, "invalid_amount")
        deposit = {"account": str(buyer.account), "amount": "1", "reference": "x"}
        for change, code in (({"amount": "0"}, "invalid_amount"),
                             ({"account": "999999999"}, "unknown_account"),
                             ({"account": str(self.operator.account)}, "not_permitted")):
            await self.asked(self.operator, "token.deposit", {**deposit, **change}, code)
            await self.asked(self.operator, "token.withdraw", {**deposit, **change}, code)
        await self.asked(self.operator, "owner.verify", {"owner": "999999999"}, "unknown_owner")
        await self.asked(self.operator, "key.revoke",
                         {"account": "999999999", "public_key": HEX32}, "unknown_account")
        await self.asked(self.operator, "key.revoke",
                         {"account": str(buyer.account), "public_key": HEX32}, "unknown_key")
        for change, code in (({"account": "999999999"}, "unknown_account"),
                             ({"account": str(self.operator.account)}, "not_permitted")):
            await self.asked(self.operator, "limit.set",
                             {**WELL_FORMED["limit.set"], **change}, code)
        capacity = {"node": provider.node, "gpus": 8, "assurance": "verified"}
        for change, code in (({"node": "999999999"}, "unknown_node"),
                             ({"gpus": 65}, "invalid_quantity"), ({"gpus": -1}, "invalid_quantity")):
            await self.asked(self.operator, "capacity.set", {**capacity, **change}, code)
        now = await self.operator.market_time()
        for feed in ({"price": "0", "time": now}, {"price": "2.00", "time": now + 60 * MINUTE_US},
                     {"price": "9000000", "time": now}):
            await self.asked(self.operator, "price.set",
                             {"feeds": [feed] + [{"price": "2.00", "time": now}] * 4},
                             "invalid_price_feed")
        await self.asked(self.operator, "instrument.halt", {"symbol": SYMBOL},
                         "unknown_instrument")
        symbol = (await self.windows())[-5]["symbol"]
        await self.asked(self.operator, "instrument.resume", {"symbol": symbol},
                         "invalid_instrument_state")

        device = Key()
        node = {"hardware_class": "H100-SXM", "region": "us-east", "gpus": 8,
                "device_key": device.public_hex,
                "signature": device.sign(node_message(SERVER_NAME, provider.account))}
        for change, code in (
                ({"signature": HEX64}, "bad_signature"),
                ({"signature": device.sign(node_message(SERVER_NAME, buyer.account))},
                 "bad_signature"),
                ({"device_key": provider.device.public_hex, "signature":
                  provider.device.sign(node_message(SERVER_NAME, provider.account))},
                 "key_in_use"),
                ({"gpus": 0}, "invalid_quantity"), ({"hardware_class": "H900"}, "unknown_value"),
                ({"region": "moon"}, "unknown_value"), ({"region": ""}, "malformed_text")):
            with self.subTest(change=change):
                await self.asked(provider, "capacity.register", {**node, **change}, code)
        unapproved = (await provider.call("capacity.register", **node))["node"]
        await self.asked(provider, "order.place",
                         {"symbol": symbol, "side": "sell", "order_type": "limit",
                          "price": "2.50", "gpus": 1, "node": unapproved}, "node_not_approved")

    # -- Load

    async def test_limits_are_said_and_cut_no_line(self):
        """Too many requests or subscriptions are refused with what to wait for."""
        client = await self.connect()
        replies = await asyncio.gather(*(client.begin("ping", {}) for _ in range(3_000)))
        refused = [reply["error"] for reply in replies if not reply["success"]]
        self.assertTrue(refused, "3,000 requests at once are more than any client may")
        self.assertEqual({error["code"] for error in refused}, {"rate_limited"})
        self.assertTrue(all(error["data"]["retry_after_us"] > 0 for error in refused))
        await asyncio.sleep(max(e["data"]["retry_after_us"] for e in refused) / 1e6)
        await client.call("ping")

        reader = await self.connect()
        symbols = [row["symbol"] for row in (await reader.call("instruments"))["instruments"]]
        self.assertGreater(len(symbols), 520)
        answers = await asyncio.gather(*(
            reader.begin("subscribe", {"channel": "trades", "symbol": symbol})
            for symbol in symbols[:520] if not reader.feeds.update(
                {("trades", symbol): TolerantFeed()})))
        codes = [answer["success"] or answer["error"]["code"] for answer in answers]
        self.assertEqual(codes, [True] * 512 + ["too_many_subscriptions"] * 8)
        await reader.call("unsubscribe", channel="trades", symbol=symbols[0])
        await self.asked(reader, "unsubscribe", {"channel": "trades", "symbol": symbols[0]},
                         "not_subscribed")
        await self.asked(reader, "subscribe", {"channel": "trades", "symbol": symbols[1]},
                         "already_subscribed")
        await self.asked(reader, "subscribe", {"channel": "book", "symbol": SYMBOL},
                         "unknown_instrument")


class TolerantFeed:
    """Takes a channel's messages without a word."""

    def take(self, message):
        pass

    def close(self, message):
        pass


if __name__ == "__main__":
    market.main()
