#include "aws/policy/policy.h"

#include <algorithm>

namespace pileus::aws::policy {

bool ResourceEntry::matches(const Request& request) const {
  if (!with_variables) return pattern.matches(request.resource);
  const auto filled = with_variables->pattern(request, Pattern::Form::kResourceArn);
  return filled && filled->matches(request.resource);
}

namespace {

constexpr std::size_t kLetters = 3;  // of the action's name

std::uint64_t bit_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  return std::uint64_t{1} << (hash >> 58);
}

}  // namespace

ActionMask ActionMask::of_action(std::string_view action) {
  ActionMask out;
  const auto name = action.find(':') + 1;  // 0 where there is no colon
  out.bits_ = bit_of(action.substr(0, name)) | bit_of(action.substr(0, name + kLetters));
  return out;
}

ActionMask ActionMask::of_statement(const Statement& statement) {
  ActionMask out;
  if (statement.not_action) out.bits_ = ~std::uint64_t{0};
  for (const Pattern& pattern : statement.actions) {
    const std::string_view start = pattern.literal();
    const auto name = start.find(':') + 1;
    if (name == 0 && !pattern.is_literal())
      out.bits_ = ~std::uint64_t{0};
    else if (pattern.is_literal() || start.size() >= name + kLetters)
      out.bits_ |= bit_of(start.substr(0, name + kLetters));
    else
      out.bits_ |= bit_of(start.substr(0, name));
  }
  return out;
}

bool Statement::lists_action(std::string_view action) const {
  return std::any_of(actions.begin(), actions.end(),
                     [&](const Pattern& pattern) { return pattern.matches(action); }) != not_action;
}

bool Statement::lists_resource(const Request& request) const {
  if (resources.empty()) return true;
  return std::any_of(resources.begin(), resources.end(), [&](const ResourceEntry& entry) {
           return entry.matches(request);
         }) != not_resource;
}

void Statement::add_keys(std::vector<std::string>& out) const {
  for (const auto& entry : resources)
    if (entry.with_variables) entry.with_variables->add_keys(out);
  for (const auto& condition : conditions) condition.add_keys(out);
}

void Statement::add_missing_keys(const Request& request, std::string_view action,
                                 std::vector<std::string>& out) const {
  if (!lists_action(action)) return;
  std::vector<std::string> keys;
  if (lists_resource(request))
    add_keys(keys);
  else
    for (const auto& entry : resources)
      if (entry.with_variables) entry.with_variables->add_keys(keys);
  for (const auto& key : keys) {
    KeyValues found;
    Key(key).look_up(request, found);
    if (found.values.empty()) out.push_back(key);
  }
}

bool Statement::applies(const Request& request, std::string_view action, Naming& naming) const {
  if (!lists_action(action) || !lists_resource(request)) return false;
  naming = Naming::kDirect;
  if (!principals.empty()) {
    if (not_principal) {
      if (principals.leaves_out(request)) return false;
      if (request.principal.type == Identity::Type::kAssumedRole) naming = Naming::kRole;
    } else {
      naming = principals.names(request);
      if (naming == Naming::kNotNamed) return false;
    }
  }
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.holds(request); });
}

}  // namespace pileus::aws::policy
