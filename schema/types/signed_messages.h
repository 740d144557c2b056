// What clients sign with Ed25519, byte for byte (little-endian integers). `server_name` is the
// exchange's configured name, so that a signature made for one exchange is worth nothing at
// another.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook {

using LogonNonce = std::array<uint8_t, 32>;

// "warpbook-logon-v1" || SHA-256(server name) || nonce || account (u64) || timestamp in us (u64).
// For account.open the account is 0.
std::vector<std::byte> LogonMessage(std::string_view server_name, const LogonNonce& nonce,
                                    AccountId account, Timestamp timestamp);

// "warpbook-node-v1" || SHA-256(server name) || account (u64): a device key agrees to be registered
// by the account.
std::vector<std::byte> NodeMessage(std::string_view server_name, AccountId account);

// "warpbook-heartbeat-v1" || SHA-256(server name) || lease (u64) || minute in us (u64), by the
// node's device key.
std::vector<std::byte> HeartbeatMessage(std::string_view server_name, LeaseId lease,
                                        Timestamp minute);

}  // namespace warpbook
