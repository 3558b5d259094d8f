// One-time codes of virtual MFA devices: RFC 6238 with HMAC-SHA-1, steps of 30 seconds, six digits.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

namespace pileus::services::iam {

inline constexpr std::int64_t kTotpSeconds = 30;

inline std::int64_t totp_step(Time now) {
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count() / kTotpSeconds;
}
// `seed` is Base32 without padding; "" where it is none.
std::string totp_code(std::string_view seed, std::int64_t step);

// How far a device's clock may be off, in steps either way.
inline constexpr std::int64_t kEnableWindow = 20;    // ten minutes
inline constexpr std::int64_t kResyncWindow = 2880;  // a day
inline constexpr std::int64_t kVerifyWindow = 1;

// The step of `second`, where the two codes are of consecutive steps within `window` of `now`.
std::optional<std::int64_t> match_codes(std::string_view seed, std::string_view first,
                                        std::string_view second, std::int64_t now,
                                        std::int64_t window);
// The step of the code, where it is within kVerifyWindow of `now` and after `last`.
std::optional<std::int64_t> match_code(std::string_view seed, std::string_view code,
                                       std::int64_t now, std::int64_t last);

}  // namespace pileus::services::iam
