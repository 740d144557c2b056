// SettlementReports: what settlement answers about supply and disclosures, for all I/O threads of a
// gateway. Each question is asked of settlement's HTTP once a second at most, whoever asks here and
// how often, on a thread of its own: no I/O thread ever waits. That settlement is away is kept as
// long.
//
// Any thread may ask. Everything is bounded: answers kept, questions under way, time, size.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "gateway/client/client_loop.h"
#include "gateway/client/http_get.h"

namespace warpbook::gateway {

// Different questions with a parameter whose answers are kept or under way. Another one is answered
// as if settlement were away; those without a parameter, which most people ask, always have room.
inline constexpr size_t kSettlementQuestionsMax = 16;
inline constexpr std::chrono::milliseconds kSettlementAnswerAgeMax{1'000};

class SettlementReports {
 public:
  struct Options {
    std::string address;  // host:port of settlement's HTTP
    std::chrono::milliseconds timeout{5'000};
    size_t body_bytes_max = size_t{1} << 20;
  };
  // status 200 and settlement's body; 400: the question is wrong; 503: it cannot be asked now.
  struct Answer {
    unsigned status = 503;
    std::string body;
  };
  using SharedAnswer = std::shared_ptr<const Answer>;
  using Callback = std::function<void(const SharedAnswer&)>;

  explicit SettlementReports(Options options);

  // The answer to "/supply?date=...", where it is there; else nullptr, and the callback is called
  // with it once, on another thread, within the timeout; unless this is destroyed first.
  SharedAnswer Ask(const std::string& target, Callback callback);

 private:
  struct Question {
    SharedAnswer answer;  // the last one, or null
    std::chrono::steady_clock::time_point answered_at;
    bool under_way = false;
    std::vector<Callback> waiting;
  };

  void OnAnswer(const std::string& target, absl::StatusOr<HttpResponse> response);
  // Makes room for another question with a parameter; false where there is none.
  bool MakeRoom();
  // Says so where settlement has gone or come back.
  void LogChange(const absl::Status& status);

  const Options options_;
  std::mutex mutex_;
  absl::flat_hash_map<std::string, Question> questions_;
  bool away_ = false;  // as it was told; the loop's thread
  ClientLoop loop_;    // last: its callbacks use all of the above
};

}  // namespace warpbook::gateway
