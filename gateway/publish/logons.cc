#include "gateway/publish/logons.h"

#include <string>

#include "gateway/protocol/message_writer.h"
#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

std::string RevokedNotice(Encoding encoding, AccountId account) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    out.Field("channel", "status").Field("type", "update");
    out.Key("data").BeginObject().Field("event", "logged_off").Field("reason", "key_revoked");
    out.FieldId("account", account.value()).EndObject();
  });
}

}  // namespace

void Logons::Add(uint64_t connection_id, AccountId account, const PublicKey& key,
                 Subscriber& subscriber) {
  WARPBOOK_CHECK(logons_.emplace(connection_id, Logon{account, key, &subscriber}).second);
}

std::vector<uint64_t> Logons::End(AccountId account, const PublicKey& key) {
  std::vector<uint64_t> ended;
  for (const auto& [connection_id, logon] : logons_) {
    if (logon.account == account && logon.key == key) ended.push_back(connection_id);
  }
  for (const uint64_t connection_id : ended) {
    Subscriber& subscriber = *logons_.find(connection_id)->second.subscriber;
    logons_.erase(connection_id);
    subscriber.OnLogonEnded();
    subscriber.Send(RevokedNotice(subscriber.encoding(), account));
  }
  return ended;
}

}  // namespace warpbook::gateway
