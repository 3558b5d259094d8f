// Code signing configurations: "lambda/code-signing/<id>" under "<account>/<region>". A function
// names one by its id; one that a function names is not deleted. Nothing signs code here yet, so no
// signature can verify: what a configuration enforces refuses all code, what it warns of is taken.
#pragma once

#include "services/lambda/names.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {

inline constexpr std::string_view kCodeSigningPrefix = "lambda/code-signing/";

struct CodeSigning {
  std::string id;  // csc-…
  std::optional<std::string> description;
  std::vector<std::string> publishers;  // ARNs of versions of signing profiles
  std::string policy = "Warn";          // or "Enforce"
  std::map<std::string, std::string> tags;
  Time last_modified{};
  PILEUS_FIELDS(CodeSigning, id, description, publishers, policy, tags, last_modified)
};

inline std::string code_signing_key(std::string_view id) {
  return std::string(kCodeSigningPrefix).append(id);
}

struct CodeSigningRef {
  std::string arn_partition, account, region, id;
  std::string arn() const;
  std::string partition() const { return account + "/" + region; }
};
// arn:…:code-signing-config:csc-…
Result<CodeSigningRef> parse_code_signing(const aws::Context& context, std::string_view arn);
// The ARN of a function's configuration; "" where it has none.
std::string code_signing_arn(const FunctionRef& ref, std::string_view id);

}  // namespace pileus::services::lambda
