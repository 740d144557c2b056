#include "gateway/net/settlement_reports.h"

#include <utility>

#include "schema/base/log.h"

namespace warpbook::gateway {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kLoggedBytesMax = 256;  // of an answer that is none

const SettlementReports::SharedAnswer& Away() {
  static const auto* const kAway =
      new SettlementReports::SharedAnswer(std::make_shared<const SettlementReports::Answer>());
  return *kAway;
}

}  // namespace

SettlementReports::SettlementReports(Options options) : options_(std::move(options)) {}

SettlementReports::SharedAnswer SettlementReports::Ask(const std::string& target,
                                                       Callback callback) {
  const std::lock_guard lock(mutex_);
  auto found = questions_.find(target);
  if (found == questions_.end()) {
    if (target.find('?') != std::string::npos && !MakeRoom()) return Away();
    found = questions_.try_emplace(target).first;
  }
  Question& question = found->second;
  if (question.answer && SteadyClock::now() - question.answered_at < kSettlementAnswerAgeMax) {
    return question.answer;
  }
  question.waiting.push_back(std::move(callback));
  if (std::exchange(question.under_way, true)) return nullptr;
  HttpGetAsync(loop_,
               {.address = options_.address,
                .authorities_file = {},
                .target = target,
                .timeout = options_.timeout,
                .body_bytes_max = options_.body_bytes_max},
               [this, target](absl::StatusOr<HttpResponse> response) {
                 OnAnswer(target, std::move(response));
               });
  return nullptr;
}

void SettlementReports::OnAnswer(const std::string& target, absl::StatusOr<HttpResponse> response) {
  SharedAnswer answer = Away();
  absl::Status status = response.status();
  if (response.ok() && (response->status == 200 || response->status == 400)) {
    answer = std::make_shared<const Answer>(Answer{response->status, std::move(response->body)});
  } else if (response.ok()) {
    status = absl::UnavailableError(response->body.substr(0, kLoggedBytesMax));
  }
  LogChange(status);
  std::vector<Callback> waiting;
  {
    const std::lock_guard lock(mutex_);
    Question& question = questions_[target];
    question.answer = answer;
    question.answered_at = SteadyClock::now();
    question.under_way = false;
    waiting = std::exchange(question.waiting, {});
  }
  for (const Callback& callback : waiting) callback(answer);
}

void SettlementReports::LogChange(const absl::Status& status) {
  if (std::exchange(away_, !status.ok()) == away_) return;
  if (status.ok()) {
    Log(LogLevel::kInfo, "settlement_answers");
  } else {
    Log(LogLevel::kWarning, "settlement_unavailable",
        JsonObject().Text("detail", std::string(status.message())));
  }
}

bool SettlementReports::MakeRoom() {
  if (questions_.size() < kSettlementQuestionsMax) return true;
  const auto oldest_allowed = SteadyClock::now() - kSettlementAnswerAgeMax;
  absl::erase_if(questions_, [&](const auto& entry) {
    return !entry.second.under_way && entry.second.answered_at < oldest_allowed;
  });
  return questions_.size() < kSettlementQuestionsMax;
}

}  // namespace warpbook::gateway
