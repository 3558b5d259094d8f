// Tags of log groups: their rules, and how they appear in authorization and filters. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "aws/context.h"
#include "base/completion.h"

namespace pileus::services::logs {

// Keys that begin with "aws:" are AWS's own.
Result<Unit> check_tags(const std::map<std::string, std::string>& tags);
// aws:RequestTag/<key> and aws:TagKeys.
aws::ConditionValues tag_conditions(const std::map<std::string, std::string>& tags);
aws::ConditionValues tag_key_conditions(const std::vector<std::string>& keys);
// ListLogGroups' tag filter: any of the values, which may begin with "!" and hold "*"; without
// values the key suffices. Exact values mind the case, wildcards do not.
bool tag_matches(const std::map<std::string, std::string>& tags, const std::string& key,
                 const std::vector<std::string>& values);

}  // namespace pileus::services::logs
