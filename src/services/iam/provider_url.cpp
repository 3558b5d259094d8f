#include "services/iam/provider_url.h"

#include <algorithm>

#include "aws/guard.h"
#include "base/text.h"
#include "services/iam/errors.h"

namespace pileus::services::iam {

namespace {
Error invalid_url() { return validation_error("Invalid Open ID Connect Provider URL"); }
}  // namespace

Result<std::string> provider_name_of_url(const std::string& url) {
  constexpr std::string_view kHttps = "https://", kHttp = "http://";
  const bool plain = url.starts_with(kHttp);
  if (!plain && !url.starts_with(kHttps)) return fail(invalid_url());
  const std::string name = url.substr(plain ? kHttp.size() : kHttps.size());
  const std::string_view authority = std::string_view(name).substr(0, name.find('/'));
  const bool odd = std::ranges::any_of(name, [](unsigned char c) {
    return c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '@' || c == '\\' || c == '*';
  });
  if (odd || authority.empty() || authority.starts_with(':')) return fail(invalid_url());
  if (plain && !aws::host_is_ours(authority, {})) return fail(invalid_url());
  return name;
}

}  // namespace pileus::services::iam
