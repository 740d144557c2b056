// Hash64 is stored in journals and compared across builds: its values are pinned. They were
// computed by an independent program (arbitrary-precision integers, reduced modulo 2^64).
#include "schema/base/hash.h"

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string_view>
#include <vector>

namespace warpbook {
namespace {

uint64_t OfWords(const std::vector<uint64_t>& words) {
  Hash64 hash;
  for (const uint64_t word : words) hash.Add(word);
  return hash.value();
}

uint64_t OfText(std::string_view text) {
  Hash64 hash;
  hash.AddBytes(std::as_bytes(std::span(text)));
  return hash.value();
}

TEST_CASE("A seed of zero and a word of zero give SplitMix64's first number") {
  Hash64 hash(0);
  hash.Add(0);
  CHECK(hash.value() == 0xe220a8397b1dcdaf);
}

TEST_CASE("The hash of words has its pinned values") {
  CHECK(OfWords({}) == 0x243f6a8885a308d3);
  CHECK(OfWords({0}) == 0x2cb0f69f4abea221);
  CHECK(OfWords({std::numeric_limits<uint64_t>::max()}) == 0x4e68389f0748aa13);
  Hash64 seeded(0);
  seeded.Add(42);
  CHECK(seeded.value() == 0xbdd732262feb6e95);
  Hash64 thousand;
  for (uint64_t i = 0; i < 1'000; ++i) thousand.Add(i);
  CHECK(thousand.value() == 0xa2e8267af9a7364c);
}

TEST_CASE("The hash of bytes has its pinned values") {
  CHECK(OfText("") == 0x2cb0f69f4abea221);
  CHECK(OfText("a") == 0x7e6dbd6101cf4957);
  CHECK(OfText("12345678") == 0xa93a9484b24292d5);
  CHECK(OfText("123456789") == 0x03056eca5e365037);
  CHECK(OfText("The quick brown fox jumps over the lazy dog") == 0xfe289f31a691d735);
}

TEST_CASE("Zeros at the end of bytes count") {
  const std::string_view zeros("\0\0\0\0\0\0\0\0\0", 9);
  std::set<uint64_t> values;
  for (size_t length = 0; length <= zeros.size(); ++length) {
    values.insert(OfText(zeros.substr(0, length)));
  }
  CHECK(values.size() == zeros.size() + 1);
}

TEST_CASE("Short sequences of small words never collide") {
  // Flags and counters are what states are made of: every sequence of up to 6 words below 8.
  std::set<uint64_t> values;
  size_t sequences = 0;
  for (int length = 0; length <= 6; ++length) {
    for (uint64_t code = 0; code < uint64_t{1} << (3 * length); ++code) {
      Hash64 hash;
      for (int i = 0; i < length; ++i) hash.Add((code >> (3 * i)) & 7);
      values.insert(hash.value());
      ++sequences;
    }
  }
  CHECK(values.size() == sequences);
}

TEST_CASE("Each bit of a word changes about half of the hash") {
  for (int bit = 0; bit < 64; ++bit) {
    int changed = 0;
    for (uint64_t word = 0; word < 64; ++word) {
      changed += __builtin_popcountll(OfWords({word}) ^ OfWords({word ^ (uint64_t{1} << bit)}));
    }
    CAPTURE(bit);
    CHECK(changed > 64 * 26);
    CHECK(changed < 64 * 38);
  }
}

}  // namespace
}  // namespace warpbook
