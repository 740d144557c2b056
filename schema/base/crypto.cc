#include "schema/base/crypto.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"

namespace warpbook {
namespace {

struct PkeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct DigestContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyDeleter>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, DigestContextDeleter>;
using File = std::unique_ptr<std::FILE, FileCloser>;

const unsigned char* Bytes(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

struct Ed25519PrivateKey::Handle {
  Pkey key;
};

Sha256Digest Sha256(std::span<const std::byte> bytes) {
  Sha256Digest digest;
  SHA256(Bytes(bytes), bytes.size(), digest.data());
  return digest;
}

bool VerifyEd25519(std::span<const uint8_t, 32> public_key, std::span<const uint8_t, 64> signature,
                   std::span<const std::byte> message) {
  const Pkey key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size()));
  if (!key) return false;
  const DigestContext context(EVP_MD_CTX_new());
  WARPBOOK_CHECK(context != nullptr);
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), Bytes(message),
                          message.size()) == 1;
}

void FillRandom(std::span<uint8_t> bytes) {
  WARPBOOK_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
}

Ed25519PrivateKey::Ed25519PrivateKey(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Ed25519PrivateKey::Ed25519PrivateKey(Ed25519PrivateKey&&) noexcept = default;
Ed25519PrivateKey& Ed25519PrivateKey::operator=(Ed25519PrivateKey&&) noexcept = default;
Ed25519PrivateKey::~Ed25519PrivateKey() = default;

Ed25519PrivateKey Ed25519PrivateKey::Generate() {
  std::array<uint8_t, 32> seed;
  FillRandom(seed);
  return FromSeed(seed);
}

Ed25519PrivateKey Ed25519PrivateKey::FromSeed(std::span<const uint8_t, 32> seed) {
  auto handle = std::make_unique<Handle>();
  handle->key.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  WARPBOOK_CHECK(handle->key != nullptr);
  return Ed25519PrivateKey(std::move(handle));
}

absl::StatusOr<Ed25519PrivateKey> Ed25519PrivateKey::LoadPem(const std::string& path) {
  const File file(std::fopen(path.c_str(), "re"));
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot open the key: ", std::strerror(errno)));
  }
  auto handle = std::make_unique<Handle>();
  // OpenSSL would ask the terminal for the passphrase of an encrypted key: a server has none.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  handle->key.reset(PEM_read_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
  if (!handle->key || EVP_PKEY_id(handle->key.get()) != EVP_PKEY_ED25519) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not an Ed25519 private key in PEM"));
  }
  return Ed25519PrivateKey(std::move(handle));
}

absl::Status Ed25519PrivateKey::SavePem(const std::string& path) const {
  // O_EXCL: a key that exists is never overwritten; 0600: nobody else reads it.
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const File file(descriptor < 0 ? nullptr : fdopen(descriptor, "w"));
  if (!file) {
    return absl::UnavailableError(
        absl::StrCat(path, ": cannot write the key: ", std::strerror(errno)));
  }
  if (PEM_write_PKCS8PrivateKey(file.get(), handle_->key.get(), nullptr, nullptr, 0, nullptr,
                                nullptr) != 1 ||
      std::fflush(file.get()) != 0 || fsync(descriptor) != 0) {
    return absl::DataLossError(absl::StrCat(path, ": cannot write the key"));
  }
  return absl::OkStatus();
}

std::array<uint8_t, 32> Ed25519PrivateKey::public_key() const {
  std::array<uint8_t, 32> key;
  size_t length = key.size();
  WARPBOOK_CHECK(EVP_PKEY_get_raw_public_key(handle_->key.get(), key.data(), &length) == 1);
  return key;
}

std::array<uint8_t, 64> Ed25519PrivateKey::Sign(std::span<const std::byte> message) const {
  const DigestContext context(EVP_MD_CTX_new());
  WARPBOOK_CHECK(context != nullptr);
  WARPBOOK_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, handle_->key.get()) ==
                 1);
  std::array<uint8_t, 64> signature;
  size_t length = signature.size();
  WARPBOOK_CHECK(EVP_DigestSign(context.get(), signature.data(), &length, Bytes(message),
                                message.size()) == 1);
  return signature;
}

}  // namespace warpbook
