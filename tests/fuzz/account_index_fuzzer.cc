// Whatever bytes stand for the entries and lists of an account index, with its segment's identity
// and with the checksums made right: what it gives lies in its segment, and a reader of any account
// gives events of the journal, in order and without a gap; at worst too few, or it refuses.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/base/check.h"
#include "schema/base/crc32c.h"
#include "schema/journal/account_index.h"
#include "tests/schema/journal/account_journal.h"
#include "tests/support/memory_file_system.h"

namespace {

using namespace warpbook;
using namespace warpbook::journal;
using namespace warpbook::journal::test;
using Bytes = std::vector<std::byte>;

constexpr uint64_t kSegment = 2;  // of three sealed ones
constexpr uint64_t kAccounts = 5;
constexpr size_t kCrcSize = sizeof(uint32_t);

struct Journal {
  warpbook::test::MemoryFileSystem files;
  std::unique_ptr<SealedSegment> segment;
  std::unique_ptr<PrivateEvents> events;
  AccountIndexHeader header;  // a good one

  Journal() {
    RandomBatches random(12, kAccounts);
    WARPBOOK_CHECK(WriteLife(files, kDirectory, random, 5, 3, 4).ok());
    WARPBOOK_CHECK(WriteLife(files, kDirectory, random, 1, 3, 4).ok());
    WARPBOOK_CHECK(MakeIndexes(files, kDirectory).ok());
    segment = *SealedSegment::Open(files, kDirectory, kSegment);
    events = std::make_unique<PrivateEvents>(files, kDirectory);
    std::memcpy(&header, files.content(AccountIndexPath(kDirectory, kSegment)).data(),
                sizeof header);
  }
};

// The first byte counts the entries.
Bytes MakeIndex(AccountIndexHeader header, std::span<const uint8_t> data) {
  if (data.empty()) return {};
  const size_t entries_size = data[0] * sizeof(AccountIndexEntry);
  data = data.subspan(1);
  Bytes bytes(sizeof header + std::max(entries_size, data.size()));
  if (!data.empty()) std::memcpy(bytes.data() + sizeof header, data.data(), data.size());
  header.account_count = static_cast<uint32_t>(entries_size / sizeof(AccountIndexEntry));
  header.file_size = bytes.size();
  header.crc =
      Crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(AccountIndexHeader, crc)));
  std::memcpy(bytes.data(), &header, sizeof header);
  for (uint32_t i = 0; i < header.account_count; ++i) {
    std::byte* const place = bytes.data() + sizeof header + i * sizeof(AccountIndexEntry);
    AccountIndexEntry entry;
    std::memcpy(&entry, place, sizeof entry);
    const uint64_t list_end = uint64_t{entry.list_position} + entry.list_size;
    if (entry.list_position >= sizeof header + entries_size && list_end <= bytes.size() &&
        entry.list_size >= kCrcSize) {
      const auto list = std::span(bytes).subspan(entry.list_position, entry.list_size);
      const uint32_t crc = Crc32c(list.subspan(kCrcSize));
      std::memcpy(list.data(), &crc, kCrcSize);
    }
    entry.crc = Crc32c(std::as_bytes(std::span(&entry, 1)).first(offsetof(AccountIndexEntry, crc)),
                       header.crc);
    std::memcpy(place, &entry, sizeof entry);
  }
  return bytes;
}

void CheckAccount(Journal& journal, AccountIndex& index, uint64_t account) {
  const absl::StatusOr<std::optional<AccountBatches>> found = index.Find(AccountId(account));
  if (found.ok() && found->has_value()) {
    for (const AccountBatches::Place& place : (*found)->places) {
      WARPBOOK_CHECK(place.offset >= kPageSize &&
                     place.offset < journal.segment->header().segment_size);
    }
  }
  for (uint64_t after = 0; after <= journal.events->LastOf(account) + 1; ++after) {
    const Answer answer = ReadBehind(journal.files, kDirectory, account, after);
    const Answer expected = journal.events->Behind(account, after);
    if (answer.code != absl::StatusCode::kOk) {
      WARPBOOK_CHECK(answer.code == absl::StatusCode::kOutOfRange ||
                     answer.code == absl::StatusCode::kInvalidArgument);
      continue;
    }
    WARPBOOK_CHECK(answer.events.size() <= expected.events.size());
    WARPBOOK_CHECK(std::equal(answer.events.begin(), answer.events.end(), expected.events.begin()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Journal* const journal = new Journal;
  journal->files.content(AccountIndexPath(kDirectory, kSegment)) =
      MakeIndex(journal->header, std::span(data, size));
  const absl::StatusOr<std::unique_ptr<AccountIndex>> index =
      AccountIndex::Open(journal->files, kDirectory, *journal->segment);
  WARPBOOK_CHECK(index.ok() == (size > 0));
  if (!index.ok()) return 0;
  for (uint64_t account = 0; account <= kAccounts + 1; ++account) {
    CheckAccount(*journal, **index, account);
  }
  return 0;
}
