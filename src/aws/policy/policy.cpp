#include "aws/policy/policy.h"

#include <algorithm>

namespace pileus::aws::policy {

bool ResourceEntry::matches(const Request& request) const {
  if (!with_variables) return pattern.matches(request.resource);
  const auto filled = with_variables->pattern(request, Pattern::Form::kResourceArn);
  return filled && filled->matches(request.resource);
}

bool Statement::applies(const Request& request, std::string_view action, Naming& naming) const {
  const bool action_listed =
      std::any_of(actions.begin(), actions.end(), [&](const Pattern& pattern) { return pattern.matches(action); });
  if (action_listed == not_action) return false;
  if (!resources.empty()) {
    const bool resource_listed = std::any_of(resources.begin(), resources.end(),
                                             [&](const ResourceEntry& entry) { return entry.matches(request); });
    if (resource_listed == not_resource) return false;
  }
  naming = Naming::kDirect;
  if (!principals.empty()) {
    if (not_principal) {
      if (principals.leaves_out(request)) return false;
      if (request.principal.type == Identity::Type::kAssumedRole) naming = Naming::kRole;
    } else {
      naming = principals.names(request);
      if (naming == Naming::kNotNamed) return false;
    }
  }
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.holds(request); });
}

}  // namespace pileus::aws::policy
