// CreateCodeSigningConfig, GetCodeSigningConfig, UpdateCodeSigningConfig, DeleteCodeSigningConfig,
// ListCodeSigningConfigs, ListFunctionsByCodeSigningConfig.
#include "services/lambda/code_signing.h"

#include <algorithm>

#include "base/text.h"
#include "gen/lambda/CreateCodeSigningConfig.h"
#include "gen/lambda/DeleteCodeSigningConfig.h"
#include "gen/lambda/GetCodeSigningConfig.h"
#include "gen/lambda/ListCodeSigningConfigs.h"
#include "gen/lambda/ListFunctionsByCodeSigningConfig.h"
#include "gen/lambda/UpdateCodeSigningConfig.h"
#include "services/lambda/impl.h"
#include "services/lambda/listing.h"
#include "services/lambda/settings.h"

namespace pileus::services::lambda {
namespace {

constexpr int kMostListed = 10'000;
constexpr std::size_t kIdDigits = 17;

gen::lambda::CodeSigningConfig shown(const CodeSigningRef& ref, const CodeSigning& in) {
  gen::lambda::CodeSigningConfig out;
  out.code_signing_config_id = in.id;
  out.code_signing_config_arn = ref.arn();
  out.description = in.description;
  out.allowed_publishers.signing_profile_version_arns = in.publishers;
  out.code_signing_policies.untrusted_artifact_on_deployment = in.policy;
  out.last_modified = last_modified_text(in.last_modified);
  return out;
}

Error no_code_signing(const CodeSigningRef& ref) {
  return not_found(
      str("The code signing configuration cannot be found. Check that the provided configuration "
          "is not deleted: ",
          ref.arn(), "."));
}

// arn:aws:signer:<region>:<account>:/signing-profiles/<name>/<version>
Result<Unit> check_publishers(const std::vector<std::string>& arns) {
  for (const auto& arn : arns) {
    const auto parts = split(arn, ':');
    const bool fits =
        parts.size() == 6 && parts[2] == "signer" && parts[5].starts_with("/signing-profiles/") &&
        std::count(parts[5].begin(), parts[5].end(), '/') == 3 && !parts[5].ends_with("/");
    if (!fits)
      return fail(invalid(str("'", arn, "' is not the ARN of a version of a signing profile.")));
  }
  return Unit{};
}

}  // namespace

std::string CodeSigningRef::arn() const {
  return str("arn:", arn_partition, ":lambda:", region, ":", account, ":code-signing-config:", id);
}

std::string code_signing_arn(const FunctionRef& ref, std::string_view id) {
  if (id.empty()) return {};
  return CodeSigningRef{ref.arn_partition, ref.account, ref.region, std::string(id)}.arn();
}

Result<CodeSigningRef> parse_code_signing(const aws::Context& context, std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 7 || parts[2] != "lambda" || parts[5] != "code-signing-config")
    return fail(invalid(str("'", arn, "' is not the ARN of a code signing configuration.")));
  if (parts[3] != context.region())
    return fail(invalid(str("The code signing configuration ", arn, " is not in this region (",
                            context.region(), ").")));
  return CodeSigningRef{std::string(parts[1]), std::string(parts[4]), std::string(parts[3]),
                        std::string(parts[6])};
}

Task<Result<store::Versioned<CodeSigning>>> LambdaService::Impl::load_code_signing(
    aws::Context& context, CodeSigningRef ref, std::string action,
    aws::ConditionValues conditions) {
  CO_TRY_ASSIGN(auto found, co_await store::load<CodeSigning>(given.records, ref.partition(),
                                                              code_signing_key(ref.id)));
  aws::Authorization ask;
  ask.action = std::move(action);
  ask.resource = ref.arn();
  ask.resource_account = ref.account;
  ask.conditions = std::move(conditions);
  if (found)
    for (const auto& [key, value] : found->value.tags)
      ask.conditions["aws:ResourceTag/" + key] = {value};
  CO_TRY(co_await context.authorize(std::move(ask)));
  if (!found) co_return fail(no_code_signing(ref));
  co_return std::move(*found);
}

Task<Result<CodeSigning>> LambdaService::Impl::update_code_signing(
    CodeSigningRef ref, std::function<Result<Unit>(CodeSigning&)> change) {
  std::function<Result<Unit>(std::optional<CodeSigning>&)> apply =
      [&](std::optional<CodeSigning>& config) -> Result<Unit> {
    if (!config) return fail(no_code_signing(ref));
    return change(*config);
  };
  CO_TRY_ASSIGN(auto saved, co_await store::update<CodeSigning>(given.records, ref.partition(),
                                                                code_signing_key(ref.id), apply));
  co_return std::move(saved->value);
}

Task<Result<gen::lambda::CreateCodeSigningConfigOutput>> LambdaService::create_code_signing_config(
    aws::Context& context, gen::lambda::CreateCodeSigningConfigInput in) {
  CodeSigning config;
  config.tags = in.tags.value_or(std::map<std::string, std::string>());
  CO_TRY(co_await context.authorize("lambda:CreateCodeSigningConfig", "*",
                                    tag_conditions(config.tags)));
  CO_TRY(check_tags(config.tags));
  CO_TRY(check_publishers(in.allowed_publishers.signing_profile_version_arns));
  config.id = "csc-" + hex_id(impl_->given.random, kIdDigits + 1).substr(0, kIdDigits);
  config.description = in.description;
  config.publishers = in.allowed_publishers.signing_profile_version_arns;
  if (in.code_signing_policies && in.code_signing_policies->untrusted_artifact_on_deployment)
    config.policy = *in.code_signing_policies->untrusted_artifact_on_deployment;
  config.last_modified = std::chrono::floor<std::chrono::milliseconds>(context.now());
  const CodeSigningRef ref{std::string(context.partition()), context.account(), context.region(),
                           config.id};
  store::Transaction transaction;
  transaction.expect(code_signing_key(config.id), 0)
      .put(code_signing_key(config.id), store::encode(config));
  CO_TRY(co_await impl_->given.records.commit(ref.partition(), std::move(transaction)));
  gen::lambda::CreateCodeSigningConfigOutput out;
  out.code_signing_config = shown(ref, config);
  co_return out;
}

Task<Result<gen::lambda::GetCodeSigningConfigOutput>> LambdaService::get_code_signing_config(
    aws::Context& context, gen::lambda::GetCodeSigningConfigInput in) {
  CO_TRY_ASSIGN(const auto ref, parse_code_signing(context, in.code_signing_config_arn));
  CO_TRY_ASSIGN(const auto found,
                co_await impl_->load_code_signing(context, ref, "lambda:GetCodeSigningConfig"));
  gen::lambda::GetCodeSigningConfigOutput out;
  out.code_signing_config = shown(ref, found.value);
  co_return out;
}

Task<Result<gen::lambda::UpdateCodeSigningConfigOutput>> LambdaService::update_code_signing_config(
    aws::Context& context, gen::lambda::UpdateCodeSigningConfigInput in) {
  CO_TRY_ASSIGN(const auto ref, parse_code_signing(context, in.code_signing_config_arn));
  CO_TRY(co_await impl_->load_code_signing(context, ref, "lambda:UpdateCodeSigningConfig"));
  if (in.allowed_publishers)
    CO_TRY(check_publishers(in.allowed_publishers->signing_profile_version_arns));
  std::function<Result<Unit>(CodeSigning&)> change = [&](CodeSigning& config) -> Result<Unit> {
    if (in.description) config.description = *in.description;
    if (in.allowed_publishers)
      config.publishers = in.allowed_publishers->signing_profile_version_arns;
    if (in.code_signing_policies && in.code_signing_policies->untrusted_artifact_on_deployment)
      config.policy = *in.code_signing_policies->untrusted_artifact_on_deployment;
    config.last_modified = std::chrono::floor<std::chrono::milliseconds>(context.now());
    return Unit{};
  };
  CO_TRY_ASSIGN(const auto config, co_await impl_->update_code_signing(ref, change));
  gen::lambda::UpdateCodeSigningConfigOutput out;
  out.code_signing_config = shown(ref, config);
  co_return out;
}

Task<Result<std::vector<std::string>>> LambdaService::Impl::functions_signed_by(CodeSigningRef ref,
                                                                                std::string after,
                                                                                std::size_t most) {
  std::vector<std::string> names;
  store::ScanOptions page;
  page.after = std::move(after);
  while (names.size() < most) {
    CO_TRY_ASSIGN(auto found,
                  co_await store::load_page<Function>(given.records, ref.partition(),
                                                      std::string(kFunctionPrefix), page));
    if (found.empty()) break;
    page.after = found.back().key;
    for (const auto& entry : found)
      if (entry.value.code_signing == ref.id && names.size() < most)
        names.push_back(entry.value.latest.name);
  }
  co_return names;
}

// Whoever makes a function name it writes its record too (sign_function): so what was looked up
// still holds when the commit finds the record unchanged.
Task<Result<gen::lambda::DeleteCodeSigningConfigOutput>> LambdaService::delete_code_signing_config(
    aws::Context& context, gen::lambda::DeleteCodeSigningConfigInput in) {
  CO_TRY_ASSIGN(const auto ref, parse_code_signing(context, in.code_signing_config_arn));
  const Error in_use = conflict(
      "Cannot delete the CodeSigningConfig because it is being used by another Lambda function.");
  for (int attempt = 0; attempt < store::kUpdateAttempts; ++attempt) {
    CO_TRY(co_await store::pause_before_attempt(attempt));
    CO_TRY_ASSIGN(const auto found, co_await impl_->load_code_signing(
                                        context, ref, "lambda:DeleteCodeSigningConfig"));
    CO_TRY_ASSIGN(const auto users, co_await impl_->functions_signed_by(ref, "", 1));
    if (!users.empty()) co_return fail(in_use);
    store::Transaction transaction;
    transaction.expect(code_signing_key(ref.id), found.revision).remove(code_signing_key(ref.id));
    auto committed = co_await impl_->given.records.commit(ref.partition(), std::move(transaction));
    if (committed) co_return gen::lambda::DeleteCodeSigningConfigOutput{};
    if (!committed.error().is(errc::kConflict)) co_return fail(std::move(committed).error());
  }
  co_return fail(in_use);
}

Task<Result<gen::lambda::ListCodeSigningConfigsOutput>> LambdaService::list_code_signing_configs(
    aws::Context& context, gen::lambda::ListCodeSigningConfigsInput in) {
  CO_TRY(co_await context.authorize("lambda:ListCodeSigningConfigs", "*"));
  CodeSigningRef ref{std::string(context.partition()), context.account(), context.region(), ""};
  const std::string prefix(kCodeSigningPrefix);
  store::ScanOptions page;
  page.limit = static_cast<std::size_t>(std::min(in.max_items.value_or(kMostListed), kMostListed));
  CO_TRY_ASSIGN(page.after, key_of(in.marker, prefix));
  CO_TRY_ASSIGN(auto found, co_await store::load_page<CodeSigning>(impl_->given.records,
                                                                   ref.partition(), prefix, page));
  gen::lambda::ListCodeSigningConfigsOutput out;
  auto& configs = out.code_signing_configs.emplace();
  for (auto& entry : found) {
    ref.id = entry.value.id;
    configs.push_back(shown(ref, entry.value));
  }
  if (found.size() < page.limit) co_return out;
  page.after = found.back().key;
  page.limit = 1;
  CO_TRY_ASSIGN(const auto more, co_await impl_->given.records.scan(ref.partition(), prefix, page));
  if (!more.empty()) out.next_marker = marker_of(page.after);
  co_return out;
}

Task<Result<gen::lambda::ListFunctionsByCodeSigningConfigOutput>>
LambdaService::list_functions_by_code_signing_config(
    aws::Context& context, gen::lambda::ListFunctionsByCodeSigningConfigInput in) {
  CO_TRY_ASSIGN(const auto ref, parse_code_signing(context, in.code_signing_config_arn));
  CO_TRY(
      co_await impl_->load_code_signing(context, ref, "lambda:ListFunctionsByCodeSigningConfig"));
  const auto most =
      static_cast<std::size_t>(std::min(in.max_items.value_or(kMostListed), kMostListed));
  CO_TRY_ASSIGN(std::string after, key_of(in.marker, kFunctionPrefix));
  CO_TRY_ASSIGN(auto names, co_await impl_->functions_signed_by(ref, after, most + 1));
  gen::lambda::ListFunctionsByCodeSigningConfigOutput out;
  if (names.size() > most) {
    names.pop_back();
    out.next_marker = marker_of(function_key(names.back()));
  }
  auto& arns = out.function_arns.emplace();
  for (const auto& name : names)
    arns.push_back(FunctionRef{ref.arn_partition, ref.account, ref.region, name, ""}.arn());
  co_return out;
}

}  // namespace pileus::services::lambda
