#include "gen/iam/DisableOutboundWebIdentityFederation.h"
#include "gen/iam/EnableOutboundWebIdentityFederation.h"
#include "gen/iam/GetOutboundWebIdentityFederationInfo.h"
#include "gen/iam/SetSecurityTokenServicePreferences.h"
#include "services/iam/errors.h"
#include "services/iam/state.h"
#include "store/typed.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

Task<Result<PreferencesRecord>> change(
    IamState& state, std::string partition,
    std::function<Result<Unit>(PreferencesRecord&)> by /* runs until it is saved */) {
  CO_TRY_ASSIGN(auto saved,
                co_await store::update<PreferencesRecord>(
                    state.records, partition, std::string(kPreferencesRow),
                    [&by](std::optional<PreferencesRecord>& preferences) -> Result<Unit> {
                      if (!preferences) preferences.emplace();
                      return by(*preferences);
                    }));
  co_return std::move(saved->value);
}

Error feature_disabled() {
  return Error("FeatureDisabled",
               "Outbound web identity federation is not enabled for this account.", 404);
}

}  // namespace

Task<Result<SetSecurityTokenServicePreferencesOutput>>
IamService::set_security_token_service_preferences(aws::Context& context,
                                                   SetSecurityTokenServicePreferencesInput in) {
  CO_TRY(co_await context.authorize("iam:SetSecurityTokenServicePreferences", "*"));
  const std::string& version = in.global_endpoint_token_version;
  if (version != "v1Token" && version != "v2Token")
    co_return fail(validation_error(
        str("GlobalEndpointTokenVersion is v1Token or v2Token, not ", version, ".")));
  CO_TRY(co_await change(*state_, context.global_key(), [&](PreferencesRecord& preferences) {
    preferences.token_version = version == "v2Token" ? 2 : 1;
    return Result<Unit>(Unit{});
  }));
  co_return SetSecurityTokenServicePreferencesOutput{};
}

Task<Result<EnableOutboundWebIdentityFederationOutput>>
IamService::enable_outbound_web_identity_federation(aws::Context& context,
                                                    EnableOutboundWebIdentityFederationInput) {
  CO_TRY(co_await context.authorize("iam:EnableOutboundWebIdentityFederation", "*"));
  const std::string issuer = str("https://", uuid(state_->random), ".tokens.sts.global.api.aws");
  CO_TRY_ASSIGN(
      const auto saved,
      co_await change(*state_, context.global_key(), [&](PreferencesRecord& it) -> Result<Unit> {
        if (it.outbound_enabled)
          return fail("FeatureEnabled",
                      "Outbound web identity federation is already enabled for this account.", 409);
        it.outbound_enabled = true;
        if (it.outbound_issuer.empty()) it.outbound_issuer = issuer;
        return Unit{};
      }));
  EnableOutboundWebIdentityFederationOutput output;
  output.issuer_identifier = saved.outbound_issuer;
  co_return output;
}

Task<Result<DisableOutboundWebIdentityFederationOutput>>
IamService::disable_outbound_web_identity_federation(aws::Context& context,
                                                     DisableOutboundWebIdentityFederationInput) {
  CO_TRY(co_await context.authorize("iam:DisableOutboundWebIdentityFederation", "*"));
  CO_TRY(co_await change(*state_, context.global_key(), [](PreferencesRecord& it) -> Result<Unit> {
    if (!it.outbound_enabled) return fail(feature_disabled());
    it.outbound_enabled = false;
    return Unit{};
  }));
  co_return DisableOutboundWebIdentityFederationOutput{};
}

Task<Result<GetOutboundWebIdentityFederationInfoOutput>>
IamService::get_outbound_web_identity_federation_info(aws::Context& context,
                                                      GetOutboundWebIdentityFederationInfoInput) {
  CO_TRY(co_await context.authorize("iam:GetOutboundWebIdentityFederationInfo", "*"));
  CO_TRY_ASSIGN(const auto loaded,
                co_await store::load<PreferencesRecord>(state_->records, context.global_key(),
                                                        std::string(kPreferencesRow)));
  if (!loaded || !loaded->value.outbound_enabled) co_return fail(feature_disabled());
  GetOutboundWebIdentityFederationInfoOutput output;
  output.issuer_identifier = loaded->value.outbound_issuer;
  output.jwt_vending_enabled = true;
  co_return output;
}

}  // namespace pileus::services::iam
