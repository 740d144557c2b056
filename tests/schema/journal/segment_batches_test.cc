#include "schema/journal/segment_batches.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::MemoryFileSystem;

// What a segment gives: the batches' first sequences, bodies and hashes.
struct GivenBatch {
  uint64_t first_sequence = 0;
  uint64_t end_offset = 0;
  Sha256Digest hash{};
  std::vector<std::byte> body;
  friend bool operator==(const GivenBatch&, const GivenBatch&) = default;
};

std::vector<GivenBatch> Read(FileSystem& files, size_t threads) {
  auto batches = SegmentBatches::Open(files, kDirectory, 1, kPageSize, threads);
  REQUIRE_MESSAGE(batches.ok(), batches.status().ToString());
  std::vector<GivenBatch> given;
  while (true) {
    const absl::StatusOr<std::optional<StoredBatch>> batch = (*batches)->Next();
    REQUIRE_MESSAGE(batch.ok(), batch.status().ToString());
    if (!batch->has_value()) return given;
    given.push_back({(*batch)->header.first_sequence, (*batch)->end_offset, (*batch)->hash,
                     std::vector<std::byte>((*batch)->body.begin(), (*batch)->body.end())});
  }
}

// Forty batches of one page and of several in one segment.
std::unique_ptr<MemoryFileSystem> MakeSegment() {
  auto files = std::make_unique<MemoryFileSystem>();
  std::vector<uint32_t> counts;
  for (uint32_t i = 0; i < 40; ++i) counts.push_back(1 + i * 37 % 130);
  REQUIRE(WriteBatches(*files, counts, 512).ok());
  return files;
}

TEST_CASE("Threads that read ahead give what one that does not gives, wherever a byte is damaged") {
  const std::unique_ptr<MemoryFileSystem> files = MakeSegment();
  const std::vector<GivenBatch> whole = Read(*files, 0);
  REQUIRE(whole.size() == 40);
  for (size_t threads = 1; threads <= 4; ++threads) CHECK(Read(*files, threads) == whole);

  std::mt19937 random(3);
  std::vector<std::byte>& bytes = files->content(Segment(1));
  for (int i = 0; i < 200; ++i) {
    const size_t at = kPageSize + random() % (whole.back().end_offset - kPageSize);
    bytes[at] ^= std::byte{0x10};
    const std::vector<GivenBatch> given = Read(*files, 0);
    REQUIRE(Read(*files, 1 + static_cast<size_t>(i % 4)) == given);
    bytes[at] ^= std::byte{0x10};
  }
}

TEST_CASE("Reading ahead may be given up at any batch") {
  const std::unique_ptr<MemoryFileSystem> files = MakeSegment();
  for (int taken = 0; taken < 40; ++taken) {
    auto batches = SegmentBatches::Open(*files, kDirectory, 1, kPageSize, 3);
    REQUIRE(batches.ok());
    for (int i = 0; i < taken; ++i) CHECK((*(*batches)->Next()).has_value());
  }
}

TEST_CASE("A batch stays as it is until the next one is asked for") {
  const std::unique_ptr<MemoryFileSystem> files = MakeSegment();
  const std::vector<GivenBatch> whole = Read(*files, 0);
  auto batches = SegmentBatches::Open(*files, kDirectory, 1, kPageSize, 2);
  REQUIRE(batches.ok());
  for (const GivenBatch& expected : whole) {
    const absl::StatusOr<std::optional<StoredBatch>> batch = (*batches)->Next();
    REQUIRE((batch.ok() && batch->has_value()));
    // The threads fill every buffer that they may.
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    CHECK(std::equal(expected.body.begin(), expected.body.end(), (*batch)->body.begin(),
                     (*batch)->body.end()));
  }
}

TEST_CASE("A segment that is not there is an error; small segments need no threads") {
  MemoryFileSystem files;
  CHECK_FALSE(SegmentBatches::Open(files, kDirectory, 1, kPageSize, 2).ok());
  CHECK(SegmentBatches::ThreadsFor(8 * kPageSize) == 0);
  CHECK(SegmentBatches::ThreadsFor(kDefaultSegmentSize) >= 1);
}

}  // namespace
}  // namespace warpbook::journal::test
