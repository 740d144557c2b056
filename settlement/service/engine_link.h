// EngineLink: sends decisions to the gateway's admin listener (settlement.submit), in the order of
// their numbers, on a thread of its own. What was not read back from the journal is sent again on
// each new connection, from the oldest on; the engine takes each number once, so repeating is safe.
//
// An answer is about sending alone: success and number_repeated mean that the engine has the
// number. Refusals that say "not now" are tried again. Any other refusal is a fault: the engine and
// the books disagree. status() says so, nothing more is sent, and the worker stops.
//
// Threads: the owner's calls the DecisionSender functions, the link's own connects and sends, the
// client's loop brings the answers. One mutex guards all.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "gateway/client/client.h"
#include "schema/base/crypto.h"
#include "settlement/service/decision_sender.h"

namespace warpbook::settlement {

// Decisions sent and not answered yet. At as many it waits.
inline constexpr size_t kDecisionsInFlightMax = 64;

class EngineLink : public DecisionSender {
 public:
  struct Options {
    std::string address;           // of the gateway's admin listener (gateway::ConnectOptions)
    std::string authorities = {};  // likewise, where it is by TLS
    std::string server_name;       // that the gateway must have
    std::chrono::milliseconds timeout{5'000};  // of connecting and of each answer
    std::chrono::milliseconds retry_min{100};  // pause before trying again; doubles up to
    std::chrono::milliseconds retry_max{5'000};
  };

  EngineLink(Options options, Ed25519PrivateKey key);
  ~EngineLink() override;  // ends the thread

  void SetAccount(AccountId account) override;
  void Replace(const std::vector<Decision>& decisions) override;
  void Add(const std::vector<Decision>& decisions) override;
  void Confirm(uint64_t number) override;
  bool HeardEngine() const override;
  absl::Status status() const override;

  // For a status line: whether it is logged on, and the last fault of a connection.
  bool connected() const;
  std::string last_fault() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void Run();
  // A client that is logged on, or null with last_fault_ set.
  std::unique_ptr<gateway::Client> Connect(uint64_t connection, AccountId account);
  // Sends until the connection is lost, the decisions are replaced or the link ends.
  void SendAll(uint64_t connection, gateway::Client& client);
  void OnReply(uint64_t connection, uint64_t number, const absl::StatusOr<gateway::Reply>& reply);
  void OnRefused(uint64_t number, const gateway::Reply& reply);
  void OnClosed(uint64_t connection, const absl::Status& status);
  void LoseConnection(std::string fault);
  bool Waiting() const { return next_ >= decisions_.size(); }

  const Options options_;
  const Ed25519PrivateKey key_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  absl::Status status_;
  std::optional<AccountId> account_;
  bool heard_engine_ = false;
  std::string last_fault_;

  std::deque<Decision> decisions_;  // not confirmed, ascending
  size_t next_ = 0;                 // the first one that is still to be sent on this connection
  size_t in_flight_ = 0;
  bool retry_ = false;  // one was refused for now: when all are answered, from the oldest again
  uint64_t connection_ = 0;  // counts connections; what an old one still answers is ignored
  bool connected_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace warpbook::settlement
