#include "aws/policy/principal.h"

#include <algorithm>

namespace pileus::aws::policy {
namespace {

using Type = Identity::Type;

Naming naming_of(const PrincipalEntry& entry, const Request& request) {
  const Identity& who = request.principal;
  const auto when = [](bool condition, Naming naming) {
    return condition ? naming : Naming::kNotNamed;
  };
  switch (entry.kind) {
    case PrincipalEntry::Kind::kEveryone:
      return who.type == Type::kAssumedRole ? Naming::kRole : Naming::kDirect;
    case PrincipalEntry::Kind::kAccount:
      if (who.type == Type::kService || who.type == Type::kAnonymous || who.account != entry.text)
        return Naming::kNotNamed;
      return who.type == Type::kRoot ? Naming::kDirect : Naming::kAccount;
    case PrincipalEntry::Kind::kAws:
      if (who.type == Type::kService || who.type == Type::kAnonymous) return Naming::kNotNamed;
      if (entry.text == who.arn) return Naming::kDirect;
      // A federated user's session is cut by its policies when the user behind it is named.
      if (who.type == Type::kFederatedUser)
        return when(entry.text == who.issuer_arn, Naming::kRole);
      return when(who.type == Type::kAssumedRole && entry.text == who.role_arn, Naming::kRole);
    case PrincipalEntry::Kind::kUniqueId: {
      // AROA…:session names the session, AROA… the role.
      if (entry.text == who.user_id) return Naming::kDirect;
      const std::string_view id = who.user_id;
      return when(who.type == Type::kAssumedRole && id.substr(0, id.find(':')) == entry.text,
                  Naming::kRole);
    }
    case PrincipalEntry::Kind::kService:
      return when(who.type == Type::kService && (entry.text == who.service || entry.text == "*"),
                  Naming::kDirect);
    case PrincipalEntry::Kind::kFederated:
      return when(!request.federated_provider.empty() &&
                      (entry.text == request.federated_provider || entry.text == "*"),
                  Naming::kDirect);
    case PrincipalEntry::Kind::kCanonicalUser:
      return when(!request.canonical_user.empty() && entry.text == request.canonical_user,
                  Naming::kDirect);
  }
  return Naming::kNotNamed;
}

}  // namespace

Naming Principals::names(const Request& request) const {
  Naming strongest = Naming::kNotNamed;
  for (const auto& entry : entries_) strongest = std::max(strongest, naming_of(entry, request));
  return strongest;
}

bool Principals::leaves_out(const Request& request) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const PrincipalEntry& entry) {
    return naming_of(entry, request) >= Naming::kRole;
  });
}

}  // namespace pileus::aws::policy
