#include "gateway/cli/demo/demo.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/cli/demo/buyer.h"
#include "gateway/cli/demo/context.h"
#include "gateway/cli/demo/market_watch.h"
#include "gateway/cli/demo/operator_desk.h"
#include "gateway/cli/demo/provider.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/stop_signals.h"
#include "schema/base/clock.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// How long the exchange may take to be reached at the start.
constexpr seconds kStartPatience{20};
// How long orders may take to be cancelled at the end.
constexpr seconds kCancelPatience{10};
constexpr milliseconds kLook{100};
constexpr seconds kTerminalPeriod{1};
constexpr seconds kLogPeriod{5};
// The operator's account is the first one that a new exchange opens.
constexpr AccountId kFirstOperatorAccount = AccountId(1);

// What a look at the loop's world tells.
struct View {
  DemoCounts counts;
  std::string prices;
  size_t members_ready = 0;
  size_t unfinished_orders = 0;
  bool is_started = false;
  absl::Status lost;
  absl::Status failure;
};

class Demo {
 public:
  explicit Demo(const DemoOptions& options);

  absl::Status Prepare();
  absl::Status Run();
  absl::Status WriteSummary();

 private:
  absl::Status MakeMembers();
  void StartMembers();
  absl::Status WaitForStart();
  // Prints the summary line every so often until the deadline, a signal, a failure or `until`.
  template <typename Until>
  absl::Status Watch(steady_clock::time_point deadline, const Until& until);
  void Finish();
  View Look();
  void PrintLine(const View& view);

  const DemoOptions options_;
  // Destroyed last but one: members and clients have let go of it by then (Run's end).
  std::unique_ptr<ClientLoop> loop_;
  DemoContext context_;
  std::unique_ptr<OperatorDesk> desk_;
  std::unique_ptr<MarketWatch> watch_;
  std::vector<std::unique_ptr<Member>> members_;
  bool is_started_ = false;

  steady_clock::time_point begin_ = steady_clock::now();
  steady_clock::time_point last_line_;
  int64_t last_orders_ = 0;
  View last_view_;
};

Demo::Demo(const DemoOptions& options)
    : options_(options),
      loop_(std::make_unique<ClientLoop>()),
      context_{.options = options_,
               .loop = *loop_,
               .run = absl::StrFormat("%x", SystemClock().NowMicros() / kMicrosPerSecond),
               .random = std::mt19937_64(static_cast<uint64_t>(options.seed)),
               .stats = {},
               .clock = {},
               .markets = {},
               .desk = nullptr,
               .is_placing = true,
               .failure = {}} {}

absl::Status Demo::Prepare() {
  if (mkdir(options_.keys_directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::UnavailableError(
        absl::StrCat(options_.keys_directory, ": cannot make it: ", std::strerror(errno)));
  }
  if (!options_.acknowledged_file.empty()) {
    const absl::Status opened = context_.stats.OpenAcknowledged(options_.acknowledged_file);
    if (!opened.ok()) return opened;
  }
  absl::StatusOr<Ed25519PrivateKey> key = Ed25519PrivateKey::LoadPem(options_.operator_key);
  if (!key.ok()) return key.status();
  const std::string& named = options_.operator_account;
  absl::StatusOr<AccountId> account = ResolveAccount(named.empty() ? options_.operator_key : named);
  if (!account.ok() && (!named.empty() || !absl::IsNotFound(account.status()))) {
    return account.status();
  }
  desk_ = std::make_unique<OperatorDesk>(context_, account.value_or(kFirstOperatorAccount),
                                         *std::move(key));
  context_.desk = desk_.get();
  watch_ = std::make_unique<MarketWatch>(context_, [this] { StartMembers(); });
  return MakeMembers();
}

absl::Status Demo::MakeMembers() {
  const int64_t count = options_.providers + options_.buyers;
  const milliseconds period(std::max<int64_t>(1, 1'000 * count / options_.actions_per_second));
  for (int64_t i = 0; i < count; ++i) {
    const bool is_provider = i < options_.providers;
    const int64_t number = is_provider ? i : i - options_.providers;
    const std::string file = absl::StrFormat("%s/%s-%02d.pem", options_.keys_directory,
                                             is_provider ? "provider" : "buyer", number + 1);
    const std::string name = absl::StrCat(is_provider ? "p" : "b", number + 1);
    if (is_provider) {
      members_.push_back(std::make_unique<Provider>(context_, number, name, file, period));
    } else {
      members_.push_back(std::make_unique<Buyer>(context_, name, file, period));
    }
    const absl::Status loaded = members_.back()->LoadFiles();
    if (!loaded.ok()) return loaded;
  }
  return absl::OkStatus();
}

void Demo::StartMembers() {
  is_started_ = true;
  for (const auto& member : members_) member->Start();
}

// ---- Running
// -------------------------------------------------------------------------------------

absl::Status Demo::Run() {
  loop_->PostAndWait([this] {
    desk_->Start();
    watch_->Start();
  });
  absl::Status status = WaitForStart();
  if (status.ok()) {
    const auto deadline = options_.seconds > 0 ? steady_clock::now() + seconds(options_.seconds)
                                               : steady_clock::time_point::max();
    status = Watch(deadline, [](const View&) { return false; });
    Finish();
  }
  last_view_ = Look();
  // The clients end on their loop, then the loop, then those who were called by it.
  loop_->PostAndWait([this] {
    for (const auto& member : members_) member->Stop();
    watch_->Stop();
    desk_->Stop();
  });
  loop_.reset();
  return status;
}

absl::Status Demo::WaitForStart() {
  View view;
  const absl::Status status = Watch(steady_clock::now() + kStartPatience, [&view](const View& now) {
    view = now;
    return now.is_started;
  });
  if (!status.ok() || view.is_started || StopSignalCame()) return status;
  return view.lost.ok() ? absl::DeadlineExceededError("the exchange does not answer") : view.lost;
}

template <typename Until>
absl::Status Demo::Watch(steady_clock::time_point deadline, const Until& until) {
  const seconds period = IsTerminal() ? kTerminalPeriod : kLogPeriod;
  while (steady_clock::now() < deadline && !WaitForStopSignal(kLook)) {
    const View view = Look();
    if (!view.failure.ok()) return view.failure;
    if (until(view)) break;
    if (steady_clock::now() >= last_line_ + period) PrintLine(view);
  }
  return absl::OkStatus();
}

// No more orders; those that are open are cancelled; deliveries go on for as long as was asked.
void Demo::Finish() {
  loop_->PostAndWait([this] { context_.is_placing = false; });
  const auto give_up = steady_clock::now() + kCancelPatience;
  // Again and again: an order on its way when the others were cancelled may come to rest yet, and
  // a refused cancel (too much load) is tried anew.
  while (steady_clock::now() < give_up && !StopSignalCameAgain()) {
    loop_->PostAndWait([this] {
      for (const auto& member : members_) {
        if (member->is_ready()) member->CancelAll();
      }
    });
    const absl::Status status = Watch(std::min(give_up, steady_clock::now() + seconds(1)),
                                      [](const View& view) { return view.unfinished_orders == 0; });
    if (!status.ok() || Look().unfinished_orders == 0) break;
  }
  const auto end = steady_clock::now() + seconds(options_.linger_seconds);
  const absl::Status ignored = Watch(end, [](const View&) { return StopSignalCameAgain(); });
}

View Demo::Look() {
  View view;
  loop_->PostAndWait([&] {
    view.counts = context_.stats.counts;
    view.prices = watch_->HeadlinePrices();
    view.lost = watch_->lost();
    view.failure = context_.failure;
    view.is_started = is_started_;
    for (const auto& member : members_) {
      view.members_ready += member->is_ready() ? 1 : 0;
      view.unfinished_orders += member->unfinished_orders();
    }
  });
  return view;
}

void Demo::PrintLine(const View& view) {
  const auto now = steady_clock::now();
  const double elapsed = std::chrono::duration<double>(now - last_line_).count();
  const double rate =
      last_line_ == steady_clock::time_point()
          ? 0
          : static_cast<double>(view.counts.orders_acknowledged - last_orders_) / elapsed;
  last_line_ = now;
  last_orders_ = view.counts.orders_acknowledged;
  std::string line = absl::StrFormat(
      "%4d s  %2d/%d members  %4.0f orders/s  %s orders  %s fills  %s resales  %s GPU-hours"
      "  %s leases settled  %s",
      std::chrono::duration_cast<seconds>(now - begin_).count(), view.members_ready,
      members_.size(), rate, GroupDigits(view.counts.orders_acknowledged),
      GroupDigits(view.counts.fills), GroupDigits(view.counts.resales),
      GroupDigits(view.counts.gpu_minutes / 60), GroupDigits(view.counts.leases_settled),
      view.prices);
  if (!view.lost.ok()) absl::StrAppend(&line, "  (no connection: trying again)");
  if (IsTerminal()) {
    std::cout << "\r\x1b[2K" << line << std::flush;
  } else {
    std::cout << line << std::endl;
  }
}

absl::Status Demo::WriteSummary() {
  const double elapsed = std::chrono::duration<double>(steady_clock::now() - begin_).count();
  const std::string summary = context_.stats.Json(elapsed);
  if (IsTerminal()) std::cout << '\n';
  std::cout << GroupDigits(last_view_.counts.orders_acknowledged) << " orders, "
            << GroupDigits(last_view_.counts.fills) << " fills, "
            << GroupDigits(last_view_.counts.resales) << " resales, "
            << GroupDigits(last_view_.counts.gpu_minutes / 60) << " GPU-hours, "
            << GroupDigits(last_view_.counts.leases_settled) << " leases settled; "
            << last_view_.unfinished_orders << " orders left open" << std::endl;
  if (options_.summary_file.empty()) return absl::OkStatus();
  std::ofstream file(options_.summary_file, std::ios::trunc);
  file << summary << '\n';
  file.flush();
  return file ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat(options_.summary_file, ": cannot write"));
}

}  // namespace

absl::Status RunDemo(const DemoOptions& options) {
  Demo demo(options);
  absl::Status status = demo.Prepare();
  if (!status.ok()) return status;
  status = demo.Run();
  const absl::Status written = demo.WriteSummary();
  return status.ok() ? written : status;
}

}  // namespace warpbook::gateway
