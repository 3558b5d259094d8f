// The server's own log: one line an event on standard error, `time level message key=value …`.
// Never a secret: no key material, no payload, no Authorization header. Any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace pileus::log {

enum class Level { kDebug, kInfo, kWarn, kError };
using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

void set_level(Level least);
void write(Level level, std::string_view message, Fields fields);
inline void debug(std::string_view message, Fields fields = {}) {
  write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::kInfo, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::kWarn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  write(Level::kError, message, fields);
}

}  // namespace pileus::log
