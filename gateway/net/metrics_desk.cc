#include "gateway/net/metrics_desk.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace warpbook::gateway {

bool MetricsDesk::Ask(std::function<void(std::string text)> answer) {
  if (under_way_.fetch_add(1) >= kMetricsAnswersMax) {
    under_way_.fetch_sub(1);
    return false;
  }
  boost::asio::post(thread_, [this, answer = std::move(answer)] {
    answer(metrics_.Text());
    under_way_.fetch_sub(1);
  });
  return true;
}

}  // namespace warpbook::gateway
