#include "gateway/client/client_loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <utility>

#include "gateway/client/client_loop_impl.h"
#include "schema/base/check.h"

namespace warpbook::gateway {

ClientLoop::ClientLoop() : impl_(std::make_unique<Impl>()) {}

ClientLoop::~ClientLoop() {
  WARPBOOK_CHECK(!IsCurrentThread());
  impl_->context.stop();
  impl_->thread.join();
}

void ClientLoop::Post(std::function<void()> function) {
  boost::asio::post(impl_->context, std::move(function));
}

void ClientLoop::PostAfter(std::chrono::milliseconds delay, std::function<void()> function) {
  auto timer = std::make_shared<boost::asio::steady_timer>(impl_->context, delay);
  timer->async_wait([timer, function = std::move(function)](boost::system::error_code error) {
    if (!error) function();
  });
}

void ClientLoop::PostAndWait(const std::function<void()>& function) {
  WARPBOOK_CHECK(!IsCurrentThread());
  // Shared: set_value may still be returning when the waiter has gone on.
  auto done = std::make_shared<std::promise<void>>();
  Post([&function, done] {
    function();
    done->set_value();
  });
  done->get_future().wait();
}

bool ClientLoop::IsCurrentThread() const {
  return std::this_thread::get_id() == impl_->thread.get_id();
}

}  // namespace warpbook::gateway
