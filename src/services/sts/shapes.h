// What AssumeRole and GetSessionToken share: the answer, and the factor nobody has.
#pragma once

#include "gen/sts/shapes/Credentials.h"
#include "services/sts/state.h"

namespace pileus::services::sts {

// Pileus has no MFA devices, so no code is right.
inline Result<Unit> check_mfa(const std::optional<std::string>& serial,
                              const std::optional<std::string>& code) {
  if (!serial && !code) return Unit{};
  return fail(
      access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code."));
}

// Issues the session and tells it in the answer.
template <class Output>
void tell_session(StsState& state, SessionRecord record, std::shared_ptr<const aws::RoleFacts> role,
                  std::size_t least_token_size, Output& output) {
  const Time expires = record.expires;
  const auto issued = state.issue(std::move(record), std::move(role), least_token_size);
  output.credentials =
      gen::sts::Credentials{issued.access_key_id, issued.secret, issued.token, expires};
  output.session_token_size = static_cast<std::int32_t>(issued.token.size());
  output.session_token_utilization =
      static_cast<std::int32_t>((issued.token.size() * 100 + kTokenLimit - 1) / kTokenLimit);
}

}  // namespace pileus::services::sts
