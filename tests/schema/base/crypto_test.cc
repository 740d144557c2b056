// Against published vectors: FIPS 180-4's for SHA-256, RFC 8032 section 7.1 for Ed25519.
#include "schema/base/crypto.h"

#include <doctest/doctest.h>

#include <set>
#include <string_view>
#include <vector>

#include "tests/support/hex.h"

namespace warpbook {
namespace {

using test::ArrayFromHex;
using test::FromHex;
using test::ToHex;

std::string Sha256OfText(std::string_view text) {
  return ToHex(Sha256(std::as_bytes(std::span(text))));
}

TEST_CASE("SHA-256 has the published values") {
  CHECK(Sha256OfText("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256OfText("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Sha256OfText("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(Sha256OfText(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

struct Ed25519Vector {
  std::string_view seed, public_key, message, signature;
};

const Ed25519Vector kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "bbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0303dca179c138ac17ad9bef1177331a704"},
};

TEST_CASE("Ed25519 makes the public keys and signatures of RFC 8032") {
  for (const Ed25519Vector& vector : kRfc8032) {
    const auto key = Ed25519PrivateKey::FromSeed(ArrayFromHex<32>(vector.seed));
    CHECK(ToHex(key.public_key()) == vector.public_key);
    CHECK(ToHex(key.Sign(FromHex(vector.message))) == vector.signature);
  }
}

TEST_CASE("Ed25519 accepts a signature of RFC 8032, and nothing that differs from it in one bit") {
  const Ed25519Vector& vector = kRfc8032[2];
  const auto public_key = ArrayFromHex<32>(vector.public_key);
  const auto signature = ArrayFromHex<64>(vector.signature);
  const auto message = FromHex(vector.message);
  CHECK(VerifyEd25519(public_key, signature, message));
  for (size_t bit = 0; bit < 512; ++bit) {
    auto changed = signature;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK_FALSE(VerifyEd25519(public_key, changed, message));
  }
  for (size_t bit = 0; bit < 256; ++bit) {
    auto changed = public_key;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK_FALSE(VerifyEd25519(changed, signature, message));
  }
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    auto changed = message;
    changed[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    CHECK_FALSE(VerifyEd25519(public_key, signature, changed));
  }
  CHECK_FALSE(VerifyEd25519(public_key, signature, {}));
}

TEST_CASE("Ed25519 refuses a signature whose second half is not reduced") {
  // S + L verifies under lax implementations: a second signature of the same message (RFC 8032,
  // section 5.1.7 forbids it). L = 2^252 + 27742317777372353535851937790883648493.
  const auto order =
      ArrayFromHex<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  const Ed25519Vector& vector = kRfc8032[0];
  auto signature = ArrayFromHex<64>(vector.signature);
  unsigned carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    carry += unsigned{signature[32 + i]} + order[i];
    signature[32 + i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  REQUIRE(carry == 0);
  CHECK_FALSE(VerifyEd25519(ArrayFromHex<32>(vector.public_key), signature, {}));
}

TEST_CASE("Public keys that are no point or all zero verify nothing, and harm nothing") {
  const auto signature = ArrayFromHex<64>(kRfc8032[0].signature);
  std::array<uint8_t, 32> key{};
  CHECK_FALSE(VerifyEd25519(key, signature, {}));
  key.fill(0xff);
  CHECK_FALSE(VerifyEd25519(key, signature, {}));
}

TEST_CASE("Random bytes fill the whole buffer, each time with others") {
  std::set<std::array<uint8_t, 32>> seen;
  std::array<int, 32> zeros{};
  for (int i = 0; i < 100; ++i) {
    std::array<uint8_t, 32> bytes{};
    FillRandom(bytes);
    for (size_t at = 0; at < bytes.size(); ++at) zeros[at] += bytes[at] == 0;
    seen.insert(bytes);
  }
  CHECK(seen.size() == 100);
  // A place that is never written would be zero 100 times; by chance it is 0.4 times.
  for (const int count : zeros) CHECK(count < 20);
}

}  // namespace
}  // namespace warpbook
