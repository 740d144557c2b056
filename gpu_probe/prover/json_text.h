// JSON as the program writes it, and the strict reading of what it has written.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/client/json_value.h"
#include "schema/base/json_object.h"

namespace warpbook::probe {

using gateway::JsonValue;

// The values, already written, as an array.
std::string JsonArray(const std::vector<std::string>& values);
std::string JsonString(std::string_view text);
// For people: a field a line, indented by two, with a line end.
std::string Indented(const JsonValue& value);

// What a stranger says of itself, so that it harms no terminal and no JSON: printable ASCII, other
// bytes as '?', no more than so many.
inline constexpr size_t kShownTextMax = 128;
std::string Shown(std::string_view text);

// Lower-case digits.
std::string Hex(std::span<const uint8_t> bytes);
// Fills `bytes`. InvalidArgument where the text is not lower-case hex digits of exactly that
// length.
absl::Status BytesFromHex(std::string_view text, std::span<uint8_t> bytes);
absl::StatusOr<std::array<uint8_t, 32>> Digest32FromHex(std::string_view text);

// The fields of an object that has exactly those that are asked for. Errors are kept until Finish:
// InvalidArgument, which names the first field that is missing, too many or of a wrong kind.
class StrictObject {
 public:
  // `path` is how messages name the object: "" for the whole.
  StrictObject(const JsonValue& value, std::string path);

  int64_t Integer(std::string_view key, int64_t low, int64_t high);
  std::string Text(std::string_view key, size_t bytes_max);
  uint64_t Id(std::string_view key);
  // Hex of as many bytes as there is room for.
  void Bytes(std::string_view key, std::span<uint8_t> bytes);
  std::array<uint8_t, 32> Bytes32(std::string_view key);
  const std::vector<JsonValue>& Items(std::string_view key, size_t count_max);
  const JsonValue& Object(std::string_view key);

  std::string PathOf(std::string_view key) const;
  void Fail(std::string_view key, std::string_view what);
  // After the last field was read.
  absl::Status Finish();

 private:
  const JsonValue& Take(std::string_view key, JsonValue::Kind kind, std::string_view kind_name);

  const JsonValue& value_;
  const std::string path_;
  std::vector<std::string> taken_;
  absl::Status status_;
};

}  // namespace warpbook::probe
