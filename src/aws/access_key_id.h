// Access key ids in AWS's form: a prefix (AKIA for long-lived keys, ASIA for temporary ones) and 16
// characters of base32 that carry the account, so that a key's account is known without a look-up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace pileus::aws {

inline constexpr std::string_view kLongLivedKeyPrefix = "AKIA";
inline constexpr std::string_view kTemporaryKeyPrefix = "ASIA";

// `account` has 12 digits.
std::string make_access_key_id(std::string_view prefix, std::string_view account, Random& random);
// The 12-digit account of an id of that form; nothing for any other text.
std::optional<std::string> account_of_access_key(std::string_view access_key_id);
// 40 characters of base64's alphabet.
std::string make_secret_access_key(Random& random);

}  // namespace pileus::aws
