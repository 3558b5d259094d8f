// What the lambda room keeps, under "<account>/<region>":
//   lambda/function/<name>             Function: $LATEST, tags, the last version number given
//   lambda/version/<name>/<10 digits>  Configuration: a published version; never changed
//   lambda/alias/<name>/<alias>        Alias
//   lambda/policy/<name>/<qualifier>   ResourcePolicy (policy_document.h); "$function" unqualified
//   lambda/event/<request id>          AsyncEvent: accepted (202), not yet done with
// Layers: layer_records.h. Code signing: code_signing.h.
// Invariants: versions, policies and aliases exist only beside their function (a policy beside its
// version or alias); an alias names versions that exist; a version number is never given twice in
// the life of a function; the blob of every code_id named here exists.
#pragma once

#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "store/fields.h"

namespace pileus::services::lambda {

inline constexpr std::string_view kLatest = "$LATEST";
inline constexpr std::string_view kFunctionPrefix = "lambda/function/";
inline constexpr std::string_view kVersionPrefix = "lambda/version/";
inline constexpr std::string_view kAliasPrefix = "lambda/alias/";
inline constexpr std::string_view kPolicyPrefix = "lambda/policy/";
inline constexpr std::string_view kEventPrefix = "lambda/event/";

struct Logging {
  std::string format = "Text";                  // "Text" or "JSON"
  std::string application_level, system_level;  // JSON only; "" otherwise
  std::string group;
  PILEUS_FIELDS(Logging, format, application_level, system_level, group)
};

// A layer as a function version keeps it.
struct LayerUse {
  std::string arn;      // of the layer version
  std::string code_id;  // the blob, as of functions
  std::int64_t code_bytes = 0, unpacked_bytes = 0;
  PILEUS_FIELDS(LayerUse, arn, code_id, code_bytes, unpacked_bytes)
};

// All there is to know to run one version of a function.
struct Configuration {
  std::string name;
  std::string version = std::string(kLatest);
  std::string runtime, role, handler, description;
  int timeout_s = 3;
  int memory_mb = 128;
  int tmp_mb = 512;
  std::optional<std::map<std::string, std::string>> environment;
  std::string architecture = "x86_64";
  Logging logging;
  std::string code_id;  // the blob: sha256 of the zip, lower-case hex
  std::int64_t code_bytes = 0;
  Time last_modified{};
  std::string revision_id;
  std::int64_t unpacked_bytes = 0;      // of the code; 0: not known
  std::vector<LayerUse> layers;         // later ones over earlier ones
  std::string layers_id;                // of the change that set them: tells their users apart
  std::string runtime_update = "Auto";  // or "FunctionUpdate", "Manual"
  std::string runtime_version;          // that it must run on; "": the newest
  PILEUS_FIELDS(Configuration, name, version, runtime, role, handler, description, timeout_s,
                memory_mb, tmp_mb, environment, architecture, logging, code_id, code_bytes,
                last_modified, revision_id, unpacked_bytes, layers, layers_id, runtime_update,
                runtime_version)
};

struct Function {
  Configuration latest;
  std::map<std::string, std::string> tags;
  std::int64_t last_version = 0;  // 0: nothing published yet
  std::string code_signing;       // id of a CodeSigning; "" none
  PILEUS_FIELDS(Function, latest, tags, last_version, code_signing)
};

struct Alias {
  std::string name, function_version, description;
  std::map<std::string, double> weights;  // of other versions; at most one
  std::string revision_id;
  PILEUS_FIELDS(Alias, name, function_version, description, weights, revision_id)
};

struct AsyncEvent {
  std::string id;  // the request id, the same for every attempt
  std::string function, qualifier;
  std::string payload;  // "" when it is in `blob`
  std::string blob;     // payloads over kInlineEvent: the blob is <id> '\n' <payload>
  std::string trace;
  Time accepted{};
  Time due{};        // of the next attempt
  int failures = 0;  // attempts that the function answered with an error
  int refusals = 0;  // attempts in a row that never reached it (429, 5xx)
  PILEUS_FIELDS(AsyncEvent, id, function, qualifier, payload, blob, trace, accepted, due, failures,
                refusals)
};

inline std::string function_key(std::string_view name) {
  return std::string(kFunctionPrefix).append(name);
}
inline std::string version_prefix(std::string_view name) {
  return std::string(kVersionPrefix).append(name).append("/");
}
inline std::string version_key(std::string_view name, std::int64_t version) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%010lld", static_cast<long long>(version));
  return version_prefix(name) + digits;
}
inline std::string alias_prefix(std::string_view name) {
  return std::string(kAliasPrefix).append(name).append("/");
}
inline std::string alias_key(std::string_view name, std::string_view alias) {
  return alias_prefix(name).append(alias);
}
inline std::string policy_prefix(std::string_view name) {
  return std::string(kPolicyPrefix).append(name).append("/");
}
inline std::string policy_key(std::string_view name, std::string_view qualifier) {
  return policy_prefix(name).append(qualifier.empty() ? "$function" : qualifier);
}
inline std::string event_key(std::string_view id) { return std::string(kEventPrefix).append(id); }

}  // namespace pileus::services::lambda
