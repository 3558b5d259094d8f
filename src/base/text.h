// Text: the small operations on strings, bytes and times that every room needs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pileus {

using Time = std::chrono::sys_time<std::chrono::microseconds>;

std::vector<std::string_view> split(std::string_view text, char separator);  // "" → {""}
std::string_view trim(std::string_view text);                                // ASCII white space
std::string to_lower(std::string_view text);                                 // ASCII
bool iequals(std::string_view a, std::string_view b);                        // ASCII
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

// Concatenates strings, characters and integers: str("a", 1, 'c').
namespace detail {
inline void append(std::string& out, std::string_view piece) { out += piece; }
inline void append(std::string& out, const std::string& piece) { out += piece; }
inline void append(std::string& out, const char* piece) { out += piece; }
inline void append(std::string& out, char piece) { out += piece; }
template <class Integer>
  requires std::is_integral_v<Integer>
void append(std::string& out, Integer piece) {
  out += std::to_string(piece);
}
}  // namespace detail
template <class... Pieces>
std::string str(const Pieces&... pieces) {
  std::string out;
  (detail::append(out, pieces), ...);
  return out;
}

std::optional<std::int64_t> parse_int(std::string_view text);  // whole text, decimal
std::optional<double> parse_double(std::string_view text);     // whole text; NaN, Infinity too

std::string to_hex(std::string_view bytes);  // lower case
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);                  // standard alphabet, padded
std::optional<std::string> from_base64(std::string_view text);  // padding needed, no white space

// RFC 3986: keeps A-Za-z0-9-._~ (and '/' where asked), the rest as %XX, upper-case hex.
enum class Slash { kEncode, kKeep };
std::string percent_encode(std::string_view text, Slash slash = Slash::kEncode);
enum class Plus { kKeep, kSpace };
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::kKeep);

bool is_utf8(std::string_view text);
std::size_t utf8_length(std::string_view text);  // code points of valid UTF-8

// Times. UTC only.
std::string iso8601(Time time);         // 2015-01-25T08:00:00Z, fraction only where there is one
std::string iso8601_millis(Time time);  // 2015-01-25T08:00:00.000Z
std::string basic_iso8601(Time time);   // 20150125T080000Z
std::string http_date(Time time);       // Sun, 25 Jan 2015 08:00:00 GMT
std::optional<Time> parse_iso8601(std::string_view text);  // with Z or ±hh:mm, optional fraction
std::optional<Time> parse_basic_iso8601(std::string_view text);  // 20150125T080000Z
std::optional<Time> parse_http_date(std::string_view text);
inline Time from_millis(std::int64_t millis) { return Time(std::chrono::milliseconds(millis)); }
inline std::int64_t to_millis(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace pileus
