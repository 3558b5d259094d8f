// The room's errors, in the words of AWS.
#pragma once

#include "base/error.h"
#include "base/text.h"

namespace pileus::services::logs {

inline Error no_such_group() {
  return Error("ResourceNotFoundException", "The specified log group does not exist.");
}
inline Error no_such_stream() {
  return Error("ResourceNotFoundException", "The specified log stream does not exist.");
}
inline Error already_exists(std::string_view what) {
  return Error("ResourceAlreadyExistsException", str("The specified ", what, " already exists"));
}
inline Error invalid(std::string message) {
  return Error("InvalidParameterException", std::move(message));
}
inline Error invalid_token() { return invalid("The specified nextToken is invalid."); }
inline Error aborted() {
  return Error(
      "OperationAbortedException",
      "A conflicting operation is currently in progress against this resource. Please try again.");
}
// A conflict that outlasted the attempts is told as AWS tells it; all else stays what it is.
template <class T>
Result<T> told(Result<T> result) {
  if (!result && result.error().is(errc::kConflict)) return fail(aborted());
  return result;
}

}  // namespace pileus::services::logs
