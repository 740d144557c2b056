// An empty directory on the disk to measure; gone with it.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "schema/base/check.h"

namespace warpbook::bench {

class BenchDirectory {
 public:
  explicit BenchDirectory(const std::string& parent)
      : path_((std::filesystem::absolute(parent) / "journal-bench-XXXXXX").string()) {
    WARPBOOK_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  BenchDirectory(const BenchDirectory&) = delete;
  BenchDirectory& operator=(const BenchDirectory&) = delete;
  ~BenchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const char* name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace warpbook::bench
