#include "gateway/cli/key_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace warpbook::gateway {
namespace {

template <size_t kSize>
std::string Hex(const std::array<uint8_t, kSize>& bytes) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

bool Exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

// The only word in the file; nullopt where it cannot be read or holds more.
std::optional<std::string> ReadWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  std::string more;
  if (!(file >> word) || file >> more) return std::nullopt;
  return word;
}

}  // namespace

absl::StatusOr<Ed25519PrivateKey> CreateKeyFile(const std::string& path) {
  Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const absl::Status saved = key.SavePem(path);
  if (!saved.ok()) return saved;
  return key;
}

absl::StatusOr<Ed25519PrivateKey> LoadOrCreateKeyFile(const std::string& path) {
  return Exists(path) ? Ed25519PrivateKey::LoadPem(path) : CreateKeyFile(path);
}

std::string PublicKeyHex(const Ed25519PrivateKey& key) { return Hex(key.public_key()); }

std::string SignatureHex(const Ed25519Signature& signature) { return Hex(signature); }

absl::StatusOr<PublicKey> LoadPublicKeyFile(const std::string& path) {
  const std::optional<std::string> word = ReadWord(path);
  PublicKey key;
  if (!word || word->size() != 2 * key.size() ||
      !std::all_of(word->begin(), word->end(),
                   [](char digit) { return absl::ascii_isxdigit(digit); })) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not a file with a public key of 64 hex digits"));
  }
  const std::string bytes = absl::HexStringToBytes(*word);
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

absl::Status SaveIdBeside(const std::string& path, const std::string& kind, uint64_t id) {
  // Written whole and renamed: a crash leaves the old id or the new one.
  const std::string target = absl::StrCat(path, ".", kind);
  const std::string temporary = absl::StrCat(target, ".new");
  {
    std::ofstream file(temporary, std::ios::trunc);
    file << id << '\n';
    file.flush();
    if (!file) return absl::UnavailableError(absl::StrCat(temporary, ": cannot write"));
  }
  if (std::rename(temporary.c_str(), target.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat(target, ": cannot write: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> LoadIdBeside(const std::string& path, const std::string& kind) {
  const std::string source = absl::StrCat(path, ".", kind);
  if (!Exists(source)) return absl::NotFoundError(absl::StrCat(source, ": not there"));
  const std::optional<std::string> word = ReadWord(source);
  uint64_t id = 0;
  if (!word || !absl::SimpleAtoi(*word, &id) || id == 0) {
    return absl::InvalidArgumentError(absl::StrCat(source, ": not a file with an id"));
  }
  return id;
}

absl::Status ForgetIdBeside(const std::string& path, const std::string& kind) {
  const std::string source = absl::StrCat(path, ".", kind);
  if (std::remove(source.c_str()) == 0) return absl::OkStatus();
  if (errno == ENOENT) return absl::NotFoundError(absl::StrCat(source, ": not there"));
  return absl::UnavailableError(absl::StrCat(source, ": cannot remove: ", std::strerror(errno)));
}

absl::StatusOr<AccountId> ResolveAccount(const std::string& id_or_key_file) {
  uint64_t id = 0;
  if (absl::SimpleAtoi(id_or_key_file, &id) && id != 0) return AccountId(id);
  const absl::StatusOr<uint64_t> beside = LoadIdBeside(id_or_key_file, "account");
  if (beside.ok()) return AccountId(*beside);
  if (!absl::IsNotFound(beside.status())) return beside.status();
  return absl::NotFoundError(
      absl::StrCat("\"", id_or_key_file,
                   "\" is neither an account's id nor a key file with its account beside "
                   "it (",
                   id_or_key_file, ".account)"));
}

}  // namespace warpbook::gateway
