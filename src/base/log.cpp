#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>

#include "base/text.h"

namespace pileus::log {

namespace {
std::atomic<Level> least_level{Level::kInfo};
constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
}  // namespace

void set_level(Level least) { least_level = least; }

void write(Level level, std::string_view message, Fields fields) {
  if (level < least_level) return;
  const auto now =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::string line = iso8601_millis(now);
  line += ' ';
  line += kNames[static_cast<int>(level)];
  line += ' ';
  line += message;
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    const bool quote = value.empty() || value.find_first_of(" \"\n") != std::string::npos;
    if (quote) line += '"';
    for (const char c : value) line += c == '\n' ? ' ' : c;
    if (quote) line += '"';
  }
  line += '\n';
  // One write a line, so that lines of several threads do not mix.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace pileus::log
