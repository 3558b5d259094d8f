#include "aws/authorization_messages.h"

#include "base/json.h"

namespace pileus::aws {

namespace {

// Base64 without padding, for URLs, as AWS's messages are written.
std::string to_message(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}
std::optional<std::string> from_message(std::string_view message) {
  std::string text(message);
  for (char& c : text) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  while (text.size() % 4 != 0) text += '=';
  return from_base64(text);
}

// base64 writes 4 characters for 3 bytes; the time before the document takes some.
constexpr std::size_t kMaxDocument =
    AuthorizationMessages::kMaxCharacters / 4 * 3 - Sealer::kOverhead - 32;

JsonObject items(JsonArray list) { return {{"items", std::move(list)}}; }

std::string_view name_of(const Identity& who) {
  if (who.type == Identity::Type::kUser) return who.user_name;
  if (who.type == Identity::Type::kAssumedRole || who.type == Identity::Type::kFederatedUser)
    return who.session_name;
  return {};
}

JsonObject matched_statement(const policy::Request& request, const policy::Decision& decision) {
  return {{"statementId", decision.sid()},
          {"effect", "DENY"},
          {"principals", items({JsonObject{{"value", request.principal.user_id}}})},
          {"principalGroups", items({})},
          {"actions", items({JsonObject{{"value", request.action}}})},
          {"resources", items({JsonObject{{"value", request.resource}}})},
          {"conditions", items({})}};
}

JsonArray conditions_of(const policy::Request& request) {
  JsonArray list;
  if (!request.conditions) return list;
  for (const auto& [key, values] : *request.conditions) {
    JsonArray written;
    for (const auto& value : values) written.push_back(JsonObject{{"value", value}});
    list.push_back(JsonObject{{"key", key}, {"values", items(std::move(written))}});
  }
  return list;
}

}  // namespace

std::string authorization_document(const policy::Request& request, const policy::Decision& decision,
                                   std::size_t max_bytes) {
  const bool denied = decision.reason == policy::Decision::Reason::kExplicitDeny;
  JsonArray matched;
  if (denied) matched.push_back(matched_statement(request, decision));
  const Identity& who = request.principal;
  JsonObject principal = {{"id", who.user_id}};
  if (const auto name = name_of(who); !name.empty()) principal["name"] = name;
  principal["arn"] = who.arn;
  JsonArray conditions = conditions_of(request);
  for (;;) {
    const Json document = {{"allowed", decision.allowed()},
                           {"explicitDeny", denied},
                           {"matchedStatements", items(matched)},
                           {"failures", items({})},
                           {"context",
                            {{"principal", principal},
                             {"action", request.action},
                             {"resource", request.resource},
                             {"conditions", items(conditions)}}}};
    std::string text = to_text(document);
    if (text.size() <= max_bytes || conditions.empty()) return text;
    conditions.pop_back();
  }
}

std::string AuthorizationMessages::encode(const policy::Request& request,
                                          const policy::Decision& decision) const {
  const Time now = request.now.value_or(Time{});
  const std::string plain =
      str(to_millis(now), '\n', authorization_document(request, decision, kMaxDocument));
  return to_message(sealer_.seal(plain, request.principal.account));
}

std::optional<std::string> AuthorizationMessages::decode(std::string_view message,
                                                         std::string_view account, Time now) const {
  const auto sealed = from_message(message);
  const auto plain = sealed ? sealer_.open(*sealed, account) : std::nullopt;
  if (!plain) return std::nullopt;
  const auto end = plain->find('\n');
  const auto made = parse_int(std::string_view(*plain).substr(0, end));
  if (end == std::string::npos || !made || now > from_millis(*made) + kLifetime)
    return std::nullopt;
  return plain->substr(end + 1);
}

}  // namespace pileus::aws
