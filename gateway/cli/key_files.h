// Key files on disk, and the account that belongs to each: `alice.pem` holds the key, and
// `alice.pem.account` the account's id, so that later commands need the key's name alone.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/crypto.h"
#include "schema/types/ids.h"
#include "schema/types/public_key.h"

namespace warpbook::gateway {

// A fresh key in a new file that nobody else may read. An existing file is never overwritten.
absl::StatusOr<Ed25519PrivateKey> CreateKeyFile(const std::string& path);
// The key of the file, or a fresh one in a new file where there is none.
absl::StatusOr<Ed25519PrivateKey> LoadOrCreateKeyFile(const std::string& path);

// 64 hex digits.
std::string PublicKeyHex(const Ed25519PrivateKey& key);
// 128 hex digits.
std::string SignatureHex(const Ed25519Signature& signature);
// The public key in a file of 64 hex digits; InvalidArgument names the path.
absl::StatusOr<PublicKey> LoadPublicKeyFile(const std::string& path);

// Remembers, finds and forgets the id that belongs to a key file: `path`.`kind` holds it in
// decimal. NotFound where there is none.
absl::Status SaveIdBeside(const std::string& path, const std::string& kind, uint64_t id);
absl::StatusOr<uint64_t> LoadIdBeside(const std::string& path, const std::string& kind);
absl::Status ForgetIdBeside(const std::string& path, const std::string& kind);

// An account as people name it: its id, or a key file with its account beside it.
absl::StatusOr<AccountId> ResolveAccount(const std::string& id_or_key_file);

}  // namespace warpbook::gateway
