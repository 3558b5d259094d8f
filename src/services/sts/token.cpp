#include "services/sts/token.h"

#include <zlib.h>

#include <stdexcept>

namespace pileus::services::sts {

namespace {

// Before the deflated text: its size and the text's own, four bytes each, big-endian.
constexpr std::size_t kSizes = 8;

void put_size(std::string& out, std::size_t size) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
}
std::size_t get_size(std::string_view in) {
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i) size = (size << 8) | static_cast<unsigned char>(in[i]);
  return size;
}

// A small window and little memory: zlib's own defaults clear a quarter of a megabyte for every
// token and take 16 times as long.
std::string deflated(std::string_view text) {
  constexpr int kWindowBits = 12, kMemory = 4;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib could not deflate");
  return out;
}

std::optional<std::string> inflated(std::string_view packed, std::size_t wanted) {
  std::string out(wanted, '\0');
  uLongf size = wanted;
  const int result = uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                                reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (result != Z_OK || size != wanted) return std::nullopt;
  return out;
}

}  // namespace

std::size_t packed_size(std::string_view text) { return text.empty() ? 0 : deflated(text).size(); }

std::string write_token(const aws::Sealer& sealer, const SessionRecord& session,
                        const std::string& access_key_id, std::size_t least_size) {
  const std::string text = store::encode(session);
  const std::string packed = deflated(text);
  std::string plain;
  put_size(plain, packed.size());
  put_size(plain, text.size());
  plain += packed;
  const std::size_t least_bytes = (least_size + 3) / 4 * 3;
  if (plain.size() + aws::Sealer::kOverhead < least_bytes)
    plain.resize(least_bytes - aws::Sealer::kOverhead);
  return to_base64(sealer.seal(plain, access_key_id));
}

std::optional<SessionRecord> read_token(const aws::Sealer& sealer, std::string_view token,
                                        const std::string& access_key_id) {
  const auto sealed = from_base64(token);
  const auto plain = sealed ? sealer.open(*sealed, access_key_id) : std::nullopt;
  if (!plain || plain->size() < kSizes) return std::nullopt;
  const std::string_view body = std::string_view(*plain).substr(kSizes);
  const std::size_t packed = get_size(*plain);
  const std::size_t size = get_size(std::string_view(*plain).substr(4));
  if (packed > body.size() || size > kMaxTokenRecord) return std::nullopt;
  const auto text = inflated(body.substr(0, packed), size);
  if (!text) return std::nullopt;
  auto session = store::decode<SessionRecord>(*text);
  if (!session) return std::nullopt;
  return std::move(*session);
}

}  // namespace pileus::services::sts
