// Passwords of users: what the account's policy asks of them, and how they are kept. Pure; any
// thread. A hash takes some 20 ms of a processor: hash on IamState::hashing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/completion.h"
#include "services/iam/credential_records.h"

namespace pileus::services::iam {

// PasswordPolicyViolation that says what is missing. Without a policy of its own an account has
// AWS's default: 8 characters of three kinds.
Result<Unit> check_password(const std::optional<PasswordPolicyRecord>& policy,
                            std::string_view password);

// scrypt (RFC 7914) with N 2^14, r 8, p 1; 32 bytes.
std::string hash_password(std::string_view salt, std::string_view password);
bool same_hash(std::string_view a, std::string_view b);  // in constant time

inline constexpr std::size_t kPasswordsRemembered = 24;  // the most that reuse prevention can ask

}  // namespace pileus::services::iam
