// Whose credentials a request means: the caller's own where it names nobody.
#pragma once

#include "aws/context.h"
#include "services/iam/errors.h"

namespace pileus::services::iam {

inline Result<std::string> user_meant(const std::optional<std::string>& name,
                                      aws::Context& context) {
  if (name) return *name;
  if (context.identity().type == aws::Identity::Type::kUser) return context.identity().user_name;
  context.needs_no_authorization("nobody is meant, so there is nothing to decide");
  return fail(validation_error("Must specify userName when calling with non-User credentials"));
}

// "Active" or "Inactive"; no one sets "Expired".
inline Result<bool> is_active(std::string_view status) {
  if (status == "Active" || status == "Inactive") return status == "Active";
  return fail(invalid_input(str("A status is Active or Inactive, not ", status, ".")));
}
inline std::string status_word(bool active) { return active ? "Active" : "Inactive"; }

// The item of that id in a user's list; nullptr where there is none.
template <class T>
T* find_by_id(std::vector<T>& items, std::string_view id) {
  for (auto& item : items)
    if (item.id == id) return &item;
  return nullptr;
}
template <class T>
std::set<std::string> ids_of(const std::vector<T>& items) {
  std::set<std::string> ids;
  for (const auto& item : items) ids.insert(item.id);
  return ids;
}

}  // namespace pileus::services::iam
