#include "schema/journal/account_index.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "schema/base/check.h"
#include "schema/base/crc32c.h"
#include "schema/wire/record.h"

namespace warpbook::journal {
namespace {

static_assert(std::has_unique_object_representations_v<AccountIndexHeader>);
static_assert(std::has_unique_object_representations_v<AccountIndexEntry>);

constexpr uint32_t kVarintBytesMax = 5;  // of 32 bits
constexpr uint32_t kListCrcBytes = sizeof(uint32_t);

std::string IndexName(uint64_t number) { return absl::StrFormat("%08d.accounts", number); }

template <typename T>
std::span<const std::byte> BytesOf(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}
template <typename T>
std::string_view TextOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

uint32_t HeaderCrc(const AccountIndexHeader& header) {
  return Crc32c(BytesOf(header).first(offsetof(AccountIndexHeader, crc)));
}
// Goes on from the header's: an entry of another segment's index never fits.
uint32_t EntryCrc(const AccountIndexEntry& entry, uint32_t header_crc) {
  return Crc32c(BytesOf(entry).first(offsetof(AccountIndexEntry, crc)), header_crc);
}

// All of a header but its counts and its checksum.
AccountIndexHeader IdentityOf(const SealedSegment& segment) {
  AccountIndexHeader header;
  header.number = segment.header().number;
  header.epoch = segment.header().epoch;
  header.first_sequence = segment.header().first_sequence;
  header.previous_batch_hash = segment.header().previous_batch_hash;
  header.last_batch_hash = segment.successor().previous_batch_hash;
  return header;
}

// LEB128: seven bits a byte, the lowest first.
void AppendVarint(std::string& bytes, uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

// Takes a varint of 32 bits from the front; nullopt where there is none.
std::optional<uint32_t> TakeVarint(std::span<const std::byte>& bytes) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < kVarintBytesMax && i < bytes.size(); ++i) {
    const auto byte = static_cast<uint64_t>(bytes[i]);
    value |= (byte & 0x7f) << (7 * i);
    if (byte >= 0x80) continue;
    bytes = bytes.subspan(i + 1);
    if (value > UINT32_MAX) return std::nullopt;
    return static_cast<uint32_t>(value);
  }
  return std::nullopt;
}

// The checksum, then for each batch its distance from the one before in pages and its events.
std::string EncodeList(const AccountBatches& batches) {
  std::string varints;
  uint64_t page = 0;
  for (const AccountBatches::Place& place : batches.places) {
    AppendVarint(varints, place.offset / kPageSize - page);
    AppendVarint(varints, place.event_count);
    page = place.offset / kPageSize;
  }
  const uint32_t crc = Crc32c(std::as_bytes(std::span(varints)));
  return absl::StrCat(absl::string_view(TextOf(crc).data(), sizeof crc), varints);
}

// Notes an event; false where it is not the account's next.
bool Add(AccountBatches& batches, uint64_t offset, uint64_t account_sequence) {
  if (batches.event_count == 0) batches.first_account_sequence = account_sequence;
  if (account_sequence != batches.first_account_sequence + batches.event_count) return false;
  ++batches.event_count;
  if (batches.places.empty() || batches.places.back().offset != offset) {
    batches.places.push_back({offset, 0});
  }
  ++batches.places.back().event_count;
  return true;
}

}  // namespace

size_t AccountBatches::PlaceBehind(uint64_t account_sequence) const {
  uint64_t last = first_account_sequence - 1;
  size_t i = 0;
  for (; i < places.size(); ++i) {
    last += places[i].event_count;
    if (last > account_sequence) break;
  }
  return i;
}

absl::StatusOr<SegmentAccounts> ReadAccounts(SealedSegment& segment, std::optional<AccountId> only,
                                             const std::atomic<bool>* stop) {
  SegmentAccounts found;
  bool has_time = false;
  const auto on_batch = [&](uint64_t offset, const StoredBatch& batch) {
    for (const wire::RecordView record : wire::Records(batch.body)) {
      if (wire::IsCommand(record.type())) {
        if (!has_time) found.first_time = Timestamp(record.command_header().time_us());
        has_time = true;
        continue;
      }
      const wire::EventHeader& event = record.event_header();
      if (event.account_sequence() == 0) continue;
      if (only && event.account_id() != only->value()) continue;
      if (!Add(found.accounts[event.account_id()], offset, event.account_sequence())) {
        return absl::DataLossError(absl::StrCat(
            SegmentName(segment.header().number), ", offset ", offset, ": account ",
            event.account_id(), " has no gapless sequence at ", event.account_sequence()));
      }
    }
    return absl::OkStatus();
  };
  const absl::Status read = segment.ReadAll(stop, on_batch);
  if (!read.ok()) return read;
  return found;
}

std::string AccountIndexDirectory(const std::string& directory) {
  return absl::StrCat(directory, "/index");
}

std::string AccountIndexPath(const std::string& directory, uint64_t number) {
  return absl::StrCat(AccountIndexDirectory(directory), "/", IndexName(number));
}

absl::StatusOr<std::string> EncodeAccountIndex(const SealedSegment& segment,
                                               const SegmentAccounts& accounts) {
  std::vector<AccountIndexEntry> entries;
  std::string lists;
  const uint64_t lists_position =
      sizeof(AccountIndexHeader) + accounts.accounts.size() * sizeof(AccountIndexEntry);
  for (const auto& [account_id, batches] : accounts.accounts) {
    WARPBOOK_CHECK(!batches.places.empty());
    const std::string list = EncodeList(batches);
    if (lists_position + lists.size() + list.size() > UINT32_MAX ||
        batches.event_count > UINT32_MAX || batches.places.back().offset / kPageSize > UINT32_MAX) {
      return absl::ResourceExhaustedError(
          absl::StrCat(SegmentName(segment.header().number), " is too large for an account index"));
    }
    entries.push_back({.account_id = account_id,
                       .first_account_sequence = batches.first_account_sequence,
                       .event_count = static_cast<uint32_t>(batches.event_count),
                       .list_position = static_cast<uint32_t>(lists_position + lists.size()),
                       .list_size = static_cast<uint32_t>(list.size())});
    lists += list;
  }
  AccountIndexHeader header = IdentityOf(segment);
  header.first_time_us = accounts.first_time.micros();
  header.file_size = lists_position + lists.size();
  header.account_count = static_cast<uint32_t>(entries.size());
  header.crc = HeaderCrc(header);
  std::string content(TextOf(header));
  content.reserve(header.file_size);
  for (AccountIndexEntry& entry : entries) {
    entry.crc = EntryCrc(entry, header.crc);
    content += TextOf(entry);
  }
  content += lists;
  return content;
}

absl::Status WriteAccountIndex(FileSystem& files, const std::string& directory,
                               const SealedSegment& segment, const SegmentAccounts& accounts) {
  const absl::StatusOr<std::string> content = EncodeAccountIndex(segment, accounts);
  if (!content.ok()) return content.status();
  const std::string index_directory = AccountIndexDirectory(directory);
  const absl::Status made = files.MakeDirectory(index_directory);
  if (!made.ok()) return made;
  const absl::Status replaced =
      ReplaceFile(files, index_directory, IndexName(segment.header().number), *content);
  if (!replaced.ok()) return replaced;
  return files.SyncDirectory(directory);
}

absl::StatusOr<std::unique_ptr<AccountIndex>> AccountIndex::Open(FileSystem& files,
                                                                 const std::string& directory,
                                                                 const SealedSegment& segment) {
  std::string path = AccountIndexPath(directory, segment.header().number);
  absl::StatusOr<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kRead);
  if (!file.ok()) return file.status();
  AccountIndexHeader header{.magic = 0};
  const absl::StatusOr<size_t> count =
      ReadFully(**file, 0, std::as_writable_bytes(std::span(&header, 1)));
  if (!count.ok()) return count.status();
  AccountIndexHeader expected = IdentityOf(segment);
  expected.first_time_us = header.first_time_us;
  expected.file_size = header.file_size;
  expected.account_count = header.account_count;
  expected.crc = HeaderCrc(expected);
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::unique_ptr<AccountIndex> index(new AccountIndex(std::move(path), *std::move(file), header,
                                                       segment.header().segment_size / kPageSize));
  if (*count < sizeof header || std::memcmp(&header, &expected, sizeof header) != 0) {
    return index->Damaged("it is not an index of this segment");
  }
  if (*size != header.file_size ||
      header.file_size <
          sizeof header + uint64_t{header.account_count} * sizeof(AccountIndexEntry)) {
    return index->Damaged("its size is not what it says");
  }
  return index;
}

absl::StatusOr<AccountIndexEntry> AccountIndex::ReadEntry(uint64_t i) {
  AccountIndexEntry entry;
  const absl::StatusOr<size_t> count = ReadFully(*file_, sizeof header_ + i * sizeof entry,
                                                 std::as_writable_bytes(std::span(&entry, 1)));
  if (!count.ok()) return count.status();
  if (*count < sizeof entry || entry.crc != EntryCrc(entry, header_.crc)) {
    return Damaged("the checksum of an entry is wrong");
  }
  return entry;
}

absl::StatusOr<AccountBatches> AccountIndex::ReadList(const AccountIndexEntry& entry) {
  // A batch is a page at least: the segment bounds the memory that is taken here.
  const uint64_t list_size_max = kListCrcBytes + 2 * kVarintBytesMax * segment_pages_;
  if (entry.list_size < kListCrcBytes || entry.list_size > list_size_max ||
      uint64_t{entry.list_position} + entry.list_size > header_.file_size) {
    return Damaged("an entry points outside of it");
  }
  std::vector<std::byte> list(entry.list_size);
  const absl::StatusOr<size_t> count = ReadFully(*file_, entry.list_position, list);
  if (!count.ok()) return count.status();
  uint32_t crc = 0;
  std::memcpy(&crc, list.data(), sizeof crc);
  std::span<const std::byte> varints = std::span(list).subspan(kListCrcBytes);
  if (*count < list.size() || Crc32c(varints) != crc) {
    return Damaged("the checksum of a list is wrong");
  }
  AccountBatches batches;
  batches.first_account_sequence = entry.first_account_sequence;
  uint64_t page = 0;
  while (!varints.empty()) {
    const std::optional<uint32_t> distance = TakeVarint(varints);
    const std::optional<uint32_t> events = distance ? TakeVarint(varints) : std::nullopt;
    if (!events || *distance == 0 || page + *distance >= segment_pages_) {
      return Damaged("a list is not one of batches of this segment");
    }
    page += *distance;
    batches.event_count += *events;
    batches.places.push_back({page * kPageSize, *events});
  }
  if (entry.first_account_sequence == 0 || batches.event_count == 0 ||
      batches.event_count != entry.event_count ||
      batches.event_count > UINT64_MAX - entry.first_account_sequence) {
    return Damaged("an entry counts other events than its list");
  }
  return batches;
}

absl::StatusOr<std::optional<AccountBatches>> AccountIndex::Find(AccountId account) {
  uint64_t begin = 0;
  uint64_t end = header_.account_count;
  while (begin < end) {
    const uint64_t middle = begin + (end - begin) / 2;
    const absl::StatusOr<AccountIndexEntry> entry = ReadEntry(middle);
    if (!entry.ok()) return entry.status();
    if (entry->account_id == account.value()) return ReadList(*entry);
    (entry->account_id < account.value() ? begin : end) =
        entry->account_id < account.value() ? middle + 1 : middle;
  }
  return std::nullopt;
}

absl::Status AccountIndex::Verify() {
  uint64_t previous_id = 0;
  for (uint64_t i = 0; i < header_.account_count; ++i) {
    const absl::StatusOr<AccountIndexEntry> entry = ReadEntry(i);
    if (!entry.ok()) return entry.status();
    if (i > 0 && entry->account_id <= previous_id) return Damaged("it is not in order");
    previous_id = entry->account_id;
    const absl::StatusOr<AccountBatches> batches = ReadList(*entry);
    if (!batches.ok()) return batches.status();
  }
  return absl::OkStatus();
}

absl::Status AccountIndex::Damaged(const char* fault) const {
  return absl::DataLossError(absl::StrCat(path_, ": ", fault));
}

}  // namespace warpbook::journal
