// aws-chunked bodies (x-amz-content-sha256: STREAMING-…), fed as they come from the socket: the
// frames are taken off, each chunk's signature and the trailer's are checked. One connection's
// loop. Bytes handed out are provisional until done(): a chunk's signature is known only at its
// end. Source: S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
// Payload in Multiple Chunks" and "… Including Trailing Headers".
#pragma once

#include "aws/sigv4.h"
#include "base/completion.h"

namespace pileus::aws {

class ChunkDecoder {
 public:
  static constexpr std::size_t kMinChunkBytes = 8192;  // of every chunk but the last
  static constexpr std::uint64_t kMaxChunkBytes = 1ull << 40;
  static constexpr std::size_t kMaxLineBytes = 1024;  // a chunk's head or a trailing field
  static constexpr std::size_t kMaxTrailers = 16;

  // `decoded_length`: x-amz-decoded-content-length, where the request has it.
  ChunkDecoder(const SignatureInfo& info, const Verified& verified,
               std::optional<std::uint64_t> decoded_length = std::nullopt);

  // Appends the payload in `bytes` to `out`. After an error the body is lost; codes as S3's:
  // SignatureDoesNotMatch, InvalidChunkSizeError, IncompleteBody, InvalidRequest,
  // MalformedTrailerError.
  Result<Unit> feed(std::string_view bytes, std::string& out);
  // The body ended: IncompleteBody unless everything came.
  Result<Unit> finish() const;
  bool done() const { return state_ == State::kDone; }
  // Trailing fields (names in lower case), verified where they are signed; complete once done().
  const std::vector<HeaderField>& trailers() const { return trailers_; }
  std::uint64_t decoded_bytes() const { return decoded_; }

 private:
  enum class State : std::uint8_t { kHead, kData, kDataEnd, kTrailer, kDone };
  Result<Unit> line(std::string_view text);
  Result<Unit> head(std::string_view text);
  Result<Unit> data_end();
  Result<Unit> trailer(std::string_view text);
  Result<Unit> end_trailers();
  Result<Unit> check(std::string_view expected, std::string to_sign);

  const bool signed_, with_trailer_;
  const std::string prefix_;  // timestamp and scope, each with its newline
  const SigningKey key_;
  const std::optional<std::uint64_t> expected_length_;

  State state_ = State::kHead;
  std::string line_;       // the unfinished one
  std::string signature_;  // of the chunk, the trailer or the request before
  std::string chunk_signature_;
  std::uint64_t left_ = 0;    // of the chunk's data
  std::uint64_t size_ = 0;    // of the chunk
  bool short_chunk_ = false;  // a chunk under kMinChunkBytes came: only the last may be one
  std::uint64_t decoded_ = 0;
  Sha256 hash_;
  std::vector<HeaderField> trailers_;
};

// The client's side, for tests and service-to-service calls: one framed chunk; "" data is the last.
class ChunkEncoder {
 public:
  ChunkEncoder(const SignatureInfo& info, const SigningKey& key, bool sign);
  std::string chunk(std::string_view data);
  // After the empty chunk: trailing fields with their signature, and the end.
  std::string end(const std::vector<HeaderField>& trailers, bool with_trailer);

 private:
  std::string next(std::string_view to_sign);
  const bool signed_;
  const std::string prefix_;
  const SigningKey key_;
  std::string signature_;
};

}  // namespace pileus::aws
