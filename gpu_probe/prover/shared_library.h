// A shared library of the machine, opened when it is needed: the driver's are there on some
// machines alone. Never closed, as they leave threads of their own behind.
#pragma once

#include <string>

namespace warpbook::probe {

class SharedLibrary {
 public:
  explicit SharedLibrary(const std::string& name);

  bool is_open() const { return handle_ != nullptr; }
  // Why it is not.
  const std::string& error() const { return error_; }
  // A function of that name and type, or nullptr.
  template <typename Function>
  Function* Find(const char* name) const {
    return reinterpret_cast<Function*>(Address(name));
  }

 private:
  void* Address(const char* name) const;

  void* handle_ = nullptr;
  std::string error_;
};

}  // namespace warpbook::probe
