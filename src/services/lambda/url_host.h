// The host names of function URLs: "<id>.lambda-url.<region>.localhost[:port]", or below another
// name of this machine. An id has 32 of a-z and 2-7: random, with the account hidden in it. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/random.h"

namespace pileus::services::lambda {

struct UrlHost {
  std::string id, region, account;
  std::string domain;  // the whole name, without the port
};
// Nothing for a host that is none of a function URL.
std::optional<UrlHost> parse_url_host(std::string_view host);
std::string make_url_id(Random& random, std::string_view account);
// "" for what cannot be an id of ours.
std::string account_of_url(std::string_view id);

}  // namespace pileus::services::lambda
