#include "gen/iam/CreatePolicyVersion.h"
#include "gen/iam/DeletePolicyVersion.h"
#include "gen/iam/GetPolicyVersion.h"
#include "gen/iam/ListPolicyVersions.h"
#include "gen/iam/SetDefaultPolicyVersion.h"
#include "services/iam/aws_policies.h"
#include "services/iam/documents.h"
#include "services/iam/edit.h"
#include "services/iam/limits.h"
#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

PolicyVersionRecord* find_version(PolicyRecord& policy, std::string_view id) {
  for (auto& version : policy.versions)
    if (str('v', version.number) == id) return &version;
  return nullptr;
}

Error no_such_version(std::string_view arn, std::string_view id) {
  return no_such_entity(
      str("Policy ", arn, " version ", id, " does not exist or is not attachable."));
}

PolicyVersion shape_of_only_version(const AwsPolicy& policy) {
  PolicyVersion shape;
  shape.version_id = policy.version();
  shape.is_default_version = true;
  shape.create_date = policy.updated();
  return shape;
}

}  // namespace

Task<Result<CreatePolicyVersionOutput>> IamService::create_policy_version(
    aws::Context& context, CreatePolicyVersionInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(PolicyRecord * policy,
                  co_await edit.open_policy("iam:CreatePolicyVersion", in.policy_arn));
    CO_TRY(check_document(in.policy_document, DocumentKind::kIdentity));
    if (counted_bytes(in.policy_document) > kPolicyBytes)
      co_return fail(quota_exceeded("PolicySize", kPolicyBytes));
    if (policy->versions.size() >= kVersionsPerPolicy)
      co_return fail(limit_exceeded(
          str("A managed policy can have up to ", kVersionsPerPolicy,
              " versions. Before you create a new version, you must delete an existing version.")));
    policy->versions.push_back(
        {++policy->newest, in.policy_document, whole_seconds(context.now())});
    policy->updated = whole_seconds(context.now());
    const bool is_default = in.set_as_default.value_or(false);
    if (is_default) policy->default_version = policy->newest;
    CreatePolicyVersionOutput output{shape_of(policy->versions.back(), is_default)};
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return output;
  }
}

Task<Result<GetPolicyVersionOutput>> IamService::get_policy_version(aws::Context& context,
                                                                    GetPolicyVersionInput in) {
  GetPolicyVersionOutput output;
  if (const AwsPolicy* policy = find_aws_policy(in.policy_arn)) {
    CO_TRY(co_await context.authorize("iam:GetPolicyVersion", in.policy_arn));
    if (in.version_id != policy->version())
      co_return fail(no_such_version(in.policy_arn, in.version_id));
    output.policy_version = shape_of_only_version(*policy);
    output.policy_version->document = percent_encode(policy->document);
    co_return output;
  }
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(PolicyRecord * policy,
                co_await edit.open_policy("iam:GetPolicyVersion", in.policy_arn));
  const PolicyVersionRecord* version = find_version(*policy, in.version_id);
  if (!version) co_return fail(no_such_version(in.policy_arn, in.version_id));
  output.policy_version = shape_of(*version, version->number == policy->default_version);
  output.policy_version->document = percent_encode(version->document);
  co_return output;
}

Task<Result<ListPolicyVersionsOutput>> IamService::list_policy_versions(
    aws::Context& context, ListPolicyVersionsInput in) {
  ListPolicyVersionsOutput output;
  output.versions.emplace();
  output.is_truncated = false;
  if (const AwsPolicy* policy = find_aws_policy(in.policy_arn)) {
    CO_TRY(co_await context.authorize("iam:ListPolicyVersions", in.policy_arn));
    output.versions->push_back(shape_of_only_version(*policy));
    co_return output;
  }
  Edit edit(*state_, context);
  CO_TRY_ASSIGN(PolicyRecord * policy,
                co_await edit.open_policy("iam:ListPolicyVersions", in.policy_arn));
  CO_TRY_ASSIGN(const std::string after, read_marker(in.marker));
  const std::size_t limit = in.max_items ? *in.max_items : kDefaultPage;
  // Newest first, as AWS lists them.
  for (auto version = policy->versions.rbegin(); version != policy->versions.rend(); ++version) {
    if (!after.empty() && version->number >= parse_int(after).value_or(0)) continue;
    if (output.versions->size() == limit) {
      output.is_truncated = true;
      output.marker = make_marker(output.versions->back().version_id->substr(1));
      break;
    }
    output.versions->push_back(shape_of(*version, version->number == policy->default_version));
  }
  co_return output;
}

Task<Result<DeletePolicyVersionOutput>> IamService::delete_policy_version(
    aws::Context& context, DeletePolicyVersionInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(PolicyRecord * policy,
                  co_await edit.open_policy("iam:DeletePolicyVersion", in.policy_arn));
    const PolicyVersionRecord* version = find_version(*policy, in.version_id);
    if (!version) co_return fail(no_such_version(in.policy_arn, in.version_id));
    if (version->number == policy->default_version)
      co_return fail(delete_conflict("Cannot delete the default version of a policy."));
    std::erase_if(policy->versions,
                  [number = version->number](const auto& each) { return each.number == number; });
    policy->updated = whole_seconds(context.now());
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return DeletePolicyVersionOutput{};
  }
}

Task<Result<SetDefaultPolicyVersionOutput>> IamService::set_default_policy_version(
    aws::Context& context, SetDefaultPolicyVersionInput in) {
  for (Edit edit(*state_, context);;) {
    CO_TRY_ASSIGN(PolicyRecord * policy,
                  co_await edit.open_policy("iam:SetDefaultPolicyVersion", in.policy_arn));
    const PolicyVersionRecord* version = find_version(*policy, in.version_id);
    if (!version) co_return fail(no_such_version(in.policy_arn, in.version_id));
    policy->default_version = version->number;
    policy->updated = whole_seconds(context.now());
    CO_TRY_ASSIGN(const bool saved, co_await edit.commit());
    if (saved) co_return SetDefaultPolicyVersionOutput{};
  }
}

}  // namespace pileus::services::iam
