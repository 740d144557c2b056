// Keys in files: PEM as OpenSSL's command line writes it, and what is no such key.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "schema/base/crypto.h"
#include "tests/support/hex.h"

namespace warpbook {
namespace {

using test::ArrayFromHex;
using test::ToHex;

// RFC 8032's first key, through `openssl pkey -inform DER -out`.
constexpr std::string_view kRfc8032Pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kRfc8032PublicKey =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

// A folder that is gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "warpbook-keys-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string File(std::string_view name) const { return path_ / name; }
  std::string Write(std::string_view name, std::string_view text) const {
    std::ofstream(File(name)) << text;
    return File(name);
  }

 private:
  std::filesystem::path path_;
};

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string LoadFault(const std::string& path) {
  const auto key = Ed25519PrivateKey::LoadPem(path);
  return key.ok() ? "no fault" : std::string(key.status().message());
}

TEST_CASE("A key file that openssl wrote is read, and ours is the same to the byte") {
  const TemporaryFolder folder;
  const auto key = Ed25519PrivateKey::LoadPem(folder.Write("theirs.pem", kRfc8032Pem));
  REQUIRE(key.ok());
  CHECK(ToHex(key->public_key()) == kRfc8032PublicKey);
  REQUIRE(key->SavePem(folder.File("ours.pem")).ok());
  CHECK(Read(folder.File("ours.pem")) == kRfc8032Pem);
}

TEST_CASE("A fresh key survives its file") {
  const TemporaryFolder folder;
  const auto key = Ed25519PrivateKey::Generate();
  REQUIRE(key.SavePem(folder.File("key.pem")).ok());
  const auto loaded = Ed25519PrivateKey::LoadPem(folder.File("key.pem"));
  REQUIRE(loaded.ok());
  CHECK(loaded->public_key() == key.public_key());
  CHECK(key.public_key() != Ed25519PrivateKey::Generate().public_key());
}

TEST_CASE("A key file is readable by its owner alone") {
  const TemporaryFolder folder;
  REQUIRE(Ed25519PrivateKey::Generate().SavePem(folder.File("key.pem")).ok());
  struct stat status {};
  REQUIRE(stat(folder.File("key.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("An existing file is never overwritten") {
  const TemporaryFolder folder;
  const std::string path = folder.Write("key.pem", "precious");
  const absl::Status status = Ed25519PrivateKey::Generate().SavePem(path);
  CHECK(status.message() == path + ": cannot write the key: File exists");
  CHECK(Read(path) == "precious");
}

TEST_CASE("What is no Ed25519 private key is refused by its path") {
  const TemporaryFolder folder;
  const std::string path = folder.File("key.pem");
  const std::string no_key = path + ": not an Ed25519 private key in PEM";
  CHECK(LoadFault(path) == path + ": cannot open the key: No such file or directory");
  for (const std::string_view text : {
           std::string_view(""),
           std::string_view("hello"),
           // Cut short.
           kRfc8032Pem.substr(0, 60),
           // A public key.
           std::string_view("-----BEGIN PUBLIC KEY-----\n"
                            "MCowBQYDK2VwAyEAXz8qvHzV+5A9iFS2+bVz8PjjnAnL2glc1rr7A8Oht/o=\n"
                            "-----END PUBLIC KEY-----\n"),
           // A key of another curve's (X25519).
           std::string_view("-----BEGIN PRIVATE KEY-----\n"
                            "MC4CAQAwBQYDK2VuBCIEIChGczr9pndPiLMf9RWJYSq25rejofmog3y85n3x39lo\n"
                            "-----END PRIVATE KEY-----\n"),
           // One under a passphrase, for which nobody may be asked.
           std::string_view("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                            "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhbQA8l/Xh/jAICCAAw\n"
                            "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEO4o/rm29Uzhy7aUOewvzi8EQMdD\n"
                            "HfpSQR99ixh7aXuLZCAbFgxhGU+AOSqql9uuhxbTiiOZP3Tf2iZTleZCASKxjzAc\n"
                            "Qkybdu9zvbCqiHOOSmw=\n"
                            "-----END ENCRYPTED PRIVATE KEY-----\n"),
       }) {
    CHECK(LoadFault(folder.Write("key.pem", text)) == no_key);
  }
}

}  // namespace
}  // namespace warpbook
