// The journal's format on disk, version 1. In prose: schema/journal/README.md. All integers are
// little-endian; the structs below are stored as they are.
//
//   segment := segment header page (4 KiB), then batches, each at a multiple of 4 KiB,
//              then zeros to the end of the file
//   batch   := BatchHeader, records (schema/wire/record.h), zeros to a multiple of 4 KiB
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "schema/base/crypto.h"

namespace warpbook::journal {

static_assert(std::endian::native == std::endian::little);

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr uint64_t kPageSize = 4096;
inline constexpr uint64_t kDefaultSegmentSize = uint64_t{64} << 20;
inline constexpr uint64_t kSegmentMagic = 0x31'47'45'53'42'50'52'57;  // "WRPBSEG1"
inline constexpr uint64_t kBatchMagic = 0x31'54'41'42'42'50'52'57;    // "WRPBBAT1"

// At the start of a segment's first page; the rest of the page is zeros.
struct SegmentHeader {
  uint64_t magic = kSegmentMagic;
  uint32_t format_version = kFormatVersion;
  uint32_t rules_version = 0;
  uint64_t number = 0;  // of the segment, gapless from 1; also in its name
  uint64_t epoch = 0;   // of the writer; raised at each start
  uint64_t first_sequence = 0;
  uint64_t segment_size = 0;  // bytes that were made ahead; a file that was cut is shorter
  Sha256Digest previous_batch_hash{};
  uint32_t crc = 0;  // CRC-32C of all before it
  uint32_t padding = 0;
};
static_assert(sizeof(SegmentHeader) == 88 && alignof(SegmentHeader) == 8);
static_assert(offsetof(SegmentHeader, format_version) == 8);
static_assert(offsetof(SegmentHeader, first_sequence) == 32);
static_assert(offsetof(SegmentHeader, previous_batch_hash) == 48);
static_assert(offsetof(SegmentHeader, crc) == 80);

// A batch without commands is an idle marker: it puts durable_sequence on disk.
struct BatchHeader {
  uint64_t magic = kBatchMagic;
  uint32_t length = 0;      // bytes of header and records
  uint32_t header_crc = 0;  // CRC-32C of this header with this field 0
  uint32_t body_crc = 0;    // CRC-32C of the records
  uint32_t padding = 0;
  uint64_t epoch = 0;           // the segment's
  uint64_t first_sequence = 0;  // of its first command; of the next one where it has none
  uint32_t command_count = 0;
  uint32_t event_count = 0;
  uint64_t durable_sequence = 0;       // the last command that was synced before this write began
  uint64_t offset = 0;                 // of this batch in its segment: a misdirected write shows
  Sha256Digest previous_batch_hash{};  // zeros before the journal's first batch
};
static_assert(sizeof(BatchHeader) == 96 && alignof(BatchHeader) == 8);
static_assert(offsetof(BatchHeader, header_crc) == 12);
static_assert(offsetof(BatchHeader, epoch) == 24);
static_assert(offsetof(BatchHeader, command_count) == 40);
static_assert(offsetof(BatchHeader, durable_sequence) == 48);
static_assert(offsetof(BatchHeader, previous_batch_hash) == 64);

// A batch's length is 32 bits wide; its header and padding are part of it.
inline constexpr uint64_t kMaxBatchBytes = UINT32_MAX - kPageSize;

constexpr uint64_t PaddedToPage(uint64_t size) {
  return (size + kPageSize - 1) / kPageSize * kPageSize;
}

uint32_t SegmentHeaderCrc(const SegmentHeader& header);
uint32_t BatchHeaderCrc(const BatchHeader& header);

// What is wrong with a segment's header, "" where nothing is. `number` is from the file's name.
std::string SegmentHeaderFault(const SegmentHeader& header, uint64_t number);

// What is wrong with a segment's rules version for a program that executes commands again; "" where
// it is ours.
std::string RulesVersionFault(uint32_t rules_version, uint32_t ours);

// "00000007.segment"
std::string SegmentName(uint64_t number);
std::optional<uint64_t> ParseSegmentName(std::string_view name);
std::string SegmentPath(const std::string& directory, uint64_t number);

}  // namespace warpbook::journal
