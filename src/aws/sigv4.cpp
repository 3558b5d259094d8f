#include "aws/sigv4.h"

#include <algorithm>

#include "aws/sigv4_canonical.h"

namespace pileus::aws {
namespace {

using Kind = SignatureFault::Kind;
using Algorithm = SignatureInfo::Algorithm;
using std::chrono::seconds;

constexpr seconds kSkew{5 * 60};
constexpr seconds kS3Skew{15 * 60};
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_chunked(std::string_view content_sha256) {
  return content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" ||
         content_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" ||
         content_sha256 == "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
}

std::string span_text(seconds span) {
  return span.count() % 60 == 0 ? str(span.count() / 60, " min.") : str(span.count(), " sec.");
}

SignatureFault skewed(const SignatureInfo& info, Time now, seconds skew, Kind kind) {
  const bool late = kind == Kind::kExpired;
  const std::string server_time = basic_iso8601(now);
  const std::string bound = basic_iso8601(late ? now - skew : now + skew);
  SignatureFault fault{kind,
                       str(late ? "Signature expired: " : "Signature not yet current: ",
                           info.timestamp, late ? " is now earlier than " : " is still later than ",
                           bound, " (", server_time, late ? " - " : " + ", span_text(skew), ')'),
                       "RequestTimeTooSkewed",
                       "The difference between the request time and the current time is too large.",
                       403,
                       {{"RequestTime", info.timestamp},
                        {"ServerTime", iso8601(std::chrono::floor<seconds>(now))},
                        {"MaxAllowedSkewMilliseconds", std::to_string(skew.count() * 1000)}}};
  return fault;
}

std::optional<SignatureFault> check_presigned_time(const SignatureInfo& info, Time now,
                                                   seconds skew) {
  if (info.signed_at > now + skew) {
    auto fault = skewed(info, now, skew, Kind::kNotYetCurrent);
    fault.s3_code = "AccessDenied";
    fault.s3_message = "Request is not yet valid";
    return fault;
  }
  if (info.signed_at + *info.expires >= now) return std::nullopt;
  auto fault = skewed(info, now, *info.expires, Kind::kExpired);
  fault.s3_code = "AccessDenied";
  fault.s3_message = "Request has expired";
  fault.s3_members = {{"X-Amz-Expires", std::to_string(info.expires->count())},
                      {"Expires", iso8601(info.signed_at + *info.expires)},
                      {"ServerTime", iso8601(std::chrono::floor<seconds>(now))}};
  return fault;
}

std::optional<SignatureFault> check_time(const SignatureInfo& info, Time now) {
  const seconds skew = info.is_s3() ? kS3Skew : kSkew;
  if (info.expires) return check_presigned_time(info, now, skew);
  if (info.signed_at < now - skew) return skewed(info, now, skew, Kind::kExpired);
  if (info.signed_at > now + skew) return skewed(info, now, skew, Kind::kNotYetCurrent);
  return std::nullopt;
}

SignatureFault not_signed(std::string message, std::string names) {
  return {Kind::kHeadersNotSigned,
          std::move(message),
          "AccessDenied",
          "There were headers present in the request which were not signed",
          403,
          {{"HeadersNotSigned", std::move(names)}}};
}

std::optional<SignatureFault> check_signed_headers(const SignatureInfo& info,
                                                   const RequestParts& request) {
  if (!in_list(info.signed_headers, "host") && !in_list(info.signed_headers, ":authority"))
    return not_signed("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
                      "host");
  std::string missing;
  for (const auto& [name, value] : request.headers) {
    if (name.size() < 6 || !iequals(std::string_view(name).substr(0, 6), "x-amz-") ||
        in_list(info.signed_headers, name))
      continue;
    if (!missing.empty()) missing += ", ";
    missing += to_lower(name);
  }
  if (missing.empty()) return std::nullopt;
  return not_signed(str("'", missing, "' must be a 'SignedHeader' in the AWS Authorization."),
                    missing);
}

// The value of x-amz-content-sha256, which a presigned request may carry in the query.
std::string declared_payload(const SignatureInfo& info, const RequestParts& request) {
  if (info.kind == SignatureInfo::Kind::kQuery)
    if (auto value = find_parameter(request.query, "X-Amz-Content-Sha256")) return *value;
  if (const auto* value = find_header(request.headers, "x-amz-content-sha256"))
    return std::string(trim(*value));
  if (info.kind == SignatureInfo::Kind::kQuery && info.is_s3())
    return std::string(kUnsignedPayload);
  return "";
}

SignatureFault payload_mismatch(std::string_view declared, std::string_view actual) {
  return {Kind::kPayloadMismatch,
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          "XAmzContentSHA256Mismatch",
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          400,
          {{"ClientComputedContentSHA256", std::string(declared)},
           {"S3ComputedContentSHA256", std::string(actual)}}};
}

// What stands for the body in the canonical request, and what remains to be checked.
std::expected<Verified, SignatureFault> resolve_payload(const SignatureInfo& info,
                                                        const RequestParts& request,
                                                        const VerifyOptions& options) {
  Verified out;
  out.content_sha256 = declared_payload(info, request);
  const std::string_view declared = out.content_sha256;
  if (declared == kUnsignedPayload && (info.is_s3() || options.allow_unsigned_payload)) {
    out.payload = Verified::Payload::kUnsigned;
  } else if (is_chunked(declared) && (info.is_s3() || options.allow_unsigned_payload)) {
    out.payload = Verified::Payload::kChunked;
  } else if (info.is_s3() && declared.empty()) {
    return std::unexpected(
        SignatureFault{Kind::kIncomplete,
                       "Missing required header for this request: x-amz-content-sha256",
                       "InvalidRequest",
                       "Missing required header for this request: x-amz-content-sha256",
                       400,
                       {}});
  } else if (info.is_s3() && !is_sha256_hex(declared)) {
    return std::unexpected(SignatureFault{
        Kind::kIncomplete,
        "x-amz-content-sha256 is invalid",
        "InvalidArgument",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        400,
        {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", out.content_sha256}}});
  } else if (request.body) {
    out.expected_sha256 =
        request.body->empty() ? std::string(kEmptySha256) : sha256_hex(*request.body);
    if (info.is_s3() && declared != out.expected_sha256)
      return std::unexpected(payload_mismatch(declared, out.expected_sha256));
  } else {
    out.payload = Verified::Payload::kExpected;
    out.expected_sha256 = out.content_sha256;
    if (!is_sha256_hex(declared))
      return std::unexpected(SignatureFault{
          Kind::kIncomplete,
          "The body of this request must be signed: x-amz-content-sha256 is missing.",
          "InvalidRequest",
          "Missing required header for this request: x-amz-content-sha256",
          400,
          {}});
  }
  return out;
}

std::string hex_with_spaces(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char c : text) {
    if (!out.empty()) out += ' ';
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

// A session token may be part of the canonical request; the message must not repeat it.
std::string without_token(std::string text, const SignatureInfo& info) {
  if (info.session_token.empty()) return text;
  text = replace_all(text, info.session_token, "***");
  return replace_all(text, percent_encode(info.session_token), "***");
}

SignatureFault mismatch(const SignatureInfo& info, const std::string& canonical,
                        const std::string& to_sign) {
  const std::string shown = without_token(canonical, info);
  return {Kind::kMismatch,
          str("The request signature we calculated does not match the signature you provided. "
              "Check your AWS Secret "
              "Access Key and signing method. Consult the service documentation for "
              "details.\n\nThe Canonical String "
              "for this request should have been\n'",
              shown, "'\n\nThe String-to-Sign should have been\n'", to_sign, "'\n"),
          "SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check "
          "your key and signing method.",
          403,
          {{"AWSAccessKeyId", info.access_key_id},
           {"StringToSign", to_sign},
           {"SignatureProvided", info.signature},
           {"StringToSignBytes", hex_with_spaces(to_sign)},
           {"CanonicalRequest", shown},
           {"CanonicalRequestBytes", hex_with_spaces(shown)}}};
}

}  // namespace

std::string canonical_request(const SignatureInfo& info, const RequestParts& request,
                              std::string_view payload_hash) {
  std::string out;
  out.reserve(512 + request.path.size() * 3 + request.query.size() * 2);
  out += request.method;
  out += '\n';
  append_canonical_path(out, request.path, info.is_s3());
  out += '\n';
  append_canonical_query(out, request.query);
  out += '\n';
  append_canonical_headers(out, request.headers, info.signed_headers);
  out += '\n';
  out += info.signed_headers;
  out += '\n';
  out += payload_hash;
  return out;
}

std::string string_to_sign(const SignatureInfo& info, std::string_view canonical) {
  return str(
      info.algorithm == Algorithm::kEcdsa ? "AWS4-ECDSA-P256-SHA256\n" : "AWS4-HMAC-SHA256\n",
      info.timestamp, '\n', info.scope(), '\n', sha256_hex(canonical));
}

SigningKey derive_signing_key(std::string_view secret, std::string_view date,
                              std::string_view region, std::string_view service) {
  const Digest day = hmac_sha256(str("AWS4", secret), date);
  const Digest in_region = hmac_sha256(bytes_of(day), region);
  return hmac_sha256(bytes_of(hmac_sha256(bytes_of(in_region), service)), "aws4_request");
}

SigningKey SigningKeyCache::get(const SignatureInfo& info, std::string_view secret) {
  std::string id = str(info.access_key_id, '/', info.scope());
  const Digest secret_hash = sha256(secret);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = young_.find(id);
        found != young_.end() && found->second.secret_hash == secret_hash)
      return found->second.key;
    if (const auto found = old_.find(id);
        found != old_.end() && found->second.secret_hash == secret_hash) {
      young_[std::move(id)] = found->second;
      return found->second.key;
    }
  }
  const Entry entry{secret_hash, derive_signing_key(secret, info.date, info.region, info.service)};
  const std::lock_guard lock(mutex_);
  if (young_.size() >= std::max<std::size_t>(limit_ / 2, 1)) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_[std::move(id)] = entry;
  return entry.key;
}

void SigningKeyCache::forget(std::string_view access_key_id) {
  const std::lock_guard lock(mutex_);
  const std::string prefix = str(access_key_id, '/');
  for (Generation* generation : {&young_, &old_})
    std::erase_if(*generation, [&](const auto& entry) { return entry.first.starts_with(prefix); });
}

std::size_t SigningKeyCache::size() const {
  const std::lock_guard lock(mutex_);
  return young_.size() + old_.size();
}

std::expected<Verified, SignatureFault> verify(const SignatureInfo& info,
                                               const RequestParts& request, std::string_view secret,
                                               Time now, const VerifyOptions& options) {
  if (info.kind == SignatureInfo::Kind::kAnonymous) return std::unexpected(missing_token());
  if (auto fault = check_signed_headers(info, request)) return std::unexpected(*std::move(fault));
  if (auto fault = check_time(info, now)) return std::unexpected(*std::move(fault));
  TRY_ASSIGN(Verified verified, resolve_payload(info, request, options));

  const bool by_hash = verified.payload == Verified::Payload::kChecked ||
                       verified.payload == Verified::Payload::kExpected;
  const std::string canonical = canonical_request(
      info, request, by_hash ? verified.expected_sha256 : verified.content_sha256);
  const std::string to_sign = string_to_sign(info, canonical);
  if (info.algorithm == Algorithm::kEcdsa) {
    const auto der = from_hex(info.signature);
    if (!der || !verify_ecdsa(info.access_key_id, secret, to_sign, *der))
      return std::unexpected(mismatch(info, canonical, to_sign));
    return verified;
  }
  verified.key = options.cache ? options.cache->get(info, secret)
                               : derive_signing_key(secret, info.date, info.region, info.service);
  if (!same_bytes(to_hex(bytes_of(hmac_sha256(bytes_of(verified.key), to_sign))), info.signature))
    return std::unexpected(mismatch(info, canonical, to_sign));
  return verified;
}

std::optional<SignatureFault> check_payload(const Verified& verified,
                                            std::string_view actual_sha256_hex) {
  if (verified.payload != Verified::Payload::kExpected ||
      verified.expected_sha256 == actual_sha256_hex)
    return std::nullopt;
  return payload_mismatch(verified.expected_sha256, actual_sha256_hex);
}

}  // namespace pileus::aws
