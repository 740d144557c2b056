#include "gateway/net/corked_stream.h"

#include <string_view>

#include "gateway/net/monotonic_time.h"
#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

// RFC 6455, section 5.2. A server's frames are not masked.
constexpr char kCloseFrame = '\x88';
constexpr char kTextFrame = '\x81';
constexpr size_t kBareCloseFrameBytes = 4;  // head, length 2, code

std::string TextFrame(const std::string& text) {
  WARPBOOK_CHECK(text.size() <= 0xffff);
  std::string frame(1, kTextFrame);
  if (text.size() < 126) {
    frame += static_cast<char>(text.size());
  } else {
    frame += '\x7e';
    frame += static_cast<char>(text.size() >> 8);
    frame += static_cast<char>(text.size() & 0xff);
  }
  return frame + text;
}

}  // namespace

void CorkedStream::SetFarewell(uint16_t close_code, std::string text) {
  WARPBOOK_CHECK(farewell_count_ < farewells_.size());
  farewells_[farewell_count_++] = {close_code, TextFrame(text)};
}

void CorkedStream::PrependFarewell(size_t write_begin) {
  const std::string_view written = std::string_view(waiting_).substr(write_begin);
  if (written.size() != kBareCloseFrameBytes || written[0] != kCloseFrame || written[1] != 2)
    return;
  const auto code = static_cast<uint16_t>((static_cast<uint8_t>(written[2]) << 8) |
                                          static_cast<uint8_t>(written[3]));
  for (size_t i = 0; i < farewell_count_; ++i) {
    // Beast writes a close frame only between messages, so that a whole message fits before it.
    if (farewells_[i].first == code) waiting_.insert(write_begin, farewells_[i].second);
  }
}

void CorkedStream::Flush() {
  if (error_) waiting_.clear();
  if (busy_ || waiting_.empty()) return;
  sending_.clear();
  sent_ = 0;
  std::swap(sending_, waiting_);
  stalled_since_ = MonotonicMicros();
  busy_ = true;
  SendSome();
}

void CorkedStream::SendSome() {
  socket_.async_write_some(
      boost::asio::buffer(sending_.data() + sent_, sending_.size() - sent_),
      [this, owner = owner_.lock()](ErrorCode error, size_t bytes) { OnSent(error, bytes); });
}

void CorkedStream::OnSent(ErrorCode error, size_t bytes) {
  sent_ += bytes;
  stalled_since_ = MonotonicMicros();
  if (!error && sent_ < sending_.size()) return SendSome();
  busy_ = false;
  stalled_since_ = 0;
  if (error) {
    error_ = error;
    waiting_.clear();
    sending_.clear();
    sent_ = 0;
  }
  if (!corked_ || held_) Flush();
  if (held_ && unsent() <= kUnsentBytesMax) std::exchange(held_, nullptr)();
  if (!busy_ && lingering_) return Linger(std::exchange(lingering_, nullptr));
  if (on_sent_) on_sent_();
}

void CorkedStream::Close() {
  ErrorCode ignored;
  socket_.close(ignored);
}

void CorkedStream::Linger(std::function<void()> done) {
  corked_ = false;
  Flush();
  lingering_ = std::move(done);
  if (busy_) return;  // OnSent comes back here
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  Discard();
}

void CorkedStream::Discard() {
  socket_.async_read_some(boost::asio::buffer(discard_buffer_),
                          [this, owner = owner_.lock()](ErrorCode error, size_t bytes) {
                            discarded_ += bytes;
                            if (!error && discarded_ <= kDiscardBytesMax) return Discard();
                            Close();
                            std::exchange(lingering_, nullptr)();
                          });
}

void beast_close_socket(CorkedStream& stream) { stream.Close(); }

}  // namespace warpbook::gateway
