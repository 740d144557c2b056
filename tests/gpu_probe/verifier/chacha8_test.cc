#include "gpu_probe/verifier/chacha8.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include <cstring>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/simulation/random.h"

namespace warpbook::probe {
namespace {

using simulation::Random;

std::vector<uint8_t> OpenSslChaCha20(const ChaChaKey& key, const ChaChaNonce& nonce,
                                     uint32_t first_block, size_t bytes) {
  uint8_t iv[16];
  std::memcpy(iv, &first_block, 4);
  std::memcpy(iv + 4, nonce.data(), nonce.size());
  const std::vector<uint8_t> zeros(bytes);
  std::vector<uint8_t> out(bytes);
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  int written = 0;
  REQUIRE(EVP_EncryptInit_ex(context, EVP_chacha20(), nullptr, key.data(), iv) == 1);
  REQUIRE(EVP_EncryptUpdate(context, out.data(), &written, zeros.data(), static_cast<int>(bytes)) ==
          1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

TEST_CASE("With twenty rounds it is OpenSSL's ChaCha20, at any length and from any block on") {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    ChaChaKey key;
    ChaChaNonce nonce;
    for (uint8_t& byte : key) byte = static_cast<uint8_t>(random.Below(256));
    for (uint8_t& byte : nonce) byte = static_cast<uint8_t>(random.Below(256));
    const auto block = static_cast<uint32_t>(random.Below(uint64_t{1} << 31));
    std::vector<uint8_t> stream(1 + random.Below(2'000));
    ChaCha20(key, nonce, block, stream);
    CHECK(stream == OpenSslChaCha20(key, nonce, block, stream.size()));
  }
}

TEST_CASE("With eight rounds it gives the published keystream") {
  // draft-strombergson-chacha-test-vectors-01, TC1 for 8 rounds and a key of 256 bits: all zeros.
  std::vector<uint8_t> stream(64);
  ChaCha8({}, {}, 0, stream);
  CHECK(absl::BytesToHexString({reinterpret_cast<const char*>(stream.data()), stream.size()}) ==
        "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e"
        "984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42");
}

TEST_CASE("A part of a stream is the whole's") {
  const ChaChaKey key{1, 2, 3};
  const ChaChaNonce nonce{4, 5, 6};
  std::vector<uint8_t> whole(64 * 40);
  ChaCha8(key, nonce, 7, whole);
  for (uint32_t block = 0; block < 40; ++block) {
    for (const size_t bytes : {size_t{1}, size_t{64}, size_t{64} * (40 - block)}) {
      std::vector<uint8_t> part(bytes);
      ChaCha8(key, nonce, 7 + block, part);
      CHECK(std::memcmp(part.data(), &whole[block * 64], bytes) == 0);
    }
  }
}

}  // namespace
}  // namespace warpbook::probe
