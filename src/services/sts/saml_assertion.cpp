#include "services/sts/saml_assertion.h"

#include <openssl/sha.h>

#include <pugixml.hpp>

namespace pileus::services::sts {

namespace {

constexpr std::string_view kAttributes = "https://aws.amazon.com/SAML/Attributes/";
constexpr std::string_view kFormats = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
constexpr std::string_view kBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
constexpr std::int32_t kLeastSeconds = 900, kMostSeconds = 43200;

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') + 1);
}
pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const auto& one : node.children())
    if (local_name(one) == name) return one;
  return {};
}
// All text below, in order: comments do not cut it.
std::string text_of(const pugi::xml_node& node) {
  std::string out;
  for (const auto& one : node.children()) {
    if (one.type() == pugi::node_pcdata || one.type() == pugi::node_cdata) out += one.value();
  }
  return std::string(trim(out));
}
std::optional<Time> time_of(const pugi::xml_node& node, const char* attribute) {
  return parse_iso8601(node.attribute(attribute).value());
}

void read_subject(const pugi::xml_node& subject, SamlAssertion& out) {
  const auto name = child(subject, "NameID");
  out.subject = text_of(name);
  out.subject_format = name.attribute("Format").value();
  for (const auto& confirmation : subject.children()) {
    if (local_name(confirmation) != "SubjectConfirmation") continue;
    if (std::string_view(confirmation.attribute("Method").value()) != kBearer) continue;
    const auto data = child(confirmation, "SubjectConfirmationData");
    out.recipient = data.attribute("Recipient").value();
    out.confirmed_until = time_of(data, "NotOnOrAfter");
    return;
  }
}

void read_conditions(const pugi::xml_node& conditions, SamlAssertion& out) {
  out.not_before = time_of(conditions, "NotBefore");
  out.not_on_or_after = time_of(conditions, "NotOnOrAfter");
  for (const auto& audience : child(conditions, "AudienceRestriction").children())
    if (local_name(audience) == "Audience") out.audiences.push_back(text_of(audience));
}

void read_attributes(const pugi::xml_node& statement, SamlAssertion& out) {
  for (const auto& attribute : statement.children()) {
    if (local_name(attribute) != "Attribute") continue;
    auto& values = out.attributes[attribute.attribute("Name").value()];
    for (const auto& value : attribute.children())
      if (local_name(value) == "AttributeValue") values.push_back(text_of(value));
  }
}

// AWS's sign-in page, the global one or a region's, which all assertions are for.
bool is_sign_in(std::string_view url) {
  constexpr std::string_view kScheme = "https://", kHost = "signin.aws.amazon.com";
  if (!url.starts_with(kScheme)) return false;
  url.remove_prefix(kScheme.size());
  std::string_view host = url.substr(0, url.find('/'));
  const std::string_view path = url.substr(host.size());
  if (path != "/saml" && !path.starts_with("/saml/acs/")) return false;
  if (host == kHost) return true;
  if (!host.ends_with(str('.', kHost))) return false;
  host.remove_suffix(kHost.size() + 1);
  return !host.empty() &&
         host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

Result<Unit> check_audience(const SamlAssertion& assertion) {
  const bool named = std::ranges::any_of(assertion.audiences, [](const std::string& audience) {
    return audience == "urn:amazon:webservices" || is_sign_in(audience);
  });
  if (!named || !is_sign_in(assertion.recipient))
    return fail(invalid_token("Response does not contain the required audience."));
  return Unit{};
}

Result<Unit> check_times(const SamlAssertion& assertion, Time now) {
  if (!assertion.issued) return fail(invalid_token("The assertion has no IssueInstant."));
  if (!assertion.confirmed_until)
    return fail(invalid_token("The assertion's SubjectConfirmationData has no NotOnOrAfter."));
  if (*assertion.issued > now + kClockSkew ||
      (assertion.not_before && *assertion.not_before > now + kClockSkew))
    return fail(invalid_token("The assertion is not valid yet."));
  if (now >= *assertion.issued + kRedeemWithin)
    return fail(expired_token("Token must be redeemed within 5 minutes of issuance"));
  if (now >= *assertion.confirmed_until ||
      (assertion.not_on_or_after && now >= *assertion.not_on_or_after) ||
      (assertion.session_until && now >= *assertion.session_until))
    return fail(expired_token("The assertion has expired."));
  return Unit{};
}

const std::vector<std::string>& values_of(const SamlAssertion& assertion, std::string_view name) {
  static const std::vector<std::string> kNone;
  const auto found = assertion.attributes.find(str(kAttributes, name));
  return found == assertion.attributes.end() ? kNone : found->second;
}

// Each value is "role,provider", in either order.
Result<Unit> check_role(const SamlAssertion& assertion, const std::string& role,
                        const std::string& provider) {
  const auto& values = values_of(assertion, "Role");
  if (values.empty()) return fail(invalid_token("Your request included an invalid SAML response."));
  for (const auto& value : values) {
    const auto parts = split(value, ',');
    if (parts.size() != 2) continue;
    const auto first = trim(parts[0]), second = trim(parts[1]);
    if ((first == role && second == provider) || (second == role && first == provider))
      return Unit{};
  }
  return fail(access_denied("Not authorized to perform sts:AssumeRoleWithSAML"));
}

Result<Unit> read_names(const SamlAssertion& assertion, SamlIdentity& out) {
  const auto& names = values_of(assertion, "RoleSessionName");
  if (names.empty() || names.front().empty())
    return fail(invalid_token("RoleSessionName is required in AuthnResponse"));
  out.session_name = names.front();
  if (!is_session_name(out.session_name))
    return fail(
        invalid_token("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"));
  const auto& sources = values_of(assertion, "SourceIdentity");
  if (sources.empty()) return Unit{};
  out.source_identity = sources.front();
  if (!is_session_name(out.source_identity) || to_lower(out.source_identity).starts_with("aws:"))
    return fail(
        invalid_token("Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin "
                      "with \"aws:\""));
  return Unit{};
}

Result<Unit> read_duration(const SamlAssertion& assertion, SamlIdentity& out) {
  const auto& values = values_of(assertion, "SessionDuration");
  if (values.empty()) return Unit{};
  const auto seconds = parse_int(values.front());
  if (!seconds || *seconds < kLeastSeconds || *seconds > kMostSeconds)
    return fail(invalid_token("SessionDuration in AuthnResponse must be between 900 and 43200"));
  out.seconds = static_cast<std::int32_t>(*seconds);
  return Unit{};
}

Result<Unit> read_tags(const SamlAssertion& assertion, SamlIdentity& out) {
  const std::string prefix = str(kAttributes, "PrincipalTag:");
  for (const auto& [name, values] : assertion.attributes) {
    if (!name.starts_with(prefix)) continue;
    if (values.size() != 1)
      return fail(invalid_token(str("The attribute ", name, " must have one value.")));
    out.tags.emplace_back(name.substr(prefix.size()), values.front());
  }
  out.transitive = values_of(assertion, "TransitiveTagKeys");
  return check_tag_sizes(out.tags);
}

std::string name_qualifier(const SamlAssertion& assertion, const aws::SamlProviderFacts& provider) {
  const std::string text = str(assertion.issuer, provider.account, '/', provider.name);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return to_base64({reinterpret_cast<const char*>(digest), sizeof digest});
}

// Attributes that trust policies know by a name of their own (IAM User Guide, "Available keys for
// SAML-based AWS federation").
struct KnownAttribute {
  std::string_view name, key;
};
constexpr KnownAttribute kKnown[] = {
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "saml:edupersonaffiliation"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "saml:edupersonnickname"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "saml:edupersonorgdn"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "saml:edupersonorgunitdn"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "saml:edupersonprimaryaffiliation"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "saml:edupersonprincipalname"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "saml:edupersonentitlement"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "saml:edupersonprimaryorgunitdn"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "saml:edupersonscopedaffiliation"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "saml:edupersontargetedid"},
    {"urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "saml:edupersonassurance"},
    {"urn:oid:2.5.4.3", "saml:cn"},
    {"urn:oid:2.5.4.4", "saml:surname"},
    {"urn:oid:2.5.4.42", "saml:givenname"},
    {"urn:oid:0.9.2342.19200300.100.1.1", "saml:uid"},
    {"urn:oid:0.9.2342.19200300.100.1.3", "saml:mail"},
};

}  // namespace

Result<SamlAssertion> read_assertion(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata,
                            pugi::encoding_utf8))
    return fail(invalid_token("Your request included an invalid SAML response."));
  pugi::xml_node node = document.document_element();
  if (local_name(node) == "Response") node = child(node, "Assertion");
  if (local_name(node) != "Assertion")
    return fail(invalid_token("Your request included an invalid SAML response."));
  SamlAssertion out;
  out.issuer = text_of(child(node, "Issuer"));
  out.issued = time_of(node, "IssueInstant");
  read_subject(child(node, "Subject"), out);
  read_conditions(child(node, "Conditions"), out);
  out.session_until = time_of(child(node, "AuthnStatement"), "SessionNotOnOrAfter");
  for (const auto& statement : node.children())
    if (local_name(statement) == "AttributeStatement") read_attributes(statement, out);
  return out;
}

Result<SamlIdentity> check_assertion(const SamlAssertion& assertion,
                                     const aws::SamlProviderFacts& provider,
                                     const std::string& role_arn, Time now) {
  if (assertion.issuer != provider.entity_id)
    return fail(invalid_token("Issuer not present in specified provider"));
  if (provider.valid_until <= now)
    return fail(
        invalid_token(str("The metadata of the provider ", provider.arn, " have expired.")));
  if (assertion.subject.empty())
    return fail(invalid_token("Your request included an invalid SAML response."));
  TRY(check_audience(assertion));
  TRY(check_times(assertion, now));
  SamlIdentity out;
  TRY(check_role(assertion, role_arn, provider.arn));
  TRY(read_names(assertion, out));
  TRY(read_duration(assertion, out));
  TRY(read_tags(assertion, out));
  out.subject_type = assertion.subject_format.starts_with(kFormats)
                         ? assertion.subject_format.substr(kFormats.size())
                         : assertion.subject_format;
  out.name_qualifier = name_qualifier(assertion, provider);
  return out;
}

aws::ConditionValues session_keys(const SamlAssertion& assertion, const SamlIdentity& who) {
  aws::ConditionValues keys = {{"saml:namequalifier", {who.name_qualifier}},
                               {"saml:sub", {assertion.subject}}};
  if (!who.subject_type.empty()) keys["saml:sub_type"] = {who.subject_type};
  return keys;
}

aws::ConditionValues trust_keys(const SamlAssertion& assertion, const SamlIdentity& who,
                                const aws::SamlProviderFacts& provider) {
  aws::ConditionValues keys = session_keys(assertion, who);
  keys["saml:aud"] = {assertion.recipient};
  keys["saml:iss"] = {assertion.issuer};
  keys["saml:doc"] = {str(provider.account, '/', provider.name)};
  for (const auto& known : kKnown) {
    const auto found = assertion.attributes.find(std::string(known.name));
    if (found != assertion.attributes.end()) keys[std::string(known.key)] = found->second;
  }
  return keys;
}

}  // namespace pileus::services::sts
