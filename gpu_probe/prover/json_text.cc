#include "gpu_probe/prover/json_text.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace warpbook::probe {
namespace {

using Kind = JsonValue::Kind;

const JsonValue kNothing;

void Write(const JsonValue& value, size_t depth, std::string& out) {
  const auto new_line = [&out](size_t at) { out.append("\n").append(2 * at, ' '); };
  switch (value.kind()) {
    case Kind::kNull:
      out.append("null");
      return;
    case Kind::kFlag:
      out.append(value.flag() ? "true" : "false");
      return;
    case Kind::kInteger:
      absl::StrAppend(&out, value.integer());
      return;
    case Kind::kText:
      AppendJsonString(value.text(), out);
      return;
    case Kind::kArray:
      out.push_back('[');
      for (size_t i = 0; i < value.items().size(); ++i) {
        if (i > 0) out.push_back(',');
        new_line(depth + 1);
        Write(value.items()[i], depth + 1, out);
      }
      if (!value.items().empty()) new_line(depth);
      out.push_back(']');
      return;
    case Kind::kObject:
      out.push_back('{');
      for (size_t i = 0; i < value.fields().size(); ++i) {
        if (i > 0) out.push_back(',');
        new_line(depth + 1);
        AppendJsonString(value.fields()[i].first, out);
        out.append(": ");
        Write(value.fields()[i].second, depth + 1, out);
      }
      if (!value.fields().empty()) new_line(depth);
      out.push_back('}');
      return;
  }
}

bool IsLowerHex(char digit) {
  return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
}

}  // namespace

std::string JsonArray(const std::vector<std::string>& values) {
  return absl::StrCat("[", absl::StrJoin(values, ","), "]");
}

std::string JsonString(std::string_view text) {
  std::string written;
  AppendJsonString(text, written);
  return written;
}

std::string Indented(const JsonValue& value) {
  std::string out;
  Write(value, 0, out);
  out.push_back('\n');
  return out;
}

std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kShownTextMax));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

std::string Hex(std::span<const uint8_t> bytes) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

absl::Status BytesFromHex(std::string_view text, std::span<uint8_t> bytes) {
  if (text.size() != 2 * bytes.size() || !std::ranges::all_of(text, IsLowerHex)) {
    return absl::InvalidArgumentError(
        absl::StrCat("not ", 2 * bytes.size(), " lower-case hex digits"));
  }
  const std::string read = absl::HexStringToBytes(absl::string_view(text.data(), text.size()));
  std::ranges::copy(read, bytes.begin());
  return absl::OkStatus();
}

absl::StatusOr<std::array<uint8_t, 32>> Digest32FromHex(std::string_view text) {
  std::array<uint8_t, 32> digest{};
  const absl::Status status = BytesFromHex(text, digest);
  if (!status.ok()) return status;
  return digest;
}

StrictObject::StrictObject(const JsonValue& value, std::string path)
    : value_(value), path_(std::move(path)) {
  if (value.kind() != Kind::kObject) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat(path_.empty() ? "the whole" : path_, ": not a JSON object"));
  }
}

std::string StrictObject::PathOf(std::string_view key) const {
  return absl::StrCat(path_, path_.empty() ? "" : ".", std::string(key));
}

void StrictObject::Fail(std::string_view key, std::string_view what) {
  status_.Update(absl::InvalidArgumentError(absl::StrCat(PathOf(key), ": ", std::string(what))));
}

const JsonValue& StrictObject::Take(std::string_view key, Kind kind, std::string_view kind_name) {
  taken_.emplace_back(key);
  if (!value_.Has(key)) {
    Fail(key, "missing");
    return kNothing;
  }
  const JsonValue& value = value_[key];
  if (value.kind() != kind) Fail(key, absl::StrCat("not ", std::string(kind_name)));
  return value;
}

int64_t StrictObject::Integer(std::string_view key, int64_t low, int64_t high) {
  const int64_t number = Take(key, Kind::kInteger, "a whole number").integer();
  if (number < low || number > high) Fail(key, absl::StrCat("not from ", low, " to ", high));
  return number;
}

std::string StrictObject::Text(std::string_view key, size_t bytes_max) {
  const JsonValue& value = Take(key, Kind::kText, "a text");
  if (value.text().size() > bytes_max) Fail(key, "too long");
  return value.text();
}

uint64_t StrictObject::Id(std::string_view key) {
  const std::string text = Text(key, std::numeric_limits<uint64_t>::digits10 + 1);
  uint64_t id = 0;
  // In one way alone: no signs, blanks or leading zeros.
  if (!absl::SimpleAtoi(text, &id) || absl::StrCat(id) != text) Fail(key, "not an id");
  return id;
}

void StrictObject::Bytes(std::string_view key, std::span<uint8_t> bytes) {
  const absl::Status status = BytesFromHex(Text(key, 2 * bytes.size()), bytes);
  if (!status.ok()) Fail(key, std::string(status.message()));
}

std::array<uint8_t, 32> StrictObject::Bytes32(std::string_view key) {
  std::array<uint8_t, 32> bytes{};
  Bytes(key, bytes);
  return bytes;
}

const std::vector<JsonValue>& StrictObject::Items(std::string_view key, size_t count_max) {
  const JsonValue& value = Take(key, Kind::kArray, "an array");
  if (value.items().size() <= count_max) return value.items();
  Fail(key, "too many");
  return kNothing.items();
}

const JsonValue& StrictObject::Object(std::string_view key) {
  return Take(key, Kind::kObject, "an object");
}

// At the first fault: an object with a million strange fields is not to be gone through for each.
absl::Status StrictObject::Finish() {
  for (const auto& [key, value] : value_.fields()) {
    if (!status_.ok()) return status_;
    const auto is_it = [&key = key](const auto& field) { return field.first == key; };
    if (std::ranges::find(taken_, key) == taken_.end()) {
      Fail(Shown(key), "not a known field");
    } else if (std::ranges::count_if(value_.fields(), is_it) > 1) {
      Fail(Shown(key), "given twice");
    }
  }
  return status_;
}

}  // namespace warpbook::probe
