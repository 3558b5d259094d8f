// Which entities use which managed policy, from the rows that attachments keep.
#pragma once

#include "services/iam/state.h"

namespace pileus::services::iam {

struct PolicyUse {
  std::string arn;
  Usage usage = Usage::kPolicy;
  std::string kind;  // "user", "group", "role"
  std::string name;  // lower case
};
std::optional<PolicyUse> parse_use(std::string_view row_key);

struct UseCounts {
  std::int32_t attachments = 0;
  std::int32_t boundaries = 0;
};
// Of the policies whose ARN starts with `arn_prefix`, by ARN. Reads as many rows as there are uses.
Task<Result<std::map<std::string, UseCounts>>> count_uses(store::Records& records,
                                                          std::string partition,
                                                          std::string arn_prefix);

}  // namespace pileus::services::iam
