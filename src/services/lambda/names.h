// The ways to name a function, and the errors that name it back. Any thread.
#pragma once

#include <optional>
#include <string>

#include "aws/context.h"

namespace pileus::services::lambda {

// A function, or one version or alias of it.
struct FunctionRef {
  std::string arn_partition;  // "aws"
  std::string account, region, name;
  std::string qualifier;  // "" unqualified

  std::string arn() const;                                          // never with a qualifier
  std::string qualified_arn() const;                                // with it where there is one
  std::string partition() const { return account + "/" + region; }  // of the records
  FunctionRef unqualified() const { return {arn_partition, account, region, name, ""}; }
};

// "name", "name:q", "account:function:name", "arn:…:function:name[:q]", beside `qualifier`.
// ResourceNotFoundException for another region's, InvalidParameterValueException for nonsense.
Result<FunctionRef> parse_function(const aws::Context& context, std::string_view text,
                                   const std::optional<std::string>& qualifier = std::nullopt);

// For what is done to the function, never to one of its versions.
Result<FunctionRef> parse_unqualified(const aws::Context& context, std::string_view text);

bool is_version(std::string_view qualifier);  // "$LATEST" or digits

Error invalid(std::string message);         // InvalidParameterValueException
Error conflict(std::string message);        // ResourceConflictException
Error not_found(std::string message);       // ResourceNotFoundException
Error no_function(const FunctionRef& ref);  // "Function not found: <qualified arn>"
Error no_alias(const FunctionRef& ref, std::string_view alias);
Error stale_revision();  // PreconditionFailedException
enum class Throttle { kConcurrency, kReserved };
Error throttled(Throttle reason);  // TooManyRequestsException

}  // namespace pileus::services::lambda
