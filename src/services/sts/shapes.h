// What AssumeRole and GetSessionToken share: the answer, and the second factor.
#pragma once

#include "gen/sts/shapes/Credentials.h"
#include "services/sts/state.h"

namespace pileus::services::sts {

// Whether the caller showed a second factor: no where none is given, AccessDenied where the code is
// not that of a device of the calling user, or was used before.
Task<Result<bool>> check_mfa(StsState& state, const aws::Identity& caller,
                             std::optional<std::string> serial, std::optional<std::string> code);

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
