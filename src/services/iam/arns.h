// ARNs of what the room keeps.
#pragma once

#include "aws/context.h"
#include "services/iam/records.h"

namespace pileus::services::iam {

template <class T>
constexpr std::string_view arn_kind() {
  if constexpr (std::is_same_v<T, ProfileRecord>)
    return "instance-profile";
  else
    return T::kKind;
}
// arn:aws:iam::<account>:user/<path/><name>. `path` begins and ends with a slash.
template <class T>
std::string arn_of(const aws::Context& context, std::string_view path, std::string_view name) {
  return str("arn:", context.partition(), ":iam::", context.account(), ":", arn_kind<T>(), path,
             name);
}
// The same ARN under another path and name.
template <class T>
std::string moved_arn(std::string_view arn, std::string_view path, std::string_view name) {
  const std::string kind = str(":", arn_kind<T>(), "/");
  return str(arn.substr(0, arn.find(kind) + kind.size() - 1), path, name);
}

// An ARN of an entity taken apart; nothing where it is not arn:<partition>:iam::<account>:<kind>/….
struct EntityArn {
  std::string partition, account, kind, path, name;
  bool of_aws() const { return account == "aws"; }
};
std::optional<EntityArn> parse_entity_arn(std::string_view arn);

}  // namespace pileus::services::iam
