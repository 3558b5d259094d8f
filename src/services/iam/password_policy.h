// The account's password policy as other operations need it.
#pragma once

#include "services/iam/state.h"
#include "store/typed.h"

namespace pileus::services::iam {

// Nothing where the account has none of its own.
Task<Result<std::optional<PasswordPolicyRecord>>> load_password_policy(IamState& state,
                                                                       const aws::Context& context);

// A question about the caller's own user, to be authorized: a policy with
// AllowUsersToChangePassword grants it as a resource policy that names the user does, so that an
// explicit deny still holds.
aws::Authorization own_password_request(const std::optional<PasswordPolicyRecord>& policy,
                                        const aws::Context& context, std::string action);

}  // namespace pileus::services::iam
