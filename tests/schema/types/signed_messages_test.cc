// What clients sign, byte for byte. The bytes were computed by another program (Python's hashlib
// and int.to_bytes), the signature by `openssl pkeyutl -sign -rawin`.
#include "schema/types/signed_messages.h"

#include <doctest/doctest.h>

#include "schema/base/crypto.h"
#include "tests/support/hex.h"

namespace warpbook {
namespace {

using test::ToHex;

LogonNonce CountingNonce() {
  LogonNonce nonce;
  for (size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<uint8_t>(i);
  return nonce;
}

TEST_CASE("A logon signs domain, server, nonce, account and time") {
  CHECK(ToHex(LogonMessage("warpbook", CountingNonce(), AccountId(0x0102030405060708),
                           Timestamp(1'767'225'600'123'456))) ==
        "77617270626f6f6b2d6c6f676f6e2d7631"
        "d7ee5e8a81f90d52a9fdad09aae757a1adc96bce5d468eccfda716e3dcaaccfd"
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "0807060504030201"
        "4022224648470600");
}

TEST_CASE("An account's opening signs the account 0") {
  CHECK(ToHex(LogonMessage("", CountingNonce(), AccountId(0), Timestamp(0))) ==
        "77617270626f6f6b2d6c6f676f6e2d7631"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "0000000000000000"
        "0000000000000000");
}

TEST_CASE("A device key signs the account that registers it") {
  CHECK(ToHex(NodeMessage("warpbook", AccountId(42))) ==
        "77617270626f6f6b2d6e6f64652d7631"
        "d7ee5e8a81f90d52a9fdad09aae757a1adc96bce5d468eccfda716e3dcaaccfd"
        "2a00000000000000");
}

TEST_CASE("A heartbeat signs lease and minute") {
  CHECK(ToHex(HeartbeatMessage("warpbook", LeaseId(~uint64_t{0}),
                               Timestamp(1'767'225'600'000'000))) ==
        "77617270626f6f6b2d6865617274626561742d7631"
        "d7ee5e8a81f90d52a9fdad09aae757a1adc96bce5d468eccfda716e3dcaaccfd"
        "ffffffffffffffff"
        "0040204648470600");
}

TEST_CASE("Our signature of a logon is openssl's") {
  const auto key = Ed25519PrivateKey::FromSeed(
      test::ArrayFromHex<32>("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  CHECK(ToHex(key.Sign(LogonMessage("warpbook", CountingNonce(), AccountId(0x0102030405060708),
                                    Timestamp(1'767'225'600'123'456)))) ==
        "d31b821f582a2e25421771157c42b22031337c63584d9ffd23475dda4f809b7a"
        "f8bb00e1988912315292f6d0e008591405cadd162b4d7e5afb5561ff7a6a0f05");
}

}  // namespace
}  // namespace warpbook
