// ClientLoop: one thread that drives any number of clients. All their callbacks run on it, one
// after another, so that whoever lives on one loop needs no locks.
//
// Any thread may Post. Functions not yet run when the loop ends are dropped.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace warpbook::gateway {

class ClientLoop {
 public:
  // Starts the thread.
  ClientLoop();
  // Stops and joins it. Never called from the loop's own thread (CHECKed).
  ~ClientLoop();
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  // Runs the function on the loop's thread, soon, in the order of the calls.
  void Post(std::function<void()> function);
  // The same after a delay.
  void PostAfter(std::chrono::milliseconds delay, std::function<void()> function);
  // Posts and waits until it has run. Never called from the loop's own thread (CHECKed).
  void PostAndWait(const std::function<void()>& function);
  bool IsCurrentThread() const;

  // For the client's implementation only (gateway/client/client_loop_impl.h).
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace warpbook::gateway
