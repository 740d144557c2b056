// A port inside the engine's process: a bounded ring of commands to the sequencer, a bounded queue
// of durable batches back, questions for history and their answers, and an eventfd. PortState is
// what both sides share; it lives as long as either.
#pragma once

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "engine/service/engine_port.h"
#include "engine/service/engine_service.h"
#include "engine/service/wakeup.h"

namespace warpbook::engine {

class PortState {
 public:
  // `historian` null: nobody answers questions for history, and none is taken.
  PortState(const ServiceLimits& limits, std::shared_ptr<Wakeup> sequencer,
            std::shared_ptr<Wakeup> historian = nullptr);
  ~PortState();
  PortState(const PortState&) = delete;
  PortState& operator=(const PortState&) = delete;

  // The owner's thread.
  size_t TrySubmit(std::span<const wire::CommandRecord> commands);
  std::shared_ptr<const DurableBatch> Poll();
  bool AskHistory(const HistoryRequest& request);
  std::unique_ptr<const HistoryPage> PollHistory();
  int ready_fd() const { return ready_fd_; }
  bool lost() const { return lost_.load(); }
  void Abandon();  // the owner is gone: nothing is kept for it any more

  // The sequencer's thread.
  size_t Take(std::span<wire::CommandRecord> room) { return ring_.pop(room.data(), room.size()); }
  size_t queued() const { return ring_.read_available(); }
  // From its return on, whatever was taken by TrySubmit is in the ring, and nothing more comes.
  void Close();

  // The journal's thread.
  void Deliver(const std::shared_ptr<const DurableBatch>& batch);

  // The history's thread. Each question that is taken is answered.
  std::optional<HistoryRequest> TakeHistoryRequest();
  void AnswerHistory(std::unique_ptr<const HistoryPage> page);

 private:
  void Signal() const;

  const size_t event_bytes_max_;
  const size_t history_requests_max_;
  const std::shared_ptr<Wakeup> sequencer_;
  const std::shared_ptr<Wakeup> historian_;
  const int ready_fd_;

  boost::lockfree::spsc_queue<wire::CommandRecord> ring_;
  std::atomic<bool> submitting_ = false;
  std::atomic<bool> closed_ = false;  // takes no command
  std::atomic<bool> lost_ = false;

  std::mutex mutex_;  // guards what follows
  std::deque<std::shared_ptr<const DurableBatch>> batches_;
  size_t batch_bytes_ = 0;
  bool delivers_ = true;  // false: abandoned or lost
  std::deque<HistoryRequest> history_requests_;
  std::deque<std::unique_ptr<const HistoryPage>> history_pages_;
  size_t history_open_ = 0;  // asked, and not polled yet
};

class LocalEnginePort final : public EnginePort {
 public:
  explicit LocalEnginePort(std::shared_ptr<PortState> state) : state_(std::move(state)) {}
  ~LocalEnginePort() override { state_->Abandon(); }

  size_t TrySubmit(std::span<const wire::CommandRecord> commands) override {
    return state_->TrySubmit(commands);
  }
  std::shared_ptr<const DurableBatch> Poll() override { return state_->Poll(); }
  bool AskHistory(const HistoryRequest& request) override { return state_->AskHistory(request); }
  std::unique_ptr<const HistoryPage> PollHistory() override { return state_->PollHistory(); }
  int ReadyFd() const override { return state_->ready_fd(); }
  bool lost() const override { return state_->lost(); }

 private:
  const std::shared_ptr<PortState> state_;
};

}  // namespace warpbook::engine
