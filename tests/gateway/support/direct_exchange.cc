#include "tests/gateway/support/direct_exchange.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "engine/service/window_scheduler.h"
#include "schema/base/check.h"
#include "tests/gateway/support/history_pages.h"
#include "tests/gateway/support/test_catalogue.h"

namespace warpbook::gateway {

namespace {

// What one port has not polled; guarded by the exchange's mutex.
struct Inbox {
  Inbox() : ready_fd(eventfd(0, EFD_CLOEXEC)) { WARPBOOK_CHECK(ready_fd >= 0); }
  ~Inbox() { close(ready_fd); }
  void Signal() const {
    const uint64_t one = 1;
    WARPBOOK_CHECK(write(ready_fd, &one, sizeof one) == sizeof one);
  }

  const int ready_fd;
  std::deque<std::shared_ptr<const engine::DurableBatch>> queue;
  std::deque<engine::HistoryRequest> questions;
  std::deque<std::unique_ptr<const engine::HistoryPage>> pages;
};

}  // namespace

// Shared by the exchange and its ports; one mutex for all of it.
struct DirectExchange::State {
  explicit State(SharedClock& the_clock) : clock(the_clock) {}

  // One batch of them all.
  void ApplyLocked(std::vector<wire::CommandRecord> commands) {
    if (commands.empty()) return;
    wire::RecordWriter records;
    auto batch = std::make_shared<engine::DurableBatch>();
    batch->first_sequence = engine.last_sequence().value() + 1;
    for (wire::CommandRecord& command : commands) {
      wire::CommandHeader& header = command.mutable_header();
      header.mutate_sequence(engine.last_sequence().value() + 1);
      header.mutate_time_us(std::max(clock.NowMicros(), engine.last_time().micros()));
      records.Append(command.view(), batch->command_count);
      engine.Apply(command.view(), batch->command_count++, records);
    }
    batch->records = records.Take();
    history.push_back(batch);
    for (const auto& inbox : inboxes) {
      inbox->queue.push_back(batch);
      inbox->Signal();
    }
  }

  // Unless history is held.
  void AnswerQuestions() {
    for (const auto& inbox : inboxes) {
      while (!hold_history && !inbox->questions.empty()) {
        inbox->pages.push_back(Answer(inbox->questions.front()));
        inbox->questions.pop_front();
        inbox->Signal();
      }
    }
  }
  std::unique_ptr<const engine::HistoryPage> Answer(const engine::HistoryRequest& request) const {
    if (history_status.ok()) return PageOf(history, request);
    auto page = std::make_unique<engine::HistoryPage>();
    page->id = request.id;
    page->status = history_status;
    return page;
  }

  mutable std::mutex mutex;
  SharedClock& clock;
  engine::Engine engine;
  bool hold = false, busy = false, lost = false;
  size_t room = std::numeric_limits<size_t>::max();  // commands that TrySubmit still takes
  size_t submitted = 0;
  std::vector<wire::CommandRecord> held;
  std::vector<std::shared_ptr<Inbox>> inboxes;
  std::vector<std::shared_ptr<const engine::DurableBatch>> history;
  bool hold_history = false;
  absl::Status history_status;  // of every page from now on
  size_t questions_max = 64;
};

class DirectExchange::Port final : public engine::EnginePort {
 public:
  explicit Port(std::shared_ptr<State> state) : state_(std::move(state)) {
    const std::lock_guard lock(state_->mutex);
    state_->inboxes.push_back(inbox_);
  }
  ~Port() override {
    const std::lock_guard lock(state_->mutex);
    std::erase(state_->inboxes, inbox_);
  }

  size_t TrySubmit(std::span<const wire::CommandRecord> commands) override {
    const std::lock_guard lock(state_->mutex);
    if (state_->busy || state_->lost) return 0;
    const size_t taken = std::min(commands.size(), state_->room);
    state_->room -= taken;
    for (const wire::CommandRecord& command : commands.first(taken)) {
      ++state_->submitted;
      if (state_->hold) {
        state_->held.push_back(command);
      } else {
        state_->ApplyLocked({command});
      }
    }
    return taken;
  }
  std::shared_ptr<const engine::DurableBatch> Poll() override {
    const std::lock_guard lock(state_->mutex);
    if (inbox_->queue.empty() || state_->lost) return nullptr;
    auto batch = std::move(inbox_->queue.front());
    inbox_->queue.pop_front();
    return batch;
  }
  bool AskHistory(const engine::HistoryRequest& request) override {
    const std::lock_guard lock(state_->mutex);
    if (inbox_->questions.size() + inbox_->pages.size() >= state_->questions_max) return false;
    inbox_->questions.push_back(request);
    state_->AnswerQuestions();
    return true;
  }
  std::unique_ptr<const engine::HistoryPage> PollHistory() override {
    const std::lock_guard lock(state_->mutex);
    if (inbox_->pages.empty()) return nullptr;
    auto page = std::move(inbox_->pages.front());
    inbox_->pages.pop_front();
    return page;
  }
  int ReadyFd() const override { return inbox_->ready_fd; }
  bool lost() const override {
    const std::lock_guard lock(state_->mutex);
    return state_->lost;
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
};

Catalogue TestCatalogue() {
  auto catalogue = ParseCatalogue(kTestCatalogueText, "test");
  WARPBOOK_CHECK(catalogue.ok());
  return *std::move(catalogue);
}

DirectExchange::DirectExchange()
    : catalogue_(TestCatalogue()),
      clock_(kTestWindowMicros + kMicrosPerMinute),
      operator_key_(Ed25519PrivateKey::Generate()),
      settlement_key_(Ed25519PrivateKey::Generate()),
      state_(std::make_shared<State>(clock_)) {
  const auto register_key = [this](const Ed25519PrivateKey& key, AccountKind kind) {
    wire::RegisterSystemKey command;
    const auto public_key = key.public_key();
    std::copy(public_key.begin(), public_key.end(), command.mutable_public_key()->Data());
    command.mutate_kind(static_cast<uint8_t>(kind));
    Apply(command);
  };
  register_key(operator_key_, AccountKind::kOperator);
  register_key(settlement_key_, AccountKind::kSettlement);
  for (const int64_t hour : {0, 1}) {
    Apply(engine::MakeOpenInstrument(catalogue_, *catalogue_.FindClass("H100-SXM"),
                                     *catalogue_.FindRegion("us-east"),
                                     Timestamp(kTestWindowMicros + hour * kMicrosPerHour)));
  }
}

std::unique_ptr<engine::EnginePort> DirectExchange::CreatePort() {
  return std::make_unique<Port>(state_);
}

std::vector<std::unique_ptr<engine::EnginePort>> DirectExchange::CreatePorts(size_t count) {
  std::vector<std::unique_ptr<engine::EnginePort>> ports;
  while (ports.size() < count) ports.push_back(CreatePort());
  return ports;
}

void DirectExchange::ApplyRecord(wire::CommandRecord command) {
  const std::lock_guard lock(state_->mutex);
  state_->ApplyLocked({std::move(command)});
}

void DirectExchange::Tick() { Apply(wire::Tick()); }

void DirectExchange::Hold() {
  const std::lock_guard lock(state_->mutex);
  state_->hold = true;
}

void DirectExchange::LetThrough() {
  const std::lock_guard lock(state_->mutex);
  state_->hold = false;
  state_->ApplyLocked(std::exchange(state_->held, {}));
}

void DirectExchange::SetBusy(bool busy) {
  const std::lock_guard lock(state_->mutex);
  state_->busy = busy;
}

void DirectExchange::HoldHistory(bool hold) {
  const std::lock_guard lock(state_->mutex);
  state_->hold_history = hold;
  state_->AnswerQuestions();
}

void DirectExchange::FailHistory(absl::Status status) {
  const std::lock_guard lock(state_->mutex);
  state_->history_status = std::move(status);
}

void DirectExchange::SetQuestionsMax(size_t count) {
  const std::lock_guard lock(state_->mutex);
  state_->questions_max = count;
}

void DirectExchange::SetRoom(size_t commands) {
  const std::lock_guard lock(state_->mutex);
  state_->room = commands;
}

void DirectExchange::Lose() {
  const std::lock_guard lock(state_->mutex);
  state_->lost = true;
  for (const auto& inbox : state_->inboxes) inbox->Signal();
}

std::vector<std::shared_ptr<const engine::DurableBatch>> DirectExchange::History() const {
  const std::lock_guard lock(state_->mutex);
  return state_->history;
}

size_t DirectExchange::submitted() const {
  const std::lock_guard lock(state_->mutex);
  return state_->submitted;
}

}  // namespace warpbook::gateway
