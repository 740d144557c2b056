#include "gateway/net/deflate.h"

#define ZLIB_CONST  // input is const
#include <zlib.h>

#include <array>

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

constexpr int kRawWindowBits = -15;  // no zlib head; any window that the other side used
constexpr int kLevel = 3;            // two thirds of the best level's gain at a third of its cost
constexpr int kMemoryLevel = 8;
// RFC 7692, 7.2.1: the end of a flush, which both sides leave out.
constexpr std::string_view kFlushTail("\x00\x00\xff\xff", 4);
// Beyond what deflateBound says of a finished stream.
constexpr size_t kFlushRoom = 16;

// In z_stream::data_type, as zlib.h says of inflate.
constexpr int kBehindBlockBit = 128;

const Bytef* Bytes(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

}  // namespace

// ---- Deflater ----

MessageDeflater::MessageDeflater() : stream_(std::make_unique<z_stream>()) {
  WARPBOOK_CHECK(deflateInit2(stream_.get(), kLevel, Z_DEFLATED, kRawWindowBits, kMemoryLevel,
                              Z_DEFAULT_STRATEGY) == Z_OK);
}

MessageDeflater::~MessageDeflater() { deflateEnd(stream_.get()); }

std::string_view MessageDeflater::Compress(std::string_view message) {
  WARPBOOK_CHECK(deflateReset(stream_.get()) == Z_OK);
  const size_t room = deflateBound(stream_.get(), message.size()) + kFlushRoom;
  if (output_.size() < room) output_.resize(room);
  stream_->next_in = Bytes(message);
  stream_->avail_in = static_cast<uInt>(message.size());
  stream_->next_out = reinterpret_cast<Bytef*>(output_.data());
  stream_->avail_out = static_cast<uInt>(output_.size());
  // Room was left: the flush is whole.
  WARPBOOK_CHECK(deflate(stream_.get(), Z_SYNC_FLUSH) == Z_OK && stream_->avail_out > 0);
  const std::string_view payload(output_.data(), output_.size() - stream_->avail_out);
  WARPBOOK_CHECK(payload.ends_with(kFlushTail));
  return payload.substr(0, payload.size() - kFlushTail.size());
}

// ---- Inflater ----

MessageInflater::MessageInflater(size_t message_bytes_max)
    : stream_(std::make_unique<z_stream>()), output_(message_bytes_max + 1, '\0') {
  WARPBOOK_CHECK(inflateInit2(stream_.get(), kRawWindowBits) == Z_OK);
}

MessageInflater::~MessageInflater() { inflateEnd(stream_.get()); }

MessageInflater::Inflated MessageInflater::Inflate(std::string_view payload) {
  WARPBOOK_CHECK(inflateReset(stream_.get()) == Z_OK);
  stream_->next_out = reinterpret_cast<Bytef*>(output_.data());
  stream_->avail_out = static_cast<uInt>(output_.size());
  int result = Z_OK;
  for (const std::string_view part : {payload, kFlushTail}) {
    stream_->next_in = Bytes(part);
    stream_->avail_in = static_cast<uInt>(part.size());
    result = inflate(stream_.get(), Z_SYNC_FLUSH);
    if (stream_->avail_out == 0) return {.outcome = Outcome::kTooLarge, .message = {}};
    // A last block may end the stream (7.2.3.4); what is behind it is nobody's.
    if (result == Z_STREAM_END) break;
    // Z_BUF_ERROR: nothing to do, as of an empty part.
    if ((result != Z_OK && result != Z_BUF_ERROR) || stream_->avail_in != 0) {
      return {.outcome = Outcome::kMalformed, .message = {}};
    }
  }
  // The tail must have been what it is: a block of its own.
  const bool is_behind_block = (stream_->data_type & kBehindBlockBit) != 0;
  if (result != Z_STREAM_END && !is_behind_block) {
    return {.outcome = Outcome::kMalformed, .message = {}};
  }
  return {.outcome = Outcome::kGood,
          .message = std::string_view(output_.data(), output_.size() - stream_->avail_out)};
}

}  // namespace warpbook::gateway
