// What an identity provider says of itself: a SAML 2.0 metadata document. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace pileus::services::iam {

struct SamlMetadata {
  static constexpr std::size_t kMaxCertificates = 10;
  std::string entity_id;                  // the issuer
  std::vector<std::string> certificates;  // DER, at least one; what the issuer signs with
  std::optional<Time> valid_until;
};

// InvalidInput where the document is not that of one identity provider that signs.
Result<SamlMetadata> parse_saml_metadata(std::string_view document);

}  // namespace pileus::services::iam
