#include "gateway/cli/key_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/gateway/cli/command_runner.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::gateway {
namespace {

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

unsigned Mode(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

TEST_CASE("A new key is for its owner's eyes alone, whatever the umask") {
  const test::TemporaryDirectory directory;
  const mode_t before = umask(0);
  const CommandResult made = RunCommand({"keys", "new", directory / "a.pem"});
  umask(before);
  CHECK(made.exit_code == 0);
  CHECK(Mode(directory / "a.pem") == 0600);
  CHECK(made.out.size() == 65);
  CHECK(RunCommand({"keys", "show", directory / "a.pem"}).out == made.out);
}

TEST_CASE("A file that exists is never overwritten by a key") {
  const test::TemporaryDirectory directory;
  REQUIRE(RunCommand({"keys", "new", directory / "a.pem"}).exit_code == 0);
  const std::string before = ReadFile(directory / "a.pem");
  const CommandResult again = RunCommand({"keys", "new", directory / "a.pem"});
  CHECK(again.exit_code == 1);
  CHECK(again.error.find(directory / "a.pem") != std::string::npos);
  CHECK(ReadFile(directory / "a.pem") == before);

  std::ofstream(directory / "not-a-key.pem") << "hello";
  CHECK_FALSE(LoadOrCreateKeyFile(directory / "not-a-key.pem").ok());
  CHECK(ReadFile(directory / "not-a-key.pem") == "hello");
  CHECK(RunCommand({"keys", "show", directory / "not-a-key.pem"}).exit_code == 1);
}

TEST_CASE("A key file that is not there is made once and then used") {
  const test::TemporaryDirectory directory;
  const auto made = LoadOrCreateKeyFile(directory / "a.pem");
  const auto loaded = LoadOrCreateKeyFile(directory / "a.pem");
  REQUIRE(made.ok());
  REQUIRE(loaded.ok());
  CHECK(made->public_key() == loaded->public_key());
}

TEST_CASE("The account beside a key is found again, by the key's name or by its number") {
  const test::TemporaryDirectory directory;
  CHECK(absl::IsNotFound(LoadIdBeside(directory / "a.pem", "account").status()));
  REQUIRE(SaveIdBeside(directory / "a.pem", "account", 42).ok());
  REQUIRE(SaveIdBeside(directory / "a.pem", "account", 43).ok());
  CHECK(ReadFile(directory / "a.pem.account") == "43\n");
  CHECK(*ResolveAccount(directory / "a.pem") == AccountId(43));
  CHECK(*ResolveAccount("7") == AccountId(7));
  for (const char* wrong : {"0", "-7", "seven", "", "18446744073709551616"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ResolveAccount(wrong).ok());
  }
  CHECK(ForgetIdBeside(directory / "a.pem", "account").ok());
  CHECK(absl::IsNotFound(LoadIdBeside(directory / "a.pem", "account").status()));
  CHECK(absl::IsNotFound(ForgetIdBeside(directory / "a.pem", "account")));
}

TEST_CASE("A file that holds no id, or more than one, is refused") {
  const test::TemporaryDirectory directory;
  for (const char* text : {"", "0", "x", "-1", "1 2", "18446744073709551616"}) {
    CAPTURE(text);
    std::ofstream(directory / "a.pem.account") << text;
    CHECK(absl::IsInvalidArgument(LoadIdBeside(directory / "a.pem", "account").status()));
    CHECK(absl::IsInvalidArgument(ResolveAccount(directory / "a.pem").status()));
  }
}

TEST_CASE("A public key's file holds 64 hex digits and nothing else") {
  const test::TemporaryDirectory directory;
  const auto key = LoadOrCreateKeyFile(directory / "a.pem");
  REQUIRE(key.ok());
  const std::string hex = PublicKeyHex(*key);
  std::ofstream(directory / "a.pub") << hex << "\n";
  CHECK(*LoadPublicKeyFile(directory / "a.pub") == key->public_key());
  for (const std::string& wrong :
       {std::string(), hex.substr(1), hex + "0", "g" + hex.substr(1), hex + " " + hex}) {
    std::ofstream(directory / "wrong.pub") << wrong;
    const absl::Status status = LoadPublicKeyFile(directory / "wrong.pub").status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(std::string(status.message()).find(directory / "wrong.pub") != std::string::npos);
  }
  CHECK_FALSE(LoadPublicKeyFile("/nowhere.pub").ok());
}

}  // namespace
}  // namespace warpbook::gateway
