// The compact binary form of what server, launcher and init say to each other: little-endian
// integers, strings with a 32-bit length. A Reader never reads past its bytes; ok() tells.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pileus::sandbox {

class Writer {
 public:
  template <class Integer>
    requires(std::is_trivially_copyable_v<Integer> && !std::is_pointer_v<Integer> &&
             !std::is_convertible_v<Integer, std::string_view>)
  Writer& put(Integer value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& put(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  Writer& put(const std::string& text) { return put(std::string_view(text)); }
  Writer& put(const char* text) { return put(std::string_view(text)); }
  Writer& put(const std::vector<std::string>& list) {
    put(static_cast<std::uint32_t>(list.size()));
    for (const auto& item : list) put(item);
    return *this;
  }
  Writer& raw(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class Integer>
  Integer get() {
    Integer value{};
    if (rest_.size() < sizeof value) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const auto size = get<std::uint32_t>();
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  std::vector<std::string> list() {
    std::vector<std::string> out;
    const auto count = get<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && ok_; ++i) out.push_back(text());
    return out;
  }
  std::string_view rest() const { return rest_; }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pileus::sandbox
