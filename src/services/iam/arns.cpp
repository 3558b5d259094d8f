#include "services/iam/arns.h"

namespace pileus::services::iam {

std::optional<EntityArn> parse_entity_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || !parts[1].starts_with("aws") || parts[2] != "iam" ||
      !parts[3].empty() || parts[4].empty())
    return std::nullopt;
  const auto first = parts[5].find('/');
  const auto last = parts[5].rfind('/');
  if (first == std::string_view::npos || first == 0 || last + 1 == parts[5].size())
    return std::nullopt;
  return EntityArn{std::string(parts[1]), std::string(parts[4]),
                   std::string(parts[5].substr(0, first)),
                   std::string(parts[5].substr(first, last - first + 1)),
                   std::string(parts[5].substr(last + 1))};
}

}  // namespace pileus::services::iam
