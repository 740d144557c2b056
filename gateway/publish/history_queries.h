// HistoryQueries: the gateway's questions to the engine's port for what the journal has of private
// events. It numbers them, holds those back that the port has no room for, and gives each page to
// who asked. Whoever asks has one question open at a time, so that what is held back is bounded by
// the connections. The I/O thread owns it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "engine/service/engine_port.h"

namespace warpbook::gateway {

class HistoryQueries {
 public:
  using OnPage = std::function<void(std::unique_ptr<const engine::HistoryPage>)>;

  // The port must outlive it.
  explicit HistoryQueries(engine::EnginePort& port) : port_(port) {}

  // The question's number is set here. `on_page` is called by Poll, at most once.
  uint64_t Ask(engine::HistoryRequest request, OnPage on_page);
  // The page is not wanted any more. Nothing happens where it was given already.
  void Cancel(uint64_t id);
  // Takes what the port has, and asks what was held back.
  void Poll();

 private:
  void AskHeldBack();

  engine::EnginePort& port_;
  uint64_t last_id_ = 0;
  absl::flat_hash_map<uint64_t, OnPage> asked_;   // by number; those held back too
  std::deque<engine::HistoryRequest> held_back_;  // some may be cancelled
};

}  // namespace warpbook::gateway
