// Frames: how the store's own files hold bytes so that a torn write is seen. A frame is
//   u32 payload length | u32 CRC32C of (seed, length, payload) | payload        (little endian)
// The seed is the file's own salt: bytes left over from an earlier use of the file never pass.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace pileus::store {

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

inline constexpr std::size_t kFrameHeader = 8;

// Little-endian integers in strings.
template <class Integer>
void put_integer(std::string& out, Integer value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}
template <class Integer>
Integer get_integer(const char* bytes) {
  Integer value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Takes integers and strings off the front of bytes; `bad()` once they ran out.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  template <class Integer>
  Integer integer() {
    const auto bytes = take(sizeof(Integer));
    return bytes.size() == sizeof(Integer) ? get_integer<Integer>(bytes.data()) : Integer{};
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      bad_ = true;
      rest_ = {};
    }
    const auto out = rest_.substr(0, std::min(size, rest_.size()));
    rest_.remove_prefix(out.size());
    return bad_ ? std::string_view() : out;
  }
  bool empty() const { return rest_.empty(); }
  bool bad() const { return bad_; }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

// Starts a frame at the end of `out`; end_frame closes it over everything appended since.
std::size_t begin_frame(std::string& out);
void end_frame(std::string& out, std::size_t begun, std::uint64_t seed);
// The payload of the frame that `bytes` starts with; nothing when it is torn or not one.
std::optional<std::string_view> open_frame(std::string_view bytes, std::uint64_t seed);

}  // namespace pileus::store
