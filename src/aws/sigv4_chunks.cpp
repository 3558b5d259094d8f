#include "aws/sigv4_chunks.h"

#include <algorithm>
#include <charconv>

namespace pileus::aws {
namespace {

std::string prefix_of(const SignatureInfo& info) {
  return str(info.timestamp, '\n', info.scope(), '\n');
}

std::string data_to_sign(std::string_view prefix, std::string_view previous,
                         std::string_view data_hash) {
  return str("AWS4-HMAC-SHA256-PAYLOAD\n", prefix, previous, '\n', kEmptySha256, '\n', data_hash);
}

// "name:value\n" for each, by name.
std::string trailer_to_sign(std::string_view prefix, std::string_view previous,
                            std::vector<HeaderField> fields) {
  std::sort(fields.begin(), fields.end());
  std::string canonical;
  for (const auto& [name, value] : fields) canonical += str(name, ':', value, '\n');
  return str("AWS4-HMAC-SHA256-TRAILER\n", prefix, previous, '\n', sha256_hex(canonical));
}

std::string signature_of(const SigningKey& key, std::string_view to_sign) {
  return to_hex(bytes_of(hmac_sha256(bytes_of(key), to_sign)));
}

std::unexpected<Error> malformed(std::string what) {
  return fail("InvalidRequest", str("The aws-chunked body is malformed: ", what));
}
std::unexpected<Error> incomplete(std::string what) {
  return fail("IncompleteBody", std::move(what));
}

}  // namespace

ChunkDecoder::ChunkDecoder(const SignatureInfo& info, const Verified& verified,
                           std::optional<std::uint64_t> decoded_length)
    : signed_(verified.content_sha256.starts_with("STREAMING-AWS4-")),
      with_trailer_(verified.content_sha256.ends_with("-TRAILER")),
      prefix_(prefix_of(info)),
      key_(verified.key),
      expected_length_(decoded_length),
      signature_(info.signature) {}

Result<Unit> ChunkDecoder::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (state_ == State::kDone) return malformed("there is something after its end");
    if (state_ == State::kData) {
      const auto take =
          bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
      if (signed_) hash_.update(take);
      out += take;
      decoded_ += take.size();
      left_ -= take.size();
      bytes.remove_prefix(take.size());
      if (left_ == 0) state_ = State::kDataEnd;
      continue;
    }
    const auto newline = bytes.find('\n');
    line_ += bytes.substr(0, newline);
    if (line_.size() > kMaxLineBytes)
      return malformed(str("a line of more than ", kMaxLineBytes, " bytes"));
    if (newline == std::string_view::npos) return Unit{};
    bytes.remove_prefix(newline + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string whole = std::exchange(line_, {});
    TRY(line(whole));
  }
  return Unit{};
}

Result<Unit> ChunkDecoder::finish() const {
  if (state_ == State::kDone) return Unit{};
  return incomplete("The request body terminated unexpectedly");
}

Result<Unit> ChunkDecoder::line(std::string_view text) {
  switch (state_) {
    case State::kHead:
      return head(text);
    case State::kDataEnd:
      if (!text.empty()) return malformed("a chunk is longer than its size says");
      return data_end();
    case State::kTrailer:
      return text.empty() ? end_trailers() : trailer(text);
    default:
      return malformed("unexpected line");
  }
}

// "10000;chunk-signature=…", or the size alone where chunks are not signed.
Result<Unit> ChunkDecoder::head(std::string_view text) {
  const auto semicolon = text.find(';');
  const auto digits = text.substr(0, semicolon);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), size_, 16);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      size_ > kMaxChunkBytes)
    return malformed("a chunk's size is not a hexadecimal number");
  if (signed_) {
    constexpr std::string_view kName = ";chunk-signature=";
    const auto extension =
        semicolon == std::string_view::npos ? std::string_view() : text.substr(semicolon);
    if (!extension.starts_with(kName)) return malformed("a chunk has no chunk-signature");
    chunk_signature_ = trim(extension.substr(kName.size()));
  }
  if (size_ > 0 && std::exchange(short_chunk_, size_ < kMinChunkBytes))
    return fail("InvalidChunkSizeError",
                "Only the last chunk is allowed to have a size less than 8192 bytes", 403);
  if (expected_length_ && size_ > *expected_length_ - std::min(*expected_length_, decoded_))
    return incomplete("The body is longer than the x-amz-decoded-content-length header says");
  left_ = size_;
  if (size_ > 0) {
    state_ = State::kData;
    return Unit{};
  }
  // The empty chunk ends the data; its own end of line is the end of the body, or trailers follow.
  if (signed_) TRY(check(chunk_signature_, data_to_sign(prefix_, signature_, kEmptySha256)));
  if (expected_length_ && decoded_ != *expected_length_)
    return incomplete(
        "You did not provide the number of bytes specified by the x-amz-decoded-content-length "
        "header");
  state_ = State::kTrailer;
  return Unit{};
}

Result<Unit> ChunkDecoder::data_end() {
  state_ = State::kHead;
  if (!signed_) return Unit{};
  return check(chunk_signature_,
               data_to_sign(prefix_, signature_, to_hex(bytes_of(hash_.finish()))));
}

Result<Unit> ChunkDecoder::trailer(std::string_view text) {
  if (!with_trailer_)
    return fail("MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform "
                "to our published schema.");
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || trailers_.size() >= kMaxTrailers)
    return fail("MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform "
                "to our published schema.");
  trailers_.emplace_back(to_lower(trim(text.substr(0, colon))),
                         std::string(trim(text.substr(colon + 1))));
  return Unit{};
}

Result<Unit> ChunkDecoder::end_trailers() {
  if (signed_ && with_trailer_) {
    const auto found = std::find_if(trailers_.begin(), trailers_.end(), [](const HeaderField& f) {
      return f.first == "x-amz-trailer-signature";
    });
    if (found == trailers_.end())
      return fail("SignatureDoesNotMatch", "The trailer has no x-amz-trailer-signature.", 403);
    const std::string given = found->second;
    trailers_.erase(found);
    TRY(check(given, trailer_to_sign(prefix_, signature_, trailers_)));
  }
  state_ = State::kDone;
  return Unit{};
}

// The chain: what was right becomes part of what is signed next.
Result<Unit> ChunkDecoder::check(std::string_view given, std::string to_sign) {
  std::string right = signature_of(key_, to_sign);
  if (!same_bytes(right, given))
    return fail("SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and "
                "signing method.",
                403);
  signature_ = std::move(right);
  return Unit{};
}

ChunkEncoder::ChunkEncoder(const SignatureInfo& info, const SigningKey& key, bool sign)
    : signed_(sign), prefix_(prefix_of(info)), key_(key), signature_(info.signature) {}

std::string ChunkEncoder::next(std::string_view to_sign) {
  return signature_ = signature_of(key_, to_sign);
}

std::string ChunkEncoder::chunk(std::string_view data) {
  char size[17];
  const auto end = std::to_chars(size, size + sizeof size, data.size(), 16).ptr;
  std::string out(size, end);
  if (signed_)
    out += str(";chunk-signature=", next(data_to_sign(prefix_, signature_, sha256_hex(data))));
  out += "\r\n";
  if (!data.empty()) out += str(data, "\r\n");
  return out;
}

std::string ChunkEncoder::end(const std::vector<HeaderField>& trailers, bool with_trailer) {
  std::string out;
  for (const auto& [name, value] : trailers) out += str(name, ':', value, "\r\n");
  if (signed_ && with_trailer)
    out += str("x-amz-trailer-signature:", next(trailer_to_sign(prefix_, signature_, trailers)),
               "\r\n");
  return out + "\r\n";
}

}  // namespace pileus::aws
