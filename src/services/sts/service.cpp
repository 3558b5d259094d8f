#include "gen/sts/DecodeAuthorizationMessage.h"
#include "gen/sts/GetAccessKeyInfo.h"
#include "gen/sts/GetCallerIdentity.h"
#include "gen/sts/GetSessionToken.h"
#include "services/sts/shapes.h"
#include "services/sts/state.h"

namespace pileus::services::sts {

using namespace gen::sts;
using Type = aws::Identity::Type;

StsService::StsService(aws::Credentials& keys, aws::Principals& principals,
                       aws::IdentityProviders& providers, WebSource& web,
                       const aws::AuthorizationMessages& messages, const Clock& clock,
                       const RealTime& real, Random& random, const aws::MasterKey& master)
    : state_(std::make_unique<StsState>(keys, principals, providers, web, messages, clock, real,
                                        random, master)) {}
StsService::~StsService() = default;

void StsService::reset() {
  state_->sessions.clear();
  state_->trust_policies.clear();
  state_->issuer_keys.clear();
}

Task<Result<bool>> check_mfa(StsState& state, const aws::Identity& caller,
                             std::optional<std::string> serial, std::optional<std::string> code) {
  if (!serial && !code) co_return false;
  bool verified = false;
  if (serial && code && caller.type == Type::kUser) {
    CO_TRY_ASSIGN(verified, co_await state.principals.verify_mfa(caller.arn, *serial, *code));
  }
  if (verified) co_return true;
  co_return fail(
      access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code."));
}

Task<Result<GetCallerIdentityOutput>> StsService::get_caller_identity(aws::Context& context,
                                                                      GetCallerIdentityInput) {
  context.needs_no_authorization("AWS tells every caller who it is, whatever its policies say");
  const aws::Identity& identity = context.identity();
  co_return GetCallerIdentityOutput{identity.user_id, identity.account, identity.arn};
}

Task<Result<GetAccessKeyInfoOutput>> StsService::get_access_key_info(aws::Context& context,
                                                                     GetAccessKeyInfoInput in) {
  CO_TRY(co_await context.authorize("sts:GetAccessKeyInfo", "*"));
  auto account = aws::account_of_access_key(in.access_key_id);
  if (!account) co_return fail(validation_error(str("Invalid access key ID: ", in.access_key_id)));
  co_return GetAccessKeyInfoOutput{std::move(*account)};
}

Task<Result<DecodeAuthorizationMessageOutput>> StsService::decode_authorization_message(
    aws::Context& context, DecodeAuthorizationMessageInput in) {
  CO_TRY(co_await context.authorize("sts:DecodeAuthorizationMessage", "*"));
  auto decoded =
      state_->messages.decode(in.encoded_message, context.identity().account, context.now());
  if (!decoded)
    co_return fail("InvalidAuthorizationMessageException",
                   "Message is not a valid authorization message, or it has expired.");
  co_return DecodeAuthorizationMessageOutput{std::move(*decoded)};
}

Task<Result<GetSessionTokenOutput>> StsService::get_session_token(aws::Context& context,
                                                                  GetSessionTokenInput in) {
  constexpr std::int32_t kDefaultSeconds = 43200, kRootSeconds = 3600;
  context.needs_no_authorization(
      "users need no permission for it (IAM User Guide, GetSessionToken)");
  const aws::Identity& caller = context.identity();
  const bool long_lived =
      (caller.type == Type::kUser || caller.type == Type::kRoot) && !caller.issued_at;
  if (!long_lived)
    co_return fail(access_denied("Cannot call GetSessionToken with session credentials"));
  CO_TRY_ASSIGN(const bool mfa,
                co_await check_mfa(*state_, caller, in.serial_number, in.token_code));
  std::int32_t seconds = in.duration_seconds.value_or(kDefaultSeconds);
  if (caller.type == Type::kRoot) seconds = std::min(seconds, kRootSeconds);
  SessionRecord record;
  record.of = caller.type == Type::kUser ? SessionRecord::Of::kUser : SessionRecord::Of::kRoot;
  record.account = caller.account;
  record.principal = caller.arn;
  record.principal_id = caller.user_id;
  record.mfa = mfa;
  record.issued = state_->clock.now();
  record.expires =
      std::chrono::floor<std::chrono::seconds>(state_->real.now() + std::chrono::seconds(seconds));
  GetSessionTokenOutput output;
  tell_session(*state_, std::move(record), nullptr, in.minimum_session_token_size.value_or(0),
               output);
  co_return output;
}

}  // namespace pileus::services::sts
