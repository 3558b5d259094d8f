#include "aws/sigv4_chunks.h"

#include <gtest/gtest.h>

namespace pileus::aws {
namespace {

// The examples of the S3 API Reference: 66,560 times 'a' in chunks of 64 KiB and 1 KiB.
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

SignatureInfo example(std::string seed) {
  SignatureInfo info;
  info.kind = SignatureInfo::Kind::kHeader;
  info.access_key_id = "AKIAIOSFODNN7EXAMPLE";
  info.date = "20130524";
  info.region = "us-east-1";
  info.service = "s3";
  info.timestamp = "20130524T000000Z";
  info.signature = std::move(seed);
  return info;
}
Verified verified_as(std::string content_sha256) {
  Verified verified;
  verified.payload = Verified::Payload::kChunked;
  verified.content_sha256 = std::move(content_sha256);
  verified.key = derive_signing_key(kSecret, "20130524", "us-east-1", "s3");
  return verified;
}

const std::string kPayload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const std::string kPlainSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
std::string plain_body() {
  return str(
      "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n",
      std::string(65536, 'a'),
      "\r\n400;chunk-signature="
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n",
      std::string(1024, 'a'),
      "\r\n0;chunk-signature="
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n");
}
const std::string kTrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
std::string trailer_body() {
  return str(
      "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n",
      std::string(65536, 'a'),
      "\r\n400;chunk-signature="
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n",
      std::string(1024, 'a'),
      "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
      "x-amz-checksum-crc32c:sOO8/Q==\r\n"
      "x-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n");
}

Result<std::string> decode(ChunkDecoder& decoder, std::string_view body, std::size_t step) {
  std::string out;
  for (std::size_t i = 0; i < body.size(); i += step) TRY(decoder.feed(body.substr(i, step), out));
  TRY(decoder.finish());
  return out;
}
std::string code(const Result<std::string>& result) {
  return result ? "fine" : result.error().code();
}

TEST(ChunkDecoderTest, The_documented_examples_verify_in_pieces_of_any_size) {
  for (const std::size_t step : {1u, 7u, 1000u, 65536u, 200000u}) {
    ChunkDecoder plain(example(kPlainSeed), verified_as(kPayload), 66560);
    const auto data = decode(plain, plain_body(), step);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(*data, std::string(66560, 'a'));
    ChunkDecoder trailer(example(kTrailerSeed), verified_as(kPayload + "-TRAILER"));
    const auto with_trailer = decode(trailer, trailer_body(), step);
    ASSERT_TRUE(with_trailer) << with_trailer.error().message();
    EXPECT_EQ(with_trailer->size(), 66560u);
    ASSERT_EQ(trailer.trailers().size(), 1u);
    EXPECT_EQ(trailer.trailers()[0], (HeaderField{"x-amz-checksum-crc32c", "sOO8/Q=="}));
  }
}

TEST(ChunkDecoderTest, A_changed_byte_chunk_order_or_trailer_is_found) {
  std::string changed = plain_body();
  changed[200] = 'b';
  ChunkDecoder one(example(kPlainSeed), verified_as(kPayload));
  EXPECT_EQ(code(decode(one, changed, 4096)), "SignatureDoesNotMatch");
  ChunkDecoder other_seed(example(kTrailerSeed), verified_as(kPayload));
  EXPECT_EQ(code(decode(other_seed, plain_body(), 4096)), "SignatureDoesNotMatch");
  ChunkDecoder trailer(example(kTrailerSeed), verified_as(kPayload + "-TRAILER"));
  EXPECT_EQ(code(decode(trailer, replace_all(trailer_body(), "sOO8", "sOO9"), 4096)),
            "SignatureDoesNotMatch");
  ChunkDecoder unsigned_trailer(example(kTrailerSeed), verified_as(kPayload + "-TRAILER"));
  const auto body = trailer_body();
  EXPECT_EQ(
      code(decode(unsigned_trailer, body.substr(0, body.find("x-amz-trailer")) + "\r\n", 4096)),
      "SignatureDoesNotMatch");
}

TEST(ChunkDecoderTest, A_body_cut_short_or_continued_is_refused) {
  const auto body = plain_body();
  for (const std::size_t size : {0u, 10u, 100u, 65700u}) {
    ChunkDecoder decoder(example(kPlainSeed), verified_as(kPayload));
    EXPECT_EQ(code(decode(decoder, body.substr(0, size), 4096)), "IncompleteBody") << size;
  }
  ChunkDecoder longer(example(kPlainSeed), verified_as(kPayload));
  EXPECT_EQ(code(decode(longer, body + "x", 4096)), "InvalidRequest");
  ChunkDecoder less(example(kPlainSeed), verified_as(kPayload), 66561);
  EXPECT_EQ(code(decode(less, body, 4096)), "IncompleteBody");
  ChunkDecoder more(example(kPlainSeed), verified_as(kPayload), 66559);
  EXPECT_EQ(code(decode(more, body, 4096)), "IncompleteBody");
}

TEST(ChunkDecoderTest, Frames_are_checked) {
  const auto run = [](std::string_view content, std::string body) {
    ChunkDecoder decoder(example(kPlainSeed), verified_as(std::string(content)));
    return code(decode(decoder, body, 4096));
  };
  const std::string_view plain = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  EXPECT_EQ(run(plain, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), "fine");
  EXPECT_EQ(run(plain, "5\r\nhello\r\n0\r\n\r\n"), "fine");
  EXPECT_EQ(run(plain, "5\r\nhello!\r\n0\r\n\r\n"), "InvalidRequest");
  EXPECT_EQ(run(plain, "x\r\nhello\r\n0\r\n\r\n"), "InvalidRequest");
  EXPECT_EQ(run(plain, "-5\r\nhello\r\n0\r\n\r\n"), "InvalidRequest");
  EXPECT_EQ(run(plain, "ffffffffffffffff\r\n"), "InvalidRequest");
  EXPECT_EQ(run(plain, "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"), "InvalidChunkSizeError");
  EXPECT_EQ(run(plain, "0\r\nno colon\r\n\r\n"), "MalformedTrailerError");
  EXPECT_EQ(run(plain, std::string(5000, '0')), "InvalidRequest");
  EXPECT_EQ(run("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "5\r\nhello\r\n0\r\n\r\n"), "InvalidRequest");
}

TEST(ChunkEncoderTest, Writes_what_the_decoder_reads) {
  const auto info = example(kTrailerSeed);
  const auto verified = verified_as(kPayload + "-TRAILER");
  ChunkEncoder encoder(info, verified.key, true);
  const std::string body = encoder.chunk(std::string(65536, 'a')) +
                           encoder.chunk(std::string(1024, 'a')) + encoder.chunk("") +
                           encoder.end({{"x-amz-checksum-crc32c", "sOO8/Q=="}}, true);
  EXPECT_EQ(body, trailer_body());
}

}  // namespace
}  // namespace pileus::aws
