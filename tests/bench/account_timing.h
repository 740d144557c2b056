// What it costs to read one account's private events out of a journal of many, with the account
// indexes and without.
#pragma once

#include <cstdint>
#include <string>

namespace warpbook::bench {

struct ReadCost {
  double seconds = 0;
  uint64_t bytes = 0;  // that the process read
};

// A journal of so many bytes in segments of the usual size, in batches of 64 KiB: orders of 10,000
// accounts, 1,000 of them of account 1, spread evenly.
class AccountJournal {
 public:
  static constexpr uint64_t kEvents = 1'000;

  AccountJournal(std::string directory, uint64_t journal_bytes);
  // Makes the indexes anew.
  ReadCost Index();
  uint64_t index_bytes() const;
  void DropIndexes();
  // Reads account 1's events behind the first so many.
  ReadCost Read(uint64_t after_account_sequence);

 private:
  const std::string directory_;
};

}  // namespace warpbook::bench
