#include "gateway/net/deflate.h"

#include <doctest/doctest.h>

#include <string>

namespace warpbook::gateway {
namespace {

using Outcome = MessageInflater::Outcome;

constexpr size_t kMessageMax = 64 * 1024;

}  // namespace

TEST_CASE("What is deflated inflates again, each message on its own and many times") {
  MessageDeflater deflater;
  MessageInflater inflater(kMessageMax);
  std::string text;
  for (int i = 0; text.size() < kMessageMax - 30; ++i)
    text += R"(["2.50",)" + std::to_string(i) + "],";
  for (const size_t size : {size_t{1}, size_t{100}, size_t{20'000}, text.size()}) {
    const std::string message = text.substr(0, size);
    std::string first;
    for (int i = 0; i < 3; ++i) {
      const std::string payload(deflater.Compress(message));
      if (i == 0) first = payload;
      CHECK(payload == first);  // nothing is kept of what came before
      const auto [outcome, inflated] = inflater.Inflate(payload);
      CHECK(outcome == Outcome::kGood);
      CHECK(inflated == message);
    }
    if (size > 1'000) CHECK(first.size() < size / 2);
  }
}

TEST_CASE("The examples of RFC 7692 inflate") {
  MessageInflater inflater(kMessageMax);
  const auto inflate = [&](const std::string& payload) {
    const auto [outcome, message] = inflater.Inflate(payload);
    CHECK(outcome == Outcome::kGood);
    return std::string(message);
  };
  CHECK(inflate("\xf2\x48\xcd\xc9\xc9\x07" + std::string(1, '\0')) == "Hello");   // 7.2.3.1
  CHECK(inflate(std::string("\x00\x05\x00\xfa\xffHello\x00", 11)) == "Hello");    // 7.2.3.3
  CHECK(inflate(std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)) == "Hello");  // 7.2.3.4
  CHECK(inflate(std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)) ==
        "Hello");                                // 7.2.3.5
  CHECK(inflate(std::string(1, '\0')).empty());  // 7.2.3.6
}

TEST_CASE("A bomb is not inflated beyond the longest message") {
  MessageDeflater deflater;
  MessageInflater inflater(kMessageMax);
  const auto outcome_of = [&](size_t size) {
    return inflater.Inflate(deflater.Compress(std::string(size, ' '))).outcome;
  };
  CHECK(outcome_of(kMessageMax) == Outcome::kGood);
  CHECK(outcome_of(kMessageMax + 1) == Outcome::kTooLarge);
  CHECK(outcome_of(100'000'000) == Outcome::kTooLarge);
  CHECK(outcome_of(100) == Outcome::kGood);
}

TEST_CASE("Bytes that are no deflate stream, or the half of one, are told from good ones") {
  MessageDeflater deflater;
  MessageInflater inflater(kMessageMax);
  CHECK(inflater.Inflate("\xff\xff\xff").outcome == Outcome::kMalformed);
  CHECK(inflater.Inflate("\x06").outcome == Outcome::kMalformed);  // a block of no type
  const std::string payload(
      deflater.Compress(std::string(5'000, 'a') + "bcd" + std::string(99, 'e')));
  for (size_t size = 1; size < payload.size(); ++size) {
    CHECK(inflater.Inflate(payload.substr(0, size)).outcome != Outcome::kTooLarge);
  }
  CHECK(inflater.Inflate(payload).outcome == Outcome::kGood);
}

}  // namespace warpbook::gateway
