// Any bytes as the signature of a request and as a chunked body. Input: method, path, query, then
// header lines, each ended by '\n'; an empty line; the body. What parses must not verify against a
// secret that nobody used, what we sign must, and chunks decode alike in pieces of any size.
#include <cstdlib>

#include "aws/sigv4_chunks.h"

using namespace pileus;
using namespace pileus::aws;

namespace {

void check(bool condition) {
  if (!condition) std::abort();
}

std::string_view line(std::string_view& input) {
  const auto end = input.find('\n');
  const auto out = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return out;
}

void chunks(std::string_view body, const char* content_sha256, std::size_t step) {
  SignatureInfo info;
  info.timestamp = "20130524T000000Z", info.date = "20130524", info.region = "us-east-1",
  info.service = "s3";
  Verified verified;
  verified.content_sha256 = content_sha256;
  ChunkDecoder whole(info, verified), pieces(info, verified);
  std::string one, other;
  const bool fine = whole.feed(body, one).has_value();
  bool pieces_fine = true;
  for (std::size_t i = 0; i < body.size() && pieces_fine; i += step)
    pieces_fine = pieces.feed(body.substr(i, step), other).has_value();
  check(fine == pieces_fine);
  check(one.size() <= body.size());
  if (fine)
    check(one == other && whole.done() == pieces.done() && whole.trailers() == pieces.trailers());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const Time now = *parse_basic_iso8601("20150830T123600Z");
  RequestParts parts;
  parts.method = line(input);
  parts.path = line(input);
  parts.query = line(input);
  std::vector<HeaderField> headers;
  for (auto text = line(input); !text.empty(); text = line(input)) {
    const auto colon = text.find(':');
    headers.emplace_back(text.substr(0, colon),
                         colon == std::string_view::npos ? "" : text.substr(colon + 1));
  }
  parts.headers = headers;
  parts.body = input;

  const auto info = parse_signature(parts);
  if (!info) {
    for (const auto dialect :
         {Dialect::kJson, Dialect::kRestJson, Dialect::kQuery, Dialect::kEc2, Dialect::kS3})
      check(!to_error(info.error(), dialect).code().empty());
  } else if (info->kind != SignatureInfo::Kind::kAnonymous &&
             info->algorithm == SignatureInfo::Algorithm::kHmac) {
    check(!verify(*info, parts, "a secret that signed nothing", now));
  }

  // Whatever the request is, our own signature of it is right.
  std::erase_if(headers, [](const HeaderField& field) {
    const std::string name = to_lower(field.first);
    return name.empty() || name == "authorization" || name == "host" ||
           name.starts_with("x-amz-") ||
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") != name.npos;
  });
  headers.emplace_back("Host", "h");
  parts.headers = headers;
  if (parse_signature(parts) && parse_signature(parts)->kind == SignatureInfo::Kind::kAnonymous) {
    auto signed_headers = headers;
    for (auto& field :
         sign(parts, {"AK", "secret", ""}, {"us-east-1", size % 2 ? "s3" : "iam", now}))
      signed_headers.push_back(field);
    parts.headers = signed_headers;
    const auto own = parse_signature(parts);
    check(own && verify(*own, parts, "secret", now));
  }

  chunks(input, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 1);
  chunks(input, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", 7);
  return 0;
}
