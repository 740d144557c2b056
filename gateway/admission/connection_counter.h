// ConnectionCounter: the connections of one listener, in total and by address, against its limits.
// Its owner is SharedAdmission.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "gateway/admission/limits.h"

namespace warpbook::gateway {

class ConnectionCounter {
 public:
  enum class Verdict : uint8_t {
    kServe,
    kRefuse,  // to be told that there is no room
    kDrop,    // even those who are told so are too many: not counted
  };

  explicit ConnectionCounter(const ConnectionLimits& limits) : limits_(limits) {}

  // A connection more from that address; until Remove it counts, unless it was dropped.
  Verdict Add(const std::string& address) {
    if (total_ >= limits_.total_max + limits_.refused_max) return Verdict::kDrop;
    size_t& from_there = by_address_[address];
    const bool has_room = total_ < limits_.total_max && from_there < limits_.per_address_max;
    ++total_;
    ++from_there;
    return has_room ? Verdict::kServe : Verdict::kRefuse;
  }

  void Remove(const std::string& address) {
    const auto found = by_address_.find(address);
    if (--found->second == 0) by_address_.erase(found);
    --total_;
  }

 private:
  const ConnectionLimits& limits_;
  size_t total_ = 0;
  absl::flat_hash_map<std::string, size_t> by_address_;
};

}  // namespace warpbook::gateway
