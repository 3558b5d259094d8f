// URLs as the client takes them. Only net/ includes this.
#pragma once

#include <string>

#include "base/error.h"

namespace pileus::net {

struct Url {
  bool tls = false;
  std::string host;  // name or address without brackets; "" for unix
  std::uint16_t port = 0;
  std::string unix_path;    // "" for TCP
  std::string target;       // path and query
  std::string host_header;  // with the port unless it is the scheme's own
  std::string origin() const;
};

// http://host:port/path?query, https://…, unix:/socket:/path?query. A fragment is dropped; a user
// in the authority, another scheme and white space are errc::kInvalid.
Result<Url> parse_url(const std::string& text);

}  // namespace pileus::net
