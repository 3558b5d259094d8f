// Resource policies of functions and layer versions as text: what a permission becomes, and how
// statements come and go. Pure.
// Source: Lambda Developer Guide, "Working with resource-based IAM policies in Lambda".
#pragma once

#include <optional>

#include "base/completion.h"
#include "base/json.h"
#include "store/fields.h"

namespace pileus::services::lambda {

inline constexpr std::size_t kMaxPolicyBytes = 20'480;

struct ResourcePolicy {
  std::string document;  // JSON, as GetPolicy shows it
  std::string revision_id;
  PILEUS_FIELDS(ResourcePolicy, document, revision_id)
};

// What AddPermission and AddLayerVersionPermission ask for.
struct Grant {
  std::string statement_id, action;
  Json principal;                    // see function_principal
  JsonObject equals, like, boolean;  // conditions: StringEquals, ArnLike, Bool
};
JsonObject statement_of(const Grant& grant, std::string_view resource);

// An account, "*", the ARN of a root, user, role, session, or a service's name as the Principal
// element; InvalidParameterValueException for anything else.
Result<Json> function_principal(std::string_view arn_partition, const std::string& text);

// ResourceConflictException for a statement id that is there; PolicyLengthExceededException.
Result<Unit> add_statement(std::string& document, JsonObject statement);
// ResourceNotFoundException for one that is not; the document of no statement is "".
Result<Unit> remove_statement(std::string& document, std::string_view statement_id);
// The statement, where the document has it.
std::optional<JsonObject> find_statement(std::string_view document, std::string_view statement_id);

// What PutResourcePolicy may attach to `resource`: a valid policy about it and nothing else
// (InvalidParameterValueException) that does not open it to everyone (PublicPolicyException).
Result<Unit> check_whole_policy(const std::string& document, const std::string& resource);

// The FunctionUrlAuthType that a statement was granted for.
std::optional<std::string> url_auth_type_of(const JsonObject& statement);
// Values of lambda:Principal: whom the statements of a document name.
std::vector<std::string> principals_of(std::string_view document);

}  // namespace pileus::services::lambda
