#include "aws/sigv4_fault.h"

#include "base/text.h"

namespace pileus::aws {

using Kind = SignatureFault::Kind;

SignatureFault missing_token() {
  return {Kind::kMissingToken,
          "Request is missing Authentication Token",
          "AccessDenied",
          "Access Denied",
          403,
          {}};
}

SignatureFault unknown_key(std::string_view access_key_id) {
  return {Kind::kUnknownKey,
          "The security token included in the request is invalid.",
          "InvalidAccessKeyId",
          "The AWS Access Key Id you provided does not exist in our records.",
          403,
          {{"AWSAccessKeyId", std::string(access_key_id)}}};
}

SignatureFault expired_token() {
  return {Kind::kExpiredToken,
          "The security token included in the request is expired",
          "ExpiredToken",
          "The provided token has expired.",
          400,
          {}};
}

namespace {

struct Codes {
  std::string_view json, query, ec2;
  int query_status;
};
Codes codes(Kind kind) {
  switch (kind) {
    case Kind::kMissingToken:
      return {"MissingAuthenticationTokenException", "MissingAuthenticationToken",
              "MissingAuthenticationToken", 403};
    case Kind::kIncomplete:
      return {"IncompleteSignatureException", "IncompleteSignature", "IncompleteSignature", 400};
    case Kind::kMismatch:
    case Kind::kHeadersNotSigned:
    case Kind::kPayloadMismatch:
      return {"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", 403};
    case Kind::kExpired:
    case Kind::kNotYetCurrent:
      return {"InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", 403};
    case Kind::kUnknownKey:
      return {"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", 403};
    case Kind::kExpiredToken:
      return {"ExpiredTokenException", "ExpiredToken", "RequestExpired", 403};
  }
  return {"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", 403};
}

Error ec2_error(const SignatureFault& fault, std::string_view code) {
  if (code == "AuthFailure")
    return Error(std::string(code), "AWS was not able to validate the provided access credentials",
                 401);
  if (code == "RequestExpired") return Error(std::string(code), "Request has expired.", 400);
  return Error(std::string(code), fault.message, 400);
}

}  // namespace

Error to_error(const SignatureFault& fault, Dialect dialect) {
  const Codes code = codes(fault.kind);
  switch (dialect) {
    // Services of the json protocols answer 400 to every client error, those of rest-json 403.
    case Dialect::kJson:
      return Error(std::string(code.json), fault.message, 400);
    case Dialect::kRestJson:
      return Error(std::string(code.json), fault.message, 403);
    case Dialect::kQuery:
      return Error(std::string(code.query), fault.message, code.query_status);
    case Dialect::kEc2:
      return ec2_error(fault, code.ec2);
    case Dialect::kS3:
      break;
  }
  Error error(fault.s3_code, fault.s3_message, fault.s3_status);
  for (const auto& [name, value] : fault.s3_members) error = std::move(error).with(name, value);
  return error;
}

}  // namespace pileus::aws
