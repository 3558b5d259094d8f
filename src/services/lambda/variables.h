// The environment variables of a function, as AWS sets them. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "services/lambda/records.h"
#include "services/lambda/runtimes.h"

namespace pileus::services::lambda {

using Variables = std::vector<std::pair<std::string, std::string>>;

inline constexpr const char* kRuntimeAddress = "127.0.0.1";
inline constexpr std::uint16_t kRuntimePort = 9001;
inline constexpr std::uint16_t kAwsPort = 4566;
inline constexpr const char* kLogDescriptor = "3";  // see sandbox::Spec::log

// What an environment of a runtime starts with before its function is known; the same values as
// in function_variables, so that a held interpreter need not start again.
Variables runtime_variables(const Runtime& runtime);
// The whole environment; the customer's own go over those that are the customer's to set.
Variables function_variables(const Configuration& configuration, const Runtime& runtime,
                             const aws::Session& session, const std::string& region,
                             const std::string& log_stream);
// Of these, what an extension gets.
Variables extension_variables(Variables function);
// The customer's AWS_LAMBDA_EXEC_WRAPPER, which starts a managed runtime; "" without one.
std::string wrapper_of(const Runtime& runtime, const Variables& variables);
// Not the customer's to set; refused at create and update.
bool is_reserved_variable(std::string_view name);

}  // namespace pileus::services::lambda
