#include "services/lambda/variables.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

constexpr std::string_view kReserved[] = {"AWS_ACCESS_KEY",
                                          "AWS_ACCESS_KEY_ID",
                                          "AWS_DEFAULT_REGION",
                                          "AWS_EXECUTION_ENV",
                                          "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                          "AWS_LAMBDA_FUNCTION_NAME",
                                          "AWS_LAMBDA_FUNCTION_VERSION",
                                          "AWS_LAMBDA_INITIALIZATION_TYPE",
                                          "AWS_LAMBDA_LOG_GROUP_NAME",
                                          "AWS_LAMBDA_LOG_STREAM_NAME",
                                          "AWS_LAMBDA_MAX_CONCURRENCY",
                                          "AWS_LAMBDA_METADATA_API",
                                          "AWS_LAMBDA_METADATA_TOKEN",
                                          "AWS_LAMBDA_RUNTIME_API",
                                          "AWS_REGION",
                                          "AWS_SECRET_ACCESS_KEY",
                                          "AWS_SECRET_KEY",
                                          "AWS_SESSION_TOKEN",
                                          "LAMBDA_RUNTIME_DIR",
                                          "LAMBDA_TASK_ROOT",
                                          "_HANDLER",
                                          "_X_AMZN_TRACE_ID"};

}  // namespace

bool is_reserved_variable(std::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

Variables runtime_variables(const Runtime& runtime) {
  Variables out = runtime.environment;
  const auto add = [&](const char* name, std::string value) {
    out.emplace_back(name, std::move(value));
  };
  add("TZ", ":UTC");
  add("LAMBDA_TASK_ROOT", "/var/task");
  add("LAMBDA_RUNTIME_DIR", "/var/runtime");
  add("AWS_LAMBDA_RUNTIME_API", str(kRuntimeAddress, ":", kRuntimePort));
  add("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
  add("AWS_ENDPOINT_URL", str("http://127.0.0.1:", kAwsPort));
  add("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
  add("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000");
  if (runtime.kind != RuntimeKind::kProvided)
    add("AWS_EXECUTION_ENV", "AWS_Lambda_" + runtime.name);
  return out;
}

Variables function_variables(const Configuration& configuration, const Runtime& runtime,
                             const aws::Session& session, const std::string& region,
                             const std::string& log_stream) {
  Variables out = runtime_variables(runtime);
  if (configuration.environment) {
    for (const auto& [name, value] : *configuration.environment) {
      std::erase_if(out, [&](const auto& set) { return set.first == name; });
      out.emplace_back(name, value);
    }
  }
  const auto add = [&](const char* name, std::string value) {
    out.emplace_back(name, std::move(value));
  };
  add("_HANDLER", configuration.handler);
  add("AWS_REGION", region);
  add("AWS_DEFAULT_REGION", region);
  add("AWS_LAMBDA_FUNCTION_NAME", configuration.name);
  add("AWS_LAMBDA_FUNCTION_VERSION", configuration.version);
  add("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(configuration.memory_mb));
  add("AWS_LAMBDA_LOG_GROUP_NAME", configuration.logging.group);
  add("AWS_LAMBDA_LOG_STREAM_NAME", log_stream);
  add("AWS_LAMBDA_LOG_FORMAT", configuration.logging.format);
  if (!configuration.logging.application_level.empty())
    add("AWS_LAMBDA_LOG_LEVEL", configuration.logging.application_level);
  add("_LAMBDA_TELEMETRY_LOG_FD", kLogDescriptor);
  add("AWS_ACCESS_KEY_ID", session.access_key_id);
  add("AWS_SECRET_ACCESS_KEY", session.secret_access_key);
  add("AWS_SESSION_TOKEN", session.session_token);
  return out;
}

Variables extension_variables(Variables function) {
  static constexpr std::string_view kNotTheirs[] = {
      "AWS_EXECUTION_ENV",      "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
      "LAMBDA_TASK_ROOT",       "LAMBDA_RUNTIME_DIR",        "AWS_XRAY_CONTEXT_MISSING",
      "AWS_XRAY_DAEMON_ADDRESS"};
  std::erase_if(function, [](const auto& variable) {
    return variable.first.starts_with("_") ||
           std::find(std::begin(kNotTheirs), std::end(kNotTheirs), variable.first) !=
               std::end(kNotTheirs);
  });
  return function;
}

std::string wrapper_of(const Runtime& runtime, const Variables& variables) {
  if (runtime.kind == RuntimeKind::kProvided) return {};
  for (const auto& [name, value] : variables)
    if (name == "AWS_LAMBDA_EXEC_WRAPPER") return value;
  return {};
}

}  // namespace pileus::services::lambda
