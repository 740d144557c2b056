#include "gateway/net/handshake.h"

#include <boost/asio/io_context.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "gateway/net/http_messages.h"

namespace warpbook::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using beast::error_code;

constexpr size_t kSubprotocolsMax = 16;  // offered; what is behind them is not looked at

// A stream that keeps what is written to it.
class MemoryStream {
 public:
  using executor_type = asio::io_context::executor_type;

  explicit MemoryStream(std::string& written) : written_(written) {}
  // The WebSocket stream wants one for its timers, which a handshake in one go does not start.
  executor_type get_executor() {
    thread_local asio::io_context context(1);
    return context.get_executor();
  }

  template <typename Buffers>
  size_t write_some(const Buffers& buffers, error_code& error) {
    error = {};
    size_t written = 0;
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
         ++at) {
      const asio::const_buffer buffer = *at;
      written_.append(static_cast<const char*>(buffer.data()), buffer.size());
      written += buffer.size();
    }
    return written;
  }
  template <typename Buffers>
  size_t write_some(const Buffers& buffers) {
    error_code ignored;
    return write_some(buffers, ignored);
  }
  template <typename Buffers>
  size_t read_some(const Buffers&, error_code& error) {
    error = asio::error::eof;
    return 0;
  }
  template <typename Buffers>
  size_t read_some(const Buffers&) {
    return 0;
  }

 private:
  std::string& written_;
};

[[maybe_unused]] void teardown(beast::role_type, MemoryStream&, error_code& error) { error = {}; }

// 16 bytes in base64 (RFC 6455, 4.1); Beast takes any text that is not too long.
bool IsHandshakeKey(beast::string_view key) {
  std::string bytes;
  return key.size() == 24 && absl::Base64Unescape({key.data(), key.size()}, &bytes) &&
         bytes.size() == 16;
}

// The first offered subprotocol that is one of ours.
std::optional<std::string_view> ChooseSubprotocol(beast::string_view offered) {
  size_t count = 0;
  for (const auto& token : http::token_list(offered)) {
    if (++count > kSubprotocolsMax) break;
    for (const std::string_view ours : {kJsonSubprotocol, kFlatBuffersSubprotocol}) {
      if (std::string_view(token.data(), token.size()) == ours) return ours;
    }
  }
  return std::nullopt;
}

// Of the response that is to go out.
void ReadDeflate(beast::string_view extensions, Handshake& handshake) {
  for (const auto& [name, parameters] : http::ext_list(extensions)) {
    if (name != "permessage-deflate") continue;
    handshake.deflate = true;
    handshake.deflates_to_client = true;
    for (const auto& [key, value] : parameters) {
      if (key == "server_max_window_bits" && value != "15") handshake.deflates_to_client = false;
    }
  }
}

void GiveReason(websocket::response_type& response) {
  response.set(http::field::content_type, "application/json");
  response.body() = HttpError(response.result_int(), "bad_handshake", response.body()).body;
  response.keep_alive(false);
  response.prepare_payload();
}

}  // namespace

Handshake AcceptHandshake(std::string_view request_head, const HandshakeOptions& options) {
  Handshake handshake;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<uint32_t>(request_head.size()) + 1);
  error_code error;
  parser.put(asio::buffer(request_head.data(), request_head.size()), error);
  if (error || !parser.is_header_done()) {
    handshake.response = FormatHttpAnswer(HttpError(400, "bad_request", "The request is no HTTP."),
                                          /*keep_alive=*/false, false);
    return handshake;
  }
  const auto& request = parser.get();
  if (!IsHandshakeKey(request[http::field::sec_websocket_key])) {
    handshake.response = FormatHttpAnswer(
        HttpError(400, "bad_handshake", "Sec-WebSocket-Key is to be 16 bytes in base64."),
        /*keep_alive=*/false, false);
    return handshake;
  }

  websocket::stream<MemoryStream> stream(handshake.response);
  if (options.allow_deflate) {
    websocket::permessage_deflate deflate;
    deflate.server_enable = true;
    deflate.server_no_context_takeover = true;
    deflate.client_no_context_takeover = true;
    deflate.compLevel = 0;  // the stream itself compresses nothing
    deflate.memLevel = 1;
    stream.set_option(deflate);
  }
  const auto subprotocol = ChooseSubprotocol(request[http::field::sec_websocket_protocol]);
  stream.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
    response.set(http::field::server, "warpbook");
    if (response.result() != http::status::switching_protocols) return GiveReason(response);
    if (subprotocol) {
      response.set(http::field::sec_websocket_protocol,
                   beast::string_view(subprotocol->data(), subprotocol->size()));
    }
    ReadDeflate(response[http::field::sec_websocket_extensions], handshake);
  }));
  stream.accept(request, error);
  handshake.accepted = !error;
  if (subprotocol == kFlatBuffersSubprotocol) handshake.encoding = Encoding::kFlatBuffers;
  return handshake;
}

}  // namespace warpbook::gateway
