#include "services/sts/claims.h"

namespace pileus::services::sts {

namespace {

constexpr std::string_view kTags = "https://aws.amazon.com/tags";
constexpr std::string_view kSourceIdentity = "https://aws.amazon.com/source_identity";
constexpr std::size_t kMaxTagKey = 128, kMaxTagValue = 256;

Error missing(std::string_view claim) {
  return invalid_token(str("Missing a required claim: ", claim));
}

// A string or a list of strings; nothing for anything else.
std::optional<std::vector<std::string>> strings(const Json& value) {
  if (value.is_string()) return std::vector<std::string>{std::string(value.as_string())};
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> out;
  for (const Json& one : value.as_array()) {
    if (!one.is_string()) return std::nullopt;
    out.emplace_back(one.as_string());
  }
  return out;
}

// Seconds since 1970. Tokens must have whole ones.
Result<std::optional<std::int64_t>> seconds(const Json& claims, std::string_view name) {
  const Json* value = find(claims, name);
  if (!value) return std::optional<std::int64_t>();
  if (value->is_int64() && value->as_int64() >= 0) return std::optional(value->as_int64());
  return fail(invalid_token(str("The claim ", name, " must be a whole number of seconds.")));
}

Result<Unit> check_times(const Json& claims, Time now) {
  const std::int64_t at = to_millis(now) / 1000;
  const std::int64_t skew = std::chrono::seconds(kClockSkew).count();
  TRY_ASSIGN(const auto expires, seconds(claims, "exp"));
  TRY_ASSIGN(const auto issued, seconds(claims, "iat"));
  TRY_ASSIGN(const auto not_before, seconds(claims, "nbf"));
  if (!expires) return fail(missing("exp"));
  if (!issued) return fail(missing("iat"));
  if (at >= *expires)
    return fail(expired_token(str("Token expired: current date/time ", at,
                                  " must be before the expiration date/time", *expires)));
  if (*issued > at + skew) return fail(invalid_token("The token was issued in the future."));
  if (not_before && *not_before > at + skew)
    return fail(invalid_token("The token is not valid yet."));
  if (at - *issued > std::chrono::seconds(kOldestToken).count())
    return fail(expired_token(str("Token too old: ", at - *issued)));
  return Unit{};
}

Error malformed_tags() {
  return invalid_token(str("The claim ", kTags,
                           " must have principal_tags, each with one value, and "
                           "transitive_tag_keys, a list of their keys."));
}

Result<Unit> add_tag(const Json& value, std::string_view key, WebIdentity& out) {
  auto values = strings(value);
  if (!values || values->size() != 1) return fail(malformed_tags());
  out.tags.emplace_back(key, std::move(values->front()));
  return Unit{};
}
Result<Unit> add_transitive(const Json& value, WebIdentity& out) {
  auto keys = strings(value);
  if (!keys) return fail(malformed_tags());
  out.transitive = std::move(*keys);
  return Unit{};
}

// Nested under one claim, or flat: "https://aws.amazon.com/tags/principal_tags/<key>".
Result<Unit> read_tags(const Json& claims, WebIdentity& out) {
  constexpr std::string_view kFlat = "https://aws.amazon.com/tags/principal_tags/";
  for (const auto& [name, value] : claims.as_object()) {
    const std::string_view claim = name;
    if (claim.starts_with(kFlat)) TRY(add_tag(value, claim.substr(kFlat.size()), out));
    if (claim == "https://aws.amazon.com/tags/transitive_tag_keys") TRY(add_transitive(value, out));
    if (claim != kTags) continue;
    if (!value.is_object()) return fail(malformed_tags());
    if (const Json* tags = find(value, "principal_tags")) {
      if (!tags->is_object()) return fail(malformed_tags());
      for (const auto& [key, one] : tags->as_object()) TRY(add_tag(one, key, out));
    }
    if (const Json* keys = find(value, "transitive_tag_keys")) TRY(add_transitive(*keys, out));
  }
  return check_tag_sizes(out.tags);
}

Result<Unit> read_audience(const Json& claims, const aws::OidcProviderFacts& provider,
                           WebIdentity& out) {
  const Json* claimed = find(claims, "aud");
  auto audiences = claimed ? strings(*claimed) : std::nullopt;
  if (!audiences || audiences->empty()) return fail(missing("aud"));
  const std::string party(find_string(claims, "azp"));
  out.audiences = party.empty() ? std::move(*audiences) : std::vector<std::string>{party};
  for (const auto& audience : out.audiences) {
    if (std::ranges::find(provider.client_ids, audience) == provider.client_ids.end()) continue;
    out.audience = audience;
    return Unit{};
  }
  return fail(invalid_token("Incorrect token audience"));
}

}  // namespace

bool is_session_name(std::string_view text) {
  return text.size() >= 2 && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_+=,.@-").find(c) != std::string_view::npos;
         });
}

Result<Unit> check_tag_sizes(const std::vector<TagPair>& tags) {
  for (const auto& [key, value] : tags) {
    if (key.empty() || utf8_length(key) > kMaxTagKey || utf8_length(value) > kMaxTagValue)
      return fail(invalid_token(str("A session tag must have a key of 1 to ", kMaxTagKey,
                                    " characters and a value of at most ", kMaxTagValue, ".")));
  }
  return Unit{};
}

Result<std::string> claimed_issuer(const Jwt& token) {
  std::string issuer(find_string(token.claims, "iss"));
  if (issuer.empty()) return fail(missing("iss"));
  return issuer;
}

Result<WebIdentity> check_claims(const Jwt& token, const aws::OidcProviderFacts& provider,
                                 Time now) {
  WebIdentity out;
  out.issuer = find_string(token.claims, "iss");
  out.subject = find_string(token.claims, "sub");
  if (out.subject.empty()) return fail(missing("sub"));
  TRY(read_audience(token.claims, provider, out));
  TRY(check_times(token.claims, now));
  if (const Json* methods = find(token.claims, "amr"))
    out.methods = strings(*methods).value_or(std::vector<std::string>());
  if (const Json* given = find(token.claims, kSourceIdentity)) {
    if (given->is_string()) out.source_identity = std::string_view(given->as_string());
    if (!is_session_name(out.source_identity) || to_lower(out.source_identity).starts_with("aws:"))
      return fail(
          invalid_token("Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin "
                        "with \"aws:\""));
  }
  TRY(read_tags(token.claims, out));
  return out;
}

aws::ConditionValues federation_keys(const WebIdentity& who, const std::string& provider_name) {
  aws::ConditionValues keys = {{provider_name + ":aud", who.audiences},
                               {provider_name + ":sub", {who.subject}}};
  if (!who.methods.empty()) keys[provider_name + ":amr"] = who.methods;
  return keys;
}

}  // namespace pileus::services::sts
