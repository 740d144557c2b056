#include "gateway/admission/authenticator.h"

#include <doctest/doctest.h>

#include <string_view>

#include "schema/base/crypto.h"

namespace warpbook::gateway {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000;

// One logon by the book, with the parts that a test may get wrong.
struct Attempt {
  Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  Challenge challenge;
  AccountId account{7};
  int64_t signed_at = kNow;
  int64_t arrives_at = kNow;
  bool key_is_known = true;

  RejectReason Run(const Authenticator& at, const char* signed_for = "here") {
    const LogonNonce nonce = challenge.Issue(kNow);
    return Send(at, key.Sign(LogonMessage(signed_for, nonce, account, Timestamp(signed_at))));
  }
  RejectReason Send(const Authenticator& at, const Ed25519Signature& signature) {
    return at.Verify(challenge, account, key.public_key(), Timestamp(signed_at), signature,
                     key_is_known, arrives_at);
  }
};

}  // namespace

TEST_CASE("A signed challenge logs on once, and its replay does not") {
  const Authenticator here("here");
  Attempt attempt;
  const LogonNonce nonce = attempt.challenge.Issue(kNow);
  const auto signature =
      attempt.key.Sign(LogonMessage("here", nonce, attempt.account, Timestamp(kNow)));
  CHECK(attempt.Send(here, signature) == RejectReason::kNone);
  CHECK(attempt.Send(here, signature) == RejectReason::kNoChallenge);
  // Nor does it after a new challenge, or on another connection with one of its own.
  attempt.challenge.Issue(kNow);
  CHECK(attempt.Send(here, signature) == RejectReason::kBadSignature);
  Challenge other;
  other.Issue(kNow);
  CHECK(here.Verify(other, attempt.account, attempt.key.public_key(), Timestamp(kNow), signature,
                    true, kNow) == RejectReason::kBadSignature);
}

TEST_CASE("A challenge stands for thirty seconds") {
  const Authenticator here("here");
  Attempt in_time;
  in_time.arrives_at = kNow + kChallengeMicros;
  CHECK(in_time.Run(here) == RejectReason::kNone);
  Attempt late;
  late.arrives_at = kNow + kChallengeMicros + 1;
  late.signed_at = late.arrives_at;
  CHECK(late.Run(here) == RejectReason::kChallengeExpired);
}

TEST_CASE("A signed timestamp may be thirty seconds from the server's clock, either way") {
  const Authenticator here("here");
  for (const int64_t offset : {kTimestampToleranceMicros, -kTimestampToleranceMicros}) {
    Attempt near;
    near.signed_at = kNow + offset;
    CHECK(near.Run(here) == RejectReason::kNone);
    Attempt far;
    far.signed_at = kNow + offset + (offset > 0 ? 1 : -1);
    CHECK(far.Run(here) == RejectReason::kTimestampOutOfRange);
  }
  Attempt ancient;
  ancient.signed_at = 1;
  CHECK(ancient.Run(here) == RejectReason::kTimestampOutOfRange);
}

TEST_CASE("A logon is for one exchange, one account and one key") {
  const Authenticator here("here");
  Attempt elsewhere;
  CHECK(elsewhere.Run(here, "elsewhere") == RejectReason::kBadSignature);
  Attempt stranger;
  stranger.key_is_known = false;
  CHECK(stranger.Run(here) == RejectReason::kUnknownKey);
  Attempt other_account;
  const LogonNonce nonce = other_account.challenge.Issue(kNow);
  const auto signature =
      other_account.key.Sign(LogonMessage("here", nonce, AccountId(8), Timestamp(kNow)));
  CHECK(other_account.Send(here, signature) == RejectReason::kBadSignature);
  Attempt other_key;
  const LogonNonce second_nonce = other_key.challenge.Issue(kNow);
  const auto foreign = Ed25519PrivateKey::Generate().Sign(
      LogonMessage("here", second_nonce, other_key.account, Timestamp(kNow)));
  CHECK(other_key.Send(here, foreign) == RejectReason::kBadSignature);
}

TEST_CASE("Any attempt uses the challenge up") {
  const Authenticator here("here");
  Attempt attempt;
  attempt.challenge.Issue(kNow);
  CHECK(attempt.Send(here, Ed25519Signature{}) == RejectReason::kBadSignature);
  CHECK(attempt.Send(here, Ed25519Signature{}) == RejectReason::kNoChallenge);
}

TEST_CASE("A nonce that was used is not left in memory") {
  Challenge challenge;
  const LogonNonce nonce = challenge.Issue(kNow);
  const auto holds_nonce = [&] {
    const std::string_view bytes(reinterpret_cast<const char*>(&challenge), sizeof challenge);
    return bytes.find(std::string_view(reinterpret_cast<const char*>(nonce.data()),
                                       nonce.size())) != std::string_view::npos;
  };
  CHECK(holds_nonce());
  challenge.Take(kNow);
  CHECK_FALSE(holds_nonce());
}

TEST_CASE("Nonces do not repeat") {
  Challenge challenge;
  const LogonNonce first = challenge.Issue(kNow);
  CHECK(challenge.Issue(kNow) != first);
}

TEST_CASE("A device key signs its account and each minute that it delivered") {
  const Authenticator here("here");
  const Ed25519PrivateKey device = Ed25519PrivateKey::Generate();
  const auto node = device.Sign(NodeMessage("here", AccountId(3)));
  CHECK(here.VerifyNode(device.public_key(), AccountId(3), node));
  CHECK_FALSE(here.VerifyNode(device.public_key(), AccountId(4), node));
  const auto beat = device.Sign(HeartbeatMessage("here", LeaseId(5), Timestamp(60'000'000)));
  CHECK(here.VerifyHeartbeat(device.public_key(), LeaseId(5), Timestamp(60'000'000), beat));
  CHECK_FALSE(here.VerifyHeartbeat(device.public_key(), LeaseId(5), Timestamp(120'000'000), beat));
  CHECK_FALSE(here.VerifyHeartbeat(device.public_key(), LeaseId(6), Timestamp(60'000'000), beat));
  CHECK_FALSE(here.VerifyNode(device.public_key(), AccountId(3), beat));
}

}  // namespace warpbook::gateway
