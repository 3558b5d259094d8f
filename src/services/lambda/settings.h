// Between AWS's shapes and a Configuration: what is asked for, checked, and what is shown. Pure.
#pragma once

#include <functional>

#include "base/completion.h"
#include "base/error.h"
#include "gen/lambda/shapes/AliasConfiguration.h"
#include "gen/lambda/shapes/CreateFunctionRequest.h"
#include "gen/lambda/shapes/FunctionConfiguration.h"
#include "gen/lambda/shapes/UpdateFunctionConfigurationRequest.h"
#include "services/lambda/names.h"
#include "services/lambda/options.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {

// Sets what the request names; the rest keeps its value.
Result<Unit> apply(const gen::lambda::CreateFunctionRequest& in, Configuration& out);
Result<Unit> apply(const gen::lambda::UpdateFunctionConfigurationRequest& in, Configuration& out);
Result<Unit> apply_architectures(const std::optional<std::vector<std::string>>& in,
                                 RuntimeChoice choice, Configuration& out);
// aws:RequestTag/<key> and aws:TagKeys of tags that a request brings.
aws::ConditionValues tag_conditions(const std::map<std::string, std::string>& tags);
// arn:aws:lambda:<region>::runtime:<version id>
std::string runtime_version_arn(const FunctionRef& ref, std::string_view version_id);
Result<Unit> check_tags(const std::map<std::string, std::string>& tags);

enum class Shown {
  kCreated,  // the answer of CreateFunction: State Pending
  kUpdated,  // of an update: LastUpdateStatus InProgress
  kSettled,  // State Active
  kListed,   // in lists: without states
};
gen::lambda::FunctionConfiguration to_output(const FunctionRef& ref,
                                             const Configuration& configuration,
                                             std::string_view runtime_version, Shown shown);
gen::lambda::AliasConfiguration to_output(const FunctionRef& ref, const Alias& alias);
std::string last_modified_text(Time time);  // 2026-01-01T00:00:00.000+0000

}  // namespace pileus::services::lambda
