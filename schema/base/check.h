// CHECK: an assertion that stays on in release. It is for bugs of ours, never for input: a client's
// bytes must be refused by a RejectReason before they can reach a CHECK (see schema/types).
#pragma once

namespace warpbook {

// Prints `file:line: CHECK failed: expression` to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);

}  // namespace warpbook

#define WARPBOOK_CHECK(condition)                              \
  do {                                                         \
    if (!(condition)) [[unlikely]] {                           \
      ::warpbook::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                          \
  } while (false)
