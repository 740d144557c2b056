// Fiber: a body of code with a stack of its own that runs until it yields and goes on from there
// when it is resumed: how a simulated process stops in the middle of a write. No threads: whoever
// resumes it waits until it yields. A fiber that is killed is unwound: its body sees an exception
// where it yielded, and locks and files are let go as when a process dies.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace warpbook::simulation {

class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber() { Kill(); }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs the body until it yields or returns; throws what it throws.
  void Resume();
  // Ends the body where it is. From its own body: never.
  void Kill();
  bool done() const { return state_ == State::kDone; }

  // In the body: back to whoever resumed it. Does not return where the fiber is killed.
  void Yield();
  bool is_killed() const { return killed_; }

 private:
  enum class State { kNew, kSuspended, kRunning, kDone };
  struct Killed {};
  static void Enter();
  void RunBody();
  void SwitchIn();
  void SwitchOut();

  const std::function<void()> body_;
  State state_ = State::kNew;
  bool killed_ = false;
  std::exception_ptr thrown_;
  std::unique_ptr<std::byte[]> stack_;
  ucontext_t context_{};
  ucontext_t resumer_{};
  // What sanitizers want to know of a change of stacks.
  void* fake_stack_ = nullptr;
  void* resumer_fake_stack_ = nullptr;
  const void* resumer_stack_ = nullptr;
  size_t resumer_stack_size_ = 0;
  void* sanitizer_fiber_ = nullptr;
  void* sanitizer_resumer_ = nullptr;
};

}  // namespace warpbook::simulation
