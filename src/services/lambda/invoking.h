// What every way to invoke a function does before and after: checks of what the caller gave, the
// trace that the event carries, and errors as the caller gets them. Pure; any thread.
#pragma once

#include <optional>

#include "aws/context.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {

// RequestTooLargeException, or InvalidRequestContentException; an empty payload becomes {}.
Result<Unit> check_payload(std::string& payload, std::size_t limit);
// The trace header of the event: as received, or one of our own; with one hop more (lineage.h).
std::string trace_of(const aws::Context& context, const FunctionRef& ref);
// The caller's context object travels base64; runtimes want it plain.
Result<std::string> client_context_of(const std::optional<std::string>& given);
// A cancelled wait means that the server stops: ServiceException.
Error as_service_error(Error error);

}  // namespace pileus::services::lambda
