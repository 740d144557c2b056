// permessage-deflate's compression (RFC 7692) without context takeover on either side: each message
// stands alone, so that one inflater and one deflater serve all connections of an I/O thread, whose
// they are, and a message for many is compressed once.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;

namespace warpbook::gateway {

// Shorter messages go out as they are: they would save less than a packet's head.
inline constexpr size_t kCompressedMessageBytesMin = 512;

class MessageDeflater {
 public:
  MessageDeflater();
  ~MessageDeflater();

  // The payload of a compressed message, valid until the next call.
  std::string_view Compress(std::string_view message);

 private:
  std::unique_ptr<z_stream_s> stream_;
  std::string output_;
};

class MessageInflater {
 public:
  enum class Outcome { kGood, kTooLarge, kMalformed };
  struct Inflated {
    Outcome outcome;
    std::string_view message;  // valid until the next call
  };

  // Longer messages are not inflated to their end.
  explicit MessageInflater(size_t message_bytes_max);
  ~MessageInflater();

  Inflated Inflate(std::string_view payload);

 private:
  std::unique_ptr<z_stream_s> stream_;
  std::string output_;  // one byte more than the longest message
};

}  // namespace warpbook::gateway
