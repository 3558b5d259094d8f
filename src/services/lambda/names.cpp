#include "services/lambda/names.h"

#include <algorithm>

#include "base/text.h"
#include "services/lambda/records.h"

namespace pileus::services::lambda {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

Error bad_name(std::string_view text) {
  return invalid(str("'", text,
                     "' is not the name or ARN of a function. Names have at most 64 of "
                     "a-z, A-Z, 0-9, - and _."));
}

// Takes account, region and partition from the pieces of an ARN or partial ARN; what is left is
// "name" or "name", "qualifier".
Result<std::vector<std::string_view>> strip_prefix(std::string_view text, FunctionRef& ref) {
  auto pieces = split(text, ':');
  if (pieces.size() >= 7 && pieces[0] == "arn" && pieces[2] == "lambda" &&
      pieces[5] == "function") {
    if (pieces[3] != ref.region)
      return fail(not_found(str("Functions from '", pieces[3],
                                "' are not reachable in this region ('", ref.region, "')")));
    ref.arn_partition = pieces[1];
    ref.account = pieces[4];
    pieces.erase(pieces.begin(), pieces.begin() + 6);
  } else if (pieces.size() >= 3 && is_digits(pieces[0]) && pieces[1] == "function") {
    ref.account = pieces[0];
    pieces.erase(pieces.begin(), pieces.begin() + 2);
  } else if (pieces.size() >= 2 && pieces[0] == "function") {
    pieces.erase(pieces.begin());
  }
  return pieces;
}

Error with_type(Error error) { return std::move(error).with("Type", "User"); }

}  // namespace

std::string FunctionRef::arn() const {
  return str("arn:", arn_partition, ":lambda:", region, ":", account, ":function:", name);
}
std::string FunctionRef::qualified_arn() const {
  return qualifier.empty() ? arn() : str(arn(), ":", qualifier);
}

bool is_version(std::string_view qualifier) { return qualifier == kLatest || is_digits(qualifier); }

Result<FunctionRef> parse_function(const aws::Context& context, std::string_view text,
                                   const std::optional<std::string>& qualifier) {
  FunctionRef ref{std::string(context.partition()), context.account(), context.region(), "", ""};
  TRY_ASSIGN(const auto rest, strip_prefix(text, ref));
  if (rest.empty() || rest.size() > 2 || !is_name(rest[0])) return fail(bad_name(text));
  ref.name = rest[0];
  if (rest.size() == 2) ref.qualifier = rest[1];
  if (qualifier && !qualifier->empty()) {
    if (!ref.qualifier.empty() && ref.qualifier != *qualifier)
      return fail(
          invalid("The derived qualifier from the function name does not match the specified "
                  "qualifier."));
    ref.qualifier = *qualifier;
  }
  return ref;
}

Result<FunctionRef> parse_unqualified(const aws::Context& context, std::string_view text) {
  TRY_ASSIGN(auto ref, parse_function(context, text));
  if (!ref.qualifier.empty() && ref.qualifier != kLatest)
    return fail(invalid(
        "This operation is permitted on Lambda functions only. Versions and aliases are not "
        "supported. Please specify a valid function ARN."));
  ref.qualifier.clear();
  return ref;
}

Error invalid(std::string message) {
  return with_type(Error("InvalidParameterValueException", std::move(message)));
}
Error conflict(std::string message) {
  return with_type(Error("ResourceConflictException", std::move(message), 409));
}
Error not_found(std::string message) {
  return with_type(Error("ResourceNotFoundException", std::move(message), 404));
}
Error no_function(const FunctionRef& ref) {
  return not_found("Function not found: " + ref.qualified_arn());
}
Error no_alias(const FunctionRef& ref, std::string_view alias) {
  return not_found(str("Alias not found: ", ref.arn(), ":", alias));
}
Error stale_revision() {
  return with_type(Error("PreconditionFailedException",
                         "The Revision Id provided does not match the latest Revision Id. Call the "
                         "GetFunction/GetAlias API to retrieve the latest Revision Id",
                         412));
}
Error throttled(Throttle reason) {
  return with_type(Error("TooManyRequestsException", "Rate Exceeded.", 429))
      .with("Reason", reason == Throttle::kConcurrency
                          ? "ConcurrentInvocationLimitExceeded"
                          : "ReservedFunctionConcurrentInvocationLimitExceeded");
}

}  // namespace pileus::services::lambda
