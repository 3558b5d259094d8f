#include "gen/iam/GetContextKeysForCustomPolicy.h"
#include "gen/iam/GetContextKeysForPrincipalPolicy.h"
#include "gen/iam/SimulateCustomPolicy.h"
#include "gen/iam/SimulatePrincipalPolicy.h"
#include "services/iam/errors.h"
#include "services/iam/shapes.h"
#include "services/iam/simulation.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

constexpr std::size_t kMaxQuestions = 10'000;  // actions × resources of one request
constexpr std::size_t kMaxDocuments = 100;     // policies of one request

bool is_action(std::string_view name) {
  const auto colon = name.find(':');
  return colon != name.npos && colon > 0 && colon + 1 < name.size() &&
         name.find(':', colon + 1) == name.npos && name.find_first_of("*? ") == name.npos;
}

// What a scenario needs besides instance, image and security group.
Result<Unit> check_scenario(const std::string& option, const std::vector<std::string>& resources) {
  struct Scenario {
    std::string_view name;
    std::vector<std::string_view> types;
  };
  static const std::vector<Scenario> kScenarios = {
      {"EC2-Classic-InstanceStore", {}},
      {"EC2-Classic-EBS", {"volume"}},
      {"EC2-VPC-InstanceStore", {"network-interface"}},
      {"EC2-VPC-InstanceStore-Subnet", {"network-interface", "subnet"}},
      {"EC2-VPC-EBS", {"network-interface", "volume"}},
      {"EC2-VPC-EBS-Subnet", {"network-interface", "subnet", "volume"}}};
  const auto scenario = std::ranges::find(kScenarios, option, &Scenario::name);
  if (scenario == kScenarios.end())
    return fail(invalid_input(str("Invalid ResourceHandlingOption: ", option)));
  std::vector<std::string_view> needed = {"instance", "image", "security-group"};
  needed.insert(needed.end(), scenario->types.begin(), scenario->types.end());
  for (const auto type : needed)
    if (std::ranges::none_of(resources, [&](const std::string& arn) {
          const auto parsed = aws::parse_arn(arn);
          return parsed && parsed->service == "ec2" && parsed->resource_type() == type;
        }))
      return fail(
          invalid_input(str("The scenario ", option, " needs a resource of type ", type, ".")));
  return Unit{};
}

template <class Input>
Result<Unit> check_questions(const Input& in) {
  if (in.action_names.empty()) return fail(invalid_input("No action names were given."));
  for (const auto& action : in.action_names)
    if (!is_action(action)) return fail(invalid_input(str("Invalid action name: ", action)));
  const std::size_t resources = in.resource_arns ? in.resource_arns->size() : 0;
  if (in.action_names.size() * std::max<std::size_t>(resources, 1) > kMaxQuestions)
    return fail(invalid_input(str("Pileus simulates up to ", kMaxQuestions,
                                  " combinations of actions and resources in one request.")));
  if (in.resource_arns)
    for (const auto& arn : *in.resource_arns)
      if (arn != "*" && !aws::is_arn(arn))
        return fail(invalid_input(str("Invalid resource ARN: ", arn)));
  if (in.resource_handling_option)
    return check_scenario(*in.resource_handling_option,
                          in.resource_arns.value_or(std::vector<std::string>()));
  return Unit{};
}

Result<Unit> add_context(const std::optional<std::vector<ContextEntry>>& entries,
                         aws::ConditionValues& conditions) {
  static constexpr std::string_view kTypes[] = {"string", "numeric", "boolean",
                                                "ip",     "binary",  "date"};
  if (!entries) return Unit{};
  for (const auto& entry : *entries) {
    if (!entry.context_key_name || !entry.context_key_values || !entry.context_key_type)
      return fail(invalid_input("A context entry has a name, values and a type."));
    std::string_view type = *entry.context_key_type;
    const bool list = type.ends_with("List");
    if (list) type.remove_suffix(4);
    if (std::ranges::find(kTypes, type) == std::end(kTypes))
      return fail(invalid_input(str("Invalid context key type: ", *entry.context_key_type)));
    if (!list && entry.context_key_values->size() != 1)
      return fail(invalid_input(str("Context key ", *entry.context_key_name, " of type ", type,
                                    " must have exactly one value.")));
    for (const auto& value : *entry.context_key_values)
      if ((type == "numeric" && !parse_double(value)) ||
          (type == "boolean" && !iequals(value, "true") && !iequals(value, "false")) ||
          (type == "binary" && !from_base64(value)))
        return fail(invalid_input(str("Invalid value ", value, " for context key ",
                                      *entry.context_key_name, " of type ", type, ".")));
    conditions[*entry.context_key_name] = *entry.context_key_values;
  }
  return Unit{};
}

// The caller that an ARN stands for: a role calls with its sessions.
Result<aws::Identity> caller_of(const std::string& arn) {
  const auto parsed = parse_entity_arn(arn);
  const bool known =
      parsed && (parsed->kind == UserRecord::kKind || parsed->kind == GroupRecord::kKind ||
                 parsed->kind == RoleRecord::kKind);
  if (!known)
    return fail(invalid_input(
        str("Invalid caller ARN: ", arn, ". Specify the ARN of an IAM user, group, or role.")));
  aws::Identity caller;
  caller.account = parsed->account;
  caller.arn = arn;
  caller.type = aws::Identity::Type::kUser;
  if (parsed->kind == UserRecord::kKind) caller.user_name = parsed->name;
  if (parsed->kind == RoleRecord::kKind) {
    caller.type = aws::Identity::Type::kAssumedRole;
    caller.role_arn = arn;
  }
  return caller;
}

// What both operations take besides the policies of the principal.
template <class Input>
Result<Unit> fill(Simulation& simulation, const aws::Context& context, const Input& in,
                  const std::vector<std::string>& documents) {
  TRY(check_questions(in));
  if (documents.size() > kMaxDocuments)
    return fail(invalid_input(str("Up to ", kMaxDocuments, " policies can be simulated.")));
  for (std::size_t i = 0; i < documents.size(); ++i)
    TRY(simulation.add_identity({str("PolicyInputList.", i + 1), "none"}, documents[i]));
  if (in.permissions_boundary_policy_input_list) {
    const auto& list = *in.permissions_boundary_policy_input_list;
    if (list.size() > 1)
      return fail(invalid_input("Only one permissions boundary can be simulated."));
    if (!list.empty())
      TRY(simulation.set_boundary({"PermissionsBoundaryPolicyInputList.1", "none"}, list[0]));
  }
  if (in.resource_policy) TRY(simulation.set_resource_policy(*in.resource_policy));
  if (in.resource_owner) {
    const std::string_view account = in.resource_owner->size() == 12
                                         ? std::string_view(*in.resource_owner)
                                         : aws::account_of_arn(*in.resource_owner);
    if (account.size() != 12)
      return fail(invalid_input(str("Invalid resource owner: ", *in.resource_owner)));
    simulation.resource_owner = account;
  }
  simulation.now = context.now();
  return add_context(in.context_entries, simulation.conditions);
}

// A page of actions; the marker is the position of the last one.
template <class Input>
Result<SimulatePolicyResponse> run(const Simulation& simulation, const Input& in) {
  TRY_ASSIGN(const std::string after, read_marker(in.marker));
  const auto passed = after.empty() ? 0 : parse_int(after).value_or(-1);
  if (passed < 0 || static_cast<std::size_t>(passed) > in.action_names.size())
    return fail(validation_error("Invalid Marker."));
  const std::size_t limit = in.max_items ? static_cast<std::size_t>(*in.max_items) : kDefaultPage;
  SimulatePolicyResponse output;
  auto& results = output.evaluation_results.emplace();
  std::size_t i = static_cast<std::size_t>(passed);
  for (; i < in.action_names.size() && results.size() < limit; ++i)
    results.push_back(simulation.simulate(in.action_names[i],
                                          in.resource_arns.value_or(std::vector<std::string>())));
  output.is_truncated = i < in.action_names.size();
  if (*output.is_truncated) output.marker = make_marker(std::to_string(i));
  return output;
}

std::string type_of(const SourcedPolicy& policy) {
  switch (policy.owner) {
    case SourcedPolicy::Owner::kUser:
      return "user";
    case SourcedPolicy::Owner::kGroup:
      return "group";
    case SourcedPolicy::Owner::kRole:
      return "role";
    case SourcedPolicy::Owner::kAws:
      return "aws-managed";
    case SourcedPolicy::Owner::kAccount:
      return "user-managed";
  }
  return "none";
}

Result<Unit> check_wildcards(std::string_view pattern) {
  if (std::ranges::count(pattern, '*') > 1)
    return fail(invalid_input(str("Invalid policy identifier: ", pattern)));
  return Unit{};
}

// Whether one of the identifiers means the policy. `boundary`: it is the permissions boundary.
Result<bool> is_excluded(const std::vector<PolicyIdentifier>& list, const SourcedPolicy& policy,
                         bool boundary) {
  for (const auto& it : list) {
    if (it.policy_type) {
      const std::string kind = boundary           ? "permission-boundary"
                               : policy.managed() ? type_of(policy)
                                                  : "inline";
      if (*it.policy_type == kind) return true;
    }
    if (it.policy_arn) {
      TRY(check_wildcards(*it.policy_arn));
      if (!aws::is_arn(*it.policy_arn))
        return fail(invalid_input(str("Invalid policy identifier: ", *it.policy_arn)));
      if (policy.managed() && aws::glob_matches(*it.policy_arn, policy.arn)) return true;
    }
    if (it.inline_policy_identifier) {
      const auto& name = *it.inline_policy_identifier;
      TRY(check_wildcards(name.attachment_name));
      if (!policy.managed() && name.policy_name == policy.name &&
          name.attachment_type == type_of(policy) &&
          aws::glob_matches(name.attachment_name, policy.entity))
        return true;
    }
  }
  return false;
}

Result<Unit> add_holder(Simulation& simulation, const PolicyHolder& holder,
                        const std::vector<PolicyIdentifier>& exclusions, bool own_boundary) {
  for (const auto& policy : holder.policies) {
    TRY_ASSIGN(const bool excluded, is_excluded(exclusions, policy, false));
    if (!excluded) TRY(simulation.add_identity({policy.name, type_of(policy)}, policy.document));
  }
  if (!holder.boundary || !own_boundary) return Unit{};
  TRY_ASSIGN(const bool excluded, is_excluded(exclusions, *holder.boundary, true));
  if (!excluded)
    TRY(simulation.set_boundary({holder.boundary->name, type_of(*holder.boundary)},
                                holder.boundary->document));
  return Unit{};
}

}  // namespace

Task<Result<SimulateCustomPolicyOutput>> IamService::simulate_custom_policy(
    aws::Context& context, SimulateCustomPolicyInput in) {
  CO_TRY(co_await context.authorize("iam:SimulateCustomPolicy", "*"));
  Simulation simulation;
  CO_TRY(fill(simulation, context, in, in.policy_input_list));
  if (in.ordered_organization_policy_input_list)
    for (const auto& level : *in.ordered_organization_policy_input_list)
      CO_TRY(simulation.add_organization_level(
          level.service_control_policy_input_list.value_or(std::vector<std::string>())));
  if (in.caller_arn) {
    CO_TRY_ASSIGN(simulation.caller, caller_of(*in.caller_arn));
  } else {
    if (in.resource_policy)
      co_return fail(invalid_input("CallerArn is required when ResourcePolicy is specified."));
    simulation.caller.type = aws::Identity::Type::kUser;
    simulation.caller.account = context.account();
  }
  co_return run(simulation, in);
}

Task<Result<SimulatePrincipalPolicyOutput>> IamService::simulate_principal_policy(
    aws::Context& context, SimulatePrincipalPolicyInput in) {
  CO_TRY(co_await context.authorize("iam:SimulatePrincipalPolicy", in.policy_source_arn));
  CO_TRY_ASSIGN(const PolicyHolder holder,
                co_await load_holder(*state_, context.account(), in.policy_source_arn));
  Simulation simulation;
  CO_TRY(add_holder(simulation, holder,
                    in.policy_exclusion_list.value_or(std::vector<PolicyIdentifier>()),
                    !in.permissions_boundary_policy_input_list));
  CO_TRY(fill(simulation, context, in, in.policy_input_list.value_or(std::vector<std::string>())));
  CO_TRY_ASSIGN(simulation.caller, caller_of(in.caller_arn.value_or(in.policy_source_arn)));
  if (in.resource_policy && simulation.caller.type == aws::Identity::Type::kAssumedRole)
    co_return fail(
        invalid_input("Simulation of resource-based policies isn't supported for IAM roles."));
  if (simulation.caller.arn == in.policy_source_arn) {
    simulation.caller.user_id = holder.id;
    simulation.caller.tags = holder.tags;
  }
  co_return run(simulation, in);
}

Task<Result<GetContextKeysForCustomPolicyOutput>> IamService::get_context_keys_for_custom_policy(
    aws::Context& context, GetContextKeysForCustomPolicyInput in) {
  CO_TRY(co_await context.authorize("iam:GetContextKeysForCustomPolicy", "*"));
  GetContextKeysForCustomPolicyOutput output;
  CO_TRY_ASSIGN(output.context_key_names, context_keys(in.policy_input_list));
  co_return output;
}

Task<Result<GetContextKeysForPrincipalPolicyOutput>>
IamService::get_context_keys_for_principal_policy(aws::Context& context,
                                                  GetContextKeysForPrincipalPolicyInput in) {
  CO_TRY(co_await context.authorize("iam:GetContextKeysForPrincipalPolicy", in.policy_source_arn));
  CO_TRY_ASSIGN(const PolicyHolder holder,
                co_await load_holder(*state_, context.account(), in.policy_source_arn));
  std::vector<std::string> documents;
  for (const auto& policy : holder.policies) documents.push_back(policy.document);
  if (in.policy_input_list)
    documents.insert(documents.end(), in.policy_input_list->begin(), in.policy_input_list->end());
  GetContextKeysForPrincipalPolicyOutput output;
  CO_TRY_ASSIGN(output.context_key_names, context_keys(documents));
  co_return output;
}

}  // namespace pileus::services::iam
