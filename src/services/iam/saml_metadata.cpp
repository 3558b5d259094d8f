#include "services/iam/saml_metadata.h"

#include <pugixml.hpp>

#include "net/tls.h"
#include "services/iam/errors.h"

namespace pileus::services::iam {

namespace {

std::unexpected<Error> unreadable(std::string_view why) {
  return fail(invalid_input(str("Could not parse metadata: ", why)));
}

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') + 1);  // npos + 1 is 0
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const auto& one : node.children())
    if (local_name(one) == name) return one;
  return {};
}

// The DER in base64, of which documents break the lines; nothing where it is no certificate.
std::optional<std::string> certificate_of(std::string_view text) {
  std::string compact;
  for (const char c : text)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') compact += c;
  constexpr std::size_t kLine = 64;
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < compact.size(); at += kLine)
    pem += compact.substr(at, kLine) + '\n';
  if (!net::certificate_end(pem + "-----END CERTIFICATE-----\n")) return std::nullopt;
  return from_base64(compact);
}

Result<Unit> add_certificates(const pugi::xml_node& descriptor, SamlMetadata& out) {
  for (const auto& key : descriptor.children()) {
    if (local_name(key) != "KeyDescriptor") continue;
    const std::string_view use = key.attribute("use").value();
    if (!use.empty() && use != "signing") continue;
    for (const auto& data : child(key, "KeyInfo").children()) {
      for (const auto& certificate : data.children()) {
        if (local_name(certificate) != "X509Certificate") continue;
        auto der = certificate_of(certificate.child_value());
        if (!der) return unreadable("an X509Certificate is not a certificate in base64.");
        if (out.certificates.size() == SamlMetadata::kMaxCertificates)
          return fail(
              quota_exceeded("CertificatesPerSAMLProvider", SamlMetadata::kMaxCertificates));
        out.certificates.push_back(std::move(*der));
      }
    }
  }
  return Unit{};
}

}  // namespace

Result<SamlMetadata> parse_saml_metadata(std::string_view document) {
  pugi::xml_document parsed;
  if (!parsed.load_buffer(document.data(), document.size()))
    return unreadable("it is not well-formed XML.");
  const auto root = parsed.document_element();
  if (local_name(root) != "EntityDescriptor")
    return unreadable("its root must be the EntityDescriptor of the identity provider.");
  SamlMetadata out;
  out.entity_id = root.attribute("entityID").value();
  if (out.entity_id.empty()) return unreadable("the EntityDescriptor has no entityID.");
  const auto descriptor = child(root, "IDPSSODescriptor");
  if (!descriptor) return unreadable("it has no IDPSSODescriptor.");
  TRY(add_certificates(descriptor, out));
  if (out.certificates.empty())
    return unreadable("the IDPSSODescriptor has no X509Certificate to verify signatures with.");
  const std::string_view until = root.attribute("validUntil").value();
  if (!until.empty()) {
    out.valid_until = parse_iso8601(until);
    if (!out.valid_until) return unreadable("validUntil is not a date.");
  }
  return out;
}

}  // namespace pileus::services::iam
