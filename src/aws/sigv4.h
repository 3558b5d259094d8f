// AWS Signature Version 4 (and 4A): who signed a request, whether the signature holds, and signing
// as a client. Pure: no sockets, no look-ups. The caller finds the secret of the access key between
// parse_signature and verify. Any thread; views of RequestParts must outlive the calls only.
// Source: IAM User Guide, "AWS Signature Version 4 for API requests"; S3 API Reference,
// "Authenticating Requests".
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include "aws/sigv4_crypto.h"
#include "aws/sigv4_fault.h"
#include "base/text.h"

namespace pileus::aws {

using HeaderField = std::pair<std::string, std::string>;

struct RequestParts {
  std::string_view method;
  std::string_view path;   // as sent, still percent-encoded
  std::string_view query;  // as sent, without the '?'
  std::span<const HeaderField> headers;
  std::optional<std::string_view> body;  // none while it is still coming
};

struct SignatureInfo {
  enum class Kind { kAnonymous, kHeader, kQuery };
  enum class Algorithm { kHmac, kEcdsa };  // SigV4, SigV4A
  Kind kind = Kind::kAnonymous;
  Algorithm algorithm = Algorithm::kHmac;
  std::string access_key_id;
  std::string date;    // of the credential scope: 20150830
  std::string region;  // SigV4A: the region set, "us-east-1,eu-*" or "*"
  std::string service;
  std::string timestamp;  // 20150830T123600Z
  Time signed_at{};
  std::string signed_headers;                   // "host;x-amz-date"
  std::string signature;                        // hex
  std::string session_token;                    // "" for long-term keys
  std::optional<std::chrono::seconds> expires;  // presigned

  std::string scope() const;  // 20150830/us-east-1/iam/aws4_request
  // S3 signs paths as they are and asks for the payload's hash. s3tables and s3vectors do not.
  bool is_s3() const {
    return service == "s3" || service == "s3express" || service == "s3-outposts" ||
           service == "s3-object-lambda";
  }
};

using ParsedSignature = std::expected<SignatureInfo, SignatureFault>;
// Not signed is not a fault: kAnonymous (see missing_token()).
ParsedSignature parse_signature(const RequestParts& request);

// Derived signing keys of the access keys seen last; four HMACs saved a request. Any thread.
class SigningKeyCache {
 public:
  explicit SigningKeyCache(std::size_t limit = 4096) : limit_(limit) {}
  SigningKey get(const SignatureInfo& info, std::string_view secret);
  void forget(std::string_view access_key_id);
  std::size_t size() const;

 private:
  struct Entry {
    Digest secret_hash;  // another secret for the same key id derives anew
    SigningKey key;
  };
  using Generation = std::unordered_map<std::string, Entry>;
  const std::size_t limit_;  // entries kept in all
  mutable std::mutex mutex_;
  Generation young_, old_;  // a full young generation replaces the old one
};
SigningKey derive_signing_key(std::string_view secret, std::string_view date,
                              std::string_view region, std::string_view service);

struct VerifyOptions {
  bool allow_unsigned_payload = false;  // S3 always; others where the model says v4-unsigned-body
  SigningKeyCache* cache = nullptr;
};

struct Verified {
  enum class Payload {
    kChecked,   // the body's hash was part of the signature, and is right
    kExpected,  // the body is still coming: its SHA-256 must be expected_sha256
    kUnsigned,  // UNSIGNED-PAYLOAD
    kChunked,   // STREAMING-…: hand the bytes to a ChunkDecoder (sigv4_chunks.h)
  };
  Payload payload = Payload::kChecked;
  std::string expected_sha256;  // hex
  std::string content_sha256;   // the declared value: a hash, UNSIGNED-PAYLOAD or STREAMING-…
  SigningKey key{};
};
std::expected<Verified, SignatureFault> verify(const SignatureInfo& info,
                                               const RequestParts& request, std::string_view secret,
                                               Time now, const VerifyOptions& options = {});
// For a body that came after verify(): compares with expected_sha256.
std::optional<SignatureFault> check_payload(const Verified& verified,
                                            std::string_view actual_sha256_hex);

struct SigningCredentials {
  std::string access_key_id, secret, session_token;
};
struct SigningScope {
  std::string region, service;
  Time now;
  // Instead of the body's hash: "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" …
  std::string content_sha256 = {};
  SignatureInfo::Algorithm algorithm = SignatureInfo::Algorithm::kHmac;
};
// The headers to add (X-Amz-Date, X-Amz-Security-Token, X-Amz-Content-Sha256, Authorization). The
// request must have its Host header; every header it has is signed but those that proxies change.
std::vector<HeaderField> sign(const RequestParts& request, const SigningCredentials& credentials,
                              const SigningScope& scope);
// The whole query string to send, the request's own parameters among it. Signs the headers given.
std::string presign(const RequestParts& request, const SigningCredentials& credentials,
                    const SigningScope& scope, std::chrono::seconds expires);

// The pieces, for tests and error messages.
std::string canonical_request(const SignatureInfo& info, const RequestParts& request,
                              std::string_view payload_hash);
std::string string_to_sign(const SignatureInfo& info, std::string_view canonical);

}  // namespace pileus::aws
