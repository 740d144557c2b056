// The account index of one sealed segment: in which of its batches the private events of each
// account lie. A file `directory`/index/00000001.accounts; format: schema/journal/README.md.
//
// It is derived: whoever finds it missing, damaged or of other content than the segment's reads the
// segment instead (ReadAccounts), and AccountIndexer (account_indexer.h) makes it anew. Every part
// that is read is checked by a checksum, so that finding one account reads some 40 bytes for each
// step of a binary search, and its own list; whatever the bytes say, what is read and kept is
// bounded by the segment.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/crypto.h"
#include "schema/base/file.h"
#include "schema/journal/sealed_segment.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::journal {

inline constexpr uint32_t kAccountIndexFormatVersion = 1;
inline constexpr uint64_t kAccountIndexMagic = 0x31'43'43'41'42'50'52'57;  // "WRPBACC1"

// Entries follow it, by account; the lists of their batches follow these.
struct AccountIndexHeader {
  uint64_t magic = kAccountIndexMagic;
  uint32_t format_version = kAccountIndexFormatVersion;
  uint32_t padding = 0;
  // The segment's identity. The hash of its last batch proves all that it holds.
  uint64_t number = 0;
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  Sha256Digest previous_batch_hash{};
  Sha256Digest last_batch_hash{};
  int64_t first_time_us = 0;  // of the segment's first command
  uint64_t file_size = 0;
  uint32_t account_count = 0;
  uint32_t crc = 0;  // CRC-32C of all before it
};
static_assert(sizeof(AccountIndexHeader) == 128 && alignof(AccountIndexHeader) == 8);
static_assert(offsetof(AccountIndexHeader, number) == 16);
static_assert(offsetof(AccountIndexHeader, previous_batch_hash) == 40);
static_assert(offsetof(AccountIndexHeader, first_time_us) == 104);
static_assert(offsetof(AccountIndexHeader, account_count) == 120);

struct AccountIndexEntry {
  uint64_t account_id = 0;
  uint64_t first_account_sequence = 0;  // of the account's first private event in this segment
  uint32_t event_count = 0;             // the account's private events in this segment
  uint32_t list_position = 0;           // in the file
  uint32_t list_size = 0;               // bytes
  uint32_t crc = 0;                     // CRC-32C of the header and of all before it
};
static_assert(sizeof(AccountIndexEntry) == 32 && alignof(AccountIndexEntry) == 8);
static_assert(offsetof(AccountIndexEntry, event_count) == 16);
static_assert(offsetof(AccountIndexEntry, crc) == 28);

// Where an account's private events lie in one segment. Their account sequences have no gap.
struct AccountBatches {
  struct Place {
    uint64_t offset = 0;  // of a batch
    uint32_t event_count = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  uint64_t first_account_sequence = 0;
  uint64_t event_count = 0;
  std::vector<Place> places;  // ascending

  uint64_t last_account_sequence() const { return first_account_sequence + event_count - 1; }
  // The first place that has an event behind the sequence.
  size_t PlaceBehind(uint64_t account_sequence) const;
  friend bool operator==(const AccountBatches&, const AccountBatches&) = default;
};

struct SegmentAccounts {
  Timestamp first_time;  // of the segment's first command
  std::map<uint64_t, AccountBatches> accounts;
};
// Reads the whole segment, which has commands, for all accounts or only one.
absl::StatusOr<SegmentAccounts> ReadAccounts(SealedSegment& segment, std::optional<AccountId> only,
                                             const std::atomic<bool>* stop);

std::string AccountIndexDirectory(const std::string& directory);
std::string AccountIndexPath(const std::string& directory, uint64_t number);

// The index's bytes: the same for the same segment.
absl::StatusOr<std::string> EncodeAccountIndex(const SealedSegment& segment,
                                               const SegmentAccounts& accounts);
// Replaces the segment's index whole.
absl::Status WriteAccountIndex(FileSystem& files, const std::string& directory,
                               const SealedSegment& segment, const SegmentAccounts& accounts);

// Every fault of it means the same: to do without. One thread owns it.
class AccountIndex {
 public:
  static absl::StatusOr<std::unique_ptr<AccountIndex>> Open(FileSystem& files,
                                                            const std::string& directory,
                                                            const SealedSegment& segment);
  Timestamp first_time() const { return Timestamp(header_.first_time_us); }
  // nullopt: the segment has no private event of the account.
  absl::StatusOr<std::optional<AccountBatches>> Find(AccountId account);
  // Whether every account could be found.
  absl::Status Verify();

 private:
  AccountIndex(std::string path, std::unique_ptr<File> file, const AccountIndexHeader& header,
               uint64_t segment_pages)
      : path_(std::move(path)),
        file_(std::move(file)),
        header_(header),
        segment_pages_(segment_pages) {}
  absl::StatusOr<AccountIndexEntry> ReadEntry(uint64_t i);
  absl::StatusOr<AccountBatches> ReadList(const AccountIndexEntry& entry);
  absl::Status Damaged(const char* fault) const;

  const std::string path_;
  const std::unique_ptr<File> file_;
  const AccountIndexHeader header_;
  const uint64_t segment_pages_;
};

}  // namespace warpbook::journal
