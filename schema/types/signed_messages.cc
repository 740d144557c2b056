#include "schema/types/signed_messages.h"

#include <cstring>

#include "schema/base/crypto.h"

namespace warpbook {
namespace {

void AppendBytes(std::vector<std::byte>& message, std::span<const std::byte> bytes) {
  message.insert(message.end(), bytes.begin(), bytes.end());
}

void AppendU64(std::vector<std::byte>& message, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) {
    message.push_back(static_cast<std::byte>(value >> shift));
  }
}

std::vector<std::byte> Begin(std::string_view domain, std::string_view server_name) {
  std::vector<std::byte> message;
  AppendBytes(message, std::as_bytes(std::span(domain)));
  const Sha256Digest name_digest = Sha256(std::as_bytes(std::span(server_name)));
  AppendBytes(message, std::as_bytes(std::span(name_digest)));
  return message;
}

}  // namespace

std::vector<std::byte> LogonMessage(std::string_view server_name, const LogonNonce& nonce,
                                    AccountId account, Timestamp timestamp) {
  std::vector<std::byte> message = Begin("warpbook-logon-v1", server_name);
  AppendBytes(message, std::as_bytes(std::span(nonce)));
  AppendU64(message, account.value());
  AppendU64(message, static_cast<uint64_t>(timestamp.micros()));
  return message;
}

std::vector<std::byte> NodeMessage(std::string_view server_name, AccountId account) {
  std::vector<std::byte> message = Begin("warpbook-node-v1", server_name);
  AppendU64(message, account.value());
  return message;
}

std::vector<std::byte> HeartbeatMessage(std::string_view server_name, LeaseId lease,
                                        Timestamp minute) {
  std::vector<std::byte> message = Begin("warpbook-heartbeat-v1", server_name);
  AppendU64(message, lease.value());
  AppendU64(message, static_cast<uint64_t>(minute.micros()));
  return message;
}

}  // namespace warpbook
