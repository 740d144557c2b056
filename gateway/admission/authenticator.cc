#include "gateway/admission/authenticator.h"

#include <cstdlib>
#include <utility>

#include "schema/base/crypto.h"

namespace warpbook::gateway {

const LogonNonce& Challenge::Issue(int64_t now_micros) {
  issued_micros_ = now_micros;
  is_open_ = true;
  FillRandom(nonce_);
  return nonce_;
}

Challenge::Taken Challenge::Take(int64_t now_micros) {
  const LogonNonce nonce = std::exchange(nonce_, LogonNonce{});
  if (!std::exchange(is_open_, false)) return {RejectReason::kNoChallenge, {}};
  if (now_micros - issued_micros_ > kChallengeMicros) return {RejectReason::kChallengeExpired, {}};
  return {RejectReason::kNone, nonce};
}

RejectReason Authenticator::Verify(Challenge& challenge, AccountId account, const PublicKey& key,
                                   Timestamp timestamp, const Ed25519Signature& signature,
                                   bool key_is_known, int64_t now_micros) const {
  const Challenge::Taken taken = challenge.Take(now_micros);
  if (taken.reason != RejectReason::kNone) return taken.reason;
  if (std::abs(timestamp.micros() - now_micros) > kTimestampToleranceMicros) {
    return RejectReason::kTimestampOutOfRange;
  }
  if (!key_is_known) return RejectReason::kUnknownKey;
  const bool good =
      VerifyEd25519(key, signature, LogonMessage(server_name_, taken.nonce, account, timestamp));
  return good ? RejectReason::kNone : RejectReason::kBadSignature;
}

bool Authenticator::VerifyNode(const PublicKey& device_key, AccountId account,
                               const Ed25519Signature& signature) const {
  return VerifyEd25519(device_key, signature, NodeMessage(server_name_, account));
}

bool Authenticator::VerifyHeartbeat(const PublicKey& device_key, LeaseId lease, Timestamp minute,
                                    const Ed25519Signature& signature) const {
  return VerifyEd25519(device_key, signature, HeartbeatMessage(server_name_, lease, minute));
}

}  // namespace warpbook::gateway
