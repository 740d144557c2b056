// The decisions at a place where the journal's batches stop, as a table: the first row that fits
// decides. Whatever does not look like the one write that a crash can tear is refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace warpbook::journal {

// What stands where the next batch should.
enum class Spot : uint8_t {
  kNothing,   // the end of the file, or zeros up to it
  kDamaged,   // bytes that are no batch
  kStranger,  // a batch with right checksums that does not continue the journal
};
// The segment after the one that stops.
enum class Successor : uint8_t {
  kNone,
  kContinues,
  kBroken,  // missing though a later one is there, unreadable, of another version, out of order
};

struct StopFacts {
  Spot spot = Spot::kNothing;
  bool later_batch = false;  // a whole batch stands further on in this segment
  Successor successor = Successor::kNone;
  bool known_durable = false;  // the missing sequence is at or below a known durable sequence
};

enum class StopAction : uint8_t {
  kEnd,          // the journal ends here
  kCutTornTail,  // it ends here; what follows is the torn last write
  kNextSegment,
  kRefuse,
};

struct StopRow {
  std::optional<Spot> spot;  // nullopt: any
  std::optional<bool> later_batch;
  std::optional<Successor> successor;
  std::optional<bool> known_durable;
  StopAction action;
  std::string_view reason;  // of a refusal
};

inline constexpr std::nullopt_t kAny = std::nullopt;
inline constexpr std::array<StopRow, 8> kStopTable = {{
    {Spot::kStranger, kAny, kAny, kAny, StopAction::kRefuse,
     "a batch with right checksums does not continue the journal"},
    {kAny, true, kAny, kAny, StopAction::kRefuse, "a batch is damaged, and a later one is whole"},
    {kAny, kAny, Successor::kBroken, kAny, StopAction::kRefuse,
     "the next segment does not continue the journal"},
    {Spot::kDamaged, kAny, Successor::kContinues, kAny, StopAction::kRefuse,
     "the segment's end is damaged, and the next segment is whole"},
    {Spot::kNothing, kAny, Successor::kContinues, kAny, StopAction::kNextSegment, ""},
    {kAny, kAny, Successor::kNone, true, StopAction::kRefuse,
     "a batch is missing or damaged that is known to have been durable"},
    {Spot::kDamaged, false, Successor::kNone, false, StopAction::kCutTornTail, ""},
    {Spot::kNothing, false, Successor::kNone, false, StopAction::kEnd, ""},
}};

// The row that decides. The table is complete.
const StopRow& Decide(const StopFacts& facts);

}  // namespace warpbook::journal
