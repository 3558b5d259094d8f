// Records as the API answers them, tags and pages as it takes them.
#pragma once

#include "aws/context.h"
#include "base/completion.h"
#include "gen/iam/shapes/Group.h"
#include "gen/iam/shapes/InstanceProfile.h"
#include "gen/iam/shapes/Policy.h"
#include "gen/iam/shapes/PolicyVersion.h"
#include "gen/iam/shapes/Role.h"
#include "gen/iam/shapes/Tag.h"
#include "gen/iam/shapes/User.h"
#include "services/iam/errors.h"
#include "services/iam/state.h"
#include "store/typed.h"

namespace pileus::services::iam {

// Lists answer less than Get does: no tags, no boundary.
enum class Detail { kFull, kListed };

gen::iam::User shape_of(const UserRecord& user, Detail detail);
gen::iam::Group shape_of(const GroupRecord& group);
gen::iam::Role shape_of(const RoleRecord& role, Detail detail);
gen::iam::InstanceProfile shape_of(const ProfileRecord& profile, const RoleRecord* role);
gen::iam::Policy shape_of(const PolicyRecord& policy, Detail detail);
gen::iam::PolicyVersion shape_of(const PolicyVersionRecord& version, bool is_default);

inline constexpr std::size_t kMaxTags = 50;
// What a request's tags say, checked: InvalidInput, LimitExceeded.
Result<Tags> tags_of(const std::optional<std::vector<gen::iam::Tag>>& tags);
// Lays `added` over `tags`; keys are equal without regard to case.
Result<Unit> add_tags(Tags& tags, const Tags& added);
void remove_tags(Tags& tags, const std::vector<std::string>& keys);
std::vector<gen::iam::Tag> tag_list(const Tags& tags);
// aws:RequestTag/…, aws:TagKeys; iam:PermissionsBoundary where one is asked for.
aws::ConditionValues request_conditions(const Tags& tags, const std::string& boundary = {});
aws::ConditionValues tag_key_conditions(const std::vector<std::string>& keys);

// Creation times have whole seconds, as AWS's.
Time whole_seconds(Time time);
// A record of `name` with a new id.
template <class T>
T new_entity(IamState& state, const aws::Context& context, std::string path, std::string name,
             std::string arn) {
  T made;
  made.name = std::move(name);
  made.path = std::move(path);
  made.arn = std::move(arn);
  made.id = str(T::kIdPrefix, upper_id(state.random, 17));
  made.created = whole_seconds(context.now());
  return made;
}

// Pages. A marker is opaque: the last item's key.
inline constexpr std::size_t kDefaultPage = 100;
std::string make_marker(std::string_view last);
Result<std::string> read_marker(const std::optional<std::string>& marker);  // "" for none

template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> marker;
};
template <class T, class Output>
void tell_page(const Page<T>& page, Output& output) {
  output.is_truncated = page.marker.has_value();
  output.marker = page.marker;
}

// A page of sorted names. `input` has marker and max_items.
template <class Range, class Input>
Result<Page<std::string>> page_of(const Range& names, const Input& input) {
  TRY_ASSIGN(const std::string after, read_marker(input.marker));
  const std::size_t limit = input.max_items ? *input.max_items : kDefaultPage;
  Page<std::string> page;
  for (const auto& name : names) {
    if (!after.empty() && name <= after) continue;
    if (page.items.size() == limit) {
      page.marker = make_marker(page.items.back());
      break;
    }
    page.items.push_back(name);
  }
  return page;
}

// A page of an entity's tags, by key.
template <class Output, class Input>
Result<Output> tag_page(const Tags& tags, const Input& input) {
  std::set<std::string> keys;
  for (const auto& [key, value] : tags) keys.insert(key);
  TRY_ASSIGN(const auto page, page_of(keys, input));
  Output output;
  tell_page(page, output);
  for (const auto& key : page.items) output.tags.push_back({key, tags.at(key)});
  return output;
}

// A page of records under `prefix` that `wanted` accepts.
template <class T>
Task<Result<Page<T>>> load_records(store::Records& records, std::string partition,
                                   std::string prefix, std::optional<std::string> marker,
                                   std::optional<std::int32_t> max_items,
                                   std::function<bool(const T&)> wanted) {
  CO_TRY_ASSIGN(std::string after, read_marker(marker));
  if (!after.empty() && !after.starts_with(prefix))
    co_return fail(validation_error("Invalid Marker."));
  const std::size_t limit = max_items ? *max_items : kDefaultPage;
  Page<T> page;
  std::string last;  // key of the last item taken
  for (;;) {
    store::ScanOptions options;
    options.limit = std::max<std::size_t>(limit + 1, 100);
    options.after = after;
    CO_TRY_ASSIGN(auto found, co_await store::load_page<T>(records, partition, prefix, options));
    for (auto& item : found) {
      if (!wanted(item.value)) continue;
      if (page.items.size() == limit) {
        page.marker = make_marker(last);
        co_return page;
      }
      last = item.key;
      page.items.push_back(std::move(item.value));
    }
    if (found.size() < options.limit) co_return page;
    after = found.back().key;
  }
}
template <class T>
std::function<bool(const T&)> under_path(const std::optional<std::string>& path_prefix) {
  return
      [prefix = path_prefix.value_or("/")](const T& item) { return item.path.starts_with(prefix); };
}

}  // namespace pileus::services::iam
