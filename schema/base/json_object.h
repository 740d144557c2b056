// JsonObject: writes one JSON object, field by field, in the order of the calls. Enough for the
// parameters of a request; keys are ours and need no escaping, texts are escaped.
//
//   JsonObject().Text("symbol", symbol).Integer("gpus", 8).Flag("post_only", true).Build()
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace warpbook {

class JsonObject {
 public:
  JsonObject& Text(std::string_view key, std::string_view value);
  JsonObject& Integer(std::string_view key, int64_t value);
  JsonObject& Flag(std::string_view key, bool value);
  // `json` is a value already written.
  JsonObject& Raw(std::string_view key, std::string_view json);
  // An id, which the API takes as a decimal string.
  JsonObject& Id(std::string_view key, uint64_t value);

  // Fields that are left out where the value says "not given".
  JsonObject& TextIfAny(std::string_view key, std::string_view value);
  JsonObject& IdIfAny(std::string_view key, uint64_t value);

  // The object's text. The writer can go on and be asked again.
  std::string Build() const;

 private:
  void Key(std::string_view key);
  std::string body_;
};

// Appends `value` as a JSON string, quotes included. Bytes from 0x80 on are passed through.
void AppendJsonString(std::string_view value, std::string& out);

}  // namespace warpbook
