// The framed log stream (_LAMBDA_TELEMETRY_LOG_FD): a message of any number of lines is one event.
// A frame is, big-endian: 4 bytes of type 0xA55A0001…, 4 of length, 8 of µs since 1970 (types with
// bit 1), the message. Bits of the type: 0 text, else JSON; 1 there is a time; 2 to 4 the level.
// Source: AWS's runtime interface clients. What is no frame is given back as plain text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/lambda/platform_events.h"

namespace pileus::services::lambda {

inline constexpr std::size_t kMaxFrame = 1u << 20;  // a longer one is cut there

struct Frame {
  LogLevel level = LogLevel::kNone;
  bool json = false;
  std::string message;
};

class FrameReader {
 public:
  void add(std::string_view bytes) { rest_ += bytes; }
  std::optional<Frame> next();  // a whole one, in order
  std::string take_rest();      // at the end: what never became a frame

 private:
  std::string rest_;
  std::size_t skip_ = 0;  // of a frame that was cut
};

}  // namespace pileus::services::lambda
