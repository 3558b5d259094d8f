#include "aws/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace pileus::aws {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using Kind = SignatureFault::Kind;

constexpr std::string_view kVectors =
#include "aws/testdata/sigv4_vectors.inc"
    ;
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

Time at(std::string_view text) { return *parse_basic_iso8601(text); }
const Time kNow = at("20150830T123600Z");

// A vector of make_sigv4_vectors.py.
struct Vector {
  explicit Vector(const Json& json)
      : kind(find_string(json, "kind")),
        method(find_string(json, "method")),
        path(find_string(json, "path")),
        query(find_string(json, "query")),
        base_query(find_string(json, "base_query")),
        service(find_string(json, "service")),
        region(find_string(json, "region")),
        token(find_string(json, "token")),
        body(*from_hex(find_string(json, "body"))),
        expires(find_int(json, "expires")),
        given(static_cast<std::size_t>(find_int(json, "given"))) {
    for (const auto& field : find(json, "headers")->get_array())
      headers.emplace_back(std::string(field.at(0).get_string()),
                           std::string(field.at(1).get_string()));
  }
  RequestParts parts() const { return {method, path, query, headers, std::string_view(body)}; }

  std::string kind, method, path, query, base_query, service, region, token, body;
  std::int64_t expires;
  std::size_t given;
  std::vector<HeaderField> headers;
};
std::vector<Vector> vectors() {
  std::vector<Vector> out;
  const auto json = parse_json(kVectors);
  for (const auto& item : json.value().get_array()) out.emplace_back(item);
  return out;
}

std::string header(const std::vector<HeaderField>& headers, std::string_view name) {
  for (const auto& [field, value] : headers)
    if (iequals(field, name)) return value;
  return "";
}

TEST(SigV4Test, What_botocore_signs_verifies) {
  const auto all = vectors();
  ASSERT_GT(all.size(), 100u);
  for (const auto& v : all) {
    const auto info = parse_signature(v.parts());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->access_key_id, "AKIDEXAMPLE");
    EXPECT_EQ(info->service, v.service);
    EXPECT_EQ(info->region, v.region);
    EXPECT_EQ(info->session_token, v.token);
    const auto verified = verify(*info, v.parts(), kSecret, kNow + 30s);
    EXPECT_TRUE(verified) << v.path << "?" << v.query << "\n" << verified.error().message;
  }
}

TEST(SigV4Test, Our_signatures_are_botocores) {
  for (const auto& v : vectors()) {
    const std::vector<HeaderField> given(v.headers.begin(),
                                         v.headers.begin() + static_cast<std::ptrdiff_t>(v.given));
    RequestParts parts = v.parts();
    parts.headers = given;
    parts.query = v.base_query;
    const SigningCredentials credentials{"AKIDEXAMPLE", std::string(kSecret), v.token};
    SigningScope scope{v.region, v.service, kNow};
    if (v.kind == "header") {
      scope.content_sha256 = header(v.headers, "x-amz-content-sha256");
      EXPECT_EQ(header(sign(parts, credentials, scope), "authorization"),
                header(v.headers, "authorization"))
          << v.path << "?" << v.query;
    } else {
      const std::string query = presign(parts, credentials, scope, std::chrono::seconds(v.expires));
      const std::string signature = query.substr(query.find("X-Amz-Signature="));
      EXPECT_THAT(v.query, HasSubstr(signature)) << v.path << "?" << v.query;
    }
  }
}

TEST(SigV4Test, Any_change_breaks_the_signature) {
  for (const auto& v : vectors()) {
    const auto info = parse_signature(v.parts());
    ASSERT_TRUE(info);
    const auto broken = [&](const RequestParts& parts, std::string_view secret = kSecret) {
      const auto result = verify(*info, parts, secret, kNow);
      return !result && (result.error().kind == Kind::kMismatch ||
                         result.error().kind == Kind::kPayloadMismatch);
    };
    RequestParts changed = v.parts();
    changed.method = "PATCH";
    EXPECT_TRUE(broken(changed));
    changed = v.parts();
    const std::string path = v.path + "x";
    changed.path = path;
    EXPECT_TRUE(broken(changed)) << v.path;
    changed = v.parts();
    const std::string query = v.query + "&z=1";
    changed.query = query;
    EXPECT_TRUE(broken(changed)) << v.query;
    auto headers = v.headers;
    headers[0].second += "x";
    changed = v.parts();
    changed.headers = headers;
    EXPECT_TRUE(broken(changed));
    EXPECT_TRUE(broken(v.parts(), "another"));
    const std::string declared = header(v.headers, "x-amz-content-sha256");
    const bool unsigned_payload =
        declared == "UNSIGNED-PAYLOAD" || (v.kind == "query" && v.service == "s3");
    if (unsigned_payload) continue;
    const std::string body = v.body + "x";
    changed = v.parts();
    changed.body = body;
    EXPECT_TRUE(broken(changed));
  }
}

// The published example: IAM User Guide, "Create a signed AWS API request" and the test suite's
// get-vanilla.
struct Signed {
  std::vector<HeaderField> headers{{"Host", "example.amazonaws.com"}};
  std::string query;
  RequestParts parts(std::string_view body = "") const {
    return {"GET", "/", query, headers, body};
  }
};
Signed signed_request(std::string service = "service", std::string token = "",
                      std::vector<HeaderField> extra = {}) {
  Signed out;
  out.headers.insert(out.headers.end(), extra.begin(), extra.end());
  for (auto& field : sign(out.parts(), {"AKIDEXAMPLE", std::string(kSecret), token},
                          {"us-east-1", service, kNow}))
    out.headers.push_back(field);
  return out;
}

TEST(SigV4Test, Clock_skew_is_five_minutes_and_fifteen_for_S3) {
  const auto request = signed_request();
  const auto info = parse_signature(request.parts());
  EXPECT_TRUE(verify(*info, request.parts(), kSecret, kNow + 5min));
  EXPECT_TRUE(verify(*info, request.parts(), kSecret, kNow - 5min));
  const auto late = verify(*info, request.parts(), kSecret, kNow + 5min + 1s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, Kind::kExpired);
  EXPECT_EQ(late.error().message,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
            "(20150830T124101Z - 5 min.)");
  const auto early = verify(*info, request.parts(), kSecret, kNow - 6min);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().message,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z "
            "(20150830T123000Z + 5 min.)");
  EXPECT_EQ(to_error(early.error(), Dialect::kJson).code(), "InvalidSignatureException");
  EXPECT_EQ(to_error(early.error(), Dialect::kQuery).code(), "SignatureDoesNotMatch");

  const auto s3 = signed_request("s3");
  const auto s3_info = parse_signature(s3.parts());
  EXPECT_TRUE(verify(*s3_info, s3.parts(), kSecret, kNow + 15min));
  const auto s3_late = verify(*s3_info, s3.parts(), kSecret, kNow + 16min);
  ASSERT_FALSE(s3_late);
  const Error error = to_error(s3_late.error(), Dialect::kS3);
  EXPECT_EQ(error.code(), "RequestTimeTooSkewed");
  EXPECT_EQ(error.status(), 403);
  EXPECT_EQ(error.message(),
            "The difference between the request time and the current time is too large.");
}

TEST(SigV4Test, A_mismatch_shows_what_was_calculated_but_no_secret) {
  auto request = signed_request("iam", "SESSION/TOKEN==");
  const auto info = parse_signature(request.parts());
  const auto result = verify(*info, request.parts(), "another secret", kNow);
  ASSERT_FALSE(result);
  const Error error = to_error(result.error(), Dialect::kQuery);
  EXPECT_EQ(error.code(), "SignatureDoesNotMatch");
  EXPECT_EQ(error.status(), 403);
  EXPECT_THAT(error.message(), HasSubstr("The Canonical String for this request should have "
                                         "been\n'GET\n/\n\nhost:example.amazonaws.com\n"));
  EXPECT_THAT(
      error.message(),
      HasSubstr(
          "The String-to-Sign should have "
          "been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"));
  EXPECT_THAT(error.message(), testing::Not(HasSubstr("SESSION")));
  EXPECT_THAT(error.message(), testing::Not(HasSubstr("another")));
  EXPECT_EQ(to_error(result.error(), Dialect::kJson).code(), "InvalidSignatureException");
  EXPECT_EQ(to_error(result.error(), Dialect::kEc2).code(), "AuthFailure");
  EXPECT_EQ(to_error(result.error(), Dialect::kS3).code(), "SignatureDoesNotMatch");
}

TEST(SigV4Test, Headers_that_must_be_signed_are) {
  auto request = signed_request("dynamodb");
  request.headers.emplace_back("X-Amz-Target", "DynamoDB_20120810.DeleteTable");
  const auto info = parse_signature(request.parts());
  const auto result = verify(*info, request.parts(), kSecret, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kHeadersNotSigned);
  const Error s3 = to_error(result.error(), Dialect::kS3);
  EXPECT_EQ(s3.code(), "AccessDenied");
  EXPECT_EQ(s3.message(), "There were headers present in the request which were not signed");
  ASSERT_EQ(s3.members().size(), 1u);
  EXPECT_EQ(s3.members()[0].second, "x-amz-target");

  Signed no_host;
  no_host.headers.clear();
  for (auto& field : sign({"GET", "/", "", no_host.headers, ""},
                          {"AKIDEXAMPLE", std::string(kSecret), ""}, {"us-east-1", "iam", kNow}))
    no_host.headers.push_back(field);
  const auto without = verify(*parse_signature(no_host.parts()), no_host.parts(), kSecret, kNow);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().message,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

struct Malformed {
  const char* authorization;
  const char* date;
  Kind kind;
  const char* message;
  const char* s3_code;
};
TEST(SigV4Test, Malformed_headers_are_told_in_the_words_of_AWS) {
  const std::string good =
      "Credential=AK/20150830/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=ab";
  for (const auto& c : std::initializer_list<Malformed>{
           {"Basic abc", nullptr, Kind::kIncomplete,
            "Authorization header requires 'Credential' parameter. Authorization header requires "
            "'Signature' parameter. "
            "Authorization header requires 'SignedHeaders' parameter. Authorization header "
            "requires existence of either "
            "a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) "
            "Authorization=",
            "InvalidArgument"},
           {"AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/iam/aws4_request, Signature=ab",
            "20150830T123600Z", Kind::kIncomplete,
            "Authorization header requires 'SignedHeaders' parameter. (Hashed",
            "AuthorizationHeaderMalformed"},
           {"AWS4-HMAC-SHA256 "
            "Credential=AK/20150830/us-east-1/iam/aws4_request,SignedHeaders=host,Signature=ab",
            nullptr, Kind::kIncomplete,
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            "AccessDenied"},
           {"AWS4-HMAC-SHA256 Credential", "20150830T123600Z", Kind::kIncomplete,
            "Invalid key=value pair (missing equal-sign)", "AuthorizationHeaderMalformed"},
           {"AWS4-HMAC-SHA1 Credential=a", "20150830T123600Z", Kind::kIncomplete,
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.", "InvalidArgument"},
           {"AWS4-HMAC-SHA256 Credential=AK/x/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=host, Signature=ab",
            "20150830T123600Z", Kind::kIncomplete,
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got "
            "'AK/x/20150830/us-east-1/iam/aws4_request'",
            "AuthorizationHeaderMalformed"},
           {"AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/iam/aws3, SignedHeaders=host, "
            "Signature=ab",
            "20150830T123600Z", Kind::kMismatch,
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3'.",
            "AuthorizationHeaderMalformed"},
           {"AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=host, Signature=ab",
            "20150831T000000Z", Kind::kMismatch,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '20150830' != "
            "'20150831', from '20150831T000000Z'.",
            "AuthorizationHeaderMalformed"},
           {"AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=host, Signature=ab",
            "yesterday", Kind::kIncomplete,
            "Date must be in ISO-8601 'basic format'. Got 'yesterday'.", "AccessDenied"},
           {"AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=Host;;, Signature=ab",
            "20150830T123600Z", Kind::kIncomplete, "'SignedHeaders' must be",
            "AuthorizationHeaderMalformed"},
       }) {
    std::vector<HeaderField> headers{{"Host", "h"}, {"Authorization", c.authorization}};
    if (c.date) headers.emplace_back("X-Amz-Date", c.date);
    const auto info = parse_signature({"GET", "/", "", headers, ""});
    ASSERT_FALSE(info) << c.authorization;
    EXPECT_EQ(info.error().kind, c.kind) << c.authorization;
    EXPECT_THAT(info.error().message, HasSubstr(c.message));
    EXPECT_EQ(to_error(info.error(), Dialect::kS3).code(), c.s3_code) << c.authorization;
    if (c.kind == Kind::kIncomplete) {
      EXPECT_EQ(to_error(info.error(), Dialect::kQuery).code(), "IncompleteSignature");
      EXPECT_EQ(to_error(info.error(), Dialect::kQuery).status(), 400);
      EXPECT_EQ(to_error(info.error(), Dialect::kRestJson).code(), "IncompleteSignatureException");
    }
  }
}

TEST(SigV4Test, Unsigned_requests_are_anonymous) {
  std::vector<HeaderField> headers{{"Host", "h"}};
  const RequestParts parts{"GET", "/", "a=b", headers, ""};
  const auto info = parse_signature(parts);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, SignatureInfo::Kind::kAnonymous);
  const auto result = verify(*info, parts, kSecret, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(to_error(result.error(), Dialect::kJson).code(), "MissingAuthenticationTokenException");
  EXPECT_EQ(to_error(result.error(), Dialect::kQuery).message(),
            "Request is missing Authentication Token");
}

TEST(SigV4Test, Presigned_requests_expire) {
  Signed request;
  request.query = presign(request.parts(), {"AKIDEXAMPLE", std::string(kSecret), "T/K"},
                          {"us-east-1", "s3", kNow}, 3600s);
  const auto info = parse_signature(request.parts());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->kind, SignatureInfo::Kind::kQuery);
  EXPECT_EQ(info->session_token, "T/K");
  EXPECT_TRUE(verify(*info, request.parts("any body"), kSecret, kNow + 3600s));
  EXPECT_EQ(verify(*info, request.parts(), kSecret, kNow)->payload, Verified::Payload::kUnsigned);
  const auto late = verify(*info, request.parts(), kSecret, kNow + 3601s);
  ASSERT_FALSE(late);
  const Error error = to_error(late.error(), Dialect::kS3);
  EXPECT_EQ(error.code(), "AccessDenied");
  EXPECT_EQ(error.message(), "Request has expired");
  EXPECT_EQ(error.members()[1],
            (std::pair<std::string, std::string>("Expires", "2015-08-30T13:36:00Z")));
  const auto early = verify(*info, request.parts(), kSecret, kNow - 1h);
  ASSERT_FALSE(early);
  EXPECT_EQ(to_error(early.error(), Dialect::kS3).message(), "Request is not yet valid");
}

TEST(SigV4Test, Presigned_parameters_are_checked) {
  struct Case {
    std::string from, to;
    const char* message;
  };
  Signed request;
  request.query = presign(request.parts(), {"AKIDEXAMPLE", std::string(kSecret), ""},
                          {"us-east-1", "s3", kNow}, 3600s);
  for (const auto& c : std::initializer_list<Case>{
           {"X-Amz-Expires=3600", "X-Amz-Expires=604801", "X-Amz-Expires must be less than a week"},
           {"X-Amz-Expires=3600", "X-Amz-Expires=-1", "X-Amz-Expires must be non-negative"},
           {"X-Amz-Expires=3600", "X-Amz-Expires=0", "X-Amz-Expires must be greater than zero"},
           {"X-Amz-Expires=3600", "X-Amz-Expires=1h", "X-Amz-Expires should be a number"},
           {"X-Amz-Expires=3600", "Y=1", "must include 'X-Amz-Expires'"},
           {"X-Amz-Date=20150830", "X-Amz-Date=2015-08-30", "Date must be in ISO-8601"},
           {"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4-X",
            "Unsupported AWS 'algorithm'"},
           {"X-Amz-SignedHeaders=host", "Y=1",
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine"},
       }) {
    Signed changed;
    changed.query = replace_all(request.query, c.from, c.to);
    const auto info = parse_signature(changed.parts());
    ASSERT_FALSE(info) << c.to;
    EXPECT_THAT(info.error().message, HasSubstr(c.message));
    EXPECT_EQ(info.error().s3_code, "AuthorizationQueryParametersError");
  }
  Signed both;
  both.query = request.query;
  both.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 x=y");
  EXPECT_THAT(parse_signature(both.parts()).error().message,
              HasSubstr("Only one auth mechanism allowed"));
}

TEST(SigV4Test, An_unsigned_payload_is_for_S3_or_where_it_is_allowed) {
  Signed request;
  for (auto& field : sign(request.parts(), {"AKIDEXAMPLE", std::string(kSecret), ""},
                          {"us-east-1", "lambda", kNow, "UNSIGNED-PAYLOAD"}))
    request.headers.push_back(field);
  const auto info = parse_signature(request.parts());
  EXPECT_FALSE(verify(*info, request.parts("{}"), kSecret, kNow));
  EXPECT_TRUE(verify(*info, request.parts("{}"), kSecret, kNow, {.allow_unsigned_payload = true}));
}

TEST(SigV4Test, A_body_that_is_still_coming_is_checked_by_its_declared_hash) {
  Signed request;
  const std::string hash = sha256_hex("the body");
  for (auto& field : sign(request.parts("the body"), {"AKIDEXAMPLE", std::string(kSecret), ""},
                          {"us-east-1", "s3", kNow}))
    request.headers.push_back(field);
  RequestParts parts = request.parts();
  parts.body.reset();
  const auto verified = verify(*parse_signature(parts), parts, kSecret, kNow);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->payload, Verified::Payload::kExpected);
  EXPECT_FALSE(check_payload(*verified, hash));
  const auto fault = check_payload(*verified, sha256_hex("another"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(to_error(*fault, Dialect::kS3).code(), "XAmzContentSHA256Mismatch");
}

TEST(SigV4Test, A_date_header_serves_where_there_is_no_amz_date) {
  std::vector<HeaderField> headers{{"Host", "h"}, {"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}};
  SignatureInfo info;
  info.kind = SignatureInfo::Kind::kHeader;
  info.timestamp = "20150830T123600Z";
  info.date = "20150830", info.region = "us-east-1", info.service = "iam",
  info.signed_headers = "date;host";
  RequestParts parts{"GET", "/", "", headers, ""};
  const auto key = derive_signing_key(kSecret, info.date, info.region, info.service);
  const auto signature = to_hex(bytes_of(hmac_sha256(
      bytes_of(key), string_to_sign(info, canonical_request(info, parts, kEmptySha256)))));
  headers.emplace_back("Authorization",
                       str("AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/iam/aws4_request, "
                           "SignedHeaders=date;host, Signature=",
                           signature));
  parts.headers = headers;
  const auto parsed = parse_signature(parts);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_TRUE(verify(*parsed, parts, kSecret, kNow));
}

TEST(SigV4Test, The_key_cache_is_bounded_and_follows_the_secret) {
  SigningKeyCache cache(8);
  SignatureInfo info;
  info.access_key_id = "AK", info.date = "20150830", info.region = "us-east-1",
  info.service = "iam";
  const auto key = cache.get(info, "one");
  EXPECT_EQ(key, derive_signing_key("one", "20150830", "us-east-1", "iam"));
  EXPECT_EQ(cache.get(info, "one"), key);
  EXPECT_EQ(cache.get(info, "two"), derive_signing_key("two", "20150830", "us-east-1", "iam"));
  for (int i = 0; i < 100; ++i) {
    info.region = str("r", i);
    cache.get(info, "one");
    EXPECT_LE(cache.size(), 8u);
  }
  cache.forget("AK");
  EXPECT_EQ(cache.size(), 0u);
}

TEST(SigV4ATest, Keys_are_derived_as_the_SDKs_do) {
  EXPECT_EQ(
      to_hex(ecdsa_public_key("AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom")),
      "15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb"
      "0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0");
}

TEST(SigV4ATest, Signatures_for_a_region_set_verify) {
  Signed request;
  for (auto& field : sign(request.parts("x"), {"AKIDEXAMPLE", std::string(kSecret), ""},
                          {"*", "s3", kNow, {}, SignatureInfo::Algorithm::kEcdsa}))
    request.headers.push_back(field);
  const auto info = parse_signature(request.parts("x"));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->region, "*");
  EXPECT_TRUE(verify(*info, request.parts("x"), kSecret, kNow));
  EXPECT_FALSE(verify(*info, request.parts("x"), "another", kNow));
  auto other = request;
  other.headers[0].second = "elsewhere";
  EXPECT_FALSE(verify(*info, other.parts("x"), kSecret, kNow));
}

}  // namespace
}  // namespace pileus::aws
