// Helpers for the tests of account indexes: seeded random journals with the private events of many
// accounts, and what a filter of the whole journal says that a reader of one account must give.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/account_reader.h"
#include "schema/journal/writer.h"
#include "tests/schema/journal/journal_fixture.h"

namespace warpbook::journal::test {

// Makes batches of ticks with random events: private ones of random accounts, public ones, and
// replies that name an account without being private.
class RandomBatches {
 public:
  RandomBatches(uint64_t seed, uint64_t account_count)
      : random_(seed), account_count_(account_count) {}

  uint64_t Below(uint64_t end) { return random_() % end; }
  // From now on only accounts from this one on have events.
  void SkipAccountsBefore(uint64_t account) { first_account_ = account; }
  MadeBatch Make(uint64_t first_sequence, uint32_t command_count);

 private:
  std::mt19937_64 random_;
  const uint64_t account_count_;
  uint64_t first_account_ = 1;
  std::map<uint64_t, uint64_t> account_sequences_;
};

// A life of a writer: so many batches of up to `commands_max` commands, now and then an idle
// marker.
absl::Status WriteLife(FileSystem& files, const std::string& directory, RandomBatches& batches,
                       int batch_count, uint64_t segment_pages, uint32_t commands_max = 12);

// An event as it was given, and its account sequence.
struct GivenEvent {
  uint64_t account_sequence = 0;
  uint64_t sequence = 0;
  Timestamp time;
  std::vector<std::byte> record;
  friend bool operator==(const GivenEvent&, const GivenEvent&) = default;
};
struct Answer {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::vector<GivenEvent> events;
  friend bool operator==(const Answer&, const Answer&) = default;
};

// All private events that the journal still has, by account.
class PrivateEvents {
 public:
  PrivateEvents(FileSystem& files, const std::string& directory);
  Answer Behind(uint64_t account, uint64_t after_account_sequence) const;
  uint64_t LastOf(uint64_t account) const;

 private:
  std::map<uint64_t, std::vector<GivenEvent>> events_;
  bool from_the_start_ = false;
};

GivenEvent Copy(const AccountEvent& event);

// What the reader says, read in pieces of the limit.
Answer ReadBehind(FileSystem& files, const std::string& directory, uint64_t account,
                  uint64_t after_account_sequence, const AccountReader::Limit& limit = {});

// Makes all missing indexes.
absl::Status MakeIndexes(FileSystem& files, const std::string& directory);

}  // namespace warpbook::journal::test
