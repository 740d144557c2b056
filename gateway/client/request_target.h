// The target of an HTTP request, "/api/v1/book?symbol=...", taken apart. A pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warpbook::gateway {

struct RequestTarget {
  using Parameter = std::pair<std::string, std::string>;

  std::string path;                   // decoded, as is everything here
  std::vector<Parameter> parameters;  // in the order of the target

  const std::string* Find(std::string_view name) const;
};

// nullopt where it is none (RFC 3986, origin form). Decoded bytes can be anything.
std::optional<RequestTarget> ParseRequestTarget(std::string_view target);

}  // namespace warpbook::gateway
