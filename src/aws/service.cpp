#include "aws/service.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::aws {

const Operation* Service::operation(std::string_view operation_name) const {
  const auto found = std::lower_bound(
      operations.begin(), operations.end(), operation_name,
      [](const Operation& op, std::string_view wanted) { return op.name < wanted; });
  return found != operations.end() && found->name == operation_name ? &*found : nullptr;
}

const ErrorShape* Service::error(std::string_view code) const {
  for (const auto* shape : errors)
    if (shape->code == code || shape->shape == code) return shape;
  return nullptr;
}

Error not_implemented(const Service& service, const Operation& operation) {
  return Error(
      "NotImplemented",
      str(service.id, ".", operation.name,
          " is not implemented by this version of Pileus; docs/coverage.md lists what is."),
      501);
}

}  // namespace pileus::aws
