// The client's side: signing requests of one service to another, and of tests.
#include <algorithm>

#include "aws/sigv4.h"
#include "aws/sigv4_canonical.h"

namespace pileus::aws {
namespace {

using Algorithm = SignatureInfo::Algorithm;

std::string_view algorithm_name(Algorithm algorithm) {
  return algorithm == Algorithm::kEcdsa ? "AWS4-ECDSA-P256-SHA256" : "AWS4-HMAC-SHA256";
}

// What proxies and HTTP libraries change on the way.
bool is_signable(std::string_view lower_name) {
  constexpr std::string_view kNever[] = {"authorization",     "connection", "expect",
                                         "transfer-encoding", "user-agent", "x-amzn-trace-id"};
  return std::find(std::begin(kNever), std::end(kNever), lower_name) == std::end(kNever);
}

std::string signable_names(std::span<const HeaderField> headers) {
  std::vector<std::string> names;
  for (const auto& [name, value] : headers)
    if (std::string lower = to_lower(name); is_signable(lower)) names.push_back(std::move(lower));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string list;
  for (const auto& name : names) list += str(list.empty() ? "" : ";", name);
  return list;
}

SignatureInfo info_of(const SigningCredentials& credentials, const SigningScope& scope) {
  SignatureInfo info;
  info.algorithm = scope.algorithm;
  info.access_key_id = credentials.access_key_id;
  info.session_token = credentials.session_token;
  info.timestamp = basic_iso8601(scope.now);
  info.date = info.timestamp.substr(0, 8);
  info.region = scope.region;
  info.service = scope.service;
  return info;
}

std::string payload_hash(const SignatureInfo& info, const RequestParts& request,
                         const SigningScope& scope, bool query) {
  if (!scope.content_sha256.empty()) return scope.content_sha256;
  if (query && info.is_s3()) return "UNSIGNED-PAYLOAD";
  return sha256_hex(request.body.value_or(std::string_view()));
}

std::string signature_of(const SignatureInfo& info, const RequestParts& request,
                         std::string_view hash, std::string_view secret) {
  const std::string to_sign = string_to_sign(info, canonical_request(info, request, hash));
  if (info.algorithm == Algorithm::kEcdsa)
    return to_hex(sign_ecdsa(info.access_key_id, secret, to_sign));
  const SigningKey key = derive_signing_key(secret, info.date, info.region, info.service);
  return to_hex(bytes_of(hmac_sha256(bytes_of(key), to_sign)));
}

}  // namespace

std::vector<HeaderField> sign(const RequestParts& request, const SigningCredentials& credentials,
                              const SigningScope& scope) {
  SignatureInfo info = info_of(credentials, scope);
  const std::string hash = payload_hash(info, request, scope, false);
  std::vector<HeaderField> added{{"X-Amz-Date", info.timestamp}};
  if (!info.session_token.empty()) added.emplace_back("X-Amz-Security-Token", info.session_token);
  if (info.is_s3() || !scope.content_sha256.empty())
    added.emplace_back("X-Amz-Content-Sha256", hash);
  if (info.algorithm == Algorithm::kEcdsa) added.emplace_back("X-Amz-Region-Set", info.region);

  std::vector<HeaderField> all(request.headers.begin(), request.headers.end());
  all.insert(all.end(), added.begin(), added.end());
  info.signed_headers = signable_names(all);
  RequestParts whole = request;
  whole.headers = all;
  const std::string signature = signature_of(info, whole, hash, credentials.secret);
  added.emplace_back(
      "Authorization",
      str(algorithm_name(info.algorithm), " Credential=", info.access_key_id, '/', info.scope(),
          ", SignedHeaders=", info.signed_headers, ", Signature=", signature));
  return added;
}

std::string presign(const RequestParts& request, const SigningCredentials& credentials,
                    const SigningScope& scope, std::chrono::seconds expires) {
  SignatureInfo info = info_of(credentials, scope);
  info.signed_headers = signable_names(request.headers);
  std::string query(request.query);
  const auto add = [&](std::string_view name, std::string_view value) {
    query += str(query.empty() ? "" : "&", name, '=', percent_encode(value));
  };
  add("X-Amz-Algorithm", algorithm_name(info.algorithm));
  add("X-Amz-Credential", str(info.access_key_id, '/', info.scope()));
  add("X-Amz-Date", info.timestamp);
  add("X-Amz-Expires", std::to_string(expires.count()));
  add("X-Amz-SignedHeaders", info.signed_headers);
  if (info.algorithm == Algorithm::kEcdsa) add("X-Amz-Region-Set", info.region);
  if (!info.session_token.empty()) add("X-Amz-Security-Token", info.session_token);
  if (!scope.content_sha256.empty()) add("X-Amz-Content-Sha256", scope.content_sha256);
  RequestParts whole = request;
  whole.query = query;
  const std::string signature =
      signature_of(info, whole, payload_hash(info, request, scope, true), credentials.secret);
  add("X-Amz-Signature", signature);
  return query;
}

}  // namespace pileus::aws
