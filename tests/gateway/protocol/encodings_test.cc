// A request is the same in both encodings: the same command, or the same refusal.
#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>
#include <variant>

#include "gateway/protocol/binary_decoder.h"
#include "gateway/protocol/json_decoder.h"
#include "tests/gateway/support/client_json.h"
#include "tests/gateway/support/random_request.h"

namespace warpbook::gateway {
namespace {

constexpr size_t kBytesMax = 64 * 1024;

}  // namespace

TEST_CASE("A hundred thousand random requests are the same in JSON and in FlatBuffers") {
  std::mt19937_64 random(20'261'127);
  const Choose below = [&](uint64_t n) { return random() % n; };
  JsonDecoder json_decoder(kBytesMax);
  BinaryDecoder binary_decoder(kBytesMax);
  std::array<int, kMethods.size()> taken{};
  std::array<int, 4'000> refused{};
  int not_expressible = 0;
  for (int round = 0; round < 100'000; ++round) {
    const std::string json = RandomRequest(below);
    const auto binary = BinaryRequest(json);
    not_expressible += binary ? 0 : 1;
    if (!binary) continue;
    const DecodedMessage one = json_decoder.Decode(json);
    const DecodedMessage other = binary_decoder.Decode(*binary);
    const std::string difference = DifferenceOf(one, other);
    REQUIRE_MESSAGE(difference.empty(), difference, " in ", json);
    if (const auto* refusal = std::get_if<Refusal>(&one.request)) {
      ++refused[static_cast<size_t>(refusal->reason)];
    } else {
      ++taken[static_cast<size_t>(*one.method)];
    }
  }
  CHECK(not_expressible == 0);
  for (size_t method = 0; method < taken.size(); ++method) {
    const bool is_unfinished = kMethods[method].method == Method::kOrderBatch;
    CHECK_MESSAGE((taken[method] > 0 || is_unfinished), kMethods[method].name);
  }
  // What both encodings can say, and refuse.
  for (const RejectReason reason :
       {RejectReason::kMethodMissing, RejectReason::kUnknownMethod, RejectReason::kUnknownField,
        RejectReason::kMissingField, RejectReason::kOutOfRange, RejectReason::kMalformedText,
        RejectReason::kUnknownValue, RejectReason::kConflictingFields,
        RejectReason::kPriceNotPositive, RejectReason::kFieldNotForSide}) {
    CHECK_MESSAGE(refused[static_cast<size_t>(reason)] > 0, RejectReasonCode(reason));
  }
}

}  // namespace warpbook::gateway
