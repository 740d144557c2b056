// History: answers questions for one account's private events from the journal (EnginePort's
// HistoryRequest), beside the writer. It keeps the readers that it used last, so that who asks for
// page after page does not begin anew each time. One thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/service/engine_port.h"
#include "schema/base/file.h"
#include "schema/journal/account_reader.h"

namespace warpbook::engine {

class History {
 public:
  // Readers that are kept, each with a batch's memory; beyond it the one used longest ago goes, and
  // who comes back finds its place again.
  static constexpr size_t kReadersMax = 8;
  // A page has at most so many events, whatever is asked for.
  static constexpr uint32_t kEventsMax = 4'096;

  History(FileSystem& files, std::string journal_directory)
      : files_(files), directory_(std::move(journal_directory)) {}

  // Takes as long as the reading takes (schema/journal/account_reader.h).
  std::unique_ptr<const HistoryPage> Answer(const HistoryRequest& request);

 private:
  struct OpenReader {
    AccountId account;
    Timestamp from_time;
    uint64_t last = 0;  // the account sequence that it has come to
    std::unique_ptr<journal::AccountReader> reader;
  };
  // Where the answer is OutOfRange, `oldest` gets the oldest sequence that is there, if any.
  absl::StatusOr<OpenReader> Find(const HistoryRequest& request, uint64_t& oldest);

  FileSystem& files_;
  const std::string directory_;
  std::vector<OpenReader> readers_;  // used last: at the end
};

}  // namespace warpbook::engine
