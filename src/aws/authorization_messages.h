// AuthorizationMessages: what was decided over a denied call, as text that the caller cannot read
// and sts:DecodeAuthorizationMessage can. EC2 puts it into its errors; other rooms ask for it with
// Authorization::Encoded. Only the account that was denied opens it, for a day. Immutable; any
// thread.
#pragma once

#include <optional>
#include <string>

#include "aws/policy/evaluate.h"
#include "aws/seal.h"

namespace pileus::aws {

class AuthorizationMessages {
 public:
  static constexpr Duration kLifetime = std::chrono::hours(24);  // of the cloud's time
  static constexpr std::size_t kMaxCharacters = 10240;  // of a message; the model's own bound

  AuthorizationMessages(const MasterKey& master, Random& random)
      : sealer_(master, "authorization failure messages", random) {}

  // Condition keys that find no place in kMaxCharacters are left out, the last ones first.
  std::string encode(const policy::Request& request, const policy::Decision& decision) const;
  // AWS's JSON document. Nothing for what encode() did not make for that account, or long ago.
  std::optional<std::string> decode(std::string_view message, std::string_view account,
                                    Time now) const;

 private:
  Sealer sealer_;
};

// The document itself, as DecodeAuthorizationMessage answers it.
std::string authorization_document(const policy::Request& request, const policy::Decision& decision,
                                   std::size_t max_bytes);

}  // namespace pileus::aws
