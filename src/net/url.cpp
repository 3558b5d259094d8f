#include "net/url.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::net {

namespace {
std::unexpected<Error> bad(const std::string& text, const char* why) {
  return fail(std::string(errc::kInvalid),
              str("\"", text, "\" is not a URL that can be called: ", why));
}

Result<Url> parse_unix(const std::string& text) {
  Url url;
  const auto colon = text.find(":/", 5);
  url.unix_path = text.substr(5, colon == std::string::npos ? colon : colon - 5);
  url.target = colon == std::string::npos ? "/" : text.substr(colon + 1);
  url.host_header = "localhost";
  if (url.unix_path.empty()) return bad(text, "the socket's path is missing");
  return url;
}

bool parse_authority(std::string_view authority, Url& url) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.find(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  std::string_view host = has_port ? authority.substr(0, colon) : authority;
  const std::uint16_t own_port = url.tls ? 443 : 80;
  url.port = own_port;
  if (has_port) {
    const auto port = parse_int(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return false;
    url.port = static_cast<std::uint16_t>(*port);
  }
  url.host_header = url.port == own_port ? std::string(host) : str(host, ":", url.port);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return false;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return false;
  }
  url.host = std::string(host);
  return !host.empty();
}
}  // namespace

std::string Url::origin() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  return str(tls ? "https:" : "http:", to_lower(host), ":", port);
}

Result<Url> parse_url(const std::string& given) {
  const std::string text = given.substr(0, given.find('#'));
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return bad(given, "it has white space or control characters");
  if (text.starts_with("unix:")) return parse_unix(text);
  Url url;
  std::size_t start = 0;
  if (text.starts_with("http://"))
    start = 7;
  else if (text.starts_with("https://"))
    start = 8;
  else
    return bad(given, "it must begin with http://, https:// or unix:");
  url.tls = start == 8;
  const auto end = std::min(text.find_first_of("/?", start), text.size());
  const std::string_view authority = std::string_view(text).substr(start, end - start);
  if (authority.find('@') != std::string_view::npos)
    return bad(given, "credentials belong into a header");
  if (!parse_authority(authority, url)) return bad(given, "its host or port is malformed");
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace pileus::net
