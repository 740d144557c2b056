#include "gpu_probe/prover/shared_library.h"

#include <dlfcn.h>

namespace warpbook::probe {

SharedLibrary::SharedLibrary(const std::string& name)
    : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ != nullptr) return;
  const char* const error = dlerror();
  error_ = error != nullptr ? error : "cannot be opened";
}

void* SharedLibrary::Address(const char* name) const {
  return handle_ == nullptr ? nullptr : dlsym(handle_, name);
}

}  // namespace warpbook::probe
