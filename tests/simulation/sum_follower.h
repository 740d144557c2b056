// SumFollower: the least that a gateway could be: it counts the journal's commands and adds up the
// bytes of all its records.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "absl/status/status.h"
#include "engine/service/follower.h"
#include "tests/simulation/violation.h"

namespace warpbook::simulation {

class SumFollower final : public engine::Follower {
 public:
  absl::Status Apply(const engine::DurableBatch& batch) override {
    Require(batch.first_sequence == commands_ + 1, "a follower is given sequence ",
            batch.first_sequence, " after ", commands_);
    commands_ += batch.command_count;
    for (const std::byte byte : batch.records) sum_ = Add(sum_, static_cast<uint8_t>(byte));
    return absl::OkStatus();
  }
  void Write(absl::FunctionRef<void(std::span<const std::byte>)> sink) const override {
    const std::array<uint64_t, 3> words = {commands_, sum_, Add(sum_, commands_)};
    sink(std::as_bytes(std::span(words)));
  }
  absl::Status Read(std::span<const std::byte> bytes) override {
    std::array<uint64_t, 3> words;
    if (bytes.size() != sizeof words) return absl::DataLossError("the follower's length is wrong");
    std::memcpy(words.data(), bytes.data(), sizeof words);
    if (words[2] != Add(words[1], words[0])) return absl::DataLossError("the follower is damaged");
    commands_ = words[0];
    sum_ = words[1];
    return absl::OkStatus();
  }

  uint64_t commands() const { return commands_; }
  friend bool operator==(const SumFollower& a, const SumFollower& b) {
    return a.commands_ == b.commands_ && a.sum_ == b.sum_;
  }

 private:
  // Odd, so that no bit of either is lost.
  static uint64_t Add(uint64_t sum, uint64_t number) { return sum * 31 + number; }

  uint64_t commands_ = 0;
  uint64_t sum_ = 0;
};

}  // namespace warpbook::simulation
