// The format, held by a journal that version 1 wrote (tests/golden/journal_v1): it must open for
// ever. WARPBOOK_WRITE_GOLDEN=1 makes it anew, for a new format version beside the old one.
#include "schema/journal/format.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "schema/journal/dump.h"
#include "schema/journal/tail_reader.h"
#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::TemporaryDirectory;

constexpr char kGolden[] = WARPBOOK_GOLDEN "/journal_v1";

// Two starts, with idle markers.
void WriteJournal(const std::string& directory) {
  for (const int start : {0, 1}) {
    absl::StatusOr<Recovered> recovered = Recover(PosixFileSystem(), directory);
    REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
    auto writer = Writer::Open(PosixFileSystem(), std::move(recovered->journal), SmallSegments(3));
    REQUIRE_MESSAGE(writer.ok(), writer.status().ToString());
    REQUIRE((*writer)->Append(MakeBatch((*writer)->next_sequence(), 5).view()).ok());
    REQUIRE((*writer)->WriteIdleMarker().ok());
    if (start == 0) REQUIRE((*writer)->Append(MakeBatch(6, 1).view()).ok());
  }
  std::filesystem::remove(directory + "/prepared.segment");
}

TEST_CASE("A journal of format version 1 still opens and holds the same records") {
  const TemporaryDirectory directory;
  const std::string path = directory / "journal";
  if (std::getenv("WARPBOOK_WRITE_GOLDEN") != nullptr) {
    std::filesystem::remove_all(kGolden);
    WriteJournal(kGolden);
    std::filesystem::remove(std::filesystem::path(kGolden) / "lock");
  }
  std::filesystem::copy(kGolden, path, std::filesystem::copy_options::recursive);

  // Read as it is, by another process's eyes.
  absl::StatusOr<std::unique_ptr<TailReader>> reader = TailReader::Open(path, 1);
  REQUIRE_MESSAGE(reader.ok(), reader.status().ToString());
  absl::StatusOr<std::optional<BatchView>> first = (*reader)->Next();
  REQUIRE_MESSAGE(first.ok(), first.status().ToString());
  REQUIRE(first->has_value());
  CHECK((*first)->command_count == 5);
  CHECK((*first)->event_count == 6);

  const absl::StatusOr<Recovered> recovered = Recover(PosixFileSystem(), path);
  REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
  CHECK(recovered->history.first_sequences == std::vector<uint64_t>{1, 6, 7});
  CHECK(recovered->history.last_sequence == 11);
  CHECK(IsGapless(recovered->history));
  CHECK(recovered->journal.scan.segment == 3);
  CHECK(recovered->journal.scan.epoch == 2);
}

TEST_CASE("The golden journal's bytes are where the format says") {
  const absl::StatusOr<std::string> segment =
      ReadWholeFile(PosixFileSystem(), SegmentPath(kGolden, 1));
  REQUIRE(segment.ok());
  REQUIRE(segment->size() == 3 * kPageSize);
  const auto u32 = [&](size_t offset) {
    uint32_t value = 0;
    std::memcpy(&value, segment->data() + offset, sizeof value);
    return value;
  };
  const auto u64 = [&](size_t offset) { return u32(offset) | uint64_t{u32(offset + 4)} << 32; };
  CHECK(segment->substr(0, 8) == "WRPBSEG1");
  CHECK(u32(8) == 1);        // format version
  CHECK(u32(12) == kRules);  // rules version
  CHECK(u64(16) == 1);       // number
  CHECK(u64(24) == 1);       // epoch
  CHECK(u64(32) == 1);       // first sequence
  CHECK(u64(40) == 3 * kPageSize);
  const size_t batch = kPageSize;
  CHECK(segment->substr(batch, 8) == "WRPBBAT1");
  CHECK(u32(batch + 8) == 96 + MakeBatch(1, 5).records.size());
  CHECK(u64(batch + 24) == 1);  // epoch
  CHECK(u64(batch + 32) == 1);  // first sequence
  CHECK(u32(batch + 40) == 5);  // commands
  CHECK(u32(batch + 44) == 6);  // events
  CHECK(u64(batch + 48) == 0);  // durable sequence
  CHECK(u64(batch + 56) == batch);
  const MadeBatch records = MakeBatch(1, 5);
  CHECK(std::memcmp(segment->data() + batch + 96, records.records.data(), records.records.size()) ==
        0);
}

TEST_CASE("Segment names are eight digits and grow beyond") {
  CHECK(SegmentName(7) == "00000007.segment");
  CHECK(SegmentName(123'456'789) == "123456789.segment");
  CHECK(ParseSegmentName("00000007.segment") == 7);
  CHECK(ParseSegmentName("123456789.segment") == 123'456'789);
  for (const char* name : {"7.segment", "0000007.segment", "00000007.segment2", "000000007.segment",
                           "prepared.segment", ".segment", "0000000a.segment",
                           "99999999999999999999999.segment", "-0000007.segment"}) {
    CHECK_FALSE(ParseSegmentName(name));
  }
}

TEST_CASE("A dump names each record with its fields") {
  std::vector<std::string> lines;
  REQUIRE(DumpJournal(PosixFileSystem(), kGolden, 5, 6, [&](std::string_view line) {
            lines.emplace_back(line);
          }).ok());
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] ==
        "5 1970-01-01T00:00:00.005000Z Tick sequence=5 time_us=5000 account_id=0 "
        "tag=1663341875487337577 checkpoint=0");
  CHECK(lines[1] ==
        "5 1970-01-01T00:00:00.005000Z   CommandAccepted event_sequence=0 account_id=0 "
        "account_sequence=0 tag=5 result_id=0 command_type=0 duplicate=0");
  CHECK(lines[2] ==
        "5 1970-01-01T00:00:00.005000Z   LeaseHeartbeat event_sequence=0 account_id=0 "
        "account_sequence=0 lease_id=5 minute_us=0");
  CHECK(lines[3].starts_with("6 1970-01-01T00:00:00.006000Z Tick sequence=6 "));
}

TEST_CASE("A dump shows byte arrays as text, as hexadecimal or as nothing, and arrays of structs") {
  wire::PlaceOrder order;
  order.mutate_price(2'500'000);
  std::memcpy(order.mutable_client_order_id()->Data(), "my-order", 8);
  wire::RecordWriter writer;
  writer.Append(order, 0);
  const std::string line = FormatRecord(*wire::Records(writer.bytes()).begin());
  CHECK(line.starts_with("PlaceOrder sequence=0 time_us=0 account_id=0 tag=0 price=2500000 "));
  CHECK(line.find(" client_order_id=\"my-order\" ") != std::string::npos);
  CHECK(line.find("padding") == std::string::npos);

  wire::OpenAccount account;
  account.mutable_public_key()->Mutate(31, 0xab);
  writer.Clear();
  writer.Append(account, 0);
  CHECK(FormatRecord(*wire::Records(writer.bytes()).begin())
            .ends_with(" public_key=" + std::string(62, '0') + "ab"));

  wire::SetPrices prices;
  prices.mutable_feeds()->GetMutablePointer(1)->mutate_price(2'000'000);
  writer.Clear();
  writer.Append(prices, 0);
  CHECK(FormatRecord(*wire::Records(writer.bytes()).begin())
            .find(" feeds[0]={price=0 time_us=0} feeds[1]={price=2000000 time_us=0} ") !=
        std::string::npos);
}

}  // namespace
}  // namespace warpbook::journal::test
