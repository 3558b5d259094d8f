#include "services/lambda/settings.h"

#include "base/text.h"
#include "services/lambda/variables.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMaxMemoryMb = 10240, kMaxTimeoutS = 900, kMaxTmpMb = 10240;
constexpr std::size_t kMaxVariables = 4096, kMaxTags = 50;

Error above(std::string_view member, std::int64_t value, std::int64_t most) {
  return invalid(str("Value '", value, "' at '", member,
                     "' failed to satisfy constraint: Member must have "
                     "value less than or equal to ",
                     most));
}

Result<Unit> check_variables(const std::map<std::string, std::string>& variables) {
  std::string reserved, shown;
  for (const auto& [name, value] : variables) {
    if (is_reserved_variable(name)) reserved += (reserved.empty() ? "" : ", ") + name;
    shown += str(shown.empty() ? "{" : ",", '"', name, "\":\"", value, '"');
  }
  shown += '}';
  if (!reserved.empty())
    return fail(invalid(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided contains reserved keys that are currently not supported "
        "for modification. Reserved keys used in this request: " +
        reserved));
  if (!variables.empty() && shown.size() > kMaxVariables)
    return fail(
        invalid("Lambda was unable to configure your environment variables because the environment "
                "variables you have provided exceeded the 4KB limit. String measured: " +
                shown));
  return Unit{};
}

Result<Unit> apply_logging(const gen::lambda::LoggingConfig& in, Configuration& out) {
  Logging& logging = out.logging;
  if (in.log_format) logging.format = *in.log_format;
  if (in.log_group) logging.group = *in.log_group;
  if (logging.format != "JSON") {
    if (in.application_log_level || in.system_log_level)
      return fail(invalid("To use ApplicationLogLevel or SystemLogLevel, set LogFormat to JSON."));
    logging.application_level.clear();
    logging.system_level.clear();
    return Unit{};
  }
  if (in.application_log_level) logging.application_level = *in.application_log_level;
  if (in.system_log_level) logging.system_level = *in.system_log_level;
  if (logging.application_level.empty()) logging.application_level = "INFO";
  if (logging.system_level.empty()) logging.system_level = "INFO";
  return Unit{};
}

// What create and update have in common.
template <class Request>
Result<Unit> apply_common(const Request& in, Configuration& out) {
  if (in.runtime) out.runtime = *in.runtime;
  if (in.handler) out.handler = *in.handler;
  if (in.description) out.description = *in.description;
  if (in.timeout) out.timeout_s = *in.timeout;
  if (in.memory_size) out.memory_mb = *in.memory_size;
  if (in.ephemeral_storage) out.tmp_mb = in.ephemeral_storage->size;
  if (in.environment) {
    out.environment = in.environment->variables.value_or(std::map<std::string, std::string>());
    TRY(check_variables(*out.environment));
    if (out.environment->empty()) out.environment.reset();
  }
  if (out.timeout_s > kMaxTimeoutS) return fail(above("timeout", out.timeout_s, kMaxTimeoutS));
  if (out.memory_mb > kMaxMemoryMb) return fail(above("memorySize", out.memory_mb, kMaxMemoryMb));
  if (out.tmp_mb > kMaxTmpMb) return fail(above("ephemeralStorage.size", out.tmp_mb, kMaxTmpMb));
  if (out.runtime == "custom" || out.runtime == "provided")
    return fail(invalid(
        str("The runtime ", out.runtime, " is not supported any more. Use provided.al2023.")));
  if (in.logging_config) TRY(apply_logging(*in.logging_config, out));
  return Unit{};
}

}  // namespace

Result<Unit> apply(const gen::lambda::CreateFunctionRequest& in, Configuration& out) {
  out.role = in.role;
  out.logging.group = "/aws/lambda/" + out.name;
  if (in.package_type.value_or("Zip") == "Zip" && (!in.runtime || !in.handler))
    return fail(invalid(
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages."));
  return apply_common(in, out);
}

Result<Unit> apply(const gen::lambda::UpdateFunctionConfigurationRequest& in, Configuration& out) {
  if (in.role) out.role = *in.role;
  return apply_common(in, out);
}

Result<Unit> apply_architectures(const std::optional<std::vector<std::string>>& in,
                                 RuntimeChoice choice, Configuration& out) {
#if defined(__aarch64__)
  constexpr std::string_view here = "arm64";
#else
  constexpr std::string_view here = "x86_64";
#endif
  const std::string wanted = in && !in->empty() ? in->front() : out.architecture;
  if (in && in->size() != 1)
    return fail(invalid("Architectures must name exactly one of x86_64 and arm64."));
  const bool interpreted = !out.runtime.starts_with("provided");
  if (wanted != here && !(choice == RuntimeChoice::kNearest && interpreted))
    return fail(invalid(str("This machine runs ", here, " code, not ", wanted,
                            ". Set Architectures to [\"", here, "\"]",
                            interpreted ? ", or start Pileus with --nearest-runtime" : "", ".")));
  out.architecture = wanted;
  return Unit{};
}

aws::ConditionValues tag_conditions(const std::map<std::string, std::string>& tags) {
  aws::ConditionValues out;
  for (const auto& [key, value] : tags) {
    out["aws:RequestTag/" + key] = {value};
    out["aws:TagKeys"].push_back(key);
  }
  return out;
}

std::string runtime_version_arn(const FunctionRef& ref, std::string_view version_id) {
  return str("arn:", ref.arn_partition, ":lambda:", ref.region, "::runtime:", version_id);
}

Result<Unit> check_tags(const std::map<std::string, std::string>& tags) {
  if (tags.size() > kMaxTags)
    return fail(invalid("The number of tags exceeds the limit of 50 per resource."));
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > 128 || value.size() > 256)
      return fail(invalid(str("The tag '", key,
                              "' is too long: keys have 1 to 128 characters, values up to 256.")));
    if (to_lower(key).starts_with("aws:"))
      return fail(invalid(
          str("The tag key '", key, "' is invalid: keys that begin with aws: are reserved.")));
  }
  return Unit{};
}

std::string last_modified_text(Time time) {
  std::string text = iso8601_millis(time);
  text.pop_back();  // Z
  return text + "+0000";
}

namespace {

void show_state(gen::lambda::FunctionConfiguration& out, Shown shown) {
  if (shown == Shown::kListed) return;
  out.state = "Active";
  out.last_update_status = "Successful";
  if (shown == Shown::kCreated) {
    out.state = "Pending";
    out.state_reason = "The function is being created.";
    out.state_reason_code = "Creating";
  }
  if (shown == Shown::kUpdated) {
    out.last_update_status = "InProgress";
    out.last_update_status_reason = "The function is being created.";
    out.last_update_status_reason_code = "Creating";
  }
}

void show_layers(gen::lambda::FunctionConfiguration& out, const Configuration& in) {
  if (in.layers.empty()) return;
  auto& layers = out.layers.emplace();
  for (const auto& layer : in.layers) {
    auto& shown = layers.emplace_back();
    shown.arn = layer.arn;
    shown.code_size = layer.code_bytes;
  }
}

void show_runtime(gen::lambda::FunctionConfiguration& out, const FunctionRef& ref,
                  const Configuration& in, std::string_view runtime_version) {
  if (!runtime_version.empty()) {
    out.runtime_version_config.emplace().runtime_version_arn =
        runtime_version_arn(ref, runtime_version);
  } else if (!in.runtime_version.empty()) {
    auto& shown = out.runtime_version_config.emplace();
    shown.runtime_version_arn = runtime_version_arn(ref, in.runtime_version);
    auto& error = shown.error.emplace();
    error.error_code = "InvalidRuntimeVersion";
    error.message = "This version of the runtime is not on this machine any more.";
  }
}

}  // namespace

gen::lambda::FunctionConfiguration to_output(const FunctionRef& ref, const Configuration& in,
                                             std::string_view runtime_version, Shown shown) {
  gen::lambda::FunctionConfiguration out;
  out.function_name = in.name;
  out.function_arn = ref.qualified_arn();
  out.runtime = in.runtime;
  out.role = in.role;
  out.handler = in.handler;
  out.code_size = in.code_bytes;
  out.description = in.description;
  out.timeout = in.timeout_s;
  out.memory_size = in.memory_mb;
  out.last_modified = last_modified_text(in.last_modified);
  out.code_sha256 = to_base64(from_hex(in.code_id).value_or(""));
  out.version = in.version;
  if (in.environment) out.environment.emplace().variables = *in.environment;
  out.tracing_config.emplace().mode = "PassThrough";
  out.revision_id = in.revision_id;
  out.package_type = "Zip";
  out.architectures = {in.architecture};
  out.ephemeral_storage.emplace().size = in.tmp_mb;
  auto& snap = out.snap_start.emplace();
  snap.apply_on = "None";
  snap.optimization_status = "Off";
  auto& logging = out.logging_config.emplace();
  logging.log_format = in.logging.format;
  logging.log_group = in.logging.group;
  if (!in.logging.application_level.empty())
    logging.application_log_level = in.logging.application_level;
  if (!in.logging.system_level.empty()) logging.system_log_level = in.logging.system_level;
  show_state(out, shown);
  if (shown != Shown::kListed) show_runtime(out, ref, in, runtime_version);
  show_layers(out, in);
  return out;
}

gen::lambda::AliasConfiguration to_output(const FunctionRef& ref, const Alias& in) {
  gen::lambda::AliasConfiguration out;
  out.alias_arn = str(ref.arn(), ":", in.name);
  out.name = in.name;
  out.function_version = in.function_version;
  out.description = in.description;
  if (!in.weights.empty()) out.routing_config.emplace().additional_version_weights = in.weights;
  out.revision_id = in.revision_id;
  return out;
}

}  // namespace pileus::services::lambda
