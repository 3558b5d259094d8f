// The function's own policy, as calls of its URL ask for it.
#pragma once

#include "services/lambda/names.h"
#include "store/records.h"

namespace pileus::services::lambda {

// The document that AddPermission makes for the function or alias; "" where there is none.
Task<Result<std::string>> url_policy(store::Records* records, FunctionRef ref);

}  // namespace pileus::services::lambda
