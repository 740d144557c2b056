#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/session.h"
#include "schema/base/json_object.h"

namespace warpbook::gateway {
namespace {

// 64 hex digits, or the file of a key.
absl::StatusOr<std::string> PublicKeyOf(const std::string& hex_or_file) {
  const bool is_hex = hex_or_file.size() == 64 &&
                      hex_or_file.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_hex) return hex_or_file;
  const absl::StatusOr<Ed25519PrivateKey> key = Ed25519PrivateKey::LoadPem(hex_or_file);
  if (!key.ok()) return key.status();
  return PublicKeyHex(*key);
}

struct NewKey {
  std::string key;  // as PublicKeyOf takes it
  std::vector<std::string> scopes;
};

absl::Status AddKey(CliSession& session, const NewKey& added) {
  const absl::StatusOr<std::string> key = PublicKeyOf(added.key);
  if (!key.ok()) return key.status();
  for (const std::string& scope : added.scopes) {
    // The gateway says which there are; here it is only to stay a word of the request.
    if (scope.find_first_of("\"\\") != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(scope, " is no scope"));
    }
  }
  const std::string scopes = absl::StrCat("[\"", absl::StrJoin(added.scopes, "\",\""), "\"]");
  const absl::StatusOr<JsonValue> result =
      session.Call("key.add", JsonObject().Text("public_key", *key).Raw("scopes", scopes).Build());
  if (!result.ok()) return result.status();
  // So that the key's file is enough for later commands.
  if (*key != added.key) {
    const absl::Status saved = SaveIdBeside(added.key, "account", session.account().value());
    if (!saved.ok()) return saved;
  }
  if (!session.json()) {
    std::cout << "key " << *key << " may " << absl::StrJoin(added.scopes, ", ") << " for account "
              << session.account().value() << "\n";
  }
  return absl::OkStatus();
}

absl::Status RevokeKey(CliSession& session, const std::string& revoked) {
  const absl::StatusOr<std::string> key = PublicKeyOf(revoked);
  if (!key.ok()) return key.status();
  const absl::StatusOr<JsonValue> result =
      session.Call("key.revoke", JsonObject().Text("public_key", *key).Build());
  if (!result.ok()) return result.status();
  if (*key != revoked) ForgetIdBeside(revoked, "account").IgnoreError();
  if (!session.json()) std::cout << "key " << *key << " is nobody's any more\n";
  return absl::OkStatus();
}

}  // namespace

void AddKeyCommands(Command& root) {
  Command keys = root.Add("keys", "Make and show Ed25519 keys");

  const auto new_file = std::make_shared<std::string>();
  Command create = keys.Add("new", "Make a key in a new file and print its public half");
  create.Text("file", *new_file, "The file (PKCS#8 PEM); one that exists is never overwritten")
      .Required();
  create.OnRun([new_file] {
    const absl::StatusOr<Ed25519PrivateKey> key = CreateKeyFile(*new_file);
    if (key.ok()) std::cout << PublicKeyHex(*key) << std::endl;
    return Finish(key.status());
  });

  const auto shown_file = std::make_shared<std::string>();
  Command show = keys.Add("show", "Print the public half of a key");
  show.Text("file", *shown_file, "The file (PKCS#8 PEM)").Required();
  show.OnRun([shown_file] {
    const absl::StatusOr<Ed25519PrivateKey> key = Ed25519PrivateKey::LoadPem(*shown_file);
    if (key.ok()) std::cout << PublicKeyHex(*key) << std::endl;
    return Finish(key.status());
  });

  const auto added = std::make_shared<NewKey>();
  Command add = keys.Add("add", "Let another key act for your account");
  add.Text("added", added->key, "Its file (PEM), or its public half in hex").Required();
  add.TextList("--scope", added->scopes, "read, trade or provide; once for each").Required();
  OnRunWithSession(add, std::make_shared<ClientOptions>(), Speaker::kMember,
                   [added](CliSession& session) { return AddKey(session, *added); });

  const auto revoked = std::make_shared<std::string>();
  Command revoke = keys.Add("revoke", "Take a key away from your account, and end its sessions");
  revoke.Text("revoked", *revoked, "Its file (PEM), or its public half in hex").Required();
  OnRunWithSession(revoke, std::make_shared<ClientOptions>(), Speaker::kMember,
                   [revoked](CliSession& session) { return RevokeKey(session, *revoked); });
}

}  // namespace warpbook::gateway
