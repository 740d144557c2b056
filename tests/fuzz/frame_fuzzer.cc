// Whatever the bytes and wherever they are cut, the same frames come out of them and the same
// fault; and what was read as messages, written by a client again, is read as the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/net/frame_codec.h"
#include "schema/base/check.h"

namespace {

using namespace warpbook::gateway;

using Event = std::tuple<FrameEvent::Kind, Opcode, bool, uint16_t, std::string>;

constexpr FrameLimits kLimits = {.message_bytes_max = 300, .message_frames_max = 6};

// The cuts' bytes are the sizes of the pieces, over and over; none: all in one.
std::vector<Event> Read(std::string bytes, bool allow_compressed, std::span<const uint8_t> cuts) {
  FrameReader reader(kLimits);
  reader.AllowCompressed(allow_compressed);
  std::vector<Event> events;
  size_t cut = 0;
  for (size_t at = 0; at < bytes.size() && !reader.is_finished();) {
    const size_t size = cuts.empty()
                            ? bytes.size()
                            : std::min<size_t>(1 + cuts[cut++ % cuts.size()], bytes.size() - at);
    std::string piece = bytes.substr(at, size);  // of its own, so that overruns are seen
    at += size;
    std::span<char> input(piece);
    while (true) {
      const FrameEvent event = reader.Next(input);
      if (event.kind == FrameEvent::Kind::kMore) break;
      WARPBOOK_CHECK(event.payload.size() <= kLimits.message_bytes_max);
      events.emplace_back(event.kind, event.opcode, event.compressed, event.close_code,
                          std::string(event.payload));
    }
    WARPBOOK_CHECK(input.empty() || reader.is_finished());
  }
  return events;
}

std::string Masked(std::string frames) {
  // One frame, with a mask that changes nothing.
  const size_t length_bytes = frames[1] == 126 ? 2 : frames[1] == 127 ? 8 : 0;
  frames[1] = static_cast<char>(frames[1] | 0x80);
  return frames.insert(2 + length_bytes, 4, '\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const bool allow_compressed = (data[0] & 1) != 0;
  const size_t cut_count = std::min<size_t>(data[0] >> 1 & 7, size - 1);
  const std::span<const uint8_t> cuts(data + 1, cut_count);
  const std::string bytes(reinterpret_cast<const char*>(data) + 1 + cut_count,
                          size - 1 - cut_count);
  const std::vector<Event> whole = Read(bytes, allow_compressed, {});
  WARPBOOK_CHECK(Read(bytes, allow_compressed, cuts) == whole);
  const uint8_t one_by_one = 0;
  WARPBOOK_CHECK(Read(bytes, allow_compressed, std::span(&one_by_one, 1)) == whole);

  std::string again;
  std::vector<Event> expected;
  for (const Event& event : whole) {
    const auto& [kind, opcode, compressed, code, payload] = event;
    if (kind == FrameEvent::Kind::kClose || kind == FrameEvent::Kind::kFault) break;
    std::string frame;
    AppendFrame(frame, opcode, payload, compressed);
    again += Masked(frame);
    expected.push_back(event);
  }
  WARPBOOK_CHECK(Read(again, allow_compressed, cuts) == expected);
  return 0;
}
