#include "gpu_probe/prover/record_file.h"

#include <doctest/doctest.h>

#include <optional>

#include "gpu_probe/prover/json_text.h"
#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe {
namespace {

using Kind = JsonValue::Kind;

const VerifierRecord& Record() {
  static const VerifierRecord record = [] {
    test::Proving proving;
    proving.challenge = test::SmallChallenge(1, 2);
    proving.claims = test::Claims(2);
    return proving.Run().record;
  }();
  return record;
}

// Writes a record anew with one thing done to it: the n-th field or value of all is left out or
// replaced.
class Rewriter {
 public:
  enum class Change { kFieldGone, kFieldAdded, kValueOfOtherKind };
  Rewriter(Change change, int which) : change_(change), left_(which) {}

  std::string Write(const JsonValue& value) {
    const bool is_leaf = value.kind() != Kind::kObject && value.kind() != Kind::kArray;
    if (change_ == Change::kValueOfOtherKind && IsTheOne()) {
      return value.kind() == Kind::kInteger ? "\"7\"" : "7";
    }
    std::vector<std::string> parts;
    if (value.kind() == Kind::kArray) {
      for (const JsonValue& item : value.items()) parts.push_back(Write(item));
      return JsonArray(parts);
    }
    if (is_leaf) {
      return value.kind() == Kind::kInteger ? std::to_string(value.integer())
                                            : JsonString(value.text());
    }
    JsonObject object;
    if (change_ == Change::kFieldAdded && IsTheOne()) object.Integer("more", 1);
    for (const auto& [key, field] : value.fields()) {
      if (change_ == Change::kFieldGone && IsTheOne()) {
        gone_ = key;
        continue;
      }
      object.Raw(key, Write(field));
    }
    return object.Build();
  }
  // Whether it came to the n-th.
  bool is_done() const { return left_ < 0; }
  const std::string& gone() const { return gone_; }

 private:
  bool IsTheOne() { return left_-- == 0; }

  const Change change_;
  int left_;
  std::string gone_;
};

// How many changes of a kind there are; each is refused, with a message that has `word` in it.
int AllAreRefused(Rewriter::Change change, const std::string& word) {
  const JsonValue right = JsonValue::Parse(EncodeRecord(Record())).value();
  for (int which = 0;; ++which) {
    Rewriter rewriter(change, which);
    const std::string text = rewriter.Write(right);
    if (!rewriter.is_done()) return which;
    const auto read = DecodeRecord(text);
    CAPTURE(text);
    REQUIRE(absl::IsInvalidArgument(read.status()));
    const std::string message(read.status().message());
    CAPTURE(message);
    CHECK(message.find(word) != std::string::npos);
    CHECK(message.find(rewriter.gone()) != std::string::npos);
  }
}

TEST_CASE("A record is read as it was written") {
  const std::string text = EncodeRecord(Record());
  const auto read = DecodeRecord(text);
  REQUIRE(read.ok());
  CHECK(read->challenge == Record().challenge);
  CHECK(read->gather_seed == Record().gather_seed);
  CHECK(read->opening_seed == Record().opening_seed);
  CHECK(read->product_roots == Record().product_roots);
  CHECK(read->gather_roots == Record().gather_roots);
  CHECK(read->products_us == Record().products_us);
  CHECK(read->fill_us == Record().fill_us);
  CHECK(read->gather_us == Record().gather_us);
  CHECK(read->answered_us == Record().answered_us);
  CHECK(EncodeRecord(*read) == text);
  CHECK(DecodeRecord(Indented(JsonValue::Parse(text).value())).ok());
}

TEST_CASE("Each field of a record is needed, and no other is taken") {
  CHECK(AllAreRefused(Rewriter::Change::kFieldGone, "missing") > 25);
  CHECK(AllAreRefused(Rewriter::Change::kFieldAdded, "more: not a known field") == 5);
}

TEST_CASE("Each value of a record is of its kind") {
  CHECK(AllAreRefused(Rewriter::Change::kValueOfOtherKind, ":") > 30);
}

TEST_CASE("A record in which any one character was changed is refused") {
  const std::string right = EncodeRecord(Record());
  for (size_t at = 0; at < right.size(); ++at) {
    for (const char with : {'0', '1', 'a', '"', ' ', '\0'}) {
      std::string wrong = right;
      wrong[at] = with;
      if (wrong == right) continue;
      CAPTURE(wrong);
      CHECK(absl::IsInvalidArgument(DecodeRecord(wrong).status()));
    }
  }
  for (size_t length = 0; length < right.size(); ++length) {
    CHECK_FALSE(DecodeRecord(right.substr(0, length)).ok());
  }
}

TEST_CASE("A record whose roots are not of its challenge is refused, whatever its digest") {
  const auto changed = [](auto change) {
    VerifierRecord record = Record();
    change(record);
    return std::string(DecodeRecord(EncodeRecord(record)).status().message());
  };
  CHECK(changed([](VerifierRecord&) {}).empty());
  CHECK(
      changed([](VerifierRecord& r) { r.product_roots.pop_back(); }).starts_with("product_roots"));
  CHECK(changed([](VerifierRecord& r) {
          r.product_roots[1].pop_back();
        }).starts_with("product_roots"));
  CHECK(
      changed([](VerifierRecord& r) { r.gather_roots.push_back({}); }).starts_with("gather_roots"));
  CHECK(changed([](VerifierRecord& r) { r.challenge.gpus = 0; }).starts_with("challenge.gpus"));
  CHECK(changed([](VerifierRecord& r) { r.challenge.gpus = 65; }).starts_with("challenge.gpus"));
  CHECK(changed([](VerifierRecord& r) { r.products_us = -1; }).starts_with("products_us"));
  CHECK(changed([](VerifierRecord& r) { r.challenge.size.compute.m = 1; }) != "");
  CHECK(changed([](VerifierRecord& r) { r.challenge.size.memory.walks = 1; }) != "");
}

TEST_CASE("A record with a great many strange fields is refused at the first") {
  // Gone through for each of them it would take minutes.
  std::string text = "{";
  for (int i = 0; i < 300'000; ++i) text += "\"" + std::to_string(i) + "\":0,";
  text.back() = '}';
  CHECK(absl::IsInvalidArgument(DecodeRecord(text).status()));
  const JsonValue value = JsonValue::Parse(text).value();
  StrictObject object(value, "");
  CHECK(object.Finish().message() == "0: not a known field");
}

}  // namespace
}  // namespace warpbook::probe
