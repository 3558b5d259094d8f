#include "services/iam/documents.h"

#include "aws/policy/policy.h"

namespace pileus::services::iam {

Result<Unit> check_document(std::string_view text, DocumentKind kind) {
  TRY(aws::policy::parse_policy(
      text, kind == DocumentKind::kTrust ? aws::policy::Use::kTrust : aws::policy::Use::kIdentity));
  return Unit{};
}

std::size_t counted_bytes(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; }));
}

}  // namespace pileus::services::iam
