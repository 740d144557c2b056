#include "gateway/client/request_target.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/src.hpp>  // the library itself, compiled here
#include <boost/url/url_view.hpp>

namespace warpbook::gateway {

const std::string* RequestTarget::Find(std::string_view name) const {
  const auto found = std::ranges::find(
      parameters, name, [](const Parameter& p) { return std::string_view(p.first); });
  return found == parameters.end() ? nullptr : &found->second;
}

std::optional<RequestTarget> ParseRequestTarget(std::string_view target) {
  const auto url = boost::urls::parse_origin_form(target);
  if (!url) return std::nullopt;
  RequestTarget parsed;
  parsed.path = url->path();
  for (const auto& parameter : url->params()) {
    parsed.parameters.emplace_back(parameter.key, parameter.value);
  }
  return parsed;
}

}  // namespace warpbook::gateway
