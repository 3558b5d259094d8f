#include "services/lambda/frames.h"

#include <algorithm>

namespace pileus::services::lambda {
namespace {

constexpr std::uint32_t kMagic = 0xA55A0000, kMagicMask = 0xFFFF0000;
constexpr std::uint32_t kText = 1, kTimed = 2;

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::optional<Frame> FrameReader::next() {
  const auto skipped = std::min(skip_, rest_.size());
  rest_.erase(0, skipped);
  skip_ -= skipped;
  if (rest_.size() < 8) return std::nullopt;
  const auto type = number(rest_);
  Frame frame;
  if ((type & kMagicMask) != kMagic) {  // somebody wrote there what is no frame: a line of text
    const auto end = rest_.find('\n');
    if (end == std::string::npos && rest_.size() < kMaxFrame) return std::nullopt;
    const auto size = std::min(end == std::string::npos ? rest_.size() : end + 1, kMaxFrame);
    frame.message = rest_.substr(0, size);
    rest_.erase(0, size);
    return frame;
  }
  const std::size_t head = (type & kTimed) ? 16 : 8;
  const std::size_t length = number(std::string_view(rest_).substr(4));
  const std::size_t kept = std::min(length, kMaxFrame);
  if (rest_.size() < head + kept) return std::nullopt;
  frame.json = !(type & kText);
  const auto level = (type >> 2) & 7;
  if (level <= static_cast<unsigned>(LogLevel::kFatal)) frame.level = static_cast<LogLevel>(level);
  frame.message = rest_.substr(head, kept);
  rest_.erase(0, head + kept);
  skip_ = length - kept;
  return frame;
}

std::string FrameReader::take_rest() { return std::exchange(rest_, {}); }

}  // namespace pileus::services::lambda
