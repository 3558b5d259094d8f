// When services were last accessed, from what was noted of every verified call; and which policies
// let it.
#include "gen/iam/GenerateServiceLastAccessedDetails.h"
#include "gen/iam/GetServiceLastAccessedDetails.h"
#include "gen/iam/GetServiceLastAccessedDetailsWithEntities.h"
#include "gen/iam/ListPoliciesGrantingServiceAccess.h"
#include "services/iam/edit.h"
#include "services/iam/policy_sources.h"
#include "services/iam/policy_uses.h"
#include "services/iam/service_names.h"
#include "services/iam/shapes.h"
#include "services/iam/uses.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

constexpr auto kJobLife = std::chrono::days(7);
constexpr std::size_t kMaxJobEntities = 1000;
constexpr auto kTracked = std::chrono::days(400);

// A user or role that a report speaks of, and when it used what.
struct JobEntity {
  std::string arn, name, type, id, path;
  std::map<std::string, LastUsedRecord> uses;  // by service
  PILEUS_FIELDS(JobEntity, arn, name, type, id, path, uses)
};
struct JobRecord {
  std::string caller;  // id of the user or role that may read it
  std::string granularity;
  Time created{};
  std::vector<std::string> services;  // that the policies let the entities access, sorted
  std::vector<JobEntity> entities;
  bool too_many = false;
  PILEUS_FIELDS(JobRecord, caller, granularity, created, services, entities, too_many)
};
constexpr std::string_view kJobs = "iam/access_job/";

std::string caller_of(const aws::Context& context) {
  const std::string& id = context.identity().user_id;
  return id.substr(0, id.find(':'));
}

template <class T>
Task<Result<Unit>> add_entity(IamState& state, std::string partition, std::string name,
                              JobRecord* job) {
  CO_TRY_ASSIGN(auto loaded, co_await store::load<T>(state.records, partition, key_of<T>(name)));
  if (!loaded) co_return Unit{};
  job->too_many = job->entities.size() >= kMaxJobEntities;
  if (job->too_many) co_return Unit{};
  const T& entity = loaded->value;
  JobEntity out{entity.arn, entity.name, std::is_same_v<T, UserRecord> ? "USER" : "ROLE",
                entity.id,  entity.path, {}};
  CO_TRY_ASSIGN(out.uses, co_await accesses_of(state, partition, entity.id));
  std::erase_if(out.uses,
                [&](const auto& use) { return use.second.when + kTracked < job->created; });
  job->entities.push_back(std::move(out));
  co_return Unit{};
}

// Everyone who has the policy: users, roles and members of groups.
Task<Result<Unit>> add_holders(IamState& state, std::string partition, std::string policy_arn,
                               JobRecord* job) {
  std::set<std::string> users, roles;
  store::ScanOptions options;
  for (;;) {
    CO_TRY_ASSIGN(const auto rows,
                  co_await state.records.scan(partition, uses_prefix(policy_arn), options));
    for (const auto& row : rows) {
      const auto use = parse_use(row.key);
      if (!use || use->usage != Usage::kPolicy) continue;
      if (use->kind == UserRecord::kKind) users.insert(use->name);
      if (use->kind == RoleRecord::kKind) roles.insert(use->name);
      if (use->kind != GroupRecord::kKind) continue;
      CO_TRY_ASSIGN(const auto group,
                    co_await store::load<GroupRecord>(state.records, partition,
                                                      key_of<GroupRecord>(use->name)));
      if (group) users.insert(group->value.members.begin(), group->value.members.end());
    }
    if (rows.size() < options.limit) break;
    options.after = rows.back().key;
  }
  for (const auto& name : users)
    CO_TRY(co_await add_entity<UserRecord>(state, partition, name, job));
  for (const auto& name : roles)
    CO_TRY(co_await add_entity<RoleRecord>(state, partition, name, job));
  co_return Unit{};
}

void add_services(const std::vector<std::string>& documents, JobRecord& job) {
  for (const auto& service : service_names())
    if (std::ranges::any_of(documents, [&](const auto& document) {
          return grants_access(document, service.service_namespace);
        }))
      job.services.emplace_back(service.service_namespace);
}

// What the resource of that ARN can access, and who that is.
Task<Result<Unit>> fill_job(IamState& state, std::string account, std::string arn, JobRecord* job) {
  const std::string partition = str(account, "/global");
  const auto parsed = parse_entity_arn(arn);
  if (parsed && parsed->kind == PolicyRecord::kKind) {
    CO_TRY_ASSIGN(const auto policy, co_await read_managed(state, arn));
    if (!policy || (!parsed->of_aws() && parsed->account != account))
      co_return fail(no_such_policy(arn));
    add_services({policy->document}, *job);
    co_return co_await add_holders(state, partition, arn, job);
  }
  CO_TRY_ASSIGN(const PolicyHolder holder, co_await load_holder(state, account, arn));
  std::vector<std::string> documents;
  for (const auto& policy : holder.policies) documents.push_back(policy.document);
  add_services(documents, *job);
  if (holder.arn.kind == UserRecord::kKind)
    co_return co_await add_entity<UserRecord>(state, partition, holder.name, job);
  if (holder.arn.kind == RoleRecord::kKind)
    co_return co_await add_entity<RoleRecord>(state, partition, holder.name, job);
  for (const auto& member : holder.members)
    CO_TRY(co_await add_entity<UserRecord>(state, partition, member, job));
  co_return Unit{};
}

Task<Result<Unit>> drop_old_jobs(Edit* edit) {
  CO_TRY_ASSIGN(const auto jobs, co_await store::load_page<JobRecord>(
                                     edit->state().records, edit->context().global_key(),
                                     std::string(kJobs), {.limit = 100, .after = {}}));
  for (const auto& job : jobs)
    if (job.value.created + kJobLife < edit->context().now()) edit->remove_row(job.key);
  co_return Unit{};
}

Task<Result<JobRecord>> load_job(IamState& state, aws::Context& context, std::string id) {
  CO_TRY_ASSIGN(auto job, co_await store::load<JobRecord>(state.records, context.global_key(),
                                                          str(kJobs, id)));
  if (!job || job->value.caller != caller_of(context))
    co_return fail(no_such_entity(str("The job with id ", id, " cannot be found.")));
  co_return std::move(job->value);
}

template <class Output>
void tell_job(const JobRecord& job, Output& output) {
  output.job_status = job.too_many ? "FAILED" : "COMPLETED";
  output.job_creation_date = output.job_completion_date = job.created;
  if (job.too_many)
    output.error = ErrorDetails{
        str("A report speaks of at most ", kMaxJobEntities, " users and roles."), "LimitExceeded"};
}

ServiceLastAccessed accessed(const JobRecord& job, const std::string& service) {
  ServiceLastAccessed shape;
  shape.service_name = std::string(service_name(service));
  shape.service_namespace = service;
  shape.total_authenticated_entities = 0;
  for (const auto& entity : job.entities) {
    const auto use = entity.uses.find(service);
    if (use == entity.uses.end()) continue;
    ++*shape.total_authenticated_entities;
    const Time when = whole_seconds(use->second.when);
    if (shape.last_authenticated && *shape.last_authenticated >= when) continue;
    shape.last_authenticated = when;
    shape.last_authenticated_entity = entity.arn;
    shape.last_authenticated_region = use->second.region;
  }
  return shape;
}

}  // namespace

Task<Result<GenerateServiceLastAccessedDetailsOutput>>
IamService::generate_service_last_accessed_details(aws::Context& context,
                                                   GenerateServiceLastAccessedDetailsInput in) {
  CO_TRY(co_await context.authorize("iam:GenerateServiceLastAccessedDetails", in.arn));
  JobRecord job;
  job.caller = caller_of(context);
  job.granularity = in.granularity.value_or("SERVICE_LEVEL");
  job.created = whole_seconds(context.now());
  if (job.granularity != "SERVICE_LEVEL" && job.granularity != "ACTION_LEVEL")
    co_return fail(invalid_input(
        str("Granularity is SERVICE_LEVEL or ACTION_LEVEL, not ", job.granularity, ".")));
  CO_TRY(co_await fill_job(*state_, context.account(), in.arn, &job));
  const std::string id = uuid(state_->random);
  Edit edit(*state_, context);
  CO_TRY(co_await drop_old_jobs(&edit));
  edit.put_row(str(kJobs, id), store::encode(job));
  CO_TRY(co_await edit.commit());
  GenerateServiceLastAccessedDetailsOutput output;
  output.job_id = id;
  co_return output;
}

Task<Result<GetServiceLastAccessedDetailsOutput>> IamService::get_service_last_accessed_details(
    aws::Context& context, GetServiceLastAccessedDetailsInput in) {
  CO_TRY(co_await context.authorize("iam:GetServiceLastAccessedDetails", "*"));
  CO_TRY_ASSIGN(const JobRecord job, co_await load_job(*state_, context, in.job_id));
  CO_TRY_ASSIGN(const auto page, page_of(job.services, in));
  GetServiceLastAccessedDetailsOutput output;
  tell_job(job, output);
  output.job_type = job.granularity;
  for (const auto& service : page.items)
    output.services_last_accessed.push_back(accessed(job, service));
  tell_page(page, output);
  co_return output;
}

Task<Result<GetServiceLastAccessedDetailsWithEntitiesOutput>>
IamService::get_service_last_accessed_details_with_entities(
    aws::Context& context, GetServiceLastAccessedDetailsWithEntitiesInput in) {
  CO_TRY(co_await context.authorize("iam:GetServiceLastAccessedDetailsWithEntities", "*"));
  CO_TRY_ASSIGN(const JobRecord job, co_await load_job(*state_, context, in.job_id));
  if (!std::ranges::binary_search(job.services, in.service_namespace))
    co_return fail(no_such_entity(
        str("The service namespace ", in.service_namespace, " is not part of the report.")));
  std::map<std::string, const JobEntity*> by_arn;
  std::set<std::string> arns;
  for (const auto& entity : job.entities) {
    by_arn[entity.arn] = &entity;
    arns.insert(entity.arn);
  }
  CO_TRY_ASSIGN(const auto page, page_of(arns, in));
  GetServiceLastAccessedDetailsWithEntitiesOutput output;
  tell_job(job, output);
  for (const auto& arn : page.items) {
    const JobEntity& entity = *by_arn.at(arn);
    EntityDetails details;
    details.entity_info = {entity.arn, entity.name, entity.type, entity.id, entity.path};
    if (const auto use = entity.uses.find(in.service_namespace); use != entity.uses.end())
      details.last_authenticated = whole_seconds(use->second.when);
    output.entity_details_list.push_back(std::move(details));
  }
  tell_page(page, output);
  co_return output;
}

namespace {

PolicyGrantingServiceAccess granting(const SourcedPolicy& policy) {
  PolicyGrantingServiceAccess shape;
  shape.policy_name = policy.name;
  shape.policy_type = policy.managed() ? "MANAGED" : "INLINE";
  if (policy.managed()) {
    shape.policy_arn = policy.arn;
    return shape;
  }
  using Owner = SourcedPolicy::Owner;
  shape.entity_type = policy.owner == Owner::kUser    ? "USER"
                      : policy.owner == Owner::kGroup ? "GROUP"
                                                      : "ROLE";
  shape.entity_name = policy.entity;
  return shape;
}

}  // namespace

Task<Result<ListPoliciesGrantingServiceAccessOutput>>
IamService::list_policies_granting_service_access(aws::Context& context,
                                                  ListPoliciesGrantingServiceAccessInput in) {
  CO_TRY(co_await context.authorize("iam:ListPoliciesGrantingServiceAccess", in.arn));
  CO_TRY_ASSIGN(const PolicyHolder holder,
                co_await load_holder(*state_, context.account(), in.arn));
  const std::set<std::string> namespaces(in.service_namespaces.begin(),
                                         in.service_namespaces.end());
  struct Request {
    std::optional<std::string> marker;
    std::optional<std::int32_t> max_items;
  };
  CO_TRY_ASSIGN(const auto page, page_of(namespaces, Request{in.marker, std::nullopt}));
  ListPoliciesGrantingServiceAccessOutput output;
  for (const auto& name : page.items) {
    ListPoliciesGrantingServiceAccessEntry entry;
    entry.service_namespace = name;
    auto& policies = entry.policies.emplace();
    for (const auto& policy : holder.policies)
      if (grants_access(policy.document, name)) policies.push_back(granting(policy));
    output.policies_granting_service_access.push_back(std::move(entry));
  }
  tell_page(page, output);
  co_return output;
}

}  // namespace pileus::services::iam
