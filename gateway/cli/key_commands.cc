#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/session.h"

namespace warpbook::gateway {

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
}

}  // namespace warpbook::gateway
