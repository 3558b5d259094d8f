// Reading who signed, with what, from the Authorization header or the query string.
#include <charconv>

#include "aws/sigv4.h"
#include "aws/sigv4_canonical.h"

namespace pileus::aws {
namespace {

using Kind = SignatureFault::Kind;
using Algorithm = SignatureInfo::Algorithm;

constexpr std::string_view kHmacName = "AWS4-HMAC-SHA256";
constexpr std::string_view kEcdsaName = "AWS4-ECDSA-P256-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::size_t kMaxElementBytes = 4096;  // of one element of the signature
constexpr std::int64_t kMaxExpirySeconds = 604800;

std::unexpected<SignatureFault> fault(Kind kind, std::string message, std::string s3_code,
                                      std::string s3_message, int s3_status = 400) {
  return std::unexpected(SignatureFault{
      kind, std::move(message), std::move(s3_code), std::move(s3_message), s3_status, {}});
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
  if (name == kHmacName) return Algorithm::kHmac;
  if (name == kEcdsaName) return Algorithm::kEcdsa;
  return std::nullopt;
}

// AWS quotes what it could not read only as a hash.
std::string hashed(std::string_view text) { return to_base64(bytes_of(sha256(text))); }

std::unexpected<SignatureFault> bad_credential(const SignatureInfo& info,
                                               std::string_view credential) {
  const bool four = info.algorithm == Algorithm::kEcdsa;
  const std::string expecting =
      "the Credential is mal-formed; expecting "
      "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
  const bool query = info.kind == SignatureInfo::Kind::kQuery;
  return fault(
      Kind::kIncomplete,
      str("Credential must have exactly ", four ? 4 : 5, " slash-delimited elements, e.g. ",
          four ? "keyid/date/service/term" : "keyid/date/region/service/term", ", got '",
          credential, "'"),
      query ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed",
      str(query ? "Error parsing the X-Amz-Credential parameter; "
                : "The authorization header is malformed; ",
          expecting));
}

// keyid/date/region/service/aws4_request; SigV4A has no region. Key ids hold no slash.
std::expected<void, SignatureFault> read_credential(SignatureInfo& info,
                                                    std::string_view credential) {
  const auto parts = split(credential, '/');
  const bool ecdsa = info.algorithm == Algorithm::kEcdsa;
  if (parts.size() != (ecdsa ? 4u : 5u)) return bad_credential(info, credential);
  for (const auto part : parts)
    if (part.empty()) return bad_credential(info, credential);
  info.access_key_id = parts[0];
  info.date = parts[1];
  if (!ecdsa) info.region = parts[2];
  info.service = parts[parts.size() - 2];
  if (parts.back() != kTerminator)
    return fault(Kind::kMismatch,
                 str("Credential should be scoped with a valid terminator: 'aws4_request', not '",
                     parts.back(), "'."),
                 "AuthorizationHeaderMalformed",
                 str("The authorization header is malformed; incorrect terminal \"", parts.back(),
                     "\". This endpoint uses \"aws4_request\"."));
  return {};
}

std::expected<void, SignatureFault> read_date(SignatureInfo& info, std::string_view text) {
  auto time = parse_basic_iso8601(text);
  if (time) {
    info.timestamp = text;
  } else if (info.kind == SignatureInfo::Kind::kHeader && (time = parse_http_date(text))) {
    info.timestamp = basic_iso8601(*time);
  } else {
    const bool query = info.kind == SignatureInfo::Kind::kQuery;
    return fault(Kind::kIncomplete,
                 str("Date must be in ISO-8601 'basic format'. Got '", text,
                     "'. See http://en.wikipedia.org/wiki/ISO_8601"),
                 query ? "AuthorizationQueryParametersError" : "AccessDenied",
                 query ? "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
                       : "AWS authentication requires a valid Date or x-amz-date header",
                 query ? 400 : 403);
  }
  info.signed_at = *time;
  if (std::string_view(info.timestamp).substr(0, 8) != info.date)
    return fault(
        Kind::kMismatch,
        str("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '",
            info.date, "' != '", info.timestamp.substr(0, 8), "', from '", info.timestamp, "'."),
        info.kind == SignatureInfo::Kind::kQuery ? "AuthorizationQueryParametersError"
                                                 : "AuthorizationHeaderMalformed",
        str("The authorization header is malformed; Invalid credential date \"", info.date,
            "\". This date is not the same as X-Amz-Date: \"", info.timestamp.substr(0, 8), "\"."));
  return {};
}

// Names in lower case, each once, as every signer writes them.
bool is_signed_header_list(std::string_view list) {
  for (const auto name : split(list, ';')) {
    if (name.empty()) return false;
    for (const char c : name)
      if (c <= ' ' || c == ':' || c == 0x7f || (c >= 'A' && c <= 'Z')) return false;
  }
  return true;
}

std::expected<void, SignatureFault> check_elements(const SignatureInfo& info) {
  if (!is_signed_header_list(info.signed_headers))
    return fault(
        Kind::kIncomplete,
        str("'SignedHeaders' must be a list of lower-case header names separated by ';', got '",
            info.signed_headers, "'"),
        "AuthorizationHeaderMalformed",
        "The authorization header is malformed; the SignedHeaders list is mal-formed.");
  if (info.signature.empty() || info.signature.size() > 200)
    return fault(Kind::kIncomplete, "'Signature' is malformed.", "AuthorizationHeaderMalformed",
                 "The authorization header is malformed; the Signature is mal-formed.");
  return {};
}

struct Elements {
  std::string_view credential, signed_headers, signature;
};

std::expected<Elements, SignatureFault> read_elements(std::string_view authorization,
                                                      std::string_view rest) {
  Elements found;
  for (std::string_view element : split(rest, ',')) {
    element = trim(element);
    if (element.empty()) continue;
    const auto equals = element.find('=');
    if (equals == std::string_view::npos)
      return fault(Kind::kIncomplete,
                   str("Invalid key=value pair (missing equal-sign) in Authorization header "
                       "(hashed with SHA-256 "
                       "and encoded with Base64): '",
                       hashed(authorization), "'."),
                   "AuthorizationHeaderMalformed",
                   "The authorization header is malformed; a key=value pair has no equal-sign.");
    const auto key = element.substr(0, equals), value = trim(element.substr(equals + 1));
    if (value.size() > kMaxElementBytes) continue;  // then it counts as missing
    if (key == "Credential") found.credential = value;
    if (key == "SignedHeaders") found.signed_headers = value;
    if (key == "Signature") found.signature = value;
  }
  return found;
}

ParsedSignature parse_header(const RequestParts& request, std::string_view authorization) {
  SignatureInfo info;
  info.kind = SignatureInfo::Kind::kHeader;
  const auto space = authorization.find(' ');
  const auto name = authorization.substr(0, space);
  const auto algorithm = algorithm_named(name);
  if (!algorithm && name.starts_with("AWS4-"))
    return fault(Kind::kIncomplete, str("Unsupported AWS 'algorithm': '", name.substr(0, 64), "'."),
                 "InvalidArgument", "Unsupported Authorization Type");
  if (algorithm) info.algorithm = *algorithm;
  Elements elements;
  if (algorithm && space != std::string_view::npos) {
    TRY_ASSIGN(elements, read_elements(authorization, authorization.substr(space)));
  }
  const std::string* date = find_header(request.headers, "x-amz-date");
  if (!date) date = find_header(request.headers, "date");

  std::string missing;
  if (elements.credential.empty())
    missing += "Authorization header requires 'Credential' parameter. ";
  if (elements.signature.empty())
    missing += "Authorization header requires 'Signature' parameter. ";
  if (elements.signed_headers.empty())
    missing += "Authorization header requires 'SignedHeaders' parameter. ";
  const bool only_date = missing.empty();
  if (!date)
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  if (!missing.empty()) {
    missing +=
        str("(Hashed with SHA-256 and encoded with Base64) Authorization=", hashed(authorization));
    if (only_date)
      return fault(Kind::kIncomplete, missing, "AccessDenied",
                   "AWS authentication requires a valid Date or x-amz-date header", 403);
    return fault(
        Kind::kIncomplete, missing, algorithm ? "AuthorizationHeaderMalformed" : "InvalidArgument",
        algorithm
            ? "The authorization header is malformed; the authorization header requires three "
              "components: Credential, SignedHeaders, and Signature."
            : "Unsupported Authorization Type");
  }
  TRY(read_credential(info, elements.credential));
  TRY(read_date(info, trim(*date)));
  info.signed_headers = elements.signed_headers;
  info.signature = elements.signature;
  TRY(check_elements(info));
  if (info.algorithm == Algorithm::kEcdsa) {
    const auto* regions = find_header(request.headers, "x-amz-region-set");
    if (!regions)
      return fault(Kind::kIncomplete,
                   "Authorization header requires existence of the 'X-Amz-Region-Set' header.",
                   "AuthorizationHeaderMalformed",
                   "The authorization header is malformed; X-Amz-Region-Set is missing.");
    info.region = trim(*regions);
  }
  if (const auto* token = find_header(request.headers, "x-amz-security-token"))
    info.session_token = trim(*token);
  return info;
}

std::expected<std::chrono::seconds, SignatureFault> read_expiry(std::string_view text) {
  constexpr std::string_view kCode = "AuthorizationQueryParametersError";
  const auto bad = [&](std::string message) {
    return fault(Kind::kIncomplete, message, std::string(kCode), message);
  };
  const auto value = parse_int(text);
  if (!value) return bad("X-Amz-Expires should be a number");
  if (*value < 0) return bad("X-Amz-Expires must be non-negative");
  if (*value == 0) return bad("X-Amz-Expires must be greater than zero");
  if (*value > kMaxExpirySeconds)
    return bad(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
        "must be "
        "less than 604800 seconds");
  return std::chrono::seconds(*value);
}

ParsedSignature parse_query(const RequestParts& request) {
  SignatureInfo info;
  info.kind = SignatureInfo::Kind::kQuery;
  const auto get = [&](std::string_view name) { return find_parameter(request.query, name); };
  const auto algorithm = get("X-Amz-Algorithm"), credential = get("X-Amz-Credential"),
             signature = get("X-Amz-Signature"), headers = get("X-Amz-SignedHeaders"),
             date = get("X-Amz-Date"), expires = get("X-Amz-Expires");
  std::string missing;
  const auto require = [&](const std::optional<std::string>& value, std::string_view name) {
    if (!value || value->empty() || value->size() > kMaxElementBytes)
      missing += str("AWS query-string parameters must include '", name, "'. ");
  };
  require(algorithm, "X-Amz-Algorithm");
  require(credential, "X-Amz-Credential");
  require(signature, "X-Amz-Signature");
  require(headers, "X-Amz-SignedHeaders");
  require(date, "X-Amz-Date");
  constexpr std::string_view kS3Missing =
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
      "X-Amz-Signature, "
      "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
  if (!missing.empty())
    return fault(Kind::kIncomplete, missing + "Re-examine the query-string parameters.",
                 "AuthorizationQueryParametersError", std::string(kS3Missing));
  const auto known = algorithm_named(*algorithm);
  if (!known)
    return fault(Kind::kIncomplete,
                 str("Unsupported AWS 'algorithm': '", algorithm->substr(0, 64), "'."),
                 "AuthorizationQueryParametersError",
                 "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"");
  info.algorithm = *known;
  TRY(read_credential(info, *credential));
  TRY(read_date(info, *date));
  info.signed_headers = *headers;
  info.signature = *signature;
  TRY(check_elements(info));
  if (expires) {
    TRY_ASSIGN(info.expires, read_expiry(*expires));
  } else if (info.is_s3()) {
    return fault(Kind::kIncomplete, "AWS query-string parameters must include 'X-Amz-Expires'.",
                 "AuthorizationQueryParametersError", std::string(kS3Missing));
  }
  if (info.algorithm == Algorithm::kEcdsa) info.region = get("X-Amz-Region-Set").value_or("");
  info.session_token = get("X-Amz-Security-Token").value_or("");
  return info;
}

}  // namespace

std::string SignatureInfo::scope() const {
  return algorithm == Algorithm::kEcdsa ? str(date, '/', service, "/aws4_request")
                                        : str(date, '/', region, '/', service, "/aws4_request");
}

ParsedSignature parse_signature(const RequestParts& request) {
  const std::string* authorization = find_header(request.headers, "authorization");
  const bool in_query = find_parameter(request.query, "X-Amz-Algorithm") ||
                        find_parameter(request.query, "X-Amz-Signature") ||
                        find_parameter(request.query, "X-Amz-Credential");
  if (authorization && in_query) {
    const std::string message =
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
        "query string "
        "parameter or the Authorization header should be specified";
    return fault(Kind::kIncomplete, message, "InvalidArgument", message);
  }
  if (in_query) return parse_query(request);
  if (authorization) return parse_header(request, trim(*authorization));
  return SignatureInfo{};
}

}  // namespace pileus::aws
