#include "store/frames.h"

#include <array>

namespace pileus::store {
namespace {

using Crc = std::uint32_t (*)(const char*, std::size_t, std::uint32_t);

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0x82f63b78u ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr auto kTable = make_table();

std::uint32_t crc_by_table(const char* bytes, std::size_t size, std::uint32_t crc) {
  for (; size > 0; --size)
    crc = kTable[(crc ^ static_cast<unsigned char>(*bytes++)) & 0xff] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_by_cpu(const char* bytes, std::size_t size,
                                                           std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; size >= 8; size -= 8, bytes += 8)
    wide = __builtin_ia32_crc32di(wide, get_integer<std::uint64_t>(bytes));
  crc = static_cast<std::uint32_t>(wide);
  for (; size > 0; --size) crc = __builtin_ia32_crc32qi(crc, static_cast<unsigned char>(*bytes++));
  return crc;
}
Crc choose() { return __builtin_cpu_supports("sse4.2") ? crc_by_cpu : crc_by_table; }
#else
Crc choose() { return crc_by_table; }
#endif

std::uint32_t frame_crc(std::uint64_t seed, std::uint32_t length, std::string_view payload) {
  char head[12];
  std::memcpy(head, &seed, 8);
  std::memcpy(head + 8, &length, 4);
  return crc32c(payload, crc32c(std::string_view(head, sizeof head)));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  static const Crc crc = choose();
  return ~crc(bytes.data(), bytes.size(), ~before);
}

std::size_t begin_frame(std::string& out) {
  out.append(kFrameHeader, '\0');
  return out.size() - kFrameHeader;
}

void end_frame(std::string& out, std::size_t begun, std::uint64_t seed) {
  const std::string_view payload = std::string_view(out).substr(begun + kFrameHeader);
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::uint32_t crc = frame_crc(seed, length, payload);
  std::memcpy(out.data() + begun, &length, 4);
  std::memcpy(out.data() + begun + 4, &crc, 4);
}

std::optional<std::string_view> open_frame(std::string_view bytes, std::uint64_t seed) {
  if (bytes.size() < kFrameHeader) return std::nullopt;
  const auto length = get_integer<std::uint32_t>(bytes.data());
  if (length == 0 || length > bytes.size() - kFrameHeader) return std::nullopt;
  const auto payload = bytes.substr(kFrameHeader, length);
  if (frame_crc(seed, length, payload) != get_integer<std::uint32_t>(bytes.data() + 4))
    return std::nullopt;
  return payload;
}

}  // namespace pileus::store
