// A command log in memory that keeps to the contract in the simplest way, and the same with one
// flaw each, which the conformance suite must find.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "tests/schema/journal/command_log_conformance.h"

namespace warpbook::journal::test {

enum class Flaw : uint8_t {
  kNone,
  kAcknowledgesBeforeDurable,
  kLosesLastBatchAtCrash,
  kTearsBatchInFlight,
  kForgetsWhatRecoverGave,
  kShowsBeforeDurable,
  kShowsOneBatchLate,
  kStopsReadersAtNewEpoch,
  kReadersBeginAtBatchBehind,
  kTakesStaleEpoch,
  kFencesAtBeginOnly,
  kKeepsEpoch,
  kReusesSequence,
  kAnswersOkAfterFault,
  kWritesAfterFault,
  kShowsMarkers,
  kCutsWhatWasRefused,
  kIgnoresStart,
};

// Each flaw and the rule that is there for it.
struct FlawAndRule {
  Flaw flaw;
  std::string_view rule;
};
extern const std::array<FlawAndRule, 17> kFlaws;

std::unique_ptr<LogWorld> MakeReferenceWorld(Flaw flaw = Flaw::kNone);

}  // namespace warpbook::journal::test
