// Watermark: the journal's durable sequence, in a small mapped file (`directory`/watermark), so
// that other processes see it without a system call: nobody reads the journal beyond it.
//
// Two words: the sequence and its complement. The writer stores the complement first and a reader
// takes the lower of the two, so that a process killed between the stores, or one damaged word,
// never shows more than was durable. The file is never synced: after a loss of power it may be
// behind, and recovery sets it again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/file.h"

namespace warpbook::journal {

class Watermark {
 public:
  // For reading. NotFound where there is none; DataLoss where the file is something else.
  static absl::StatusOr<std::unique_ptr<Watermark>> Open(FileSystem& files,
                                                         const std::string& directory);
  // For the journal's writer: makes the file where it is not there or unusable, keeps it (so that
  // other processes' mappings stay good) otherwise, and sets it.
  static absl::StatusOr<std::unique_ptr<Watermark>> Create(FileSystem& files,
                                                           const std::string& directory,
                                                           uint64_t sequence);

  void Store(uint64_t sequence);
  uint64_t Load() const;

 private:
  explicit Watermark(std::unique_ptr<SharedMapping> mapping) : mapping_(std::move(mapping)) {}
  static absl::StatusOr<std::unique_ptr<Watermark>> Map(FileSystem& files,
                                                        const std::string& directory,
                                                        FileSystem::Mode mode);
  uint64_t& word(size_t index) const;

  const std::unique_ptr<SharedMapping> mapping_;
};

}  // namespace warpbook::journal
