#include "tests/simulation/fiber.h"

#include <utility>

#include "schema/base/check.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace warpbook::simulation {
namespace {

// Pages are taken as they are touched.
constexpr size_t kStackSize = size_t{1} << 20;

Fiber* g_entering = nullptr;

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {}

void Fiber::Resume() {
  WARPBOOK_CHECK(state_ == State::kNew || state_ == State::kSuspended);
  if (state_ == State::kNew) {
    stack_ = std::make_unique_for_overwrite<std::byte[]>(kStackSize);
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStackSize;
    context_.uc_link = nullptr;
    makecontext(&context_, &Fiber::Enter, 0);
    g_entering = this;
#ifdef __SANITIZE_THREAD__
    sanitizer_fiber_ = __tsan_create_fiber(0);
#endif
  }
  state_ = State::kRunning;
  SwitchIn();
  if (state_ == State::kDone) {
#ifdef __SANITIZE_THREAD__
    __tsan_destroy_fiber(sanitizer_fiber_);
#endif
    stack_.reset();
  }
  if (thrown_ != nullptr) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void Fiber::Kill() {
  if (state_ == State::kNew) state_ = State::kDone;
  if (state_ == State::kDone) return;
  WARPBOOK_CHECK(state_ == State::kSuspended);
  killed_ = true;
  Resume();
  WARPBOOK_CHECK(done());
}

void Fiber::Yield() {
  WARPBOOK_CHECK(state_ == State::kRunning && !killed_);
  state_ = State::kSuspended;
  SwitchOut();
  if (killed_) throw Killed();
}

void Fiber::Enter() {
  Fiber* const fiber = std::exchange(g_entering, nullptr);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, &fiber->resumer_stack_, &fiber->resumer_stack_size_);
#endif
  fiber->RunBody();
}

void Fiber::RunBody() {
  try {
    body_();
  } catch (const Killed&) {
  } catch (...) {
    thrown_ = std::current_exception();
  }
  state_ = State::kDone;
  SwitchOut();
}

void Fiber::SwitchIn() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(&resumer_fake_stack_, stack_.get(), kStackSize);
#endif
#ifdef __SANITIZE_THREAD__
  sanitizer_resumer_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(sanitizer_fiber_, 0);
#endif
  swapcontext(&resumer_, &context_);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(resumer_fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::SwitchOut() {
#ifdef __SANITIZE_ADDRESS__
  // A null pointer: this stack is not come back to.
  __sanitizer_start_switch_fiber(done() ? nullptr : &fake_stack_, resumer_stack_,
                                 resumer_stack_size_);
#endif
#ifdef __SANITIZE_THREAD__
  __tsan_switch_to_fiber(sanitizer_resumer_, 0);
#endif
  swapcontext(&context_, &resumer_);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake_stack_, &resumer_stack_, &resumer_stack_size_);
#endif
}

}  // namespace warpbook::simulation
