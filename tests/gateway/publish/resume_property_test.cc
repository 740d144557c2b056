// Clients that are cut at random and resume see, message for message, what one sees that listened
// all the time: from memory and from the journal, with slow readers, and across restarts.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gateway/publish/history_queries.h"
#include "gateway/publish/market_snapshot.h"
#include "gateway/publish/resumer.h"
#include "schema/base/clock.h"
#include "tests/gateway/publish/market_batches.h"
#include "tests/gateway/support/direct_exchange.h"
#include "tests/gateway/support/history_pages.h"
#include "tests/gateway/support/json_text.h"

namespace warpbook::gateway {
namespace {

using SharedBatches = std::vector<std::shared_ptr<const engine::DurableBatch>>;

// A port whose journal is ahead of what was published, and takes its time.
class JournalPort final : public engine::EnginePort {
 public:
  explicit JournalPort(const SharedBatches& batches) : batches_(batches) {}
  void SetDurable(size_t batches) { durable_ = batches; }
  void Answer() {
    if (questions_.empty()) return;
    pages_.push_back(PageOf(std::span(batches_).first(durable_), questions_.front()));
    questions_.pop_front();
  }

  size_t TrySubmit(std::span<const wire::CommandRecord>) override { return 0; }
  std::shared_ptr<const engine::DurableBatch> Poll() override { return nullptr; }
  bool AskHistory(const engine::HistoryRequest& request) override {
    if (questions_.size() == 3) return false;
    questions_.push_back(request);
    return true;
  }
  std::unique_ptr<const engine::HistoryPage> PollHistory() override {
    if (pages_.empty()) return nullptr;
    auto page = std::move(pages_.front());
    pages_.pop_front();
    return page;
  }
  int ReadyFd() const override { return -1; }

 private:
  const SharedBatches& batches_;
  size_t durable_ = 0;
  std::deque<engine::HistoryRequest> questions_;
  std::deque<std::unique_ptr<const engine::HistoryPage>> pages_;
};

// A connection's send queue.
class Queue final : public Subscriber {
 public:
  Encoding encoding() const override { return Encoding::kJson; }
  void Send(std::string_view message) override { messages.emplace_back(message); }
  bool SendPublic(const SharedMessage& message) override {
    if (room == 0) return false;
    --room;
    messages.push_back(message->payload);
    return true;
  }
  void OnLogonEnded() override {}
  std::deque<std::string> messages;
  size_t room = 0;
};

struct Seen {
  size_t cuts_inside_an_event = 0;
  std::set<std::string> sources;
  std::set<std::string> events;  // "leases:resold_as", ...
};

// One account's client.
struct Client {
  AccountId account;
  uint32_t channels = 0;
  std::vector<std::string> told;  // but for answers
  uint64_t connection_id = 0;     // 0: none
  std::unique_ptr<Queue> queue;
};

class Trial {
 public:
  Trial(uint64_t seed, Seen& seen) : random_(seed), seen_(seen) {
    for (engine::DurableBatch& batch : RandomBatches(seed, 500)) {
      batches_.push_back(std::make_shared<const engine::DurableBatch>(std::move(batch)));
    }
    Start();
  }

  void Run() {
    control_ = std::make_unique<Publisher>(catalogue_, clock_);
    const uint32_t all = ChannelBit(Channel::kExecutions) | ChannelBit(Channel::kLeases) |
                         ChannelBit(Channel::kBalances);
    for (uint64_t id = 1; id <= LastAccount(); ++id) {
      Client& client = clients_.emplace_back();
      client.account = AccountId(id);
      // Mostly all channels.
      client.channels = Below(2) == 0 ? all : static_cast<uint32_t>(1 + Below(7)) * (all & -all);
      controls_.push_back(std::make_unique<Queue>());
      control_->private_feed().Join(id, *controls_.back(), client.channels, client.account, 0);
    }
    for (published_ = 0; published_ < batches_.size();) {
      control_->Publish(*batches_[published_]);
      publisher_->Publish(*batches_[published_++]);
      port_->SetDurable(std::min(batches_.size(), published_ + Below(4)));
      for (uint64_t steps = Below(6); steps > 0; --steps) Step();
    }
    Finish();
  }

 private:
  uint64_t Below(uint64_t end) { return random_() % end; }

  uint64_t LastAccount() const {
    uint64_t last = 0;
    for (const auto& batch : batches_) {
      for (const wire::RecordView record : wire::Records(batch->records)) {
        if (record.type() != wire::RecordType::kAccountOpened) continue;
        last = std::max(last, record.event_header().account_id());
      }
    }
    return last;
  }

  // A process, from the start of its life on.
  void Start() {
    const RecentEventsLimits recent{.events_per_account = Below(2) == 0 ? size_t{8} : size_t{256},
                                    .bytes = Below(4) == 0   ? 0
                                             : Below(2) == 0 ? size_t{4'096}
                                                             : size_t{1} << 20};
    limits_.page_events = static_cast<uint32_t>(1 + Below(20));
    port_ = std::make_unique<JournalPort>(batches_);
    port_->SetDurable(published_);
    publisher_ = std::make_unique<Publisher>(catalogue_, clock_, recent);
    history_ = std::make_unique<HistoryQueries>(*port_);
    resumer_ = std::make_unique<Resumer>(*publisher_, *history_, clock_, clock_, limits_);
  }

  void Restart() {
    for (Client& client : clients_) Cut(client);
    const Bytes snapshot = WriteMarket(*publisher_);
    resumer_.reset();
    Start();
    if (Below(2) == 0) {
      REQUIRE(ReadMarket(snapshot, *publisher_).ok());
    } else {
      for (size_t i = 0; i < published_; ++i) publisher_->Publish(*batches_[i]);
    }
  }

  void Step() {
    if (Below(80) == 0) return Restart();
    Client& client = clients_[Below(clients_.size())];
    switch (Below(6)) {
      case 0:
        return Cut(client);
      case 1:
        port_->Answer();
        return history_->Poll();
      case 2:
        if (client.connection_id == 0) return;
        client.queue->room = Below(20);
        return resumer_->OnRoom(client.connection_id);
      case 3:
        return Read(client, Below(10));
      default:
        if (client.connection_id == 0) Connect(client);
    }
  }

  void Connect(Client& client) {
    const AccountRow* account = publisher_->state().FindAccount(client.account);
    if (account == nullptr) return;
    client.connection_id = ++last_connection_id_;
    client.queue = std::make_unique<Queue>();
    client.queue->room = Below(20);
    Resumer::Request request;
    request.reply.connection_id = client.connection_id;
    request.reply.subscriber = client.queue.get();
    request.reply.tally = &publisher_->tally();
    request.reply.method = Method::kSessionResume;
    request.account = client.account;
    request.channels = client.channels;
    if (!client.told.empty()) {
      request.last_sequence = static_cast<uint64_t>(IntegerAt(client.told.back(), "/seq"));
      for (const Channel channel : kPrivateChannels) {
        if (At(client.told.back(), "/channel") != ChannelName(channel)) continue;
        request.channels_left = client.channels & ChannelsBehind(channel);
      }
    }
    resumer_->Begin(request);
  }

  // The client gets so many of the messages that wait.
  void Read(Client& client, size_t count) {
    if (client.connection_id == 0) return;
    for (; count > 0 && !client.queue->messages.empty(); --count) {
      std::string message = std::move(client.queue->messages.front());
      client.queue->messages.pop_front();
      if (Has(message, "/success")) {
        REQUIRE(At(message, "/result/resumed") == "true");
        seen_.sources.insert(At(message, "/result/source"));
        continue;
      }
      const std::string channel = At(message, "/channel");
      for (const char* field : {"event", "cause", "resold_as", "state"}) {
        const std::string pointer = std::string("/data/0/") + field;
        if (Has(message, pointer)) {
          seen_.events.insert(
              channel + ":" + field +
              (field == std::string("resold_as") ? "" : ":" + At(message, pointer)));
        }
      }
      client.told.push_back(std::move(message));
    }
  }

  void Cut(Client& client) {
    if (client.connection_id == 0) return;
    Read(client, Below(client.queue->messages.size() + 1));
    if (!client.queue->messages.empty() && !client.told.empty() &&
        Has(client.queue->messages.front(), "/seq") &&
        IntegerAt(client.queue->messages.front(), "/seq") ==
            IntegerAt(client.told.back(), "/seq")) {
      ++seen_.cuts_inside_an_event;
    }
    publisher_->RemoveConnection(client.connection_id);
    resumer_->Remove(client.connection_id, RejectReason::kNone);
    client.connection_id = 0;
    client.queue.reset();
  }

  void Finish() {
    for (Client& client : clients_) {
      CAPTURE(client.account.value());
      if (client.connection_id == 0) Connect(client);
      for (int turns = 0; resumer_->CountOf(client.connection_id) != 0; ++turns) {
        REQUIRE(turns < 100'000);
        port_->Answer();
        history_->Poll();
        client.queue->room = 5;
        resumer_->OnRoom(client.connection_id);
      }
      Read(client, client.queue->messages.size());
      const Queue& control = *controls_[client.account.value() - 1];
      REQUIRE(client.told.size() == control.messages.size());
      for (size_t i = 0; i < client.told.size(); ++i) {
        REQUIRE(client.told[i] == control.messages[i]);
      }
    }
  }

  std::mt19937_64 random_;
  Seen& seen_;
  const Catalogue catalogue_ = TestCatalogue();
  const ManualClock clock_{1};
  HistoryLimits limits_;
  SharedBatches batches_;
  size_t published_ = 0;
  std::unique_ptr<JournalPort> port_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<HistoryQueries> history_;
  std::unique_ptr<Resumer> resumer_;
  std::unique_ptr<Publisher> control_;
  std::vector<std::unique_ptr<Queue>> controls_;  // by account
  std::deque<Client> clients_;
  uint64_t last_connection_id_ = 0;
};

}  // namespace

TEST_CASE("Random cuts, restarts and slow readers: who resumes sees what who stayed has seen") {
  Seen seen;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Trial(seed, seen).Run();
  }
  CHECK(seen.cuts_inside_an_event > 0);
  CHECK(seen.sources == std::set<std::string>{"journal", "memory"});
  for (const char* event :
       {"executions:event:accepted", "executions:event:filled", "executions:event:amended",
        "executions:event:cancelled", "balances:cause:deposit", "balances:cause:top_up",
        "balances:cause:reward", "leases:resold_as", "leases:state:reserved",
        "leases:state:settled"}) {
    CHECK_MESSAGE(seen.events.contains(event), std::string(event));
  }
}

}  // namespace warpbook::gateway
