// Any bytes as a CloudWatch Logs filter pattern over any message: no crash, no runaway match, and a
// pattern means the same when it is parsed again. Input: pattern, then after the first 0 byte the
// message.
#include <cstdlib>

#include "services/logs/filter_pattern.h"

using namespace pileus::services::logs;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\0');
  const auto text = input.substr(0, end);
  const auto message = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  const auto pattern = FilterPattern::parse(text);
  if (!pattern) {
    if (pattern.error().message().empty()) std::abort();
    return 0;
  }
  const bool matches = pattern->matches(message);
  if (pattern->matches_everything() && !matches) std::abort();
  if (FilterPattern::parse(text)->matches(message) != matches) std::abort();
  (void)pattern->matches(R"({"a": {"b": [1, "x", null, true]}, "c": -2.5})");
  (void)pattern->matches(R"(127.0.0.1 - frank [10/Oct/2000:13:25:15] "GET / HTTP/1.0" 404 1534)");
  return 0;
}
