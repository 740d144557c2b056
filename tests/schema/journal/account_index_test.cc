// The indexes themselves: their bytes, who makes them, crashes while they are made, hostile ones.
#include "schema/journal/account_index.h"

#include <doctest/doctest.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "schema/base/crc32c.h"
#include "schema/journal/account_indexer.h"
#include "schema/journal/archive.h"
#include "tests/schema/journal/account_journal.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::MemoryFileSystem;

const std::atomic<bool> kGoOn = false;

std::string Index(uint64_t number) { return AccountIndexPath(kDirectory, number); }

// Nine accounts over some segments, the last two of two lives.
std::unique_ptr<MemoryFileSystem> MakeJournal() {
  auto files = std::make_unique<MemoryFileSystem>();
  RandomBatches random(4, 9);
  REQUIRE(WriteLife(*files, kDirectory, random, 18, 7).ok());
  REQUIRE(WriteLife(*files, kDirectory, random, 0, 7).ok());
  REQUIRE(WriteLife(*files, kDirectory, random, 2, 7).ok());
  REQUIRE(ListSegments(*files, kDirectory)->size() > 4);
  return files;
}

// Of the segments' accounts as a whole read of them finds them; checks the indexes against it.
void CheckIndexes(FileSystem& files) {
  const uint64_t last = ListSegments(files, kDirectory)->back();
  for (uint64_t number = 1; number < last; ++number) {
    const auto segment = SealedSegment::Open(files, kDirectory, number);
    REQUIRE(segment.ok());
    if (!(*segment)->has_commands()) continue;
    const SegmentAccounts expected = *ReadAccounts(**segment, std::nullopt, nullptr);
    const auto index = AccountIndex::Open(files, kDirectory, **segment);
    REQUIRE_MESSAGE(index.ok(), index.status().ToString());
    CHECK((*index)->Verify().ok());
    CHECK((*index)->first_time() == expected.first_time);
    for (uint64_t account = 0; account <= 10; ++account) {
      const auto found = (*index)->Find(AccountId(account));
      REQUIRE(found.ok());
      const auto it = expected.accounts.find(account);
      REQUIRE(found->has_value() == (it != expected.accounts.end()));
      if (found->has_value()) CHECK(**found == it->second);
    }
  }
}

TEST_CASE("Every sealed segment with commands gets its index, the one being written none") {
  const auto files = MakeJournal();
  std::vector<uint64_t> made;
  AccountIndexer indexer(*files, kDirectory);
  REQUIRE(indexer.MakeMissing(kGoOn, [&](uint64_t number) { made.push_back(number); }).ok());
  CheckIndexes(*files);
  const uint64_t last = ListSegments(*files, kDirectory)->back();
  CHECK_FALSE(files->exists(Index(last)));
  CHECK(made.size() == last - 2);  // the second life wrote nothing
  CHECK(std::ranges::is_sorted(made));

  // Again: nothing. What is new: only that.
  made.clear();
  const auto note = [&](uint64_t number) { made.push_back(number); };
  REQUIRE(indexer.MakeMissing(kGoOn, note).ok());
  CHECK(made.empty());
  REQUIRE(WriteBatches(*files, {1}, 7).ok());
  REQUIRE(indexer.MakeMissing(kGoOn, note).ok());
  CHECK(made == std::vector<uint64_t>{last});
}

TEST_CASE("The same segment gives the same bytes") {
  const auto files = MakeJournal();
  const auto other = files->Synced();
  REQUIRE(MakeIndexes(*files, kDirectory).ok());
  REQUIRE(MakeIndexes(*other, kDirectory).ok());
  CHECK(files->contents() == other->contents());
}

TEST_CASE("A start of the indexer makes anew what is damaged, and only that") {
  const auto files = MakeJournal();
  REQUIRE(MakeIndexes(*files, kDirectory).ok());
  const std::vector<std::byte> good = files->content(Index(2));
  for (size_t i = 0; i < good.size(); ++i) {
    files->content(Index(2))[i] ^= static_cast<std::byte>(1 << i % 8);
    std::vector<uint64_t> made;
    REQUIRE(AccountIndexer(*files, kDirectory)
                .MakeMissing(kGoOn, [&](uint64_t number) { made.push_back(number); })
                .ok());
    REQUIRE(made == std::vector<uint64_t>{2});
    REQUIRE(files->content(Index(2)) == good);
  }
}

TEST_CASE("The indexer stops when it is told to, and says so") {
  const auto files = MakeJournal();
  const std::atomic<bool> at_once = true;
  CHECK(absl::IsCancelled(AccountIndexer(*files, kDirectory).MakeMissing(at_once)));
  std::atomic<bool> stop = false;
  const auto stop_after = [&](uint64_t number) { stop = number == 2; };
  CHECK(absl::IsCancelled(AccountIndexer(*files, kDirectory).MakeMissing(stop, stop_after)));
  CHECK(files->exists(Index(2)));
  CHECK_FALSE(files->exists(Index(3)));
}

TEST_CASE("A damaged segment gets no index") {
  const auto files = MakeJournal();
  files->content(Segment(2))[kPageSize + 100] ^= std::byte{1};
  const absl::Status status = MakeIndexes(*files, kDirectory);
  CHECK(absl::IsDataLoss(status));
  CHECK(status.message().find(Segment(2)) != absl::string_view::npos);
  CHECK(files->exists(Index(1)));
  CHECK_FALSE(files->exists(Index(2)));
  // Nor one whose end is missing.
  const auto cut = MakeJournal();
  std::vector<std::byte>& content = cut->content(Segment(2));
  std::fill(content.begin() + 2 * kPageSize, content.end(), std::byte{0});
  CHECK(absl::IsDataLoss(MakeIndexes(*cut, kDirectory)));
  CHECK_FALSE(cut->exists(Index(2)));
}

TEST_CASE("A batch with right checksums that does not belong into its segment is damage") {
  const auto made = MakeJournal();
  for (const bool of_records : {false, true}) {
    const auto files = made->Synced();
    std::byte* batch = files->content(Segment(2)).data();
    BatchHeader header{.magic = 0};
    while (header.command_count == 0) {  // past idle markers
      batch += kPageSize;
      std::memcpy(&header, batch, sizeof header);
    }
    if (of_records) {
      batch[sizeof header] ^= std::byte{0x80};  // the first record's type
      header.body_crc = Crc32c(std::span(batch, header.length).subspan(sizeof header));
    } else {
      header.epoch += 1;
    }
    header.header_crc = BatchHeaderCrc(header);
    std::memcpy(batch, &header, sizeof header);
    const auto segment = SealedSegment::Open(*files, kDirectory, 2);
    CHECK(absl::IsDataLoss((*segment)->ReadBatch(header.offset).status()));
    const absl::Status all =
        (*segment)->ReadAll(nullptr, [](uint64_t, const StoredBatch&) { return absl::OkStatus(); });
    CHECK(absl::IsDataLoss(all));
    CHECK_MESSAGE(
        all.message().find(absl::StrCat("offset ", header.offset)) != absl::string_view::npos,
        all.ToString());
  }
}

TEST_CASE("A crash at any operation while indexes are made leaves whole ones or none") {
  const auto made = MakeJournal();
  const PrivateEvents expected(*made, kDirectory);
  for (int failing = 0;; ++failing) {
    const auto files = made->Synced();
    int operations = 0;
    FaultyFileSystem faulty(*files, [&](const FileOperation&) {
      const bool fails = operations++ >= failing;
      return FileFault{.status = fails ? absl::UnknownError("power") : absl::OkStatus()};
    });
    const bool finished = MakeIndexes(faulty, kDirectory).ok();
    for (unsigned subset = 0; subset < 16; ++subset) {
      unsigned at = 0;
      const auto after = files->AfterCrash([&] { return (subset >> at++ % 4 & 1) != 0; });
      for (uint64_t number = 1; number < 4; ++number) {
        if (!after->exists(Index(number))) continue;
        const auto segment = SealedSegment::Open(*after, kDirectory, number);
        const auto index = AccountIndex::Open(*after, kDirectory, **segment);
        REQUIRE(index.ok());  // a name means a whole file
        REQUIRE((*index)->Verify().ok());
      }
      const uint64_t account = 1 + subset % 9;
      CHECK(ReadBehind(*after, kDirectory, account, 1) == expected.Behind(account, 1));
      CHECK(Recover(*after).ok());
      REQUIRE(MakeIndexes(*after, kDirectory).ok());
      CheckIndexes(*after);
    }
    if (finished) {
      CHECK(failing > 4 * 4);
      break;
    }
  }
}

// ---- Hostile bytes ----

struct Parts {
  AccountIndexHeader header;
  std::vector<AccountIndexEntry> entries;
  std::vector<std::byte> lists;
};

Parts Take(const std::vector<std::byte>& content) {
  Parts parts;
  std::memcpy(&parts.header, content.data(), sizeof parts.header);
  parts.entries.resize(parts.header.account_count);
  const size_t entries_size = parts.entries.size() * sizeof(AccountIndexEntry);
  std::memcpy(parts.entries.data(), content.data() + sizeof parts.header, entries_size);
  parts.lists.assign(content.begin() + static_cast<int64_t>(sizeof parts.header + entries_size),
                     content.end());
  return parts;
}

// With every checksum right, where it can be.
std::vector<std::byte> Put(Parts parts) {
  const auto append = [](std::vector<std::byte>& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  const auto header_bytes = std::as_bytes(std::span(&parts.header, 1));
  parts.header.crc = Crc32c(header_bytes.first(offsetof(AccountIndexHeader, crc)));
  std::vector<std::byte> content;
  append(content, header_bytes);
  const uint64_t lists_position =
      sizeof parts.header + parts.entries.size() * sizeof parts.entries[0];
  for (AccountIndexEntry& entry : parts.entries) {
    const auto bytes = std::as_bytes(std::span(&entry, 1));
    entry.crc = Crc32c(bytes.first(offsetof(AccountIndexEntry, crc)), parts.header.crc);
    append(content, bytes);
    const uint64_t begin = entry.list_position - lists_position;
    if (entry.list_size < 4 || begin > parts.lists.size() ||
        entry.list_size > parts.lists.size() - begin) {
      continue;
    }
    const auto list = std::span(parts.lists).subspan(begin, entry.list_size);
    const uint32_t crc = Crc32c(list.subspan(4));
    std::memcpy(list.data(), &crc, sizeof crc);
  }
  append(content, parts.lists);
  return content;
}

TEST_CASE("Whatever an index with right checksums says, what it gives lies in its segment") {
  const auto files = MakeJournal();
  REQUIRE(MakeIndexes(*files, kDirectory).ok());
  const auto segment = SealedSegment::Open(*files, kDirectory, 2);
  const std::vector<std::byte> good = files->content(Index(2));
  REQUIRE(Put(Take(good)) == good);
  const uint64_t pages = (*segment)->header().segment_size / kPageSize;
  RandomBatches random(8, 1);
  int refused = 0, given = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes = good;
    for (uint64_t changes = 1 + random.Below(3); changes > 0; --changes) {
      // Behind the identity.
      bytes[104 + random.Below(bytes.size() - 104)] = static_cast<std::byte>(random.Below(256));
    }
    Parts parts = Take(good);
    const size_t entries_size = parts.entries.size() * sizeof(AccountIndexEntry);
    std::memcpy(&parts.header, bytes.data(), sizeof parts.header);
    std::memcpy(parts.entries.data(), bytes.data() + sizeof parts.header, entries_size);
    std::copy(bytes.end() - static_cast<int64_t>(parts.lists.size()), bytes.end(),
              parts.lists.begin());
    files->content(Index(2)) = Put(parts);
    const auto index = AccountIndex::Open(*files, kDirectory, **segment);
    if (!index.ok()) {
      ++refused;
      continue;
    }
    for (uint64_t account = 0; account <= 10; ++account) {
      const auto found = (*index)->Find(AccountId(account));
      if (!found.ok() || !found->has_value()) continue;
      ++given;
      REQUIRE((*found)->places.size() < pages);
      for (const AccountBatches::Place& place : (*found)->places) {
        REQUIRE(place.offset >= kPageSize);
        REQUIRE(place.offset < pages * kPageSize);
      }
    }
  }
  CHECK(refused > 0);
  CHECK(given > 20'000);
}

TEST_CASE("An index whose parts do not fit together is refused") {
  const auto files = MakeJournal();
  REQUIRE(MakeIndexes(*files, kDirectory).ok());
  const auto segment = SealedSegment::Open(*files, kDirectory, 2);
  const Parts good = Take(files->content(Index(2)));
  const auto verify = [&](const std::vector<std::byte>& content) {
    files->content(Index(2)) = content;
    const auto index = AccountIndex::Open(*files, kDirectory, **segment);
    return index.ok() && (*index)->Verify().ok();
  };
  CHECK(verify(Put(good)));
  // A distance of no page, a batch without events.
  const uint64_t lists_position = sizeof good.header + good.entries.size() * sizeof good.entries[0];
  for (const AccountIndexEntry& entry : good.entries) {
    for (uint64_t i = 4; i < entry.list_size; ++i) {
      Parts parts = good;
      parts.lists[entry.list_position - lists_position + i] = std::byte{0};
      CHECK_FALSE(verify(Put(parts)));
    }
  }
  Parts parts = good;
  parts.entries[1].event_count += 1;
  CHECK_FALSE(verify(Put(parts)));
  parts = good;
  parts.entries[1].first_account_sequence = 0;
  CHECK_FALSE(verify(Put(parts)));
  parts = good;
  std::swap(parts.entries[0], parts.entries[1]);
  CHECK_FALSE(verify(Put(parts)));
  std::vector<std::byte> longer = Put(good);
  longer.push_back(std::byte{0});
  CHECK_FALSE(verify(longer));
}

TEST_CASE("A list longer than its segment has pages is refused before it is read") {
  const auto files = MakeJournal();
  REQUIRE(MakeIndexes(*files, kDirectory).ok());
  const auto segment = SealedSegment::Open(*files, kDirectory, 2);
  Parts parts = Take(files->content(Index(2)));
  const uint64_t account = parts.entries[0].account_id;
  parts.lists.resize(1 << 20);
  parts.header.file_size =
      sizeof parts.header + parts.entries.size() * sizeof parts.entries[0] + parts.lists.size();
  files->content(Index(2)) = Put(parts);
  CHECK((*AccountIndex::Open(*files, kDirectory, **segment))->Find(AccountId(account)).ok());
  parts.entries[0].list_size = 1 << 20;
  files->content(Index(2)) = Put(parts);
  const absl::Status status =
      (*AccountIndex::Open(*files, kDirectory, **segment))->Find(AccountId(account)).status();
  CHECK(status.message().find("points outside") != absl::string_view::npos);
}

}  // namespace
}  // namespace warpbook::journal::test
