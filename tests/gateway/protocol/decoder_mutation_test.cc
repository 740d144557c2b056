// Seeded random runs against the decoder: whatever the bytes are, there is exactly one answer, and
// what simdjson's DOM parser (the oracle) finds to be JSON or none, the decoder does too.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/protocol/json_decoder.h"

namespace warpbook::gateway {
namespace {

constexpr size_t kBytesMax = 64 * 1024;

constexpr std::string_view kSeeds[] = {
    R"({"method":"ping","req_id":1,"params":{}})",
    R"({"method":"order.place","req_id":7,"params":{"symbol":"H100-SXM.us-east.2026-12-01T14:00","side":"buy","order_type":"limit","price":"2.50","gpus":8,"tier":"standard","min_fill":8,"min_assurance":"verified","time_in_force":"gtc","cl_ord_id":"job-42","post_only":false,"stp":"cancel_newest","deadline":1767225600123456,"validate":false}})",
    R"({"method":"order.cancel","req_id":7,"params":{"order_id":"12"}})",
    R"({"method":"subscribe","req_id":0,"params":{"channel":"book","symbol":"S"}})",
    R"({"method":"price.set","params":{"feeds":[{"price":"2.00","time":1},{"price":"2.01","time":2},{"price":"1.99","time":3},{"price":"2","time":4},{"price":"0","time":5}]}})",
    R"({"method":"settlement.submit","params":{"number":4,"decision":"settle_lease","lease":"5","verified_weight":"11","consumed":"12","burned":"13","owed":"15","gross_utok":"16","provider_utok":"17","fee_utok":"18","retire_utok":"19","emitted_utok":"3","delivered_minutes":20}})",
    R"({"method":"probe.begin","params":{"node":"5"}})",
    R"({"method":"probe.answer","params":{"node":"5","probe":"7","step":"openings","part":2,"parts":3,"data":"AAEC"}})",
    R"({"method":"lease.judge","params":{"lease":"5","verdict":"founded","share_bps":2500,"reason":"the probe failed"}})",
    R"( { "a" : [ 1 , -2.5e+10 , "\u00fc\n" , true , false , null , { } , [ ] ] } )",
};
// What mutations like to insert.
constexpr std::string_view kPieces[] = {
    "{",       "}",    "[",    "]",   "\"",   ":",    ",",     "-",
    "0",       "1e5",  "-0",   "1.5", "null", "true", "false", "\\u",
    "\\ud83d", "\xff", "\xc3", "\0x", " ",    "\n",   "\\",    "99999999999999999999",
    "\"a\":"};

std::string Mutate(std::string text, std::mt19937_64& random) {
  const auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
  for (size_t change = 0; change <= below(4); ++change) {
    const size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 1:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 2:
        text.erase(at, below(8));
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

// One answer; the same from a decoder that has seen other messages and from a fresh one.
DecodedMessage CheckOneAnswer(JsonDecoder& used, std::string_view text) {
  JsonDecoder fresh(kBytesMax);
  const DecodedMessage first = fresh.Decode(text);
  DecodedMessage second = used.Decode(text);
  CHECK(first.request.index() == second.request.index());
  CHECK(first.method == second.method);
  const auto* refusal = std::get_if<Refusal>(&second.request);
  if (refusal == nullptr) {
    CHECK(second.method.has_value());
  } else {
    CHECK(FindRejectReason(refusal->reason).has_value());
    CHECK(refusal->reason == std::get<Refusal>(first.request).reason);
  }
  return second;
}

// Whether the oracle reads the text. It cannot hold every number that JSON can: then nothing is
// said.
enum class Verdict { kJson, kNotJson, kCannotTell };
Verdict OracleOf(std::string_view text) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(text.data(), text.size()).error();
  if (error == simdjson::SUCCESS) return Verdict::kJson;
  return error == simdjson::NUMBER_ERROR || error == simdjson::DEPTH_ERROR ? Verdict::kCannotTell
                                                                           : Verdict::kNotJson;
}

void CheckAgainstOracle(const DecodedMessage& message, std::string_view text) {
  const auto* refusal = std::get_if<Refusal>(&message.request);
  const RejectReason reason = refusal == nullptr ? RejectReason::kNone : refusal->reason;
  if (reason == RejectReason::kNestingTooDeep) return;  // found before the end was seen
  const bool called_malformed =
      reason == RejectReason::kMalformedJson || reason == RejectReason::kInvalidUtf8;
  const Verdict verdict = OracleOf(text);
  if (verdict == Verdict::kCannotTell) return;
  CAPTURE(std::string(text));
  CHECK(called_malformed == (verdict == Verdict::kNotJson));
}

}  // namespace

TEST_CASE("Mutated messages have one answer each, and the oracle agrees on what is JSON") {
  std::mt19937_64 random(20'260'101);
  JsonDecoder used(kBytesMax);
  size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    const std::string text = Mutate(std::string(kSeeds[random() % std::size(kSeeds)]), random);
    const DecodedMessage message = CheckOneAnswer(used, text);
    CheckAgainstOracle(message, text);
    accepted += std::holds_alternative<Refusal>(message.request) ? 0 : 1;
  }
  CHECK(accepted > 1'000);  // the mutations are not all hopeless
}

TEST_CASE("Random bytes have one answer each") {
  std::mt19937_64 random(7);
  JsonDecoder used(kBytesMax);
  for (int round = 0; round < 50'000; ++round) {
    std::string text(random() % 200, '\0');
    for (char& c : text) c = static_cast<char>(random());
    CheckAgainstOracle(CheckOneAnswer(used, text), text);
  }
  for (int round = 0; round < 50; ++round) {
    std::string text(random() % (2 * kBytesMax), '\0');
    for (char& c : text) c = static_cast<char>(random());
    CheckOneAnswer(used, text);
  }
}

TEST_CASE("Every part of a message has one answer") {
  JsonDecoder used(kBytesMax);
  for (const std::string_view seed : kSeeds) {
    for (size_t length = 0; length <= seed.size(); ++length) {
      CheckAgainstOracle(CheckOneAnswer(used, seed.substr(0, length)), seed.substr(0, length));
    }
  }
}

TEST_CASE("Ten thousand keys in one object are looked through in no more than a moment") {
  std::string text = R"({"method":"ping","params":{)";
  for (int i = 0; text.size() < kBytesMax - 20; ++i) text += "\"" + std::to_string(i) + "\":1,";
  text += "\"0\":1}}";
  JsonDecoder decoder(kBytesMax);
  const DecodedMessage message = decoder.Decode(text);
  CHECK(std::get<Refusal>(message.request).reason == RejectReason::kDuplicateKey);
}

}  // namespace warpbook::gateway
