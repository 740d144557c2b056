// Ed25519 and SHA-256, as OpenSSL does them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook {

using Sha256Digest = std::array<uint8_t, 32>;
Sha256Digest Sha256(std::span<const std::byte> bytes);

// Whether `signature` (64 bytes) is the key's (32 bytes) over the message.
bool VerifyEd25519(std::span<const uint8_t, 32> public_key, std::span<const uint8_t, 64> signature,
                   std::span<const std::byte> message);

// Fills the buffer with random bytes that nobody can guess.
void FillRandom(std::span<uint8_t> bytes);

// A private key. Never printed, never logged. Movable, one thread at a time.
class Ed25519PrivateKey {
 public:
  // A fresh random key.
  static Ed25519PrivateKey Generate();
  // The key of a 32-byte seed (RFC 8032's private key).
  static Ed25519PrivateKey FromSeed(std::span<const uint8_t, 32> seed);
  // A PKCS#8 PEM file, as `openssl genpkey -algorithm ed25519` writes. A fault names the path.
  static absl::StatusOr<Ed25519PrivateKey> LoadPem(const std::string& path);
  // Writes the PEM, readable by its owner alone. An existing file is never overwritten.
  absl::Status SavePem(const std::string& path) const;

  std::array<uint8_t, 32> public_key() const;
  std::array<uint8_t, 64> Sign(std::span<const std::byte> message) const;

  Ed25519PrivateKey(Ed25519PrivateKey&&) noexcept;
  Ed25519PrivateKey& operator=(Ed25519PrivateKey&&) noexcept;
  ~Ed25519PrivateKey();

 private:
  struct Handle;
  explicit Ed25519PrivateKey(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace warpbook
