// Keys that are revoked, and the logons that end with them.
#include <doctest/doctest.h>

#include <string>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

int Number(RejectReason reason) { return static_cast<int>(reason); }

std::string Revoke(const Ed25519PrivateKey& key, AccountId account = AccountId()) {
  std::string params = R"({"public_key":")" + HexOf(key.public_key()) + "\"";
  if (account) params += R"(,"account":")" + std::to_string(account.value()) + "\"";
  return params + "}";
}

// A member with a second key, and a connection logged on with each.
struct TwoKeys {
  explicit TwoKeys(const char* second_scopes) : account(gateway.OpenAccount(first)) {
    gateway.Logon(first_peer, account, first);
    REQUIRE(gateway.ReasonOf(first_peer, "key.add",
                             R"({"public_key":")" + HexOf(second.public_key()) + R"(","scopes":)" +
                                 second_scopes + "}") == 0);
    gateway.Logon(second_peer, account, second);
  }

  TestGateway gateway;
  const Ed25519PrivateKey first = Ed25519PrivateKey::Generate();
  const Ed25519PrivateKey second = Ed25519PrivateKey::Generate();
  const AccountId account;
  TestPeer& first_peer = gateway.Connect();
  TestPeer& second_peer = gateway.Connect();
};

void CheckNotice(TestPeer& peer, AccountId account) {
  const auto notices = peer.Take("status");
  REQUIRE(notices.size() == 1);
  CHECK(At(notices[0], "/type") == "update");
  CHECK(At(notices[0], "/data/event") == "logged_off");
  CHECK(At(notices[0], "/data/reason") == "key_revoked");
  CHECK(At(notices[0], "/data/account") == std::to_string(account.value()));
}

}  // namespace

TEST_CASE("Who is logged on with a key that is revoked is logged off at once, and told") {
  TwoKeys keys(R"(["read","trade"])");
  TestGateway& gateway = keys.gateway;
  REQUIRE(gateway.ReasonOf(keys.second_peer, "subscribe", R"({"channel":"balances"})") == 0);
  REQUIRE(gateway.ReasonOf(keys.first_peer, "subscribe", R"({"channel":"balances"})") == 0);
  keys.second_peer.messages.clear();
  CHECK(gateway.ReasonOf(keys.first_peer, "key.revoke", Revoke(keys.second)) == 0);
  CheckNotice(keys.second_peer, keys.account);
  CHECK(At(gateway.Ask(keys.second_peer, "session.status", "{}"), "/result/logged_on") == "false");
  CHECK(gateway.ReasonOf(keys.second_peer, "account.balances") ==
        Number(RejectReason::kNotLoggedOn));

  // The other key's logon and its channels go on; the one that ended hears nothing more.
  keys.first_peer.messages.clear();
  gateway.Fund(keys.first_peer, keys.account, 1'000);
  CHECK(gateway.ReasonOf(keys.first_peer, "account.balances") == 0);
  CHECK(gateway.publisher.private_feed().CountOf(keys.first_peer.visitor.connection_id) == 1);
  CHECK(gateway.publisher.private_feed().CountOf(keys.second_peer.visitor.connection_id) == 0);
  CHECK(keys.second_peer.messages.empty());

  // It may log on with a key that is left, and not with this one.
  const std::string again = gateway.LogonText(keys.second_peer, keys.account, keys.second);
  CHECK(IntegerAt(gateway.Ask(keys.second_peer, again), "/error/number") ==
        Number(RejectReason::kUnknownKey));
  gateway.Logon(keys.second_peer, keys.account, keys.first);
}

TEST_CASE("A key may revoke itself: the answer comes before the end") {
  TwoKeys keys(R"(["read"])");
  keys.second_peer.messages.clear();
  keys.gateway.Say(keys.second_peer, RequestText("key.revoke", Revoke(keys.second)));
  REQUIRE(keys.second_peer.messages.size() == 2);
  CHECK(At(keys.second_peer.messages[0], "/success") == "true");
  CheckNotice(keys.second_peer, keys.account);
  keys.second_peer.messages.clear();
  CHECK(keys.gateway.ReasonOf(keys.second_peer, "key.revoke", Revoke(keys.second)) ==
        Number(RejectReason::kNotLoggedOn));
}

TEST_CASE("A key takes no scope that it does not have, and an account keeps its scopes") {
  TwoKeys keys(R"(["read"])");
  TestGateway& gateway = keys.gateway;
  const size_t submitted = gateway.exchange.submitted();
  const std::string beyond = gateway.Ask(keys.second_peer, "key.revoke", Revoke(keys.first));
  CHECK(At(beyond, "/error/code") == "scope_missing");
  CHECK(At(beyond, "/error/data/param") == "public_key");
  const Ed25519PrivateKey stranger = Ed25519PrivateKey::Generate();
  CHECK(gateway.ReasonOf(keys.first_peer, "key.revoke", Revoke(stranger)) ==
        Number(RejectReason::kUnknownKey));
  CHECK(gateway.exchange.submitted() == submitted);  // nothing was journaled
  const std::string last = gateway.Ask(keys.first_peer, "key.revoke", Revoke(keys.first));
  CHECK(At(last, "/error/code") == "last_key");
  CHECK(At(last, "/error/data/param") == "public_key");
  CHECK(gateway.ReasonOf(keys.first_peer, "account.balances") == 0);
}

TEST_CASE("An operator revokes a member's stolen key, on the admin listener") {
  TwoKeys keys(R"(["read"])");
  TestGateway& gateway = keys.gateway;
  CHECK(gateway.ReasonOf(keys.first_peer, "key.revoke",
                         Revoke(gateway.exchange.operator_key(), AccountId(1))) ==
        Number(RejectReason::kScopeMissing));
  TestPeer& outside = gateway.Connect(/*on_admin=*/false);
  gateway.Logon(outside, AccountId(1), gateway.exchange.operator_key());
  CHECK(gateway.ReasonOf(outside, "key.revoke", Revoke(keys.first, keys.account)) ==
        Number(RejectReason::kOperatorListenerOnly));
  // Its own account may be named, too.
  CHECK(gateway.ReasonOf(keys.first_peer, "key.revoke", Revoke(keys.second, keys.account)) == 0);
  CheckNotice(keys.second_peer, keys.account);
  CHECK(gateway.ReasonOf(gateway.Operator(), "key.revoke", Revoke(keys.first, keys.account)) == 0);
  CheckNotice(keys.first_peer, keys.account);
  CHECK(gateway.ReasonOf(gateway.Operator(), "key.revoke", Revoke(keys.first, keys.account)) ==
        Number(RejectReason::kUnknownKey));
  CHECK(
      gateway.ReasonOf(gateway.Operator(), "key.revoke", Revoke(gateway.exchange.operator_key())) ==
      Number(RejectReason::kNotPermitted));
}

TEST_CASE("Connections that are gone or logged out are not looked for") {
  TwoKeys keys(R"(["read"])");
  TestGateway& gateway = keys.gateway;
  TestPeer& gone = gateway.Connect();
  gateway.Logon(gone, keys.account, keys.second);
  gateway.Disconnect(gone);
  CHECK(gateway.ReasonOf(keys.second_peer, "session.logout") == 0);
  gone.messages.clear();
  keys.second_peer.messages.clear();
  CHECK(gateway.ReasonOf(keys.first_peer, "key.revoke", Revoke(keys.second)) == 0);
  CHECK(gone.messages.empty());
  CHECK(keys.second_peer.messages.empty());
}

}  // namespace warpbook::gateway
