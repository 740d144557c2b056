// Who is it? Challenges and Ed25519 signatures (4-gateway-api of the design, Who may do what). Real
// time, not the market's, as clients sign what their own clocks say. No I/O; the I/O thread owns
// it.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/protocol/request.h"
#include "schema/types/ids.h"
#include "schema/types/public_key.h"
#include "schema/types/signed_messages.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

// How long a challenge stands, and how far a signed timestamp may be from the server's clock.
inline constexpr int64_t kChallengeMicros = 30 * kMicrosPerSecond;
inline constexpr int64_t kTimestampToleranceMicros = 30 * kMicrosPerSecond;

// The challenge that is open on a connection: valid once, for 30 seconds, there alone.
class Challenge {
 public:
  // A fresh nonce in place of the one before.
  const LogonNonce& Issue(int64_t now_micros);

  struct Taken {
    RejectReason reason = RejectReason::kNone;  // kNoChallenge or kChallengeExpired
    LogonNonce nonce{};
  };
  // Uses the nonce up, whatever comes of it; nothing of it is left here.
  Taken Take(int64_t now_micros);

 private:
  LogonNonce nonce_{};
  bool is_open_ = false;
  int64_t issued_micros_ = 0;
};

class Authenticator {
 public:
  explicit Authenticator(std::string server_name) : server_name_(std::move(server_name)) {}

  // session.logon and account.open (account 0): kNoChallenge, kChallengeExpired,
  // kTimestampOutOfRange, kUnknownKey where `key_is_known` is false, kBadSignature, or kNone.
  RejectReason Verify(Challenge& challenge, AccountId account, const PublicKey& key,
                      Timestamp timestamp, const Ed25519Signature& signature, bool key_is_known,
                      int64_t now_micros) const;

  // Whether the device key agrees to be registered by the account.
  bool VerifyNode(const PublicKey& device_key, AccountId account,
                  const Ed25519Signature& signature) const;
  // Whether the node's device key signed that it delivered the minute.
  bool VerifyHeartbeat(const PublicKey& device_key, LeaseId lease, Timestamp minute,
                       const Ed25519Signature& signature) const;

  const std::string& server_name() const { return server_name_; }

 private:
  const std::string server_name_;
};

}  // namespace warpbook::gateway
