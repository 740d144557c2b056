#include "gateway/net/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

using State = IoResult::State;

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// ---- Plain ----

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int socket) : socket_(socket) {}

  IoResult Read(std::span<char> buffer) override {
    while (true) {
      const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
      if (got > 0) return {State::kBytes, static_cast<size_t>(got)};
      if (got < 0 && errno == EINTR) continue;
      return {got < 0 && WouldBlock(errno) ? State::kWaitRead : State::kEnd, 0};
    }
  }

  IoResult Write(std::span<const iovec> pieces) override {
    if (pieces.empty()) return {State::kBytes, 0};
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    while (true) {
      const ssize_t sent = sendmsg(socket_, &message, MSG_NOSIGNAL);
      if (sent >= 0) return {State::kBytes, static_cast<size_t>(sent)};
      if (errno == EINTR) continue;
      return {WouldBlock(errno) ? State::kWaitWrite : State::kEnd, 0};
    }
  }

  IoResult EndWriting() override {
    shutdown(socket_, SHUT_WR);
    return {State::kEnd, 0};
  }

 private:
  const int socket_;
};

// ---- TLS ----

// What one record holds, and so one SSL_write.
constexpr size_t kRecordBytes = 16 * 1024;

// TLS 1.2's: forward secrecy and authenticated encryption. Those of TLS 1.3 all have both.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// The last error that OpenSSL has to tell of, and none is left behind.
std::string TakeTlsError() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_error_string_n(code, text.data(), text.size());
  // Of the system's errors OpenSSL knows the number alone.
  const char* reason =
      ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : text.data();
}

class TlsTransport final : public Transport {
 public:
  // Takes the session over.
  explicit TlsTransport(SSL* session, int socket) : session_(session), socket_(socket) {}
  ~TlsTransport() override { SSL_free(session_); }

  IoResult Read(std::span<char> buffer) override {
    ERR_clear_error();
    size_t got = 0;
    if (SSL_read_ex(session_, buffer.data(), buffer.size(), &got) == 1) {
      return {State::kBytes, got};
    }
    return Failed(0);
  }

  IoResult Write(std::span<const iovec> pieces) override;
  IoResult EndWriting() override;
  bool has_unsent() const override { return !unsent_.empty(); }
  bool has_unread() const override { return SSL_has_pending(session_) == 1; }

 private:
  IoResult Failed(int result) const {
    switch (SSL_get_error(session_, result)) {
      case SSL_ERROR_WANT_READ:
        return {State::kWaitRead, 0};
      case SSL_ERROR_WANT_WRITE:
        return {State::kWaitWrite, 0};
      default:
        ERR_clear_error();
        return {State::kEnd, 0};
    }
  }
  IoResult SendRecord(std::string_view record);

  SSL* const session_;
  const int socket_;
  // A record that the socket did not take: OpenSSL asks for the same bytes again.
  std::string unsent_;
};

IoResult TlsTransport::SendRecord(std::string_view record) {
  ERR_clear_error();
  size_t sent = 0;
  const int result = SSL_write_ex(session_, record.data(), record.size(), &sent);
  // Partial writes end at records, and this is one.
  if (result == 1) return {State::kBytes, sent};
  return Failed(result);
}

IoResult TlsTransport::Write(std::span<const iovec> pieces) {
  if (!unsent_.empty()) {
    const IoResult result = SendRecord(unsent_);
    if (result.state != State::kBytes) return result;
    unsent_.erase(0, result.bytes);
    if (unsent_.empty()) std::string().swap(unsent_);
    if (!unsent_.empty()) return {State::kWaitWrite, 0};
  }
  thread_local std::array<char, kRecordBytes> record;
  size_t taken = 0, offset = 0;  // offset: into the first piece
  while (!pieces.empty()) {
    size_t size = 0;
    while (!pieces.empty() && size < record.size()) {
      const size_t part = std::min(pieces.front().iov_len - offset, record.size() - size);
      std::memcpy(record.data() + size, static_cast<char*>(pieces.front().iov_base) + offset, part);
      size += part;
      offset += part;
      if (offset < pieces.front().iov_len) break;
      pieces = pieces.subspan(1);
      offset = 0;
    }
    const std::string_view bytes(record.data(), size);
    const IoResult result = SendRecord(bytes);
    if (result.state == State::kEnd) return result;
    taken += size;
    if (result.state == State::kBytes && result.bytes == size) continue;
    unsent_.assign(bytes.substr(result.bytes));
    break;
  }
  return {State::kBytes, taken};
}

IoResult TlsTransport::EndWriting() {
  // Without a finished handshake there is nobody to say it to.
  if (SSL_is_init_finished(session_) == 1 &&
      (SSL_get_shutdown(session_) & SSL_SENT_SHUTDOWN) == 0) {
    ERR_clear_error();
    const int result = SSL_shutdown(session_);
    if (result < 0) {
      const IoResult failed = Failed(result);
      if (failed.state == State::kWaitWrite) return failed;
    }
  }
  shutdown(socket_, SHUT_WR);
  return {State::kEnd, 0};
}

}  // namespace

void BlockBrokenPipeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  WARPBOOK_CHECK(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
}

std::unique_ptr<Transport> MakePlainTransport(int socket) {
  return std::make_unique<PlainTransport>(socket);
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::Load(const Files& files) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  WARPBOOK_CHECK(context != nullptr);
  std::shared_ptr<const TlsContext> made(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // small records come many at a time
  // Sessions are resumed by tickets: nothing is kept for those that are gone.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  WARPBOOK_CHECK(SSL_CTX_set_cipher_list(context, kCiphers) == 1);
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_chain.c_str()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("cannot use the TLS certificate ",
                                                   files.certificate_chain, ": ", TakeTlsError()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("cannot use the TLS key ", files.private_key,
                                                   " with the certificate ",
                                                   files.certificate_chain, ": ", TakeTlsError()));
  }
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<Transport> TlsContext::MakeTransport(int socket) const {
  SSL* session = SSL_new(context_);
  WARPBOOK_CHECK(session != nullptr && SSL_set_fd(session, socket) == 1);
  SSL_set_accept_state(session);
  return std::make_unique<TlsTransport>(session, socket);
}

}  // namespace warpbook::gateway
