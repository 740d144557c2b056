// A reader of one account's events against a filter of the whole journal.
#include "schema/journal/account_reader.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>

#include "schema/journal/account_indexer.h"
#include "schema/journal/archive.h"
#include "schema/journal/watermark.h"
#include "tests/schema/journal/account_journal.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::MemoryFileSystem;
using warpbook::test::TemporaryDirectory;

constexpr Timestamp kLater = Timestamp(int64_t{1} << 50);

std::string Index(uint64_t number) { return AccountIndexPath(kDirectory, number); }

// The answers for every account, one that is none, and every place.
void CheckEveryPlace(FileSystem& files, uint64_t account_count) {
  const PrivateEvents expected(files, kDirectory);
  for (uint64_t account = 0; account <= account_count + 1; ++account) {
    for (uint64_t after = 0; after <= expected.LastOf(account) + 2; ++after) {
      const Answer answer = ReadBehind(files, kDirectory, account, after);
      REQUIRE_MESSAGE(answer == expected.Behind(account, after), "account ", account, " behind ",
                      after);
    }
  }
}

// The same for some places, in random pieces.
void CheckSomePlaces(FileSystem& files, uint64_t account_count, RandomBatches& random) {
  const PrivateEvents expected(files, kDirectory);
  for (int i = 0; i < 60; ++i) {
    const uint64_t account = random.Below(account_count + 2);
    const uint64_t after = random.Below(expected.LastOf(account) + 3);
    const AccountReader::Limit limit{.events = 1 + random.Below(9),
                                     .bytes = 1 + random.Below(20'000)};
    const Answer answer = ReadBehind(files, kDirectory, account, after, limit);
    REQUIRE_MESSAGE(answer == expected.Behind(account, after), "account ", account, " behind ",
                    after);
  }
}

// What may become of an index.
void Harm(MemoryFileSystem& files, uint64_t number, RandomBatches& random) {
  if (!files.exists(Index(number))) return;
  std::vector<std::byte>& content = files.content(Index(number));
  switch (random.Below(7)) {
    case 0:
      REQUIRE(files.Remove(Index(number)).ok());
      break;
    case 1:
      content[random.Below(content.size())] ^= static_cast<std::byte>(1 << random.Below(8));
      break;
    case 2:
      content.resize(random.Below(content.size()));
      break;
    case 3:
      if (files.exists(Index(number + 1))) content = files.content(Index(number + 1));
      break;
    default:
      break;  // it stays as it is
  }
}

TEST_CASE("Random journals: whatever the indexes are, the answers are those of the whole journal") {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    MemoryFileSystem files;
    RandomBatches random(seed, 1 + seed % 40);
    const uint64_t account_count = 1 + seed % 40;
    const uint64_t lives = 1 + random.Below(4);
    for (uint64_t life = 0; life < lives; ++life) {
      const int batches = static_cast<int>(random.Below(40));
      REQUIRE(WriteLife(files, kDirectory, random, batches, 3 + random.Below(8)).ok());
      // Some lives end with segments that have no index yet.
      if (random.Below(3) != 0) REQUIRE(MakeIndexes(files, kDirectory).ok());
      const Retention retention{.from_sequence = 1 + random.Below(200), .from_time = kLater};
      REQUIRE(ArchiveSegments(files, kDirectory, retention).ok());
    }
    const std::vector<uint64_t> numbers = *ListAllSegments(files, kDirectory);
    for (const uint64_t number : numbers) Harm(files, number, random);
    if (seed % 3 == 0) {
      // The oldest ones are no longer there.
      for (uint64_t number = 1; number < numbers.back() / 3; ++number) {
        for (const std::string& place : {std::string(kDirectory), ArchiveDirectory(kDirectory)}) {
          if (files.exists(SegmentPath(place, number))) {
            REQUIRE(files.Remove(SegmentPath(place, number)).ok());
          }
        }
      }
    }
    CheckSomePlaces(files, account_count, random);
  }
}

// Three sealed segments and one that is not, five accounts; indexes made.
std::unique_ptr<MemoryFileSystem> SmallJournal() {
  auto files = std::make_unique<MemoryFileSystem>();
  RandomBatches random(12, 5);
  REQUIRE(WriteLife(*files, kDirectory, random, 5, 3, 4).ok());
  REQUIRE(WriteLife(*files, kDirectory, random, 1, 3, 4).ok());
  REQUIRE(MakeIndexes(*files, kDirectory).ok());
  REQUIRE(files->exists(Index(3)));
  REQUIRE_FALSE(files->exists(Index(4)));
  return files;
}

TEST_CASE("Every place of a small journal is found, with and without indexes") {
  const auto files = SmallJournal();
  CheckEveryPlace(*files, 5);
  for (const uint64_t number : {1, 2, 3}) {
    REQUIRE(files->Remove(Index(number)).ok());
    CheckEveryPlace(*files, 5);
  }
}

TEST_CASE("Every byte of an index may be wrong, and it may end anywhere: the same answers") {
  const auto files = SmallJournal();
  const std::vector<std::byte> good = files->content(Index(2));
  for (size_t i = 0; i < good.size(); ++i) {
    files->content(Index(2))[i] ^= static_cast<std::byte>(1 << i % 8);
    CheckEveryPlace(*files, 5);
    files->content(Index(2)).resize(i);
    CheckEveryPlace(*files, 5);
    files->content(Index(2)) = good;
  }
}

// What another past of the same journal would have left: an index with right checksums and the
// header's identity that names other batches. The hash of the last batch tells it apart.
TEST_CASE("The index of a segment that was since replaced by another one is not used") {
  MemoryFileSystem files, other;
  RandomBatches random(1, 3), other_random(2, 3);
  REQUIRE(WriteLife(files, kDirectory, random, 20, 6).ok());
  REQUIRE(WriteLife(other, kDirectory, other_random, 20, 6).ok());
  REQUIRE(MakeIndexes(other, kDirectory).ok());
  REQUIRE(files.MakeDirectory(AccountIndexDirectory(kDirectory)).ok());
  for (const uint64_t number : {1, 2}) {
    const std::vector<std::byte>& content = other.content(Index(number));
    REQUIRE(ReplaceFile(files, AccountIndexDirectory(kDirectory),
                        Index(number).substr(AccountIndexDirectory(kDirectory).size() + 1),
                        {reinterpret_cast<const char*>(content.data()), content.size()})
                .ok());
    const auto segment = SealedSegment::Open(files, kDirectory, number);
    CHECK_FALSE(AccountIndex::Open(files, kDirectory, **segment).ok());
  }
  CheckEveryPlace(files, 3);
}

// The segment's accounts as its index may claim them, with right checksums.
void Claim(MemoryFileSystem& files, uint64_t number,
           const std::function<void(std::map<uint64_t, AccountBatches>&)>& change) {
  const auto segment = SealedSegment::Open(files, kDirectory, number);
  REQUIRE(segment.ok());
  SegmentAccounts accounts = *ReadAccounts(**segment, std::nullopt, nullptr);
  change(accounts.accounts);
  REQUIRE(WriteAccountIndex(files, kDirectory, **segment, accounts).ok());
}

TEST_CASE("An index with right checksums that lies about an account is found out") {
  const auto made = SmallJournal();
  const PrivateEvents expected(*made, kDirectory);
  const uint64_t account = 2;
  for (const uint64_t number : {1, 2, 3}) {
    const auto segment = SealedSegment::Open(*made, kDirectory, number);
    REQUIRE(ReadAccounts(**segment, AccountId(account), nullptr)->accounts.size() == 1);
  }
  using Accounts = std::map<uint64_t, AccountBatches>;
  const std::vector<std::function<void(Accounts&)>> lies = {
      [](Accounts& accounts) { accounts.erase(2); },
      [](Accounts& accounts) { accounts.at(2).first_account_sequence += 1; },
      [](Accounts& accounts) { accounts.at(2).first_account_sequence -= 1; },
      [](Accounts& accounts) {
        accounts.at(2).places.assign({{2 * kPageSize, 1}});
      },
      [](Accounts& accounts) {
        accounts.at(2).event_count += 1;
        accounts.at(2).places.back().event_count += 1;
      },
      [](Accounts& accounts) { accounts.at(2) = accounts.at(1); },
  };
  for (size_t i = 0; i < lies.size(); ++i) {
    CAPTURE(i);
    const auto files = made->Synced();
    Claim(*files, 2, lies[i]);
    CHECK(ReadBehind(*files, kDirectory, account, 0) == expected.Behind(account, 0));
  }
}

TEST_CASE("An index with right checksums that names another batch is found out") {
  const auto made = SmallJournal();
  const PrivateEvents expected(*made, kDirectory);
  int moves = 0;
  for (const uint64_t number : {1, 2, 3}) {
    const auto segment = SealedSegment::Open(*made, kDirectory, number);
    const uint64_t size = (*segment)->header().segment_size;
    const SegmentAccounts accounts = *ReadAccounts(**segment, std::nullopt, nullptr);
    for (const auto& [account, batches] : accounts.accounts) {
      for (uint64_t offset = kPageSize; offset < size; offset += kPageSize) {
        if (batches.places.size() != 1 || batches.places[0].offset == offset) continue;
        const auto files = made->Synced();
        Claim(*files, number,
              [&](auto& claimed) { claimed.at(account).places[0].offset = offset; });
        CHECK(ReadBehind(*files, kDirectory, account, 0) == expected.Behind(account, 0));
        ++moves;
      }
    }
  }
  CHECK(moves > 3);
}

// The offset of a batch of segment 2 that has no event of the account; 0: all have.
uint64_t OffsetWithout(MemoryFileSystem& files, uint64_t account) {
  const auto segment = SealedSegment::Open(files, kDirectory, 2);
  std::set<uint64_t> without;
  REQUIRE((*segment)
              ->ReadAll(nullptr,
                        [&](uint64_t offset, const StoredBatch&) {
                          without.insert(offset);
                          return absl::OkStatus();
                        })
              .ok());
  const SegmentAccounts found = *ReadAccounts(**segment, AccountId(account), nullptr);
  for (const AccountBatches::Place& place : found.accounts.at(account).places) {
    without.erase(place.offset);
  }
  return without.empty() ? 0 : *without.begin();
}

TEST_CASE("Of a sealed segment only the batches that its index names are read") {
  MemoryFileSystem files;
  RandomBatches random(5, 30);
  REQUIRE(WriteLife(files, kDirectory, random, 60, 20, 3).ok());
  REQUIRE(MakeIndexes(files, kDirectory).ok());
  const PrivateEvents expected(files, kDirectory);
  const uint64_t offset = OffsetWithout(files, 7);
  REQUIRE(offset != 0);
  files.content(Segment(2))[offset + 100] ^= std::byte{1};
  CHECK(ReadBehind(files, kDirectory, 7, 0) == expected.Behind(7, 0));
  // Without the index it is damage below the watermark.
  REQUIRE(files.Remove(Index(2)).ok());
  CHECK(ReadBehind(files, kDirectory, 7, 0).code == absl::StatusCode::kDataLoss);
}

TEST_CASE("A resume does not read batches of what the session knows already") {
  MemoryFileSystem files;
  RandomBatches random(5, 1);
  REQUIRE(WriteLife(files, kDirectory, random, 60, 20, 3).ok());
  REQUIRE(MakeIndexes(files, kDirectory).ok());
  const PrivateEvents expected(files, kDirectory);
  const auto segment = SealedSegment::Open(files, kDirectory, 2);
  const AccountBatches batches = ReadAccounts(**segment, std::nullopt, nullptr)->accounts.at(1);
  REQUIRE(batches.places.size() > 3);
  files.content(Segment(2))[batches.places[0].offset + 100] ^= std::byte{1};
  const uint64_t after = batches.first_account_sequence + batches.places[0].event_count - 1;
  CHECK(ReadBehind(files, kDirectory, 1, after) == expected.Behind(1, after));
  CHECK(ReadBehind(files, kDirectory, 1, after - 1).code == absl::StatusCode::kDataLoss);
}

TEST_CASE("Nothing above the watermark is given, and the reader goes on when it rises") {
  MemoryFileSystem files;
  RandomBatches random(3, 1);
  REQUIRE(WriteLife(files, kDirectory, random, 40, 8).ok());
  REQUIRE(MakeIndexes(files, kDirectory).ok());
  const std::vector<GivenEvent> all = PrivateEvents(files, kDirectory).Behind(1, 0).events;
  // The ends of batches, most of them in sealed segments.
  std::vector<uint64_t> durable_sequences = {0};
  const auto batches = TailReader::Open(files, kDirectory, 1);
  for (auto batch = (*batches)->Next(); batch->has_value(); batch = (*batches)->Next()) {
    durable_sequences.push_back((*batch)->first_sequence + (*batch)->command_count - 1);
  }
  const absl::StatusOr<std::unique_ptr<Watermark>> watermark =
      Watermark::Create(files, kDirectory, 0);
  REQUIRE(watermark.ok());
  std::vector<GivenEvent> read;
  const auto reader = AccountReader::Open(files, kDirectory, AccountId(1), 0);
  REQUIRE(reader.ok());
  for (const uint64_t durable : durable_sequences) {
    (*watermark)->Store(durable);
    const absl::StatusOr<AccountReader::Progress> progress = (*reader)->Read(
        {.events = 1'000}, [&](const AccountEvent& event) { read.push_back(Copy(event)); });
    REQUIRE(progress.ok());
    CHECK(*progress == AccountReader::Progress::kEnd);
    std::vector<GivenEvent> expected;
    for (const GivenEvent& event : all) {
      if (event.sequence <= durable) expected.push_back(event);
    }
    REQUIRE(read == expected);
    // So does one that begins now.
    CHECK(ReadBehind(files, kDirectory, 1, 0).events == expected);
  }
  CHECK(read == all);
  CHECK(all.size() > 100);
}

TEST_CASE("What came before the time that is asked for counts as gone") {
  MemoryFileSystem files;
  RandomBatches random(9, 1);
  REQUIRE(WriteLife(files, kDirectory, random, 40, 8).ok());
  REQUIRE(MakeIndexes(files, kDirectory).ok());
  const auto open = [&](uint64_t after, Timestamp from_time) {
    return AccountReader::Open(files, kDirectory, AccountId(1), after, from_time).status();
  };
  const auto third = SealedSegment::Open(files, kDirectory, 3);
  const SegmentAccounts accounts = *ReadAccounts(**third, std::nullopt, nullptr);
  const uint64_t first = accounts.accounts.at(1).first_account_sequence;
  // RandomBatches' time.
  const Timestamp begin(static_cast<int64_t>((*third)->header().first_sequence * 1'000));
  const Timestamp within = begin.PlusMicros(1);
  // The segment in which the time lies is still looked at, no earlier one.
  CHECK(open(first - 1, within).ok());
  CHECK(absl::IsOutOfRange(open(first - 2, within)));
  CHECK(open(first - 2, begin).ok());
  CHECK(absl::IsOutOfRange(open(0, kLater)));
  CHECK(open(0, Timestamp()).ok());
}

TEST_CASE("What is gone is told from what never was, also where only the last segment tells") {
  MemoryFileSystem files;
  RandomBatches random(9, 2);
  REQUIRE(WriteLife(files, kDirectory, random, 10, 8).ok());
  const uint64_t known = PrivateEvents(files, kDirectory).LastOf(1);
  random.SkipAccountsBefore(2);
  REQUIRE(WriteLife(files, kDirectory, random, 30, 8).ok());
  const auto quiet = files.Synced();
  random.SkipAccountsBefore(1);
  REQUIRE(WriteLife(files, kDirectory, random, 2, 8).ok());
  REQUIRE(MakeIndexes(files, kDirectory).ok());
  const auto code = [](FileSystem& of, uint64_t after) {
    return ReadBehind(of, kDirectory, 1, after).code;
  };
  REQUIRE(known > 2);
  CHECK(code(files, known - 1) == absl::StatusCode::kOk);
  for (const uint64_t number : {1, 2, 3}) {
    REQUIRE(files.Remove(Segment(number)).ok());
    REQUIRE(quiet->Remove(Segment(number)).ok());
  }
  CHECK(code(files, known - 1) == absl::StatusCode::kOutOfRange);
  CHECK(code(files, known) == absl::StatusCode::kOk);
  CheckEveryPlace(files, 2);
  // Nothing is left of the account: whether it knows all cannot be told.
  CHECK(code(*quiet, known) == absl::StatusCode::kOutOfRange);
  CHECK(code(*quiet, 0) == absl::StatusCode::kOutOfRange);
}

TEST_CASE("A piece is no larger than its limits, and nothing is lost between pieces") {
  MemoryFileSystem files;
  RandomBatches random(9, 2);
  REQUIRE(WriteLife(files, kDirectory, random, 40, 8).ok());
  REQUIRE(MakeIndexes(files, kDirectory).ok());
  const Answer all = PrivateEvents(files, kDirectory).Behind(1, 0);
  CHECK(ReadBehind(files, kDirectory, 1, 0, {.events = 1}) == all);
  CHECK(ReadBehind(files, kDirectory, 1, 0, {.events = 3}) == all);
  // Of one batch at most.
  const auto reader = AccountReader::Open(files, kDirectory, AccountId(1), 0);
  std::vector<GivenEvent> read;
  int pieces = 0;
  while (true) {
    std::vector<GivenEvent> piece;
    const auto progress = (*reader)->Read(
        {.bytes = 1}, [&](const AccountEvent& event) { piece.push_back(Copy(event)); });
    REQUIRE(progress.ok());
    REQUIRE(piece.size() < 40);
    read.insert(read.end(), piece.begin(), piece.end());
    ++pieces;
    if (*progress == AccountReader::Progress::kEnd) break;
  }
  CHECK(read == all.events);
  CHECK(pieces > 20);
}

TEST_CASE("Absurd account sequences are refused") {
  const auto files = SmallJournal();
  for (const uint64_t after : {uint64_t{1} << 40, UINT64_MAX - 1, UINT64_MAX}) {
    CHECK(ReadBehind(*files, kDirectory, 2, after).code == absl::StatusCode::kInvalidArgument);
    CHECK(ReadBehind(*files, kDirectory, 99, after).code == absl::StatusCode::kInvalidArgument);
  }
  MemoryFileSystem empty;
  CHECK(ReadBehind(empty, kDirectory, 2, 0).code == absl::StatusCode::kNotFound);
}

TEST_CASE("Readers find all beside a writer, while segments are indexed and archived") {
  const TemporaryDirectory directory;
  const std::string path = directory / "journal";
  FileSystem& files = PosixFileSystem();
  RandomBatches random(77, 6);
  absl::StatusOr<Recovered> recovered = Recover(files, path);
  REQUIRE(recovered.ok());
  Writer::Options options = SmallSegments(12);
  options.make_segments_in_background = true;
  const auto writer = Writer::Open(files, std::move(recovered->journal), options);
  REQUIRE(writer.ok());
  std::atomic<bool> written = false;
  std::thread writing([&] {
    for (uint32_t i = 0; i < 1'500; ++i) {
      const MadeBatch batch = random.Make((*writer)->next_sequence(), 1 + i % 20);
      WARPBOOK_CHECK((*writer)->Append(batch.view()).ok());
    }
    written = true;
  });
  std::atomic<bool> tidied = false;
  std::thread tidying([&] {
    AccountIndexer indexer(files, path);
    const std::atomic<bool> stop = false;
    while (!written) {
      WARPBOOK_CHECK(indexer.MakeMissing(stop).ok());
      const uint64_t durable = (*Watermark::Open(files, path))->Load();
      const Retention retention{.from_sequence = durable - durable / 4 + 1, .from_time = kLater};
      WARPBOOK_CHECK(ArchiveSegments(files, path, retention).ok());
    }
    tidied = true;
  });

  // One goes on from the start, others begin in the middle now and then.
  const auto reader = AccountReader::Open(files, path, AccountId(1), 0);
  REQUIRE_MESSAGE(reader.ok(), reader.status().ToString());
  std::vector<GivenEvent> read;
  bool faulty = false;
  const auto read_on = [&] {
    const auto progress = (*reader)->Read(
        {.events = 50}, [&](const AccountEvent& event) { read.push_back(Copy(event)); });
    if (!progress.ok()) MESSAGE(progress.status().ToString());
    faulty |= !progress.ok();
    return progress.ok() && *progress == AccountReader::Progress::kMore;
  };
  while (!tidied && !faulty) {
    read_on();
    if (read.empty()) continue;
    const uint64_t after = read.size() / 2;
    const auto second = AccountReader::Open(files, path, AccountId(1), after);
    if (!second.ok()) MESSAGE(second.status().ToString());
    faulty |= !second.ok();
    if (faulty) break;
    const auto progress = (*second)->Read({.events = 50}, [&](const AccountEvent& event) {
      const GivenEvent copy = Copy(event);
      if (copy.account_sequence <= read.size()) faulty |= copy != read[copy.account_sequence - 1];
    });
    if (!progress.ok()) MESSAGE(progress.status().ToString());
    faulty |= !progress.ok();
  }
  writing.join();
  tidying.join();
  REQUIRE_FALSE(faulty);
  while (read_on()) {
  }
  const PrivateEvents expected(files, path);
  CHECK(read == expected.Behind(1, 0).events);
  CHECK_FALSE(ListSegments(files, ArchiveDirectory(path))->empty());
  for (uint64_t account = 1; account <= 6; ++account) {
    const uint64_t after = expected.LastOf(account) / 3;
    CHECK(ReadBehind(files, path, account, after) == expected.Behind(account, after));
  }
}

TEST_CASE("An event comes with its cause: the trade or the settlement before it in its command") {
  MemoryFileSystem files;
  wire::RecordWriter records;
  uint64_t sequence = 0;
  const auto add = [&]<typename Event>(Event event, uint32_t command, bool is_private) {
    if (is_private) {
      event.mutable_header().mutate_account_id(1);
      event.mutable_header().mutate_account_sequence(++sequence);
    }
    records.Append(event, command);
  };
  const auto trade = [](uint64_t lease) {
    wire::TradeExecuted event;
    event.mutate_lease_id(lease);
    return event;
  };
  records.Append(wire::Tick(), 0);
  add(wire::OrderAccepted(), 0, true);
  add(trade(1), 0, false);
  add(wire::OrderFilled(), 0, true);
  add(wire::CreditsMoved(), 0, true);
  add(trade(2), 0, false);
  add(wire::LeaseResold(), 0, true);
  records.Append(wire::Tick(), 1);
  add(wire::LeaseChanged(), 1, true);
  add(wire::LeaseSettled(), 1, false);
  add(wire::LeaseChanged(), 1, true);
  MadeBatch batch{.records = records.Take(), .command_count = 2, .event_count = 9};
  uint64_t command = 0;
  for (size_t at = 0; at < batch.records.size();) {
    const wire::RecordView record(batch.records.data() + at);
    at += record.total_size();
    if (!wire::IsCommand(record.type())) continue;
    auto& header = const_cast<wire::CommandHeader&>(record.command_header());
    header.mutate_sequence(++command);
  }
  {
    absl::StatusOr<Recovered> recovered = Recover(files, kDirectory);
    REQUIRE(recovered.ok());
    const auto writer = Writer::Open(files, std::move(recovered->journal), SmallSegments(64));
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Append(batch.view()).ok());
  }
  const auto reader = AccountReader::Open(files, kDirectory, AccountId(1), 0);
  REQUIRE(reader.ok());
  std::vector<uint64_t> causes;  // a trade's lease; 0: none; 9: the settlement
  const auto progress = (*reader)->Read({}, [&](const AccountEvent& event) {
    causes.push_back(event.cause.empty() ? 0
                     : event.cause.type() == wire::RecordType::kLeaseSettled
                         ? 9
                         : event.cause.as<wire::TradeExecuted>().lease_id());
  });
  REQUIRE(progress.ok());
  CHECK(causes == std::vector<uint64_t>{0, 1, 0, 2, 0, 9});
}

TEST_CASE("Where what follows is gone, the oldest event that is there is told") {
  MemoryFileSystem files;
  RandomBatches random(7, 3);
  REQUIRE(WriteLife(files, kDirectory, random, 60, 8).ok());
  REQUIRE(MakeIndexes(files, kDirectory).ok());
  const PrivateEvents expected(files, kDirectory);
  const auto events = expected.Behind(2, 0).events;
  uint64_t oldest = 0;
  const auto gone =
      AccountReader::Open(files, kDirectory, AccountId(2), 0, events.back().time, &oldest);
  REQUIRE(absl::IsOutOfRange(gone.status()));
  REQUIRE(oldest > 1);
  REQUIRE(oldest <= events.size());
  uint64_t unused = 77;
  const auto there =
      AccountReader::Open(files, kDirectory, AccountId(2), oldest - 1, events.back().time, &unused);
  REQUIRE(there.ok());
  CHECK(unused == 77);
  REQUIRE((*there)
              ->Read({.events = 1},
                     [&](const AccountEvent& event) { CHECK(Copy(event) == events[oldest - 1]); })
              .ok());
}

}  // namespace
}  // namespace warpbook::journal::test
