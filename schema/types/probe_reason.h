// Why a probe's verdict on a provider's GPUs is what it is. Stored in the journal: never
// renumbered. Up to kLapsed they refuse; the rest are flags beside a verdict.
#pragma once

#include "schema/types/enums.h"

namespace warpbook {

enum class ProbeReason : uint8_t {
  kNone = 0,
  kUnfinished = 1,        // no answer, or not all of it
  kTooLate = 2,           // the answer came after the challenge had expired
  kMalformed = 3,         // the answer is no transcript
  kWrongKey = 4,          // not signed by the device that was asked
  kWrongChallenge = 5,    // of another challenge, or of other seeds
  kGpusMissing = 6,       // of fewer GPUs, or more, than were asked
  kRootsChanged = 7,      // not the roots that had stopped the clock
  kTilesMissing = 8,      // other tiles than those asked for
  kTileNotCommitted = 9,  // a tile that is not in its round's tree
  kWrongProduct = 10,     // a tile that is not the product
  kLegsMissing = 11,      // other legs than those asked for
  kLegNotCommitted = 12,  // states that are not in the gather's tree
  kWrongWalk = 13,        // a leg that does not lead where it was said to
  kNoProbe = 14,          // no probe proves this class
  kDuplicateGpu = 15,     // two GPUs give the same identity
  kSlice = 16,            // a part of a GPU, below the class
  kRenamed = 17,          // gives the name of its class, and proves no more than another
  kSlowProducts = 18,     // int8 products below the class's rate
  kSlowMemory = 19,       // memory slower or smaller than the class's, or not kept
  kLapsed = 20,           // not proved again in time
  kFasterThanClass = 21,
  kOtherName = 22,     // the device gives the name of another class
  kSliceClaimed = 23,  // a part of a GPU, and enough for the class
  kSmallProfile = 24,  // sizes of a demonstration: nothing is said of the class
};
constexpr bool Refuses(ProbeReason reason) {
  return reason != ProbeReason::kNone && reason <= ProbeReason::kLapsed;
}

template <>
struct EnumNames<ProbeReason> {
  static constexpr std::array<std::string_view, 25> kNames = {"none",
                                                              "unfinished",
                                                              "too_late",
                                                              "malformed",
                                                              "wrong_key",
                                                              "wrong_challenge",
                                                              "gpus_missing",
                                                              "roots_changed",
                                                              "tiles_missing",
                                                              "tile_not_in_tree",
                                                              "wrong_product",
                                                              "legs_missing",
                                                              "leg_not_in_tree",
                                                              "wrong_walk",
                                                              "no_probe",
                                                              "duplicate_gpu",
                                                              "slice",
                                                              "renamed",
                                                              "slow_products",
                                                              "slow_memory",
                                                              "lapsed",
                                                              "faster_than_class",
                                                              "other_name",
                                                              "slice_claimed",
                                                              "small_profile"};
};

}  // namespace warpbook
