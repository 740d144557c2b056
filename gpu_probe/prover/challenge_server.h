// The stand-alone verifier: issues a challenge to each connection whose device has signed its
// hello and is ready, and decides on the answer. A thread for each connection, up to
// kConnectionsMax; every read and write has its time, every message its longest length.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gpu_probe/prover/challenge_stream.h"
#include "gpu_probe/prover/own_asker.h"
#include "gpu_probe/prover/tcp_stream.h"

namespace warpbook::probe {

// Further ones are told so and closed.
inline constexpr int kConnectionsMax = 8;

struct ServerSettings {
  AskerSettings asker;
  std::optional<PublicKey> device_key;  // none: anybody's
  int32_t gpus = 0;                     // 0: as many as the prover offers
  bool ends_after_first = false;
  std::chrono::milliseconds hello_patience{10'000};
};

// What came of a challenge.
struct ServedVerdict {
  std::string peer;
  const ProbeSession& session;  // its record is whole where awaited() is none
  const Verdict& verdict;
  const std::string& report;  // in one line
};

class ChallengeServer {
 public:
  // `on_verdict` is called by one thread at a time, before the prover hears it. What it returns is
  // counted as the program's failure, and the prover hears the verdict all the same. `on_fault` is
  // told what was wrong with a connection that came to no challenge, or to no verdict because the
  // server ends.
  using OnVerdict = std::function<absl::Status(const ServedVerdict& verdict)>;
  using OnFault = std::function<void(const std::string& what)>;
  ChallengeServer(ServerSettings settings, OnVerdict on_verdict, OnFault on_fault)
      : settings_(std::move(settings)),
        on_verdict_(std::move(on_verdict)),
        on_fault_(std::move(on_fault)) {}

  // Serves until `stop` is set, or the first verdict has been heard where that is asked for. Then
  // connections that are open are ended. The first error of `on_verdict`.
  absl::Status Serve(TcpListener& listener, const std::atomic<bool>& stop);

 private:
  void Converse(TcpStream& stream);
  // From the greeting to the hello.
  absl::StatusOr<Hello> Greet(TcpStream& stream);
  // From the sizes until the prover is ready for the challenge.
  absl::Status AwaitReady(TcpStream& stream, const std::string& sizes);
  // From the challenge to its verdict: the report. Cancelled where the server ends before.
  absl::StatusOr<std::string> Ask(TcpStream& stream, OwnAsker& asker);
  // Tells both sides why there is no verdict.
  void Refuse(TcpStream& stream, const absl::Status& why);
  void Fault(const TcpStream& stream, std::string_view what);

  const ServerSettings settings_;
  const OnVerdict on_verdict_;
  const OnFault on_fault_;
  std::mutex verifying_;  // one transcript at a time
  std::mutex telling_;    // on_verdict_, on_fault_ and failure_
  absl::Status failure_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace warpbook::probe
