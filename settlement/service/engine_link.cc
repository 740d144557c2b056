#include "settlement/service/engine_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/types/reject_reason.h"
#include "settlement/service/decision_json.h"

namespace warpbook::settlement {
namespace {

// Nothing against the decision: the gateway or the engine cannot take it at this moment.
bool IsPassing(int number) {
  switch (static_cast<RejectReason>(number)) {
    case RejectReason::kShuttingDown:
    case RejectReason::kRateLimited:
    case RejectReason::kEngineBusy:
    case RejectReason::kTooManyInFlight:
    case RejectReason::kSettlementDelayed:
      return true;
    default:
      return false;
  }
}

// The gateway does not take this connection for settlement's: log on anew.
bool IsOfSession(int number) { return number >= 1100 && number < 1200; }

}  // namespace

EngineLink::EngineLink(Options options, Ed25519PrivateKey key)
    : options_(std::move(options)), key_(std::move(key)), thread_([this] { Run(); }) {}

EngineLink::~EngineLink() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void EngineLink::SetAccount(AccountId account) {
  const Lock lock(mutex_);
  account_ = account;
  changed_.notify_all();
}

void EngineLink::Replace(const std::vector<Decision>& decisions) {
  const Lock lock(mutex_);
  decisions_.assign(decisions.begin(), decisions.end());
  // Answers still to come are about what was replaced: a new connection tells them apart.
  LoseConnection("");
}

void EngineLink::Add(const std::vector<Decision>& decisions) {
  const Lock lock(mutex_);
  decisions_.insert(decisions_.end(), decisions.begin(), decisions.end());
  changed_.notify_all();
}

void EngineLink::Confirm(uint64_t number) {
  const Lock lock(mutex_);
  while (!decisions_.empty() && decisions_.front().number <= number) {
    decisions_.pop_front();
    if (next_ > 0) --next_;
  }
}

bool EngineLink::HeardEngine() const {
  const Lock lock(mutex_);
  return heard_engine_;
}

absl::Status EngineLink::status() const {
  const Lock lock(mutex_);
  return status_;
}

bool EngineLink::connected() const {
  const Lock lock(mutex_);
  return connected_;
}

std::string EngineLink::last_fault() const {
  const Lock lock(mutex_);
  return last_fault_;
}

void EngineLink::Run() {
  Lock lock(mutex_);
  std::chrono::milliseconds pause = options_.retry_min;
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || (account_ && status_.ok()); });
    if (stopping_) return;
    const uint64_t connection = ++connection_;
    next_ = in_flight_ = 0;
    retry_ = false;
    const AccountId account = *account_;
    lock.unlock();
    std::unique_ptr<gateway::Client> client = Connect(connection, account);
    if (client != nullptr) {
      pause = options_.retry_min;
      SendAll(connection, *client);
      client.reset();
    }
    lock.lock();
    connected_ = false;
    changed_.wait_for(lock, pause, [this] { return stopping_; });
    pause = std::min(2 * pause, options_.retry_max);
  }
}

std::unique_ptr<gateway::Client> EngineLink::Connect(uint64_t connection, AccountId account) {
  gateway::ConnectOptions connect;
  connect.address = options_.address;
  connect.authorities_file = options_.authorities;
  connect.connect_timeout = options_.timeout;
  connect.call_timeout = options_.timeout;
  connect.on_closed = [this, connection](const absl::Status& status) {
    OnClosed(connection, status);
  };
  auto client = gateway::Client::Connect(connect);
  absl::Status status = client.status();
  if (status.ok()) {
    const auto reply = (*client)->Logon(account, key_);
    status = reply.ok() ? gateway::ReplyStatus(*reply) : reply.status();
  }
  if (status.ok() && (*client)->server_name() != options_.server_name) {
    status = absl::FailedPreconditionError(absl::StrCat("the gateway's server name is \"",
                                                        (*client)->server_name(), "\", not \"",
                                                        options_.server_name, "\""));
  }
  const Lock lock(mutex_);
  if (!status.ok()) {
    last_fault_ = std::string(status.message());
    return nullptr;
  }
  // Where the count has moved on, it is lost already, or the decisions were replaced.
  if (connection != connection_) return nullptr;
  connected_ = true;
  heard_engine_ = true;
  last_fault_.clear();
  return *std::move(client);
}

void EngineLink::SendAll(uint64_t connection, gateway::Client& client) {
  Lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this, connection] {
      if (stopping_ || connection != connection_ || !status_.ok()) return true;
      if (retry_) return in_flight_ == 0;
      return !Waiting() && in_flight_ < kDecisionsInFlightMax;
    });
    if (stopping_ || connection != connection_ || !status_.ok()) return;
    if (retry_) {
      changed_.wait_for(lock, options_.retry_min,
                        [this, connection] { return stopping_ || connection != connection_; });
      retry_ = false;
      next_ = 0;
      continue;
    }
    const Decision decision = decisions_[next_++];
    ++in_flight_;
    lock.unlock();
    client.CallAsync(
        "settlement.submit", DecisionParameters(decision),
        [this, connection, number = decision.number](const absl::StatusOr<gateway::Reply>& reply) {
          OnReply(connection, number, reply);
        });
    lock.lock();
  }
}

void EngineLink::OnReply(uint64_t connection, uint64_t number,
                         const absl::StatusOr<gateway::Reply>& reply) {
  const Lock lock(mutex_);
  if (connection != connection_) return;
  --in_flight_;
  if (!reply.ok()) {
    LoseConnection(std::string(reply.status().message()));
  } else if (!reply->success) {
    OnRefused(number, *reply);
  }
  changed_.notify_all();
}

void EngineLink::OnRefused(uint64_t number, const gateway::Reply& reply) {
  if (reply.number == static_cast<int>(RejectReason::kNumberRepeated)) return;
  if (IsPassing(reply.number)) {
    retry_ = true;
    return;
  }
  if (IsOfSession(reply.number)) {
    LoseConnection(absl::StrCat(reply.code, ": ", reply.message));
    return;
  }
  // Behind one that was refused for now there is a gap; it closes when both are sent again.
  if (reply.number == static_cast<int>(RejectReason::kNumberGap) && retry_) return;
  status_ = absl::FailedPreconditionError(absl::StrCat("the engine refused decision ", number, ": ",
                                                       reply.code, " (", reply.number,
                                                       "): ", reply.message));
}

void EngineLink::OnClosed(uint64_t connection, const absl::Status& status) {
  const Lock lock(mutex_);
  if (connection == connection_) LoseConnection(std::string(status.message()));
}

void EngineLink::LoseConnection(std::string fault) {
  ++connection_;
  next_ = in_flight_ = 0;
  retry_ = false;
  connected_ = false;
  if (!fault.empty()) last_fault_ = std::move(fault);
  changed_.notify_all();
}

}  // namespace warpbook::settlement
