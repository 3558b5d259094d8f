// AWS's managed policies as far as they speak of services that Pileus has: data, the same in every
// account, attachable, never changed. Immutable; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace pileus::services::iam {

struct AwsPolicy {
  std::string_view path;  // "/", "/service-role/" …
  std::string_view name;
  std::string_view description;
  std::string_view version_text;  // the newest: the only one that is there
  std::string_view created_text, updated_text;
  std::string_view document;  // JSON

  std::string arn(std::string_view partition) const;
  std::string id() const;  // "ANPA…", the same for ever
  std::string version() const { return std::string(version_text); }
  Time created() const;
  Time updated() const;  // of that version
};

std::span<const AwsPolicy> aws_policies();  // sorted by name
// By ARN, of any partition; nullptr where there is none.
const AwsPolicy* find_aws_policy(std::string_view arn);

}  // namespace pileus::services::iam
