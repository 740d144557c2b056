// An operator's written reason for a verdict: 1 to 64 printable ASCII characters (spaces too, but
// not at its ends), kept in 64 bytes, zeros behind.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace warpbook {

inline constexpr size_t kJudgementReasonLengthMax = 64;

constexpr bool IsJudgementReason(std::string_view text) {
  return !text.empty() && text.size() <= kJudgementReasonLengthMax && text.front() != ' ' &&
         text.back() != ' ' &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// The text in the bytes of a record; nullopt where there is none.
inline std::optional<std::string_view> JudgementReasonOf(const uint8_t* bytes) {
  const uint8_t* const limit = bytes + kJudgementReasonLengthMax;
  const uint8_t* const end = std::find(bytes, limit, uint8_t{0});
  const std::string_view text(reinterpret_cast<const char*>(bytes),
                              static_cast<size_t>(end - bytes));
  const bool padded = std::all_of(end, limit, [](uint8_t byte) { return byte == 0; });
  if (!padded || !IsJudgementReason(text)) return std::nullopt;
  return text;
}

}  // namespace warpbook
