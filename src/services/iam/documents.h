// Policy documents as the room takes them: checked by the grammar of src/aws/policy.
#pragma once

#include <string_view>

#include "base/completion.h"

namespace pileus::services::iam {

enum class DocumentKind { kIdentity, kTrust };

// MalformedPolicyDocument that says what is wrong.
Result<Unit> check_document(std::string_view text, DocumentKind kind);
// What counts against a size quota: all but white space.
std::size_t counted_bytes(std::string_view text);

}  // namespace pileus::services::iam
