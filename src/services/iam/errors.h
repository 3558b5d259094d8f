// The room's errors, in the words of AWS.
#pragma once

#include "base/completion.h"
#include "services/iam/records.h"

namespace pileus::services::iam {

inline Error no_such_entity(std::string message) {
  return Error("NoSuchEntity", std::move(message), 404);
}
template <class T>
Error no_such(std::string_view name) {
  if constexpr (std::is_same_v<T, ProfileRecord>)
    return no_such_entity(str("Instance Profile ", name, " cannot be found."));
  else if constexpr (std::is_same_v<T, ServerCertificateRecord>)
    return no_such_entity(str("The Server Certificate with name ", name, " cannot be found."));
  else if constexpr (std::is_same_v<T, MfaRecord>)
    return no_such_entity(str("VirtualMFADevice with serial number ", name, " doesn't exist."));
  else
    return no_such_entity(str("The ", T::kKind, " with name ", name, " cannot be found."));
}
inline Error no_such_policy(std::string_view arn) {
  return no_such_entity(str("Policy ", arn, " was not found."));
}
inline Error no_such_access_key(std::string_view id) {
  return no_such_entity(str("The Access Key with id ", id, " cannot be found."));
}

template <class T>
Error already_exists(std::string_view name) {
  std::string message;
  if constexpr (std::is_same_v<T, ProfileRecord>)
    message = str("Instance Profile ", name, " already exists.");
  else if constexpr (std::is_same_v<T, MfaRecord>)
    message = "MFADevice entity at the same path and name already exists.";
  else if constexpr (std::is_same_v<T, ServerCertificateRecord>)
    message = str("The Server Certificate with name ", name, " already exists.");
  else if constexpr (std::is_same_v<T, PolicyRecord>)
    message = str("A policy called ", name, " already exists. Duplicate names are not allowed.");
  else
    message = str(T::kTitle, " with name ", name, " already exists.");
  return Error("EntityAlreadyExists", std::move(message), 409);
}

inline Error delete_conflict(std::string message) {
  return Error("DeleteConflict", std::move(message), 409);
}
inline Error limit_exceeded(std::string message) {
  return Error("LimitExceeded", std::move(message), 409);
}
inline Error quota_exceeded(std::string_view quota, std::size_t limit) {
  return limit_exceeded(str("Cannot exceed quota for ", quota, ": ", limit));
}
inline Error invalid_input(std::string message) {
  return Error("InvalidInput", std::move(message), 400);
}
inline Error validation_error(std::string message) {
  return Error("ValidationError", std::move(message), 400);
}
inline Error malformed_policy(std::string message) {
  return Error("MalformedPolicyDocument", std::move(message), 400);
}
inline Error malformed_certificate(std::string message) {
  return Error("MalformedCertificate", std::move(message), 400);
}
// Roles that are linked to a service are the service's: only AWS changes them.
template <class T>
Result<Unit> check_modifiable(const T& entity) {
  if constexpr (std::is_same_v<T, RoleRecord>)
    if (!entity.linked_service.empty())
      return fail(Error("UnmodifiableEntity",
                        str("Cannot perform the operation on the protected role '", entity.name,
                            "' - this role is only modifiable by AWS"),
                        400));
  return Unit{};
}
inline Error concurrent_modification() {
  return Error("ConcurrentModification",
               "The request was rejected because multiple requests to change this object were "
               "submitted simultaneously. Wait a few minutes and submit your request again.",
               409);
}

}  // namespace pileus::services::iam
