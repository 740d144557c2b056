// DirectExchange: the real engine behind a real EnginePort, without journal or threads of its own:
// a command is applied when it is submitted, and its events are durable at once. Tests stamp time
// themselves, and can make the engine busy or slow.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/engine.h"
#include "engine/service/engine_port.h"
#include "schema/base/clock.h"
#include "schema/base/crypto.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

// The market's clock of the tests; any thread.
class SharedClock final : public Clock {
 public:
  explicit SharedClock(int64_t micros) : micros_(micros) {}
  int64_t NowMicros() const override { return micros_; }
  void Set(int64_t micros) { micros_ = micros; }
  void Advance(int64_t micros) { micros_ += micros; }

 private:
  std::atomic<int64_t> micros_;
};

// Two classes and two regions; windows of an hour.
Catalogue TestCatalogue();
// The start of the first window: 2026-12-01T14:00:00Z.
inline constexpr int64_t kTestWindowMicros = 1'796'133'600'000'000;
inline constexpr const char* kTestSymbol = "H100-SXM.us-east.2026-12-01T14:00";

class DirectExchange {
 public:
  // Opens the operator's account (1), settlement's (2) and the window of kTestSymbol, and one hour
  // after it, a minute into the window.
  DirectExchange();

  // For one thread of a gateway. Batches from here on go to it.
  std::unique_ptr<engine::EnginePort> CreatePort();
  std::vector<std::unique_ptr<engine::EnginePort>> CreatePorts(size_t count = 1);

  // A command of the exchange itself, or of an account, applied and published.
  template <typename Command>
  void Apply(const Command& command) {
    ApplyRecord(wire::CommandRecord(command));
  }
  void Tick();
  // Commands that come in are taken but wait until they are let through, as one batch.
  void Hold();
  void LetThrough();
  // TrySubmit takes none; or so many in all from now on.
  void SetBusy(bool busy);
  void SetRoom(size_t commands);
  void Lose();  // every port is lost
  // Questions for history wait for their answers while it is held; those that come after a failure
  // was set get it; so many may be open.
  void HoldHistory(bool hold);
  void FailHistory(absl::Status status);
  void SetQuestionsMax(size_t count);

  SharedClock& clock() { return clock_; }
  const Catalogue& catalogue() const { return catalogue_; }
  const Ed25519PrivateKey& operator_key() const { return operator_key_; }
  const Ed25519PrivateKey& settlement_key() const { return settlement_key_; }
  // All batches so far, in order: what recovery would replay.
  std::vector<std::shared_ptr<const engine::DurableBatch>> History() const;
  // Commands that were submitted through ports.
  size_t submitted() const;

 private:
  class Port;
  struct State;
  void ApplyRecord(wire::CommandRecord command);

  const Catalogue catalogue_;
  SharedClock clock_;
  const Ed25519PrivateKey operator_key_, settlement_key_;
  const std::shared_ptr<State> state_;
};

}  // namespace warpbook::gateway
