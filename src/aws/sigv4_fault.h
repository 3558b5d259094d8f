// What can be wrong with a signature, said neutrally, and turned into the error of the service's
// own family once the caller knows which service was meant. No fault carries a secret or a token.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pileus::aws {

// Families word signature errors alike.
enum class Dialect { kJson, kRestJson, kQuery, kEc2, kS3 };

struct SignatureFault {
  enum class Kind {
    kMissingToken,      // not signed at all
    kIncomplete,        // malformed or missing parts
    kMismatch,          // the signature is not the one calculated, or its scope is wrong
    kExpired,           // signed too long ago
    kNotYetCurrent,     // signed too far in the future
    kHeadersNotSigned,  // headers that must be signed are not
    kPayloadMismatch,   // the body is not the one that was signed
    kUnknownKey,        // no such access key, or a session token that is not its own
    kExpiredToken,      // the session has ended
  };
  Kind kind = Kind::kMismatch;
  std::string message;  // as the json and query services word it
  std::string s3_code;  // where S3 differs
  std::string s3_message;
  int s3_status = 403;
  std::vector<std::pair<std::string, std::string>> s3_members;
};

SignatureFault missing_token();
SignatureFault unknown_key(std::string_view access_key_id);
SignatureFault expired_token();

Error to_error(const SignatureFault& fault, Dialect dialect);

}  // namespace pileus::aws
