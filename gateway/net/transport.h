// Transport: bytes over a connected, non-blocking socket, plain or with TLS. Nothing here waits: a
// call does what can be done now, and says what the socket must be ready for before the next one.
// The I/O thread that has the connection owns it; the socket itself is the connection's.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

struct ssl_ctx_st;

namespace warpbook::gateway {

struct IoResult {
  enum class State : uint8_t {
    kBytes,      // so many, and perhaps more at once
    kWaitRead,   // nothing, until the socket can be read
    kWaitWrite,  // nothing, until it can be written
    kEnd,        // the other side has ended its direction, or the connection failed
  };
  State state = State::kEnd;
  size_t bytes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual IoResult Read(std::span<char> buffer) = 0;
  // Takes bytes from the front of the pieces, in order. What is taken may still wait here; see
  // has_unsent.
  virtual IoResult Write(std::span<const iovec> pieces) = 0;
  // Says that no more will be written. To be called again, once the socket is ready, until it does
  // not ask to wait.
  virtual IoResult EndWriting() = 0;

  // Bytes that were taken and that the socket did not take yet: another Write, of nothing perhaps,
  // tries again.
  virtual bool has_unsent() const { return false; }
  // Bytes that have come and were not read, after a Read that gave some: the socket may not become
  // readable for them.
  virtual bool has_unread() const { return false; }
};

// For each thread that uses TLS transports: OpenSSL writes in a way that may raise SIGPIPE.
void BlockBrokenPipeSignal();

std::unique_ptr<Transport> MakePlainTransport(int socket);

// What a listener needs for TLS: a certificate with its chain, and its key. Any thread.
class TlsContext {
 public:
  struct Files {
    std::string certificate_chain;  // PEM, the server's own certificate first
    std::string private_key;        // PEM
    friend bool operator==(const Files&, const Files&) = default;
  };

  // TLS 1.2 and 1.3, ciphers with forward secrecy only. InvalidArgument, in one sentence, where a
  // file cannot be read or the two do not belong together.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> Load(const Files& files);
  ~TlsContext();

  // Of a connection that was accepted. The handshake is done by the first reads.
  std::unique_ptr<Transport> MakeTransport(int socket) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

}  // namespace warpbook::gateway
