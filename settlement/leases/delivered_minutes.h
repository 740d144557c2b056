// Which minutes of a lease were delivered: one bit per whole minute from the start of its delivery.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "schema/base/check.h"
#include "schema/types/amounts.h"

namespace warpbook::settlement {

class DeliveredMinutes {
 public:
  static constexpr size_t kMax = static_cast<size_t>(kMaxWindowMinutes.value());

  // 0 <= index < kMax (CHECKed).
  void Set(size_t index) {
    WARPBOOK_CHECK(index < kMax);
    bits_.set(index);
  }
  bool Has(size_t index) const { return index < kMax && bits_.test(index); }
  Minutes Count() const { return Minutes(static_cast<int32_t>(bits_.count())); }
  friend bool operator==(const DeliveredMinutes&, const DeliveredMinutes&) = default;

  // The first `minutes` bits as '0' and '1', the first minute first: as the database keeps them.
  std::string ToText(Minutes minutes) const {
    std::string text;
    for (size_t i = 0; i < static_cast<size_t>(minutes.value()); ++i) {
      text.push_back(Has(i) ? '1' : '0');
    }
    return text;
  }
  // The reverse; nullopt where it is something else or too long.
  static std::optional<DeliveredMinutes> FromText(std::string_view text) {
    if (text.size() > kMax) return std::nullopt;
    DeliveredMinutes minutes;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '0' && text[i] != '1') return std::nullopt;
      if (text[i] == '1') minutes.bits_.set(i);
    }
    return minutes;
  }

 private:
  std::bitset<kMax> bits_;
};

}  // namespace warpbook::settlement
