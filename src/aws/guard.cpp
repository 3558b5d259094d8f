#include "aws/guard.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::aws {

namespace {
// "name:port", "[v6]:port" → the name alone.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(0, end + 1);
  }
  return host.substr(0, host.find(':'));
}
bool is_loopback_v4(std::string_view host) {
  const auto parts = split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    const auto value = parse_int(part);
    return value && *value >= 0 && *value <= 255 && part.size() <= 3;
  });
}
}  // namespace

bool host_is_ours(std::string_view host, const std::vector<std::string>& allowed_hosts) {
  const std::string name = to_lower(without_port(host));
  if (name == "localhost" || name.ends_with(".localhost") || name == "[::1]" ||
      is_loopback_v4(name))
    return true;
  return std::any_of(allowed_hosts.begin(), allowed_hosts.end(), [&](const std::string& allowed) {
    return allowed.starts_with('.') ? name.ends_with(allowed) : name == allowed;
  });
}

std::optional<Error> refuse_foreign(const net::Headers& headers,
                                    const std::vector<std::string>& allowed_hosts,
                                    const std::vector<std::string>& allowed_origins) {
  const auto host = headers.get("host");
  if (!host_is_ours(host, allowed_hosts))
    return Error("AccessDenied",
                 str("The Host header names '", host.substr(0, 255),
                     "', which is not this machine. If it should be, "
                     "start the server with --allow-host ",
                     without_port(host).substr(0, 255), "."),
                 403);
  const auto origin = headers.find("origin");
  if (origin &&
      std::find(allowed_origins.begin(), allowed_origins.end(), *origin) == allowed_origins.end()) {
    const auto scheme = origin->find("://");
    const bool same = scheme != std::string_view::npos && origin->substr(scheme + 3) == host;
    if (!same)
      return Error("AccessDenied",
                   str("Requests from web pages of the origin '", origin->substr(0, 255),
                       "' are refused. If the page is "
                       "yours, start the server with --allow-origin ",
                       origin->substr(0, 255), "."),
                   403);
  }
  return std::nullopt;
}

}  // namespace pileus::aws
