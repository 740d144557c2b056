// MarketWatch: the demo's eye on public data: the market's time, the open windows, and the book of
// the headline market's next window for the summary line. A client of its own, without a logon. The
// loop's thread owns it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/cli/demo/context.h"
#include "gateway/cli/demo/reconnecting_client.h"
#include "gateway/client/book_view.h"

namespace warpbook::gateway {

class MarketWatch {
 public:
  // `on_ready` is called once, when the markets are chosen and the time is known.
  MarketWatch(DemoContext& context, std::function<void()> on_ready);

  void Start();
  void Stop();
  bool is_connected() const { return client_.is_connected(); }
  // Why there is no connection; ok while there is one.
  const absl::Status& lost() const { return lost_; }

  // "H100-SXM 2.48 / 2.52": the best bid and ask; "-" where there is none.
  std::string HeadlinePrices() const;

 private:
  void OnConnected();
  void OnMessage(const JsonValue& message);
  void AskTime();
  void AskWindows();
  void FollowHeadline();
  void ReportReady();
  void Repeat(std::chrono::milliseconds period, const std::function<void()>& function);

  DemoContext& context_;
  std::function<void()> on_ready_;  // null once called
  ReconnectingClient client_;
  std::string followed_;  // the symbol whose book is subscribed
  std::optional<BookView> book_;
  size_t next_market_ = 0;  // whose windows are asked for next
  absl::Status lost_;
  bool is_running_ = false;
};

}  // namespace warpbook::gateway
