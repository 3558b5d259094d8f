#include "services/iam/shapes.h"

namespace pileus::services::iam {

using namespace gen::iam;

namespace {

std::optional<AttachedPermissionsBoundary> boundary_shape(const std::string& arn) {
  if (arn.empty()) return std::nullopt;
  return AttachedPermissionsBoundary{"Policy", arn};
}
std::optional<std::vector<Tag>> optional_tags(const Tags& tags) {
  if (tags.empty()) return std::nullopt;
  return tag_list(tags);
}
auto find_tag(const Tags& tags, std::string_view key) {
  auto it = tags.begin();
  while (it != tags.end() && !iequals(it->first, key)) ++it;
  return it;
}

}  // namespace

User shape_of(const UserRecord& user, Detail detail) {
  User shape{user.path, user.name, user.id, user.arn, user.created, {}, {}, {}};
  if (detail == Detail::kListed) return shape;
  shape.permissions_boundary = boundary_shape(user.boundary);
  shape.tags = optional_tags(user.tags);
  return shape;
}

Group shape_of(const GroupRecord& group) {
  return Group{group.path, group.name, group.id, group.arn, group.created};
}

Role shape_of(const RoleRecord& role, Detail detail) {
  Role shape;
  shape.path = role.path;
  shape.role_name = role.name;
  shape.role_id = role.id;
  shape.arn = role.arn;
  shape.create_date = role.created;
  shape.assume_role_policy_document = percent_encode(role.trust_policy);
  shape.description = role.description;
  shape.max_session_duration = role.max_session_seconds;
  if (detail == Detail::kListed) return shape;
  shape.permissions_boundary = boundary_shape(role.boundary);
  shape.tags = optional_tags(role.tags);
  return shape;
}

InstanceProfile shape_of(const ProfileRecord& profile, const RoleRecord* role) {
  InstanceProfile shape;
  shape.path = profile.path;
  shape.instance_profile_name = profile.name;
  shape.instance_profile_id = profile.id;
  shape.arn = profile.arn;
  shape.create_date = profile.created;
  if (role) shape.roles.push_back(shape_of(*role, Detail::kListed));
  shape.tags = optional_tags(profile.tags);
  return shape;
}

Policy shape_of(const PolicyRecord& policy, Detail detail) {
  Policy shape;
  shape.policy_name = policy.name;
  shape.policy_id = policy.id;
  shape.arn = policy.arn;
  shape.path = policy.path;
  shape.default_version_id = str('v', policy.default_version);
  shape.attachment_count = policy.attachments;
  shape.permissions_boundary_usage_count = policy.boundaries;
  shape.is_attachable = true;
  shape.create_date = policy.created;
  shape.update_date = policy.updated;
  if (detail == Detail::kListed) return shape;
  shape.description = policy.description;
  shape.tags = optional_tags(policy.tags);
  return shape;
}

PolicyVersion shape_of(const PolicyVersionRecord& version, bool is_default) {
  PolicyVersion shape;
  shape.version_id = str('v', version.number);
  shape.is_default_version = is_default;
  shape.create_date = version.created;
  return shape;
}

Result<Tags> tags_of(const std::optional<std::vector<Tag>>& tags) {
  Tags out;
  if (!tags) return out;
  for (const auto& tag : *tags) {
    if (to_lower(tag.key).starts_with("aws:"))
      return fail(
          invalid_input("System tags cannot be added/updated/removed: keys beginning with "
                        "aws: are reserved."));
    if (find_tag(out, tag.key) != out.end())
      return fail(invalid_input(
          "Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    out[tag.key] = tag.value;
  }
  if (out.size() > kMaxTags) return fail(quota_exceeded("TagsPerEntity", kMaxTags));
  return out;
}

Result<Unit> add_tags(Tags& tags, const Tags& added) {
  for (const auto& [key, value] : added) {
    if (const auto old = find_tag(tags, key); old != tags.end()) tags.erase(old);
    tags[key] = value;
  }
  if (tags.size() > kMaxTags)
    return fail(limit_exceeded("The number of tags has reached the maximum limit."));
  return Unit{};
}

void remove_tags(Tags& tags, const std::vector<std::string>& keys) {
  for (const auto& key : keys)
    if (const auto old = find_tag(tags, key); old != tags.end()) tags.erase(old);
}

std::vector<Tag> tag_list(const Tags& tags) {
  std::vector<Tag> list;
  list.reserve(tags.size());
  for (const auto& [key, value] : tags) list.push_back({key, value});
  return list;
}

aws::ConditionValues request_conditions(const Tags& tags, const std::string& boundary) {
  aws::ConditionValues values;
  for (const auto& [key, value] : tags) {
    values["aws:RequestTag/" + key] = {value};
    values["aws:TagKeys"].push_back(key);
  }
  if (!boundary.empty()) values["iam:PermissionsBoundary"] = {boundary};
  return values;
}

aws::ConditionValues tag_key_conditions(const std::vector<std::string>& keys) {
  aws::ConditionValues values;
  if (!keys.empty()) values["aws:TagKeys"] = keys;
  return values;
}

Time whole_seconds(Time time) { return std::chrono::floor<std::chrono::seconds>(time); }

std::string make_marker(std::string_view last) { return to_base64(last); }

Result<std::string> read_marker(const std::optional<std::string>& marker) {
  if (!marker || marker->empty()) return std::string();
  auto text = from_base64(*marker);
  if (!text) return fail(validation_error("Invalid Marker."));
  return std::move(*text);
}

}  // namespace pileus::services::iam
