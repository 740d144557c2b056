// Runs the same commands through the engine and the naive reference and compares what they say
// (every byte of every event) and what they hold (balances, exposure, full queue order). One
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "tests/engine/core/reference_market.h"

namespace warpbook::engine {

reference::Limits LimitsForReference(const EngineLimits& limits);

class Differential {
 public:
  explicit Differential(const EngineLimits& limits);

  // Stamps the command with the next sequence and applies it to both. Returns what differs, if
  // anything does, or that the command has not exactly one reply.
  std::optional<std::string> Apply(wire::CommandRecord command);
  // Compares all that the two hold, and checks the engine's invariants.
  std::optional<std::string> Compare() const;
  // Puts the engine's snapshot, restored, in its place. Returns what differs between the two, if
  // anything does.
  std::optional<std::string> Restore();

  const Engine& engine() const { return *engine_; }
  const reference::ReferenceMarket& reference() const { return reference_; }
  // The events of the last command.
  std::span<const std::byte> events() const { return engine_events_.bytes(); }

 private:
  const EngineLimits limits_;
  std::unique_ptr<Engine> engine_;
  reference::ReferenceMarket reference_;
  wire::RecordWriter engine_events_, reference_events_;
};

// The shortest list of the commands found whose outcome still differs, as lines of text with the
// difference: what a failing seed prints.
std::string ShortenedScenario(const EngineLimits& limits,
                              std::vector<wire::CommandRecord> commands);

}  // namespace warpbook::engine
