// XML signatures, verified by xmlsec1 (opened when the first SAML assertion comes: who has none
// needs no such library, and no process starts later for it). Any thread.
//
// What comes back is not the document but the very bytes that the signature was computed over, so
// that nothing unsigned can be read by mistake (signature wrapping). No DTD, no entity, no external
// reference, no HMAC, no SHA-1; the keys are the caller's, whatever the signature says of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pileus::services::sts {

// `response`: a samlp:Response in UTF-8 with one saml:Assertion, either of them signed with the key
// of one of `certificates` (DER). Gives the canonical XML of the signed one. InvalidIdentityToken;
// NotImplemented where the library is not installed.
Result<std::string> signed_part(std::string_view response,
                                const std::vector<std::string>& certificates);

}  // namespace pileus::services::sts
